"""Cells of a spreadsheet as values of a payload; each reader gives the value or says why not.

A cell is data, never a formula: text that begins with = + - or @ stays the text that it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from hub.connectors.base import Unreadable, one_of, shown
from hub.connectors.spreadsheet import words
from hub.connectors.spreadsheet.words import folded
from hub.domain.codes import is_country, is_language
from hub.domain.values import ITEMS_MAX

Reader = Callable[[str], Any]
"""From a cell that is not blank to a value, or to an Unreadable."""

_DAY_FIRST = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})", re.ASCII)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_NUMBER = re.compile(r"\d{1,3}(?:[ ,.]\d{3})*(?:[.,]\d{1,6})?|\d+(?:[.,]\d{1,6})?", re.ASCII)
_PRICE = re.compile(r"(?P<number>[\d.,\s]*\d)\s*(?P<currency>€|£|[A-Za-z]{3})?")
_MEASURE = re.compile(r"(?P<number>[\d.,\s]*\d)\s*(?P<unit>\S.*)?")
NUMBER_CHARS_MAX = 30
_SIGNS = {"€": "EUR", "£": "GBP"}


def text(cell: str) -> str:
    """The cell as it stands."""
    return cell


def items(cell: str) -> list[str]:
    """Parts of a list: split at commas, semicolons, bars and line breaks."""
    return [part for part in (piece.strip() for piece in re.split(r"[,;|\n]", cell)) if part]


def listed(read: Reader) -> Reader:
    """A reader for a list of what `read` reads; the first bad item spoils the list."""

    def read_list(cell: str) -> Any:
        parts = items(cell)
        if len(parts) > ITEMS_MAX:
            return Unreadable(f"It lists more than {ITEMS_MAX} values.", "Name the broader codes instead.")
        values: list[Any] = []
        for part in parts:
            value = read(part)
            if isinstance(value, Unreadable):
                return value
            values.extend(one for one in (value if isinstance(value, list) else [value]) if one not in values)
        return values

    return read_list


def word(meanings: Mapping[str, str]) -> Reader:
    """A reader for one of the words, or for one of the codes that they stand for."""
    codes = dict.fromkeys(meanings.values())
    by_folded = {folded(code): code for code in codes}
    by_folded.update({folded(name): code for name, code in meanings.items()})

    def read_word(cell: str) -> str | Unreadable:
        return by_folded.get(folded(cell)) or one_of(cell, [*meanings, *codes])

    return read_word


def size(cell: str) -> Any:
    """A size class of 2003/361/EC; PME and SME are the three classes below large."""
    if folded(cell) in ("pme", "sme"):
        return ["micro", "small", "medium"]
    return word(words.SIZES)(cell)


def country(cell: str) -> str | Unreadable:
    """ISO 3166-1 alpha-2, from the code or from the French or English name."""
    code = cell.upper() if is_country(cell.upper()) else words.country_codes().get(folded(cell))
    return code or Unreadable(
        f"{shown(cell)} is not a country.", "Write the name (Allemagne) or the ISO code (DE)."
    )


def language(cell: str) -> str | Unreadable:
    """BCP 47, from the tag or from the French or English name."""
    code = words.language_codes().get(folded(cell)) or (cell if is_language(cell) else None)
    return code or Unreadable(
        f"{shown(cell)} is not a language.", "Write the name (anglais) or the tag (en)."
    )


def sector(cell: str) -> dict[str, str]:
    """A code of NACE 2.1."""
    return {"scheme": "nace-2.1", "code": cell}


def day(cell: str) -> str | Unreadable:
    """YYYY-MM-DD, from that or from day/month/year."""
    found = _DAY_FIRST.fullmatch(cell)
    try:
        if found:
            return date(int(found[3]), int(found[2]), int(found[1])).isoformat()
        if _ISO.fullmatch(cell):
            return date.fromisoformat(cell).isoformat()
    except ValueError:
        return Unreadable(
            f"{shown(cell)} is a day that does not exist.", "Write day/month/year, as 31/12/2026."
        )
    return Unreadable(f"{shown(cell)} is not a date.", "Write day/month/year, as 31/12/2026, or 2026-12-31.")


def number(cell: str) -> Decimal | Unreadable:
    """An exact number that is not negative, in French (75 000,00) or English (75,000.00) notation."""
    bare = re.sub(r"(?<=\d)\s+(?=\d{3})", "", cell.strip())
    if len(bare) > NUMBER_CHARS_MAX or not _NUMBER.fullmatch(bare):
        return Unreadable(f"{shown(cell)} is not a number.", "Write it like 75 000,00 or 75000.00.")
    separators = re.findall(r"[.,]", bare)
    if len(separators) == 1 and re.search(r"[.,]\d{3}$", bare):
        return Unreadable(
            f"{shown(cell)} can be read in two ways: thousands or decimals.",
            "Write two decimals, as 75 000,00 or 75000.00.",
        )
    if separators and (len(set(separators)) > 1 or len(separators) == 1):
        whole, _, cents = bare.rpartition(separators[-1])
        return Decimal(f"{re.sub(r'[.,]', '', whole)}.{cents}")
    return Decimal(re.sub(r"[.,]", "", bare))


def price(cell: str) -> Any:
    """Amount with at least two decimals, and currency or None; "gratuit" and "free" are 0.00."""
    if folded(cell) in words.FREE:
        return "0.00", None
    found = _PRICE.fullmatch(cell)
    if found is None:
        return Unreadable(f"{shown(cell)} is not a price.", 'Write "gratuit", or an amount like 75 000,00.')
    value = number(found["number"])
    if isinstance(value, Unreadable):
        return value
    sign = found["currency"]
    return two_decimals(value), _SIGNS.get(sign, sign.upper()) if sign else None


def two_decimals(value: Decimal) -> str:
    """The amount as text, with at least two decimals."""
    whole, _, cents = f"{value:f}".partition(".")
    return f"{whole}.{cents:0<2}"


def count(cell: str) -> int | Unreadable:
    """A whole number."""
    value = number(cell)
    if isinstance(value, Unreadable) or value != value.to_integral_value():
        return Unreadable(f"{shown(cell)} is not a whole number.", "Write it like 250.")
    return int(value)


def yes_or_no(cell: str) -> bool | Unreadable:
    """True or False."""
    if folded(cell) in words.YES | words.NO:
        return folded(cell) in words.YES
    return Unreadable(f"{shown(cell)} is neither yes nor no.", "Write oui or non.")


def duration(cell: str) -> str | Unreadable:
    """ISO 8601, from that or from a number of days, weeks or months."""
    found = re.fullmatch(r"(\d{1,4})\s*([^\W\d_]+)", cell)
    letter = words.DAYS.get(folded(found[2])) if found else None
    if found and letter:
        return f"P{int(found[1])}{letter}"
    if cell.startswith("P"):
        return cell
    return Unreadable(f"{shown(cell)} is not a duration.", "Write it like 10 jours, 2 semaines or P10D.")


def capacity(cell: str) -> Any:
    """Places: 12/20 (left/all), 20 (all), or a word such as complet."""
    places = re.fullmatch(r"(\d{1,6})\s*/\s*(\d{1,6})", cell)
    if places:
        left, all_ = int(places[1]), int(places[2])
        if left > all_:
            return Unreadable(f"{shown(cell)}: more places left than there are.", "Write left/all, as 12/20.")
        return {"status": "capacity" if left else "no-capacity", "available": left, "maximum": all_}
    if re.fullmatch(r"\d{1,6}", cell):
        return {"status": "capacity", "maximum": int(cell)}
    status = word(words.CAPACITY_STATUSES)(cell)
    return status if isinstance(status, Unreadable) else {"status": status}


def documents(cell: str) -> list[tuple[str, str | None]]:
    """Names with their links: parts between bars, each as text or text (https://…)."""
    parts = [part.strip() for part in re.split(r"[|\n]", cell) if part.strip()]
    return [_document(part) for part in parts]


def _document(part: str) -> tuple[str, str | None]:
    name, bracket, link = part.removesuffix(")").rpartition("(")
    if bracket and part.endswith(")") and link.startswith(("https://", "http://")):
        return name.strip(), link.strip()
    return part, None


def funding_terms(cell: str) -> Any:
    """Claims between bars, each as `term : value unit ; source ; date`."""
    terms: list[dict[str, str]] = []
    for part in (piece.strip() for piece in re.split(r"[|\n]", cell)):
        if part:
            term = _funding_term(part)
            if isinstance(term, Unreadable):
                return term
            terms.append(term)
    return terms


def _funding_term(claim: str) -> dict[str, str] | Unreadable:
    name, colon, rest = claim.partition(":")
    parts = [part.strip() for part in re.split(r"\s;\s", rest)]
    if not colon or len(parts) != 3:
        return Unreadable(
            f"{shown(claim)} is not a claim.",
            "Write term : value unit ; source ; date, as plafond : 75 000,00 EUR ; https://… ; 17/09/2018.",
        )
    measure, source, on = _MEASURE.fullmatch(parts[0]), parts[1], day(parts[2])
    value = number(measure["number"]) if measure else None
    if measure is None or not isinstance(value, Decimal) or not measure["unit"]:
        return Unreadable(f"{shown(parts[0])} is not a value with a unit.", "Write it like 50 % or 9 ans.")
    if isinstance(on, Unreadable):
        return on
    unit = words.UNITS.get(measure["unit"].strip(), measure["unit"].strip())
    slugs = {folded(known): slug for known, slug in words.FUNDING_TERMS.items()}
    is_money = len(unit) == 3 and unit.isupper()
    return {
        "term": slugs.get(folded(name), name.strip()),
        "value": two_decimals(value) if is_money else f"{value:f}",
        "unit": unit,
        "source": source,
        "date": on,
    }
