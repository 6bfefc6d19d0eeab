"""Every type and field declares who has it, and no way leads around what it asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType, get_named_type, parse, validate
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

from hub.domain.scopes import SCOPES, Audience
from hub.graphql.declared import MEMBERS, Declared, declared_by_field, declared_by_type
from hub.graphql.schema import BACKREF, AudienceSchema, schema_for

EVERYTHING = AudienceSchema(frozenset(Audience))
NEEDS = {
    "services": set(),
    "service": set(),
    "opportunities": set(),
    "opportunity": set(),
    "partners": set(),
    "partner": set(),
    "networks": set(),
    "vocabulary": set(),
    "me": set(),
    "referrals": {"referrals:read"},
    "referral": {"referrals:read"},
    "smes": {"referrals:read"},
    "sme": {"referrals:read"},
    "roadmap": {"diagnosis:read"},
    "ledger": {"events:read"},
    "auditLog": {"events:read"},
    "receipt": {"events:read"},
}
"""Scopes of which a caller needs one, as the contract has them."""

Door = tuple[StrawberryObjectDefinition, StrawberryField, Any]


def doors(schema: AudienceSchema) -> Iterator[Door]:
    """(type, field, GraphQL type that the field leads to) of every field of every type."""
    for kind in schema._schema.type_map.values():
        definition = kind.extensions.get(BACKREF)
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) and definition:
            by_name = {field.python_name: field for field in definition.fields}
            for field in kind.fields.values():
                known = field.extensions[BACKREF]
                yield definition, by_name[known.python_name], get_named_type(field.type)


def declared(definition: StrawberryObjectDefinition, field: StrawberryField) -> Declared | None:
    """What is asked of one who asks the field."""
    return declared_by_field(field) or declared_by_type(definition)


def test_every_field_declares_who_may_ask_it_itself_or_with_its_type() -> None:
    undeclared = [
        f"{definition.name}.{field.name}"
        for kind in (EVERYTHING._schema.type_map.values())
        if (definition := kind.extensions.get(BACKREF)) and isinstance(kind, GraphQLObjectType)
        for field in definition.fields
        if declared(definition, field) is None
    ]
    assert not undeclared, "give the type @shown or the field @requires: hub/graphql/declared.py"
    assert len(list(doors(EVERYTHING))) > 200


def test_a_field_that_declares_nothing_is_in_no_schema() -> None:
    import strawberry

    @strawberry.type
    class Undeclared:
        secret: int = 1

    definition: Any = Undeclared.__strawberry_definition__  # type: ignore[attr-defined]
    assert all(schema_for(audience).get_fields(definition) == [] for audience in Audience)


def test_scopes_that_are_declared_exist() -> None:
    named = {
        scope
        for definition, field, _ in doors(EVERYTHING)
        for one in (declared_by_type(definition), declared_by_field(field))
        for scope in (one.scopes if one else ())
    }
    assert "referrals:contact" in named
    assert named <= SCOPES


def test_no_field_leads_to_a_type_without_what_the_type_asks_for() -> None:
    around = []
    for definition, field, leads_to in doors(EVERYTHING):
        target = leads_to.extensions.get(BACKREF)
        asked = declared_by_type(target) if isinstance(target, StrawberryObjectDefinition) else None
        holds = declared(definition, field)
        if asked is None or holds is None:
            continue
        own = declared_by_type(definition)
        audiences = holds.audiences & (own.audiences if own else holds.audiences)
        if not audiences <= asked.audiences:
            around.append(f"{definition.name}.{field.name} shows {target.name} to others")
        if asked.scopes and not (holds.scopes and holds.scopes <= asked.scopes):
            around.append(f"{definition.name}.{field.name} leads to {target.name} without its scope")
    assert not around, around


def test_fields_of_query_need_what_the_contract_says() -> None:
    query = EVERYTHING._schema.query_type
    assert query is not None
    found = {
        to_camel_case(field.name): declared_by_field(field)
        for definition, field, _ in doors(EVERYTHING)
        if definition.name == "Query"
    }
    assert {name: set(one.scopes) if one else None for name, one in found.items()} == NEEDS
    assert set(query.fields) == set(NEEDS)


@pytest.mark.parametrize("audience", sorted(set(Audience) - MEMBERS))
def test_nothing_tells_other_audiences_of_cases_not_even_a_suggestion(audience: Audience) -> None:
    schema = schema_for(audience)._schema
    for query in (
        "{ referal { id } }",
        "{ roadmaps { id } }",
        "{ receipts { seq } }",
        "{ ledgers { seq } }",
    ):
        errors = [error.message for error in validate(schema, parse(query))]
        assert errors
        assert not [one for one in errors if "Did you mean" in one], errors
    fragment = "query { me { name } } fragment f on Referal { id }"
    assert "Did you mean" not in " ".join(one.message for one in validate(schema, parse(fragment)))
    for name in ("Referral", "ReferralFilter", "ReferralState", "Sme", "Contact", "Roadmap", "LedgerEntry"):
        assert schema.get_type(name) is None
