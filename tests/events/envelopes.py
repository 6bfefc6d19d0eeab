"""One good event, in the three ways that it can come."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.events.envelope import BATCH, STRUCTURED, Envelope, parse
from hub.events.strict_json import EnvelopeError

GOOD: dict[str, Any] = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "/partners/kent/crm",
    "type": "hub.service.withdrawn.v1",
    "subject": "97bb24e1-8ca1-5a60-8732-14330a132514",
    "time": "2026-11-22T09:00:00Z",
    "data": {"reason": {"en": "Closed"}},
}
Headers = list[tuple[str, bytes]]


def good(**changes: Any) -> dict[str, Any]:
    """The good event with other members; Ellipsis takes one away."""
    return {name: value for name, value in {**GOOD, **changes}.items() if value is not ...}


def structured(body: bytes | dict[str, Any], content_type: str = STRUCTURED) -> list[Envelope]:
    """Parsed in structured mode."""
    return parse(content_type, [], body if isinstance(body, bytes) else json.dumps(body).encode())


def batch(items: Any) -> list[Envelope]:
    """Parsed as a batch."""
    return parse(BATCH, [], json.dumps(items).encode())


def headers(**changes: str | None) -> Headers:
    """Headers of the good event in binary mode."""
    named = {**{name: value for name, value in GOOD.items() if name != "data"}, **changes}
    return [(f"ce-{name}", value.encode()) for name, value in named.items() if value is not None]


def binary(
    given: Headers | None = None, data: bytes | None = None, content_type: str = "application/json"
) -> list[Envelope]:
    """Parsed in binary mode."""
    body = json.dumps(GOOD["data"]).encode() if data is None else data
    return parse(content_type, headers() if given is None else given, body)


def with_data(text: str) -> bytes:
    """The good event with data of this JSON text, as it stands."""
    return json.dumps(good(data="@")).replace('"@"', text).encode()


def refused(call: Any, *arguments: Any) -> EnvelopeError:
    """Why the bytes are no event."""
    with pytest.raises(EnvelopeError) as caught:
        call(*arguments)
    return caught.value
