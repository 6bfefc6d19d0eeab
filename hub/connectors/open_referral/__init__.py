"""Open Referral: services as Human Services Data Specification (HSDS) 3.0 JSON.

Reads a full service object, a list of them, or a page of the HSDA ({"contents": […]}). What HSDS has no
place for comes from attributes, see `attributes.py`. Mapping: docs/connectors.md. Contacts, phones,
schedules and locations are not read: they describe persons and rooms, which a catalogue of services
does not need.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from hub.connectors.base import SERVICE_PUBLISHED, Draft, Rejected, Row, Unreadable, shown, without_repeats
from hub.connectors.feed_file import ROWS_MAX, read_json
from hub.connectors.open_referral.attributes import language_tag, read_attributes

_PLAIN = {
    "id": "own_id",
    "url": "url",
    "email": "email",
    "assurer_email": "assurer_email",
    "assured_date": "assured_date",
}
_KEPT_TEXTS = ("eligibility_description", "application_process", "fees_description", "wait_time", "alert")
"""Texts of HSDS that the hub has no member for: given back under `extensions.hsds`."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_NUTS_URI = re.compile(r"https?://data\.europa\.eu/nuts/code/([A-Z]{2}[0-9A-Z]{0,3})", re.ASCII)


class OpenReferral:
    """Connector for HSDS 3.0."""

    name = "open_referral"

    def read(self, path: Path, partner: str) -> Iterator[Row | Rejected]:
        """Every service of the file, which is JSON in UTF-8."""
        content = read_json(path, exact=True)
        if isinstance(content, Rejected):
            yield content
            return
        services, at = _services(content)
        if services is None:
            yield Rejected(
                0,
                "",
                "The file is neither an HSDS service, nor a list of services, nor a page with contents.",
                'Export services as HSDS 3.0: [ {"id": …, "name": …, "status": …}, … ].',
                unread=True,
            )
            return
        yield from without_repeats(
            _rows(services[:ROWS_MAX], at, partner), lambda number: f"{_pointer(at, number)}/id"
        )
        if len(services) > ROWS_MAX:
            message = f"The file holds more than {ROWS_MAX} services; those from here on were not read."
            yield Rejected(ROWS_MAX + 1, "", message, "Split the file.", unread=True)
        elif isinstance(content, dict) and content.get("last_page") is False:
            message = "The file is one page of several: services of the others are not in it."
            yield Rejected(
                0, "/last_page", message, "Put the contents of all pages in one list.", unread=True
            )


def _services(content: Any) -> tuple[list[Any] | None, str | None]:
    """The services, and the JSON pointer of their list; None for a file that is one service."""
    if isinstance(content, list):
        return content, ""
    if isinstance(content, dict) and isinstance(content.get("contents"), list):
        return content["contents"], "/contents"
    return ([content], None) if isinstance(content, dict) and "id" in content else (None, None)


def _rows(services: list[Any], listed_at: str | None, partner: str) -> Iterator[Row | Rejected]:
    for number, service in enumerate(services, start=1):
        at = _pointer(listed_at, number)
        if not isinstance(service, dict):
            remedy = "Write one JSON object for each service."
            yield Rejected(number, at, "It is not an object.", remedy, unread=True)
            continue
        draft = Draft(number)
        _read_service(draft, service, at)
        yield from draft.finish(SERVICE_PUBLISHED, partner)


def _pointer(listed_at: str | None, number: int) -> str:
    """JSON pointer of a service in its file."""
    return "" if listed_at is None else f"{listed_at}/{number - 1}"


def _read_service(draft: Draft, service: dict[str, Any], at: str) -> None:
    for name, member in _PLAIN.items():
        draft.where[f"/{member}"] = f"{at}/{name}"
        draft.put(member, service.get(name), f"{at}/{name}")
    if isinstance(service.get("id"), str):
        draft.data["own_id"] = service["id"].lower()
    if isinstance(service.get("id"), str) and not _UUID.fullmatch(service["id"]):
        why = Unreadable(
            f"{shown(service['id'])} is not a UUID.", "HSDS ids are UUIDs: give the service one."
        )
        draft.reject("own_id", f"{at}/id", why)
    status = service.get("status")
    draft.put("status", "temporarily-closed" if status == "temporarily closed" else status, f"{at}/status")
    if status is None:
        draft.reject(
            "status", f"{at}/status", Unreadable("It is required and missing.", 'Write "active", for one.')
        )
    language = read_attributes(draft, service, at)
    for name in ("name", "description"):
        draft.where.setdefault(f"/{name}", f"{at}/{name}")
        if service.get(name) is not None:
            translations = draft.data.get(name, {})
            draft.put(name, {**translations, language: service[name]}, f"{at}/{name}")
    _read_organization(draft, service.get("organization"), f"{at}/organization")
    _read_program(draft, service.get("program"), f"{at}/program")
    for place, area in _objects(draft, "service_areas", service, at):
        draft.append("service_areas", _area(area), place)
    for place, spoken in _objects(draft, "languages", service, at):
        draft.append("languages", _language(spoken), place)
    _read_costs(draft, service, at, language)
    for place, paper in _objects(draft, "required_documents", service, at):
        needed = {"document": {language: paper.get("document")}, "uri": paper.get("uri")}
        draft.append("required_documents", _present(needed), place)
    _read_capacity(draft, service, at)
    kept = {name: service[name] for name in _KEPT_TEXTS if isinstance(service.get(name), str)}
    if kept:
        hsds = draft.data.setdefault("extensions", {}).setdefault("hsds", {})
        hsds.update(kept)


def _objects(
    draft: Draft, name: str, service: dict[str, Any], at: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Nested objects of HSDS, each with its pointer; what is not a list of objects is a fault."""
    found = service.get(name)
    if found is None:
        return
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        why = Unreadable("It is not a list of objects.", "Write it as in the HSDS schema.")
        draft.reject(name, f"{at}/{name}", why)
        return
    for place, item in enumerate(found):
        yield f"{at}/{name}/{place}", item


def _read_organization(draft: Draft, body: Any, at: str) -> None:
    if body is None:
        return
    if not isinstance(body, dict):
        draft.reject(
            "organization", at, Unreadable("It is not an object.", "Write it as in the HSDS schema.")
        )
        return
    found: dict[str, Any] = {"name": body.get("name")}
    numbers = body.get("organization_identifiers")
    identifiers = [
        {"identifier_scheme": number["identifier_scheme"], "identifier": number.get("identifier")}
        for number in (numbers if isinstance(numbers, list) else [])
        if isinstance(number, dict) and number.get("identifier_scheme")
    ]
    if identifiers:
        found["identifiers"] = identifiers
        draft.where["/organization/identifiers"] = f"{at}/organization_identifiers"
    draft.where["/organization/name"] = f"{at}/name"
    draft.put("organization", _present(found), at)


def _read_program(draft: Draft, program: Any, at: str) -> None:
    if isinstance(program, dict):
        draft.put("programme", program.get("name"), f"{at}/name")
    elif program is not None:
        draft.reject("programme", at, Unreadable("It is not an object.", "Write it as in the HSDS schema."))


def _area(area: dict[str, Any]) -> str | Unreadable:
    """Code of the area. One that cannot be told is a fault: left out, the service would be open to all."""
    uri, extent = area.get("uri"), area.get("extent")
    match = _NUTS_URI.fullmatch(uri) if isinstance(uri, str) else None
    if match:
        return match[1]
    if isinstance(extent, str) and area.get("extent_type") == "text":
        return extent
    return Unreadable(
        "The area has no code.",
        'Give "uri": "http://data.europa.eu/nuts/code/UKJ4", or "extent_type": "text" with "extent": "UKJ4".',
    )


def _language(spoken: dict[str, Any]) -> str | Unreadable:
    import pycountry

    code, name = spoken.get("code"), spoken.get("name")
    if isinstance(code, str) and code:
        return language_tag(code)
    known = pycountry.languages.get(name=name) if isinstance(name, str) else None
    if known is None:
        return Unreadable("The language has neither a code nor a known name.", 'Give "code": "fr".')
    return language_tag(known.alpha_3)


def _read_costs(draft: Draft, service: dict[str, Any], at: str, language: str) -> None:
    """Prices; an option without an amount is text and is kept as such: its price is not known."""
    words: list[str] = []
    for place, cost in _objects(draft, "cost_options", service, at):
        option = cost.get("option") or cost.get("amount_description")
        if cost.get("amount") is None:
            words.extend(text for text in (cost.get("option"), cost.get("amount_description")) if text)
            continue
        amount = _amount(cost["amount"])
        currency = cost.get("currency")
        if isinstance(amount, Unreadable) or not isinstance(currency, str):
            why = amount if isinstance(amount, Unreadable) else None
            missing = Unreadable("The currency is missing.", 'Give "currency": "GBP".')
            draft.reject("cost_options", f"{place}/{'amount' if why else 'currency'}", why or missing)
            continue
        price = {"option": {language: option or "Fee"}, "amount": amount, "currency": currency.upper()}
        draft.append("cost_options", price, place)
    if words:
        draft.data.setdefault("extensions", {}).setdefault("hsds", {})["cost_options"] = words


def _amount(value: Any) -> str | Unreadable:
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 <= value < 10**15:
        return Unreadable(
            f"{shown(value)} is not an amount.", 'Write a number that is not negative: "amount": 35.5.'
        )
    text = f"{Decimal(value):f}"
    whole, _, cents = text.partition(".")
    return f"{whole}.{cents:0<2}"


def _read_capacity(draft: Draft, service: dict[str, Any], at: str) -> None:
    """Places as HSDS 3.1 has them; without a status by attribute, it follows from the places left."""
    found = list(_objects(draft, "capacities", service, at))
    if len(found) > 1:
        why = Unreadable("It holds several capacities.", "Give the one of the places that firms can book.")
        draft.reject("capacity", f"{at}/capacities", why)
        return
    capacity: dict[str, Any] = draft.data.get("capacity", {})
    for _, left in found:
        capacity.update(_present({name: left.get(name) for name in ("available", "maximum", "updated")}))
    if "available" in capacity and "status" not in capacity:
        capacity["status"] = "capacity" if capacity["available"] else "no-capacity"
    if capacity:
        draft.put("capacity", capacity, found[0][0] if found else draft.where.get("/capacity", at))


def _present(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
