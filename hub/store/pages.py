"""Pages of lists: keyset cursors that are opaque to clients, bound to their sort, and checked."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence, Sized
from dataclasses import dataclass, fields
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, CompoundSelect, Connection, Select, and_, func, literal, or_, select

from hub.domain.base64url import base64url
from hub.domain.refusal import Refusal
from hub.store.tables import position

PAGE_NODES_MAX = 100
CURSOR_CHARS_MAX = 4_000
VALUES_MAX = 100

_VERSION = select(func.coalesce(func.sum(position.c.events), 0))
T = TypeVar("T")
Key = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list.

    cursors: one for each node. total: of the whole list; None where it was not to be counted. version:
    projection that the page shows.
    """

    nodes: list[T]
    cursors: list[str]
    has_next: bool
    has_previous: bool
    total: int | None
    version: int


@dataclass(frozen=True, slots=True)
class Order:
    """A column of the sort key; its values are never null. kind: type of its values."""

    column: ColumnElement[Any]
    kind: type[str] | type[int]
    descending: bool = False


def projection_version(conn: Connection) -> int:
    """Number of events that the read model shows: it grows with every one, whatever lane it came by."""
    return int(conn.execute(_VERSION).scalar_one())


def count_of(conn: Connection, rows: Select[Any] | CompoundSelect[Any]) -> int:
    """Number of rows of a statement, which is read to its end: only where somebody asks for it."""
    return conn.execute(select(func.count()).select_from(rows.subquery())).scalar_one()


def first_refusal(first: int) -> Refusal | None:
    """Why a page cannot have that many nodes."""
    if 1 <= first <= PAGE_NODES_MAX:
        return None
    return Refusal(
        "payload.invalid",
        f"first is {first}; a page has 1 to {PAGE_NODES_MAX} nodes",
        "Ask for fewer nodes and go on with after: pageInfo.endCursor.",
    )


def criteria_refusal(criteria: object) -> Refusal | None:
    """Refused: a list of a filter (a dataclass) that is longer than anybody chooses from."""
    names = [one.name for one in fields(criteria)]  # type: ignore[arg-type]
    for name in names:
        value = getattr(criteria, name)
        if isinstance(value, Sized) and not isinstance(value, str) and len(value) > VALUES_MAX:
            return Refusal(
                "payload.invalid",
                f"the filter names {len(value)} values for {name}; at most {VALUES_MAX} are allowed",
                "Name fewer values, or leave the member out.",
            )
    return None


def encode_cursor(sort: str, key: Sequence[str | int]) -> str:
    """Cursor of the row with this key, under this sort."""
    text = json.dumps([sort, *key], separators=(",", ":"), ensure_ascii=False)
    return base64url(text.encode())


def decode_cursor(cursor: str, sort: str, order: Sequence[Order]) -> Key | Refusal:
    """The key in a cursor that was made under this sort; a Refusal for every other text."""
    if len(cursor) <= CURSOR_CHARS_MAX and cursor.isascii():
        try:
            text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            parts = json.loads(text)
        except (binascii.Error, ValueError, RecursionError):
            return _bad_cursor()
        kinds = [str, *(one.kind for one in order)]
        typed = isinstance(parts, list) and [type(part) for part in parts] == kinds and parts[0] == sort
        if typed and all(map(_is_storable, parts)):
            return tuple(parts[1:])
    return _bad_cursor()


def _is_storable(part: str | int) -> bool:
    """Whether a database takes the value: bounded, and text without NUL or half surrogate pairs."""
    if isinstance(part, int):
        return abs(part) < 2**62
    return "\0" not in part and not any("\ud800" <= char <= "\udfff" for char in part)


def beyond(order: Sequence[Order], key: Key) -> ColumnElement[bool]:
    """Rows that come after the key."""
    cases: list[ColumnElement[bool]] = []
    for place, one in enumerate(order):
        value = literal(key[place])
        further = one.column < value if one.descending else one.column > value
        equal = (earlier.column == literal(key[at]) for at, earlier in enumerate(order[:place]))
        cases.append(and_(*equal, further))
    return or_(*cases)


def order_by(order: Sequence[Order]) -> list[ColumnElement[Any]]:
    """The ORDER BY of the sort."""
    return [one.column.desc() if one.descending else one.column.asc() for one in order]


def _bad_cursor() -> Refusal:
    return Refusal(
        "payload.invalid",
        "after is no cursor of this list in this sort",
        "Take it unchanged from pageInfo.endCursor or edges.cursor of the page before, with the same sort.",
    )
