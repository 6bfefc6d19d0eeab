"""What every connector gives: rows that are events to be, and rows that could not be read, with a remedy.

A connector reads one file format and knows neither the hub nor the other connectors. It never stops at a
bad row: each of its bad fields becomes a Rejected, and the rows after it are read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from hub.domain.codes import nearest
from hub.domain.opportunities import OpportunityPublished, opportunity_id
from hub.domain.services import ServicePublished, content_hash, service_id
from hub.domain.values import ITEMS_MAX, MemberError

SERVICE_PUBLISHED = "hub.service.published.v1"
OPPORTUNITY_PUBLISHED = "hub.opportunity.published.v1"

SHOWN_CHARS_MAX = 80
"""Values of the file are quoted in messages up to this length."""

FAULTS_MAX = 50
"""Faults that are reported of one row."""

INTEGER_MIN, INTEGER_MAX = -(2**63), 2**63 - 1
"""Integers beyond are refused by the hub."""

_MODELS: Mapping[str, type[BaseModel]] = {
    SERVICE_PUBLISHED: ServicePublished,
    OPPORTUNITY_PUBLISHED: OpportunityPublished,
}
_KEY_MEMBER = {SERVICE_PUBLISHED: "own_id", OPPORTUNITY_PUBLISHED: "reference"}
_IDS = {SERVICE_PUBLISHED: service_id, OPPORTUNITY_PUBLISHED: opportunity_id}


@dataclass(frozen=True, slots=True)
class Row:
    """One record of the file as the event that publishes it.

    number: as a person counts in the file, from 1. key: own_id or reference. type, subject, data: of the
    event; data has passed the payload's model and has a canonical form (RFC 8785).
    """

    number: int
    key: str | None
    type: str
    subject: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rejected:
    """One field that could not be read, or a whole row or file when `field` is empty.

    row: as in Row; 0 is the whole file. field: in the words of the file (column name, JSON pointer).
    subject: the thing that the row is about, when the row says so much; it is not withdrawn.
    unread: records may be hidden behind this whose ids cannot be told; then nothing is withdrawn at all.
    """

    row: int
    field: str
    message: str
    remedy: str
    subject: str | None = None
    unread: bool = False


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why one value of a file cannot be read, and what to write instead."""

    message: str
    remedy: str


class Connector(Protocol):
    """Reads one format. name: of the command line and of the feed's event source."""

    name: str

    def read(self, path: Path, partner: str) -> Iterator[Row | Rejected]:
        """Every record of the file, in its order; the same file gives equal rows.

        partner: slug of the publisher, for the ids. Raises OSError when the file cannot be opened.
        """
        ...


@dataclass(slots=True)
class Draft:
    """A record while it is being read: members so far, where each came from, and what went wrong.

    where: field of the file by JSON pointer of the payload; the longest prefix counts.
    """

    number: int
    data: dict[str, Any] = field(default_factory=dict)
    where: dict[str, str] = field(default_factory=dict)
    faults: list[tuple[str, str, str]] = field(default_factory=list)
    spoiled: set[str] = field(default_factory=set)

    def put(self, member: str, value: Any, source: str) -> None:
        """Set a member from a field of the file; an Unreadable becomes a fault, None is left out."""
        if isinstance(value, Unreadable):
            self.reject(member, source, value)
        elif value is not None:
            self.data[member] = value
            self.where[f"/{member}"] = source

    def append(self, member: str, value: Any, source: str) -> None:
        """Add to a list of the payload; what is in it already is not added again."""
        if isinstance(value, Unreadable):
            self.reject(member, source, value)
            return
        items = self.data.setdefault(member, [])
        # Beyond the limit of the model nothing is compared: a hostile list must not cost its square.
        if len(items) > ITEMS_MAX or value not in items:
            self.where.setdefault(f"/{member}", source)
            self.where[f"/{member}/{len(items)}"] = source
            items.append(value)

    def reject(self, member: str, source: str, why: Unreadable) -> None:
        """Note a fault; the member is not checked any further."""
        self.spoiled.add(member)
        self.faults.append((source, why.message, why.remedy))

    def finish(self, type_: str, partner: str) -> list[Row | Rejected]:
        """The row, or a Rejected for each of its bad fields."""
        key = self.data.get(_KEY_MEMBER[type_])
        known = isinstance(key, str) and bool(key)
        subject = _IDS[type_](partner, key) if isinstance(key, str) and key else None
        faults = [*self.faults, *self._faults_of(type_)]
        if not faults and known and subject:
            return [Row(self.number, key, type_, subject, self.data)]
        return [
            Rejected(self.number, where, message, remedy, subject=subject, unread=subject is None)
            for where, message, remedy in faults[:FAULTS_MAX]
        ]

    def _faults_of(self, type_: str) -> Iterator[tuple[str, str, str]]:
        for member, value in self.data.items():
            why = None if member in self.spoiled else _not_canonical(value)
            if why:
                self.spoiled.add(member)
                yield self.source_of(f"/{member}"), why.message, why.remedy
        try:
            _MODELS[type_].model_validate(self.data)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                steps, value = _place(detail)
                if not steps or str(steps[0]) not in self.spoiled:
                    where = self.source_of("".join(f"/{step}" for step in steps))
                    why = _explained(detail, value, where)
                    yield where, why.message, why.remedy

    def source_of(self, pointer: str) -> str:
        """Field of the file that a place in the payload came from; the pointer itself when none did."""
        prefix = pointer
        while prefix:
            if prefix in self.where:
                return self.where[prefix]
            prefix = prefix.rpartition("/")[0]
        return pointer


def without_repeats(
    rows: Iterable[Row | Rejected], key_field: Callable[[int], str]
) -> Iterator[Row | Rejected]:
    """The same, but a second row about one thing is rejected: which of them holds cannot be told.

    key_field: where a row of that number has its key, in the words of the file.
    """
    seen: dict[str, int] = {}
    for row in rows:
        if isinstance(row, Row) and row.subject in seen:
            yield Rejected(
                row.number,
                key_field(row.number),
                f"{shown(row.key)} stands in row {seen[row.subject]} already.",
                "Keep one row for each reference; the first was read.",
                subject=row.subject,
            )
            continue
        if isinstance(row, Row):
            seen[row.subject] = row.number
        yield row


def one_of(value: str, known: Iterable[str]) -> Unreadable:
    """Says that a value is none of the known ones, and which was probably meant."""
    names = list(known)
    guess = nearest(value, names)
    hint = f"Did you mean {guess}? " if guess else ""
    return Unreadable(f"{shown(value)} is not known.", f"{hint}Use one of: {', '.join(names)}.")


def shown(value: Any) -> str:
    """A value of the file for a message: quoted, on one line, cut to SHOWN_CHARS_MAX."""
    text = value if isinstance(value, str) else str(value)
    text = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+", " ", text)
    return f'"{text}"' if len(text) <= SHOWN_CHARS_MAX else f'"{text[: SHOWN_CHARS_MAX - 1]}…"'


def _not_canonical(value: Any) -> Unreadable | None:
    """Why the value cannot be compared or stored everywhere, if so."""
    try:
        content_hash({"value": value})
    except (ValueError, TypeError):
        return Unreadable(
            "It holds half a surrogate pair, or a number that has no exact form here.",
            "Write characters in UTF-8, and exact numbers as text.",
        )
    if any(isinstance(part, str) and "\x00" in part for part in _parts(value)):
        return Unreadable("It holds the character U+0000.", "Remove the character from the text.")
    if any(isinstance(part, int) and not INTEGER_MIN <= part <= INTEGER_MAX for part in _parts(value)):
        return Unreadable(
            "It holds an integer beyond 64 bits, which parsers read differently.", "Write it as text."
        )
    return None


def _parts(value: Any) -> Iterator[Any]:
    """Every scalar and every name within a JSON value."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield name
            yield from _parts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _parts(part)
    else:
        yield value


def _place(detail: ErrorDetails) -> tuple[tuple[int | str, ...], Any]:
    """Where in the payload an error is, and the value there; of a broken rule, the member to mend."""
    broken = detail.get("ctx", {}).get("error")
    if isinstance(broken, MemberError) and isinstance(detail["input"], dict):
        return (*detail["loc"], broken.member), detail["input"].get(broken.member)
    return detail["loc"], detail["input"]


def _explained(detail: ErrorDetails, value: Any, where: str) -> Unreadable:
    """A validation error in words for the person who keeps the file. value: what was found."""
    kind = detail["type"]
    if kind == "missing":
        return Unreadable("It is required and missing.", f"Fill in {where}.")
    if kind == "string_too_short":
        return Unreadable("It is required and empty.", f"Fill in {where}.")
    if kind == "literal_error":
        expected = re.findall(r"'([^']*)'", detail.get("ctx", {}).get("expected", ""))
        return one_of(str(value), expected)
    if kind == "extra_forbidden":
        return Unreadable("There is no such member.", f"Remove {where}, or move it into extensions.")
    message = detail["msg"].removeprefix("Value error, ")
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        message = f"{shown(value)}: {message}"
    return Unreadable(
        f"{message.rstrip('.')}.", f"Correct {where or 'the row'} in the file and import it again."
    )
