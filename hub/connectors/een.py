"""Enterprise Europe Network: partnering-opportunity profiles as a JSON list.

Mapping: docs/connectors.md. Facts of a profile for which the hub has no member go to `extensions.een`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hub.connectors.base import (
    FAULTS_MAX,
    OPPORTUNITY_PUBLISHED,
    Draft,
    Rejected,
    Row,
    Unreadable,
    one_of,
    shown,
    without_repeats,
)
from hub.connectors.feed_file import ROWS_MAX, escaped, read_json
from hub.domain.codes import broader

PROFILE_TYPES: Mapping[str, str] = {
    "BO": "business-offer",
    "BR": "business-request",
    "TO": "technology-offer",
    "TR": "technology-request",
    "RDR": "research-request",
}
"""Profile type of the network, and the hub's opportunity_type."""

_PLAIN: Mapping[str, str] = {
    "reference": "reference",
    "country": "country",
    "publishedOn": "published_on",
    "expiresOn": "expires_on",
    "deadline": "deadline",
    "openForInterest": "open_for_interest",
    "url": "url",
}
_TEXTS = ("title", "summary", "description")
_EXTRA = ("advantages", "partnerSought", "partnershipTypes", "stageOfDevelopment", "iprStatus")
FIELDS = frozenset(
    {*_PLAIN, *_TEXTS, *_EXTRA, "type", "language", "targetCountries", "sectors", "naceRevision"}
)
_REFERENCE = re.compile(r"(BO|BR|TO|TR|RDR)[A-Z]{2}\d{8}\d{3}", re.ASCII)
_NACE = re.compile(r"([A-V]?)\.?(\d{2}(?:\.\d{1,2})?)|([A-V])", re.ASCII)


class EuropeNetwork:
    """Connector for profiles of the Enterprise Europe Network."""

    name = "een"

    def read(self, path: Path, partner: str) -> Iterator[Row | Rejected]:
        """Every profile of the file: a JSON list of objects, in UTF-8."""
        profiles = read_json(path)
        if isinstance(profiles, Rejected):
            yield profiles
        elif not isinstance(profiles, list):
            yield Rejected(
                0,
                "",
                "The file is not a list of profiles.",
                "Write a JSON list with one object for each profile.",
                unread=True,
            )
        else:
            yield from without_repeats(
                _profiles(profiles[:ROWS_MAX], partner), lambda number: f"/{number - 1}/reference"
            )
            if len(profiles) > ROWS_MAX:
                yield Rejected(
                    ROWS_MAX + 1,
                    "",
                    f"The file holds more than {ROWS_MAX} profiles; those from here on were not read.",
                    "Split the file.",
                    unread=True,
                )


def _profiles(profiles: list[Any], partner: str) -> Iterator[Row | Rejected]:
    for number, profile in enumerate(profiles, start=1):
        at = f"/{number - 1}"
        if not isinstance(profile, dict):
            yield Rejected(
                number, at, "It is not an object.", "Write one JSON object for each profile.", unread=True
            )
            continue
        draft = Draft(number)
        _read_profile(draft, profile, at)
        yield from draft.finish(OPPORTUNITY_PUBLISHED, partner)


def _read_profile(draft: Draft, profile: dict[str, Any], at: str) -> None:
    for name, member in _PLAIN.items():
        draft.where[f"/{member}"] = f"{at}/{name}"
        draft.put(member, profile.get(name), f"{at}/{name}")
    draft.where["/opportunity_type"] = f"{at}/type"
    for name in _TEXTS:
        draft.where[f"/{name}"] = f"{at}/{name}"
        draft.put(name, _text(profile.get(name), profile.get("language", "en")), f"{at}/{name}")
    draft.put("opportunity_type", _type(profile), f"{at}/type")
    draft.put("target_countries", profile.get("targetCountries"), f"{at}/targetCountries")
    _read_sectors(draft, profile, at)
    extra = {name: profile[name] for name in _EXTRA if profile.get(name) is not None}
    if extra:
        draft.put("extensions", {"een": extra}, at)
    for name in sorted(profile.keys() - FIELDS)[:FAULTS_MAX]:
        draft.reject("", f"{at}/{escaped(name)}", one_of(name, sorted(FIELDS)))


def _text(value: Any, language: Any) -> Any:
    """Text by language: as it stands when it is a map already, else under the profile's language."""
    if isinstance(value, str) and isinstance(language, str):
        return {language: value} if value.strip() else None
    return value


def _type(profile: dict[str, Any]) -> str | Unreadable | None:
    code, reference = profile.get("type"), profile.get("reference")
    if code is None:
        return None
    if code not in PROFILE_TYPES:
        return one_of(str(code), PROFILE_TYPES)
    match = _REFERENCE.fullmatch(reference) if isinstance(reference, str) else None
    if match and match[1] != code:
        return Unreadable(
            f"The type is {code}, but the reference {reference} is one of type {match[1]}.",
            "Correct whichever is wrong; the hub does not choose.",
        )
    return PROFILE_TYPES[code]


def _read_sectors(draft: Draft, profile: dict[str, Any], at: str) -> None:
    """NACE codes as the network writes them: "C10.82", "C.10.82", "10.82", or a section "C"."""
    codes, revision = profile.get("sectors"), profile.get("naceRevision", "2.1")
    if codes is None:
        return
    if not isinstance(codes, list) or not isinstance(revision, str):
        draft.reject(
            "sectors",
            f"{at}/sectors",
            Unreadable("It is not a list of codes.", 'Write a list of NACE codes, such as ["C10.82"].'),
        )
        return
    for place, code in enumerate(codes):
        draft.append("sectors", _sector(code, f"nace-{revision}"), f"{at}/sectors/{place}")


def _sector(code: Any, scheme: str) -> dict[str, str] | Unreadable:
    match = _NACE.fullmatch(code) if isinstance(code, str) else None
    if match is None:
        return Unreadable(f"{shown(code)} is not a NACE code.", "Write it like C10.82, 10.82 or C.")
    section, digits = match[1], match[2] or match[3]
    holders = broader(scheme, digits)
    if section and holders and holders[-1] != section:
        return Unreadable(
            f"{digits} of {scheme} is in section {holders[-1]}, not {section}.",
            f"Write {holders[-1]}{digits}, or name the revision of the code in naceRevision.",
        )
    return {"scheme": scheme, "code": digits}
