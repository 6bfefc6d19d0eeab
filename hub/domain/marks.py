"""What a member of a payload is beside its type: personal, or the name of something else.

A payload model is annotated once; sealing, surrogates and reference checks all read the same marks.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union

from pydantic import BaseModel, GetCoreSchemaHandler, ValidationInfo, ValidatorFunctionWrapHandler
from pydantic_core import core_schema

T = TypeVar("T")


class Sealed(str):
    """Cipher text of a personal member; only the store, with the key, makes it readable again."""

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> Any:
        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema())


SEALED_CONTEXT = {"sealed": True}
"""Validation context for events that come out of the inbox: personal members are Sealed there."""


@dataclass(frozen=True, slots=True)
class PersonalMark:
    """A personal member, sealed under the event's firm, or under the person of a sibling member."""

    person_member: str | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> Any:
        clear = [kind for kind in typing.get_args(source) if kind is not Sealed]
        schema = handler.generate_schema(Union[tuple(clear)])  # noqa: UP007
        return core_schema.with_info_wrap_validator_function(_sealed_or_clear, schema)


def _sealed_or_clear(value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    if info.context is SEALED_CONTEXT and value is not None:
        return Sealed(value)
    return handler(value)


Personal = Annotated[Union[T, Sealed], PersonalMark()]  # noqa: UP007
"""Personal data of the firm that the event is about."""

PersonalOfPerson = Annotated[Union[T, Sealed], PersonalMark(person_member="person_id")]  # noqa: UP007
"""Personal data of the person named by the sibling member person_id."""


def sealed(value: object) -> Sealed | None:
    """The sealed form of a personal member; TypeError when clear text reaches a fold."""
    if value is None or isinstance(value, Sealed):
        return value
    raise TypeError("a personal member reached a fold unsealed")


@dataclass(frozen=True, slots=True)
class Reference:
    """The member names a thing with a key of its own: a service, opportunity, partner, network, recipient."""

    kind: str


@dataclass(frozen=True, slots=True)
class FirmReference:
    """The member is a firm's wire id; stores, topics and logs hold its surrogate instead."""


@dataclass(frozen=True, slots=True)
class PersonReference:
    """The member names a person whose key the event is sealed under; the id itself stays readable."""


Mark = PersonalMark | Reference | FirmReference | PersonReference


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mark stands: member names, "*" for every item of a list."""

    path: tuple[str, ...]
    mark: Mark


@cache
def places(model: type[BaseModel]) -> tuple[Place, ...]:
    """Every marked place of a payload model, outermost first; a model inside itself is not followed."""
    return tuple(_places(model, (), frozenset()))


Models = frozenset[type[BaseModel]]


def _places(model: type[BaseModel], path: tuple[str, ...], around: Models) -> Iterator[Place]:
    if model not in around:
        for name, hint in typing.get_type_hints(model, include_extras=True).items():
            if name in model.model_fields:
                alias = model.model_fields[name].alias or name
                yield from _places_of_type(hint, (*path, alias), around | {model})


def _places_of_type(hint: Any, path: tuple[str, ...], around: Models) -> Iterator[Place]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        for mark in arguments[1:]:
            if isinstance(mark, Mark):
                yield Place(path, mark)
                if isinstance(mark, PersonalMark):
                    return  # The whole member is sealed: nothing inside it is looked at.
        yield from _places_of_type(arguments[0], path, around)
    elif origin in (Union, UnionType):
        for kind in arguments:
            if kind is not NoneType:
                yield from _places_of_type(kind, path, around)
    elif origin in (list, tuple):
        yield from _places_of_type(arguments[0], (*path, "*"), around)
    elif isinstance(hint, type) and issubclass(hint, BaseModel):
        yield from _places(hint, path, around)


def visit(
    data: dict[str, Any], path: tuple[str, ...], act: Callable[[dict[str, Any], Any, Any, str], None]
) -> None:
    """Call act(object, container, key, pointer) for every value that stands at the path.

    data: parsed JSON. container[key] is the value; object is the nearest JSON object around it, whose
    other members are the value's siblings. pointer: JSON pointer from data.
    """
    _visit(data, data, path, "", act)


def _visit(parent: dict[str, Any], node: Any, path: tuple[str, ...], pointer: str, act: Any) -> None:
    step, rest = path[0], path[1:]
    keys: list[Any]
    if step == "*":
        keys = list(range(len(node))) if isinstance(node, list) else []
    else:
        keys = [step] if isinstance(node, dict) and node.get(step) is not None else []
        parent = node if isinstance(node, dict) else parent
    for key in keys:
        if rest:
            _visit(parent, node[key], rest, f"{pointer}/{key}", act)
        else:
            act(parent, node, key, f"{pointer}/{key}")
