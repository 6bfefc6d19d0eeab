"""Who may ask for what. Every type declares it, and every field that leads to more; what declares nothing
is in no schema.

A door is a field with a declaration of its own: it is checked each time it is asked. Whoever is behind it
holds what the type asks for, so that the fields of the type need no check: that no door leads around is
proved over the whole schema by tests/graphql/test_declared.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.extensions.field_extension import AsyncExtensionResolver, SyncExtensionResolver
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from hub.domain.scopes import Audience, missing_scope, scopes_of
from hub.graphql.refusals import refused

if TYPE_CHECKING:
    from hub.graphql.context import Info

T = TypeVar("T")

EVERYONE = frozenset(Audience)
MEMBERS = frozenset({Audience.PARTNER, Audience.MANAGER})
REFUSED: Final = object()
_NAME = "__hub_declared__"


@dataclass(frozen=True, slots=True)
class Declared:
    """audiences: the schema of all others lacks it. scopes: any one of them; none: nothing is needed."""

    audiences: frozenset[Audience] = EVERYONE
    scopes: frozenset[str] = frozenset()

    def is_for(self, audience: Audience) -> bool:
        """Whether this audience can ever hold what is needed."""
        return audience in self.audiences and (
            not self.scopes or not self.scopes.isdisjoint(scopes_of(audience))
        )


def shown(
    audiences: Iterable[Audience] = EVERYONE, scopes: Iterable[str] = ()
) -> Callable[[type[T]], type[T]]:
    """Declare who has the fields of a type, beneath `strawberry.type`; a subclass declares anew."""

    def declare(type_: type[T]) -> type[T]:
        setattr(type_, _NAME, Declared(frozenset(audiences), frozenset(scopes)))
        return type_

    return declare


class Requires(FieldExtension):
    """What a field asks of its caller; made by `requires`."""

    def __init__(self, declared: Declared, without: Any) -> None:
        self.declared, self._without = declared, without

    def resolve(self, next_: SyncExtensionResolver, source: Any, info: Info, **kwargs: Any) -> Any:
        """The field for those who hold a scope; `without`, or GraphQLError scope.missing, for all others."""
        return next_(source, info, **kwargs) if self._holds(info) else self._without

    async def resolve_async(
        self, next_: AsyncExtensionResolver, source: Any, info: Info, **kwargs: Any
    ) -> Any:
        """The same, for fields that read."""
        return await next_(source, info, **kwargs) if self._holds(info) else self._without

    def _holds(self, info: Info) -> bool:
        scopes = self.declared.scopes
        if not scopes or not scopes.isdisjoint(info.context.principal.scopes):
            return True
        if self._without is REFUSED:
            context, refusal = info.context, missing_scope(*sorted(scopes), one_of=True)
            # Type and field as the schema calls them, whatever alias the document gives.
            asked = info._raw_info
            context.note_refusal(
                context.principal, refusal.code, f"{asked.parent_type.name}.{asked.field_name}"
            )
            raise refused(refusal)
        return False


def requires(
    audiences: Iterable[Audience] = EVERYONE, scopes: Iterable[str] = (), *, without: Any = REFUSED
) -> Callable[[Callable[..., Any]], Any]:
    """Make a resolver a field, and declare who has it.

    without: what those get who hold none of the scopes; REFUSED: the error scope.missing.
    """
    declared = Declared(frozenset(audiences), frozenset(scopes))

    def declare(resolver: Callable[..., Any]) -> Any:
        return strawberry.field(resolver, extensions=[Requires(declared, without)])

    return declare


def declared_by_type(definition: StrawberryObjectDefinition) -> Declared | None:
    """What a type declares itself; None when it declares nothing."""
    found = vars(definition.origin).get(_NAME)
    return found if isinstance(found, Declared) else None


def declared_by_field(field: StrawberryField) -> Declared | None:
    """What a field declares itself; None when it is as its type says."""
    return next((one.declared for one in field.extensions if isinstance(one, Requires)), None)


def is_shown(definition: StrawberryObjectDefinition, field: StrawberryField, audience: Audience) -> bool:
    """Whether the audience has the field: by what it declares and its type declares, and never by silence.

    Inputs are had by whoever has a field that takes them.
    """
    if definition.is_input:
        return True
    declared = [one for one in (declared_by_type(definition), declared_by_field(field)) if one]
    return bool(declared) and all(one.is_for(audience) for one in declared)
