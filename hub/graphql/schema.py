"""One schema for each audience: the fields that declare it, and the types that they lead to."""

from __future__ import annotations

from functools import cache
from inspect import getdoc

import strawberry
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLObjectType
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from hub.domain.scopes import Audience
from hub.graphql.declared import is_shown
from hub.graphql.query import Query
from hub.graphql.scalars import SCALARS

BACKREF = GraphQLCoreConverter.DEFINITION_BACKREF


class AudienceSchema(strawberry.Schema):
    """The schema without the fields that none of these audiences has."""

    def __init__(self, audiences: frozenset[Audience]) -> None:
        self.audiences = audiences
        super().__init__(query=Query, config=StrawberryConfig(scalar_map=SCALARS))
        self._describe()

    def get_fields(self, type_definition: StrawberryObjectDefinition) -> list[StrawberryField]:
        """Fields of the type that one of these audiences has."""
        return [
            field
            for field in type_definition.fields
            if any(is_shown(type_definition, field, audience) for audience in self.audiences)
        ]

    def _describe(self) -> None:
        """Show clients what the docstrings of fields, filters and enums say."""
        for type_ in self._schema.type_map.values():
            definition = type_.extensions.get(BACKREF)
            if isinstance(type_, GraphQLEnumType) and definition:
                type_.description = getdoc(definition.wrapped_cls)
            elif isinstance(type_, GraphQLInputObjectType) and definition:
                type_.description = getdoc(definition.origin)
            elif isinstance(type_, GraphQLObjectType):
                for field in type_.fields.values():
                    known = field.extensions.get(BACKREF)
                    if known and known.base_resolver:
                        field.description = getdoc(known.base_resolver.wrapped_func)


@cache
def schema_for(audience: Audience) -> AudienceSchema:
    """What this audience can ask; a name that is not in it does not exist for that audience."""
    return AudienceSchema(frozenset({audience}))


def full_schema() -> str:
    """SDL of everything that any audience has: schema.graphql in the root of the repository."""
    return AudienceSchema(frozenset(Audience)).as_str() + "\n"
