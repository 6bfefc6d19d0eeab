"""The hub's convention for HSDS attributes: members that HSDS has no place for.

An attribute links a service to a term of a taxonomy. The name of the taxonomy says which member is meant;
the term's `code`, or the attribute's `value`, is what it holds. Other taxonomies are the partner's own
and are left alone; an unknown name that begins with `hub-` is a fault, since it was meant for the hub.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hub.connectors.base import Draft, Unreadable, one_of, shown
from hub.connectors.feed_file import parse_json

OWN_PREFIX = "hub-"

SINGLE_CODE: Mapping[str, str] = {
    "hub-service-type": "service_type",
    "hub-pathway-step": "pathway_step",
    "hub-delivery": "delivery",
    "hub-reach": "reach",
}
"""Taxonomy and the member that takes the term's code; one term a service."""

CODES: Mapping[str, str] = {
    "hub-trade": "trade",
    "hub-target-country": "target_countries",
    "hub-channel": "channels",
    "hub-policy-tag": "policy_tags",
    "hs-2022": "products",
}
"""Taxonomy and the list that takes the term's code; any number of terms."""

VALUES: Mapping[str, str] = {
    "hub-application-url": "application_url",
    "hub-processing-time": "processing_time",
    "hub-valid-from": "valid_from",
    "hub-valid-to": "valid_to",
}
"""Taxonomy and the member that takes the attribute's value as it stands."""

NACE = ("nace-2.0", "nace-2.1")
AUDIENCE: Mapping[str, str] = {"hub-size": "sizes", "hub-experience": "experience"}
_TRANSLATED = ("name", "description")


def read_attributes(draft: Draft, service: dict[str, Any], at: str) -> str:
    """Put the members that attributes hold into the draft; returns the language of the service's texts.

    at: JSON pointer of the service. The language is English unless `hub-text-language` says otherwise.
    """
    found = service.get("attributes")
    language = "en"
    if found is not None and not isinstance(found, list):
        why = Unreadable("It is not a list of objects.", "Write it as in the HSDS schema.")
        draft.reject("attributes", f"{at}/attributes", why)
    for place, attribute in enumerate(found if isinstance(found, list) else []):
        where = f"{at}/attributes/{place}"
        term = attribute.get("taxonomy_term") if isinstance(attribute, dict) else None
        if not isinstance(term, dict):
            continue
        taxonomy = _taxonomy(term)
        if taxonomy == "hub-text-language":
            code = _code(term)
            language = language_tag(code) if isinstance(code, str) else language
        else:
            _read_term(draft, taxonomy, term, attribute.get("value"), where)
    if "service_type" not in draft.data and "service_type" not in draft.spoiled:
        remedy = (
            'Add an attribute whose term has the taxonomy "hub-service-type", and a code such as "workshop".'
        )
        why = Unreadable("The type of service is required and missing.", remedy)
        draft.reject("service_type", f"{at}/attributes", why)
    return language


def language_tag(code: str) -> str:
    """A language of ISO 639 as BCP 47 writes it: the two-letter code where there is one."""
    import pycountry

    known = pycountry.languages.get(alpha_3=code) if len(code) == 3 else None
    return str(getattr(known, "alpha_2", code))


def _taxonomy(term: dict[str, Any]) -> str:
    """Name of the term's taxonomy: `taxonomy`, else that of the nested taxonomy."""
    detail = term.get("taxonomy_detail")
    name = term.get("taxonomy") or (detail.get("name") if isinstance(detail, dict) else None)
    return name if isinstance(name, str) else ""


def _code(term: dict[str, Any]) -> str | Unreadable:
    code = term.get("code")
    if isinstance(code, str) and code:
        return code
    return Unreadable("The term has no code.", 'Give "code" beside "taxonomy".')


def _read_term(draft: Draft, taxonomy: str, term: dict[str, Any], value: Any, where: str) -> None:
    if taxonomy in SINGLE_CODE:
        _put_once(draft, SINGLE_CODE[taxonomy], _code(term), where)
    elif taxonomy in CODES:
        draft.append(CODES[taxonomy], _code(term), where)
    elif taxonomy in VALUES:
        _put_once(draft, VALUES[taxonomy], value, f"{where}/value")
    elif taxonomy in NACE:
        code = _code(term)
        sector = code if isinstance(code, Unreadable) else {"scheme": taxonomy, "code": code}
        draft.append("sectors", sector, where)
    elif taxonomy in AUDIENCE:
        _add_to_audience(draft, AUDIENCE[taxonomy], _code(term), where)
    elif taxonomy in _SPECIAL:
        _SPECIAL[taxonomy](draft, term, value, where)
    elif taxonomy.startswith(OWN_PREFIX):
        draft.reject("", f"{where}/taxonomy_term", one_of(taxonomy, TAXONOMIES))


def _put_once(draft: Draft, member: str, value: Any, where: str) -> None:
    if member in draft.data:
        why = Unreadable(
            f"{shown(value)} is a second value; there can be one.", "Keep one of the attributes."
        )
        draft.reject(member, where, why)
    else:
        draft.put(member, value, where)


def _add_to_audience(draft: Draft, member: str, code: str | Unreadable, where: str) -> None:
    if isinstance(code, Unreadable):
        draft.reject("audience", where, code)
        return
    codes = draft.data.setdefault("audience", {}).setdefault(member, [])
    draft.where[f"/audience/{member}/{len(codes)}"] = where
    codes.append(code)


def _capacity_status(draft: Draft, term: dict[str, Any], _value: Any, where: str) -> None:
    code = _code(term)
    _put_once(draft, "capacity", code if isinstance(code, Unreadable) else {"status": code}, where)


def _eligibility(draft: Draft, _term: dict[str, Any], value: Any, where: str) -> None:
    _put_once(draft, "eligibility", _json(value), f"{where}/value")


def _funding_term(draft: Draft, term: dict[str, Any], value: Any, where: str) -> None:
    code, claim = _code(term), _json(value)
    if isinstance(code, Unreadable) or isinstance(claim, Unreadable):
        draft.append("funding_terms", code if isinstance(code, Unreadable) else claim, where)
    else:
        draft.append("funding_terms", {**claim, "term": code}, f"{where}/value")


def _translation(draft: Draft, term: dict[str, Any], value: Any, where: str) -> None:
    """A text in one more language: the term's code names the member, its language the language."""
    member, language = _code(term), term.get("language")
    if member not in _TRANSLATED:
        draft.reject("", where, one_of(str(term.get("code")), _TRANSLATED))
    elif not isinstance(language, str):
        draft.reject(str(member), where, Unreadable("The term has no language.", 'Give "language": "fr".'))
    else:
        texts = draft.data.setdefault(member, {})
        draft.where[f"/{member}/{language_tag(language)}"] = f"{where}/value"
        texts[language_tag(language)] = value


def _json(value: Any) -> Any:
    """The object that the text of an attribute's value holds."""
    found = parse_json(value) if isinstance(value, str) else None
    if isinstance(found, dict | Unreadable):
        return found
    return Unreadable("The value does not hold a JSON object.", 'Write the object as text, such as "{…}".')


_SPECIAL: Mapping[str, Callable[[Draft, dict[str, Any], Any, str], None]] = {
    "hub-capacity-status": _capacity_status,
    "hub-eligibility": _eligibility,
    "hub-funding-term": _funding_term,
    "hub-translation": _translation,
}

TAXONOMIES = tuple(sorted((*SINGLE_CODE, *CODES, *VALUES, *NACE, *AUDIENCE, *_SPECIAL, "hub-text-language")))
"""Every taxonomy that the connector reads."""
