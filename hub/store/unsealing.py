"""Events and records as they were before they were sealed, for those whose keys are at hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hub.domain.marks import FirmReference, PersonalMark, places, visit
from hub.domain.registry import EVENTS
from hub.store.vault import PREFIX, Subject, surrogate_of, unseal

_FIRM_NOUN = "sme"


def cleared(value: Any, subjects: Mapping[str, Subject]) -> Any:
    """JSON with every text in clear that is sealed under one of the subjects, by surrogate."""
    if isinstance(value, dict):
        return {name: cleared(member, subjects) for name, member in value.items()}
    if isinstance(value, list):
        return [cleared(item, subjects) for item in value]
    if isinstance(value, str) and _surrogate(value) in subjects:
        return unseal(value, dict(subjects))
    return value


def _surrogate(text: str) -> str | None:
    """What a sealed text is sealed under; whatever else a text says, it does not name a surrogate."""
    return surrogate_of(text) if text.startswith(f"{PREFIX}.") and text.count(".") == 2 else None


def unsealed_event(type_: str, stored: str, subjects: Mapping[str, Subject], wire_id: str) -> dict[str, Any]:
    """An event as it was sent. wire_id: of the firm or person among the subjects; other firms are None."""
    event: dict[str, Any] = json.loads(stored)
    attributes, data = event["attributes"], event["data"]

    def replace(_parent: dict[str, Any], container: Any, key: Any, _at: str) -> None:
        container[key] = wire_id if container[key] in subjects else None

    def reveal(_parent: dict[str, Any], container: Any, key: Any, _at: str) -> None:
        container[key] = unseal(container[key], dict(subjects))

    for place in places(EVENTS[type_].payload):
        if isinstance(place.mark, FirmReference):
            visit(data, place.path, replace)
        elif isinstance(place.mark, PersonalMark):
            visit(data, place.path, reveal)
    if type_.split(".")[1] == _FIRM_NOUN:
        attributes["subject"] = wire_id
    return {**cleared(attributes, subjects), "data": data}
