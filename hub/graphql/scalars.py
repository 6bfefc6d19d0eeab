"""Scalars of the contract, and the small types that many nouns share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import strawberry
from strawberry.scalars import JSON as JSON
from strawberry.types.scalar import ScalarDefinition

from hub.domain.values import parse_time
from hub.graphql.declared import shown
from hub.graphql.labels import label as label_of

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DECIMAL = re.compile(r"-?\d{1,15}(\.\d{1,6})?", re.ASCII)


def _time_text(value: datetime) -> str:
    # Milliseconds, where that is exact: then accepted_at reads as it stands in the commitment.
    precision = "microseconds" if value.microsecond % 1_000 else "milliseconds"
    return value.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def _date(value: Any) -> date:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise ValueError("a Date is a string such as 2026-11-22")
    return date.fromisoformat(value)


def _decimal(value: Any) -> Decimal:
    # Numbers of JSON are read as doubles by many clients: only a string stays exact.
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        raise ValueError('a Decimal is a string of at most 15 digits and 6 decimals, such as "75000.00"')
    return Decimal(value)


def _decimal_text(value: Decimal) -> str:
    return format(value, "f")


def _scalar(name: str, description: str, serialize: Any, parse: Any, origin: type) -> ScalarDefinition:
    return ScalarDefinition(
        name=name,
        description=description,
        specified_by_url=None,
        serialize=serialize,
        parse_value=parse,
        parse_literal=None,
        origin=origin,
    )


SCALARS: Mapping[object, ScalarDefinition] = {
    datetime: _scalar("DateTime", "RFC 3339, UTC.", _time_text, parse_time, datetime),
    date: _scalar("Date", "YYYY-MM-DD.", date.isoformat, _date, date),
    Decimal: _scalar("Decimal", "Exact, as a string.", _decimal_text, _decimal, Decimal),
}
"""Instead of the library's own, which take and give other forms."""


@strawberry.interface
@shown()
class Node:
    """Whatever has an id of its own."""

    id: strawberry.ID


@strawberry.type
@shown()
class LocalizedText:
    """Text in one language (BCP 47)."""

    language: str
    text: str


@strawberry.type
@shown()
class Money:
    """An exact amount; currency: ISO 4217."""

    amount: Decimal
    currency: str


@strawberry.type
@shown()
class Code:
    """A code and the list that it is from."""

    scheme: str
    code: str

    @strawberry.field
    def label(self, language: str | None = strawberry.UNSET) -> str:
        """Name of the code in the language, in English, or as published."""
        return label_of(self.scheme, self.code, language or None)


def pick(texts: Mapping[str, str], language: str | None) -> str:
    """The text in the language asked for (BCP 47), in its base language, in English, or the first."""
    folded = {tag.lower(): text for tag, text in texts.items()}
    wanted = (language or "en").lower()
    for tag in (wanted, wanted.partition("-")[0], "en"):
        if tag in folded:
            return folded[tag]
    return next(iter(texts.values()))


def localized(texts: Mapping[str, str] | None) -> list[LocalizedText]:
    """All texts, ordered by language, so that equal records give equal answers."""
    return [LocalizedText(language=tag, text=text) for tag, text in sorted((texts or {}).items())]
