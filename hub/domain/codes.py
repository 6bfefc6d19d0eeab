"""Code lists of the catalogue and the ledger: is a code in the list, what is it called, what is it part of.

Every list is loaded once, on first use, because pycountry is slow to load and most commands need none.
Sources: pycountry (ISO 3166, 4217, 639), python-stdnum (NACE), Babel (names), data/README.md (HS 2022).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import Any

NACE_SCHEMES: Mapping[str, str] = {"nace-2.0": "eu/nace20", "nace-2.1": "eu/nace21"}
"""Scheme of a sector, and the table of python-stdnum that holds its codes."""

HS_SCHEME = "hs-2022"
"""Scheme of a product."""

NUTS_COUNTRIES: Mapping[str, str] = {"EL": "GR", "UK": "GB"}
"""Prefixes that NUTS writes otherwise than ISO 3166-1."""

NAME_LENGTH_MAX = 100
"""Longer names are not compared by `nearest`: the comparison is quadratic in their length."""

_NUTS = re.compile(r"[A-Z]{2}[0-9A-Z]{0,3}")
_ORG_SCHEME = re.compile(r"[A-Z]{2}-[A-Z0-9]+(?:_[A-Z0-9]+)*")
_LANGUAGE_TAG = re.compile(
    r"""(?P<language> [a-z]{2,3} ) (?: - [a-z]{3} ){0,3}
        (?: - [a-z]{4} )?
        (?: - (?: [a-z]{2} | [0-9]{3} ) )?
        (?P<variants> (?: - (?: [a-z0-9]{5,8} | [0-9][a-z0-9]{3} ) )* )
        (?P<extensions> (?: - [0-9a-wy-z] (?: - [a-z0-9]{2,8} )+ )* )
        (?: - x (?: - [a-z0-9]{1,8} )+ )?""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_SINGLETON = re.compile(r"-([0-9a-wy-z])(?=-)", re.IGNORECASE | re.ASCII)


def is_country(code: str) -> bool:
    """Whether the code is ISO 3166-1 alpha-2, in capitals."""
    return code in _countries()


def is_currency(code: str) -> bool:
    """Whether the code is ISO 4217 alphabetic, in capitals."""
    return code in _currencies()


@lru_cache(maxsize=4096)
def is_language(tag: str) -> bool:
    """Whether the tag is well-formed BCP 47, in any case, and its language is in ISO 639.

    Grandfathered tags and tags for private use alone are refused: they name no language of ISO 639.
    Source: RFC 5646, sections 2.1 and 2.2.9.
    """
    match = _LANGUAGE_TAG.fullmatch(tag)
    if match is None or match["language"].lower() not in _languages():
        return False
    # The grammar of RFC 5646 cannot say it, its text does: no variant and no singleton twice.
    return _distinct(match["variants"].split("-")[1:]) and _distinct(_SINGLETON.findall(match["extensions"]))


def is_area(code: str) -> bool:
    """Whether the code is ISO 3166-2, or has the shape of NUTS 0 to 3 under a known country.

    NUTS writes EL for Greece and UK for the United Kingdom. Its lists change every three years, and
    partners keep using the older codes: below the country only the shape is checked.
    """
    if _NUTS.fullmatch(code) is None:
        return code in _subdivisions()
    country = code[:2]
    if country in NUTS_COUNTRIES:
        return True
    # GR and GB are countries, and whole countries are areas; but no NUTS region begins with them.
    return is_country(country) and (len(code) == 2 or country not in NUTS_COUNTRIES.values())


def is_nace(code: str, scheme: str) -> bool:
    """Whether the code is in the scheme, at any level: section J, division 62, group 62.1, class 62.10."""
    return scheme in NACE_SCHEMES and code in _nace(scheme)


def is_hs(code: str) -> bool:
    """Whether the code is a chapter, heading or subheading of HS 2022: 2, 4 or 6 digits without dots."""
    return code in _hs()


def is_org_scheme(code: str) -> bool:
    """Whether the code has the shape of a list of org-id.guide: GB-COH, NL-KVK, XI-LEI, XM-DAC."""
    return _ORG_SCHEME.fullmatch(code) is not None


def broader(scheme: str, code: str) -> tuple[str, ...]:
    """Codes that hold this one, nearest first: 62.10 gives 62.1, 62, K; 847130 gives 8471, 84.

    scheme: one of NACE_SCHEMES, HS_SCHEME or "area" (NUTS; ISO 3166-2 gives its country).
    Empty for any other scheme, for an unknown code and at the top.
    """
    if scheme in NACE_SCHEMES and is_nace(code, scheme):
        holders = [code[:end] for end in (4, 2) if end < len(code)]
        section = _nace_sections(scheme).get(code[:2])
        return (*holders, section) if section else tuple(holders)
    if scheme == HS_SCHEME and is_hs(code):
        return tuple(code[:end] for end in (4, 2) if end < len(code))
    if scheme == "area" and is_area(code):
        if "-" in code:
            return (code[:2],)
        return tuple(code[:end] for end in range(len(code) - 1, 1, -1))
    return ()


def levels(scheme: str, code: str) -> frozenset[str]:
    """The code and all that hold it; a country's area stands in both spellings (UK and GB, EL and GR)."""
    found = {code, *broader(scheme, code)}
    if scheme == "area":
        for nuts, iso in NUTS_COUNTRIES.items():
            if found & {nuts, iso}:
                found |= {nuts, iso}
    return frozenset(found)


@lru_cache(maxsize=8192)
def label(scheme: str, code: str, language: str = "en") -> str:
    """Name of the code for people; the code itself when the scheme or the code has none.

    scheme: "country", "language", "currency", "area", one of NACE_SCHEMES, or HS_SCHEME.
    language: BCP 47. Countries, languages and currencies are named in it, in English when Babel does not
    know it. Sectors, products and the areas within a country have one name, as published.
    """
    if scheme in NACE_SCHEMES:
        return _nace(scheme).get(code, code)
    if scheme == HS_SCHEME:
        return _hs().get(code, code)
    if scheme == "country" and is_country(code):
        return str(_locale(language).territories.get(code, code))
    if scheme == "currency" and is_currency(code):
        return str(_locale(language).currencies.get(code, code))
    if scheme == "language" and is_language(code):
        return _language_name(code, language)
    if scheme == "area" and is_area(code):
        country = NUTS_COUNTRIES.get(code, code)
        return label("country", country, language) if len(code) == 2 else _subdivisions().get(code, code)
    return code


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant; None when nothing is alike. Case does not count."""
    import difflib

    if len(name) > NAME_LENGTH_MAX:
        return None
    by_folded = {candidate.casefold(): candidate for candidate in known}
    found = difflib.get_close_matches(name.casefold(), by_folded, n=1)
    return by_folded[found[0]] if found else None


def _distinct(parts: list[str]) -> bool:
    return len({part.lower() for part in parts}) == len(parts)


@cache
def _countries() -> frozenset[str]:
    import pycountry

    return frozenset(country.alpha_2 for country in pycountry.countries)


@cache
def _currencies() -> frozenset[str]:
    import pycountry

    return frozenset(currency.alpha_3 for currency in pycountry.currencies)


@cache
def _languages() -> frozenset[str]:
    import pycountry

    codes = {language.alpha_3 for language in pycountry.languages}
    codes.update(language.alpha_2 for language in pycountry.languages if hasattr(language, "alpha_2"))
    return frozenset(codes)


@cache
def _subdivisions() -> dict[str, str]:
    import pycountry

    return {subdivision.code: subdivision.name for subdivision in pycountry.subdivisions}


@cache
def _nace(scheme: str) -> dict[str, str]:
    """Label by code in the usual notation, dotted after the division."""
    labels: dict[str, str] = {}
    for _, division, _, properties, groups in _nace_table(scheme):
        labels[division] = properties["label"]
        for _, group, _, of_group, classes in groups:
            labels[f"{division}.{group}"] = of_group["label"]
            for _, digit, _, of_class, _ in classes:
                labels[f"{division}.{group}{digit}"] = of_class["label"]
    return labels


@cache
def _nace_sections(scheme: str) -> dict[str, str]:
    """Section letter by division."""
    return {code: rest["section"] for _, code, _, rest, _ in _nace_table(scheme) if "section" in rest}


def _nace_table(scheme: str) -> list[Any]:
    """Sections and divisions in one list, each as (length, low, high, properties, children)."""
    from stdnum import numdb

    return list(numdb.get(NACE_SCHEMES[scheme]).prefixes)


@cache
def _hs() -> dict[str, str]:
    from importlib.resources import files

    text = files("hub.domain").joinpath("data", "hs-2022.tsv").read_text(encoding="utf-8")
    return dict(line.split("\t", 1) for line in text.splitlines())


@lru_cache(maxsize=64)
def _locale(tag: str) -> Any:
    """Babel's locale for the tag, for its language alone, or English."""
    from babel import Locale, UnknownLocaleError

    for candidate in (tag, tag.split("-", 1)[0]):
        try:
            return Locale.parse(candidate, sep="-")
        except (ValueError, UnknownLocaleError):
            continue
    return Locale("en")


def _language_name(tag: str, language: str) -> str:
    from babel import Locale, UnknownLocaleError

    try:
        name = Locale.parse(tag, sep="-").get_display_name(_locale(language))
    except (ValueError, UnknownLocaleError):
        name = _locale(language).languages.get(tag.lower())
    return str(name or tag)
