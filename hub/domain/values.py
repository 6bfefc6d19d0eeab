"""Types of payload members: each accepts the one form that the network agreed on, and says why not."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    model_validator,
)

from hub.domain import codes
from hub.domain.marks import FirmReference, Personal, PersonReference, Reference

TEXT_CHARS_MAX = 20_000
NAME_CHARS_MAX = 500
SLUG_CHARS_MAX = 63
YEAR_MIN, YEAR_MAX = 1800, 2200
ITEMS_MAX = 500


class Value(BaseModel):
    """Base of payloads and their parts: closed, strict, unchangeable."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class MemberError(ValueError):
    """A rule between members is broken; member: the one to mend."""

    def __init__(self, member: str, message: str) -> None:
        super().__init__(message)
        self.member = member


_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_FINER = re.compile(r"(\.\d{6})\d+", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DURATION = re.compile(r"P(?!$)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?", re.ASCII)
_DECIMAL = re.compile(r"\d{1,15}(\.\d{1,6})?", re.ASCII)
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


def parse_time(value: Any) -> datetime:
    """An RFC 3339 time with offset, as aware UTC; ValueError otherwise."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _RFC3339.fullmatch(value):
        raise ValueError("is not an RFC 3339 time with offset, such as 2026-11-22T09:00:00Z")
    # fromisoformat knows microseconds; finer digits are legal in RFC 3339 and are cut.
    text = _FINER.sub(r"\1", value.upper())
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("names a day or an hour that does not exist") from None


def _parse_date(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise ValueError("is not a date written as YYYY-MM-DD")
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise ValueError("names a day that does not exist") from None
    if not YEAR_MIN <= day.year <= YEAR_MAX:
        raise ValueError(f"is not between the years {YEAR_MIN} and {YEAR_MAX}")
    return day


def rfc3339(at: datetime) -> str:
    """An aware time as text: UTC to the millisecond, ending in Z; such texts sort as their times do.

    ValueError for one without a zone.
    """
    if at.tzinfo is None:
        raise ValueError("times are aware: this one has no zone")
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _format_time(value: datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")


def checked(test: Any, message: str) -> AfterValidator:
    """A validator that refuses what the test does not hold for, with the message."""

    def check(value: str) -> str:
        if not test(value):
            raise ValueError(message)
        return value

    return AfterValidator(check)


def _matching(pattern: re.Pattern[str], message: str) -> AfterValidator:
    return checked(pattern.fullmatch, message)


Time = Annotated[datetime, BeforeValidator(parse_time), PlainSerializer(_format_time, when_used="json")]
Date = Annotated[date, BeforeValidator(_parse_date)]
Duration = Annotated[
    str, Field(max_length=60), _matching(_DURATION, "is not an ISO 8601 duration, such as P10D")
]
DecimalText = Annotated[
    str,
    _matching(
        _DECIMAL,
        'is not an exact amount: a string of at most 15 digits and 6 decimals, such as "75000.00"',
    ),
]
Text = Annotated[str, Field(min_length=1, max_length=TEXT_CHARS_MAX)]
Name = Annotated[str, Field(min_length=1, max_length=NAME_CHARS_MAX)]
Slug = Annotated[
    str,
    Field(max_length=SLUG_CHARS_MAX),
    _matching(_SLUG, "is not a slug: lower-case letters, digits, single hyphens"),
]
Uuid = Annotated[str, _matching(_UUID, "is not a UUID in its lower-case form with hyphens")]
Url = Annotated[
    str,
    Field(max_length=2_000),
    _matching(
        re.compile(r"https?://[^\s<>\"{}|\\^`/?#]+[^\s<>\"{}|\\^`]*"), "is not an http or https address"
    ),
]
Email = Annotated[
    str,
    Field(max_length=254),
    _matching(re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+"), "is not an e-mail address"),
]
Country = Annotated[str, checked(codes.is_country, "is not an ISO 3166-1 alpha-2 country, such as FR")]
Language = Annotated[str, checked(codes.is_language, "is not a BCP 47 language tag, such as en or nl-BE")]
Currency = Annotated[str, checked(codes.is_currency, "is not an ISO 4217 currency, such as EUR")]
Area = Annotated[str, checked(codes.is_area, "is neither a NUTS nor an ISO 3166-2 area, such as UKJ4")]
HsCode = Annotated[str, checked(codes.is_hs, "is not a product code of the Harmonized System 2022")]

ServiceId = Annotated[Uuid, Reference("service")]
OpportunityId = Annotated[Uuid, Reference("opportunity")]
PartnerSlug = Annotated[Slug, Reference("partner")]
NetworkSlug = Annotated[Slug, Reference("network")]
FirmId = Annotated[Uuid, FirmReference()]
PersonId = Annotated[Uuid, PersonReference()]

LocalizedText = Annotated[dict[Language, Text], Field(min_length=1, max_length=50)]
"""Text by language, at least one entry."""

Extensions = dict[str, Any]
Size = Literal["micro", "small", "medium", "large"]
Experience = Literal["none", "occasional", "regular", "indirect"]
Need = Literal["skills", "knowledge", "funding", "markets", "governance"]
OutcomeKind = Literal[
    "export-increased",
    "first-export",
    "new-market",
    "awareness-raised",
    "co-operation-formed",
    "contract-won",
    "funding-obtained",
    "investment-made",
    "none",
]


class Money(Value):
    """An exact amount; `amount` is a decimal string."""

    amount: DecimalText
    currency: Currency


class Sector(Value):
    """An activity by NACE, at any level."""

    scheme: Literal["nace-2.0", "nace-2.1"]
    code: Annotated[str, Field(max_length=10)]

    @model_validator(mode="after")
    def _known(self) -> Sector:
        if not codes.is_nace(self.code, self.scheme):
            raise MemberError("code", f"is not a code of {self.scheme}")
        return self


class Payload(Value):
    """`data` of an event that is not about one firm."""

    extensions: Extensions | None = None


class CasePayload(Value):
    """`data` of an event about one firm; free text and extensions may name people, so they are sealed."""

    sme_id: FirmId
    extensions: Personal[Extensions] | None = None


class MovePayload(Value):
    """`data` of an event on an existing referral: the hub knows the firm when the sender does not."""

    sme_id: FirmId | None = None
    extensions: Personal[Extensions] | None = None


def is_uuid(text: str) -> bool:
    """Whether it is a UUID in its lower-case form with hyphens."""
    return _UUID.fullmatch(text) is not None


def is_slug(text: str) -> bool:
    """Whether the text can name a partner or a network."""
    return len(text) <= SLUG_CHARS_MAX and _SLUG.fullmatch(text) is not None
