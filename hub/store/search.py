"""What the catalogue is found by: folded text, and tags at every level of their code lists."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import Column, ColumnElement, Table, case, literal, select

from hub.domain.codes import HS_SCHEME, levels
from hub.domain.refusal import Refusal
from hub.domain.values import Sector
from hub.store.bulk import Changes, Keys, Rows
from hub.store.tables import tag

SEARCH_CHARS_MAX = 200
WORDS_MAX = 12

UNRESTRICTED = "*"
"""Value of a tag whose list the publisher left out: it restricts nothing, so every filter finds it."""

# Letters that Unicode does not take apart into a base letter and an accent.
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i"})
_ESCAPE = "/"


def fold(text: str) -> str:
    """Text without case, accents and line breaks: "Économie  d'été" gives "economie d'ete"."""
    if text.isascii():
        return " ".join(text.lower().split())
    apart = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(char for char in apart if not unicodedata.combining(char))
    return " ".join(plain.translate(_LETTERS).split())


def searchable(names: Iterable[str], others: Iterable[str]) -> str:
    """Folded text of an entry: the names, a line break, all the rest."""
    return f"{fold(' '.join(names))}\n{fold(' '.join(others))}"


def search_words(search: str | None) -> list[str] | Refusal:
    """Distinct folded words of a search; none when there is nothing to search for."""
    if search is None:
        return []
    words = list(dict.fromkeys(fold(search[: SEARCH_CHARS_MAX + 1]).split()))
    if len(search) > SEARCH_CHARS_MAX or len(words) > WORDS_MAX:
        return Refusal(
            "payload.invalid",
            f"search is longer than {SEARCH_CHARS_MAX} characters or {WORDS_MAX} words",
            "Search for fewer words.",
        )
    return words


def holds_words(column: Column[str], words: Iterable[str]) -> list[ColumnElement[bool]]:
    """Conditions that every word occurs in a `searchable` text."""
    return [column.like(f"%{_escaped(word)}%", escape=_ESCAPE) for word in words]


def rank(column: Column[str], words: Sequence[str]) -> ColumnElement[int]:
    """Number of words that do not occur in a name: 0 stands first."""
    total: ColumnElement[int] = literal(0)
    for word in words:
        in_name = column.like(f"%{_escaped(word)}%\n%", escape=_ESCAPE)
        total = total + case((in_name, 0), else_=1)
    return total


def _escaped(word: str) -> str:
    for char in (_ESCAPE, "%", "_"):
        word = word.replace(char, _ESCAPE + char)
    return word


def sortable_time(at: datetime) -> str:
    """A time as text whose order is the order of times."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


Tags = dict[str, set[str]]


def sector_tags(sectors: Iterable[Sector]) -> set[str]:
    """Codes of every level: 62.10 stands under 62.1, 62 and its section as well."""
    return {code for one in sectors for code in levels(one.scheme, one.code)}


def product_tags(products: Iterable[str]) -> set[str]:
    """Subheading, heading and chapter."""
    return {code for one in products for code in levels(HS_SCHEME, one)}


def area_tags(areas: Iterable[str]) -> set[str]:
    """Every level up to the country."""
    return {code for one in areas for code in levels("area", one)}


def language_tags(languages: Iterable[str]) -> set[str]:
    """The tag and its language alone, in lower case: a filter by nl finds nl-BE."""
    return {tag for one in languages for tag in (one.lower(), one.lower().partition("-")[0])}


def tagged(item: Column[str], name: str, values: Iterable[str]) -> ColumnElement[bool]:
    """Condition that the item has one of the values, or no restriction in this respect."""
    return item.in_(select(tag.c.item).where(tag.c.name == name, tag.c.value.in_({*values, UNRESTRICTED})))


def rewritten(
    rows: Table, ids: Sequence[str], new: Sequence[Mapping[str, object]], tags: Mapping[str, Tags]
) -> Changes:
    """New rows and tags of these entries for the old; what has no new row is gone from the catalogue."""
    values = [
        {"item": item, "name": name, "value": value}
        for item, by_name in tags.items()
        for name, held in by_name.items()
        for value in held
    ]
    return Changes([Keys((rows.c.id,), ids), Keys((tag.c.item,), ids)], [Rows(rows, new), Rows(tag, values)])
