"""Strict CloudEvents 1.0: structured, binary and batch, and nothing invented.

Source: CloudEvents 1.0.2 core, JSON format and HTTP binding.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any
from uuid import uuid4

from hub.domain.canonical import canonical
from hub.domain.values import parse_time, rfc3339
from hub.events.strict_json import DEPTH_MAX, EnvelopeError, malformed, parse_json

EVENT_BYTES_MAX = 256 * 1024
BATCH_BYTES_MAX = 4 * 1024 * 1024
BATCH_EVENTS_MAX = 1_000
ATTRIBUTE_CHARS_MAX = 1_000
ATTRIBUTES_MAX = 64

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
JSON_TYPE = re.compile(r"application/(json|[a-z0-9.+-]+\+json)", re.ASCII | re.IGNORECASE)
REQUIRED = ("id", "source", "specversion", "type", "subject")
OPTIONAL = ("time", "datacontenttype", "dataschema")
KNOWN = frozenset((*REQUIRED, *OPTIONAL))
_PLAIN = frozenset({"id", "type", "subject", "specversion"})
_ATTRIBUTE_NAME = re.compile(r"[a-z0-9]{1,60}", re.ASCII)
_URI_REFERENCE = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+", re.ASCII)
_PERCENT = re.compile(rb"%(.{0,2})", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Envelope:
    """One event as sent. attributes: all but data, values str, int or bool; data: parsed JSON object."""

    attributes: dict[str, Any]
    data: dict[str, Any]

    def canonical_forms(self) -> tuple[bytes, bytes]:
        """RFC 8785 form of the event as sent, and the content that its binary and structured forms share.

        In the content attributes are text, and JSON, the default content type, is left out.
        """
        data = canonical(self.data).decode()
        sent, texts = {"data": data}, {}
        for name, value in self.attributes.items():
            # Names are lower-case letters and digits, so that any order sorts them alike.
            texts[name] = encode_basestring(value if isinstance(value, str) else _as_text(value))
            sent[name] = texts[name] if isinstance(value, str) else json.dumps(value)
        if _is_json_type(self.attributes.get("datacontenttype", "")):
            del texts["datacontenttype"]
        return _object_of(sent), _object_of(texts) + b"\n" + data.encode()


def own_event(source: str, type_: str, subject: str, data: dict[str, Any], at: datetime) -> Envelope:
    """An event that is made here, of now (at: aware), under an id of its own."""
    attributes = {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": source,
        "type": type_,
        "subject": subject,
        "time": rfc3339(at),
    }
    return Envelope(attributes, data)


def _object_of(members: dict[str, str]) -> bytes:
    """A JSON object of encoded members, sorted."""
    inner = ",".join([f'"{name}":{members[name]}' for name in sorted(members)])
    return f"{{{inner}}}".encode()


@lru_cache(maxsize=256)
def _is_json_type(content_type: str) -> bool:
    return JSON_TYPE.fullmatch(content_type.partition(";")[0].strip()) is not None


def parse(content_type: str, headers: Sequence[tuple[str, bytes]], body: bytes) -> list[Envelope]:
    """Events of one HTTP message, in order. headers: lower-case names; EnvelopeError when it holds none."""
    media_type = content_type.partition(";")[0].strip().lower()
    if not re.fullmatch(r"(utf-?8)?", _charset(content_type)):
        raise EnvelopeError("event.unsupported_media_type", "the charset must be UTF-8", status=415)
    if media_type == BATCH:
        return _parse_batch(body)
    if len(body) > EVENT_BYTES_MAX:
        raise EnvelopeError(
            "event.too_large",
            f"an event has at most {EVENT_BYTES_MAX} bytes, this has {len(body)}",
            status=413,
        )
    if media_type == STRUCTURED:
        return [_structured(parse_json(body), None)]
    if JSON_TYPE.fullmatch(media_type):
        return [_binary(content_type, headers, body)]
    raise EnvelopeError(
        "event.unsupported_media_type",
        f"the content type {media_type or '(none)'} is not one that events come in",
        status=415,
    )


def _parse_batch(body: bytes) -> list[Envelope]:
    items = parse_json(body, DEPTH_MAX + 1)  # The depth is an event's, in whatever form it comes.
    if not isinstance(items, list) or not items:
        raise malformed("a batch is a JSON array of at least one event")
    if len(items) > BATCH_EVENTS_MAX:
        raise EnvelopeError(
            "event.too_large",
            f"a batch has at most {BATCH_EVENTS_MAX} events, this has {len(items)}",
            status=413,
        )
    envelopes = []
    for index, item in enumerate(items):
        envelope = _structured(item, index)
        # Only an event that could be too large is measured: most batches are small as a whole.
        if len(body) > EVENT_BYTES_MAX and len(canonical(item)) > EVENT_BYTES_MAX:
            raise EnvelopeError(
                "event.too_large", f"an event has at most {EVENT_BYTES_MAX} bytes", index=index, status=413
            )
        envelopes.append(envelope)
    return envelopes


def _structured(item: Any, index: int | None) -> Envelope:
    if not isinstance(item, dict):
        raise malformed("an event is a JSON object", index=index)
    attributes = {name: value for name, value in item.items() if name not in ("data", "data_base64")}
    if "data_base64" in item:
        raise malformed("data of this hub is JSON: send data, not data_base64", "/data_base64", index)
    return _envelope(attributes, item.get("data"), index)


def _binary(content_type: str, headers: Sequence[tuple[str, bytes]], body: bytes) -> Envelope:
    attributes: dict[str, Any] = {"datacontenttype": content_type}
    for name, value in headers:
        if name.startswith("ce-"):
            attribute = name[3:]
            if attribute in attributes:
                raise malformed("the header stands twice", f"/{attribute}")
            attributes[attribute] = _header_text(attribute, value)
    data = parse_json(body, DEPTH_MAX - 1)
    if len(attributes) == 1 and isinstance(data, dict) and "specversion" in data:
        raise EnvelopeError(
            "event.missing_attribute",
            f"is missing as header ce-id; an event in one JSON body has the content type {STRUCTURED}",
            field="/id",
        )
    return _envelope(attributes, data, None)


def _envelope(attributes: dict[str, Any], data: Any, index: int | None) -> Envelope:
    if len(attributes) > ATTRIBUTES_MAX:
        raise malformed(f"an event has at most {ATTRIBUTES_MAX} attributes, and one for its data", "", index)
    for name in REQUIRED:
        if attributes.get(name) in (None, ""):
            raise EnvelopeError("event.missing_attribute", "is missing", field=f"/{name}", index=index)
    for name, value in attributes.items():
        problem = _attribute_problem(name, value)
        if problem:
            raise malformed(problem, f"/{name}", index)
    if attributes["specversion"] != "1.0":
        raise malformed('must be "1.0"', "/specversion", index)
    if not isinstance(data, dict):
        raise malformed("data must be a JSON object", "/data", index)
    return Envelope(attributes, data)


def _attribute_problem(name: str, value: Any) -> str | None:
    plain = name in _PLAIN and type(value) is str and len(value) <= ATTRIBUTE_CHARS_MAX
    if plain and value.isascii() and value.isprintable():
        return None  # What nearly every attribute is, said at once.
    if not _ATTRIBUTE_NAME.fullmatch(name) or name == "data":
        return "attribute names are lower-case letters and digits, at most 60"
    if name in KNOWN and not isinstance(value, str):
        return "must be a string"
    if value is None:
        return "is null: leave it out instead"
    if isinstance(value, int) and not isinstance(value, bool):
        return None if -(2**31) <= value < 2**31 else "integers of attributes have 32 bits"
    if not isinstance(value, str | bool):
        return "attributes are strings, integers or booleans"
    if isinstance(value, str):
        return _text_problem(name, value)
    return None


def _text_problem(name: str, value: str) -> str | None:
    if len(value) > ATTRIBUTE_CHARS_MAX:
        return f"has more than {ATTRIBUTE_CHARS_MAX} characters"
    if _CONTROL.search(value):
        return "holds control characters"
    if name in ("source", "dataschema") and not _URI_REFERENCE.fullmatch(value):
        return "is not a URI reference"
    if name == "datacontenttype" and not _is_json_type(value):
        return "must be application/json or left out"
    if name == "time":
        try:
            parse_time(value)
        except ValueError as error:
            return str(error)
    return None


def _header_text(attribute: str, value: bytes) -> str:
    """Header value to attribute, percent-decoded strictly (CloudEvents HTTP binding 3.1.3.2)."""

    def decode(match: re.Match[bytes]) -> bytes:
        if not re.fullmatch(rb"[0-9A-Fa-f]{2}", match[1]):
            raise malformed("holds a bad percent-encoding", f"/{attribute}")
        return bytes.fromhex(match[1].decode())

    try:
        return _PERCENT.sub(decode, value).decode("utf-8")
    except UnicodeDecodeError:
        raise malformed("is not UTF-8", f"/{attribute}") from None


def _charset(content_type: str) -> str:
    found = re.search(r";\s*charset\s*=\s*\"?([^\s;\"]*)", content_type, re.IGNORECASE)
    return found[1].lower() if found else ""


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
