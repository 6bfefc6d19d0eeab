"""Strict CloudEvents 1.0: structured, binary and batch, and nothing invented.

Duplicate keys, NaN, integers beyond 64 bits and lone surrogates are refused, because parsers disagree on
them. Source: CloudEvents 1.0.2 core, JSON format and HTTP binding.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hub.domain.canonical import canonical
from hub.domain.values import parse_time

EVENT_BYTES_MAX = 256 * 1024
BATCH_BYTES_MAX = 4 * 1024 * 1024
BATCH_EVENTS_MAX = 1_000
DEPTH_MAX = 64
ATTRIBUTE_CHARS_MAX = 1_000
INT_MIN, INT_MAX = -(2**63), 2**64 - 1

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
JSON_TYPE = re.compile(r"application/(json|[a-z0-9.+-]+\+json)", re.ASCII | re.IGNORECASE)
REQUIRED = ("id", "source", "specversion", "type", "subject")
OPTIONAL = ("time", "datacontenttype", "dataschema")
KNOWN = frozenset((*REQUIRED, *OPTIONAL))
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
        data = canonical(self.data)
        members = {**{name: canonical(value) for name, value in self.attributes.items()}, "data": data}
        as_sent = b"{%s}" % b",".join(b'"%s":%s' % (name.encode(), members[name]) for name in sorted(members))
        texts = {name: _as_text(value) for name, value in self.attributes.items()}
        if JSON_TYPE.fullmatch(texts.get("datacontenttype", "").partition(";")[0].strip()):
            del texts["datacontenttype"]
        return as_sent, canonical(texts) + b"\n" + data


class EnvelopeError(Exception):
    """The bytes are no event. status: HTTP; field: JSON pointer; index: place in a batch."""

    def __init__(
        self, code: str, message: str, *, field: str = "", index: int | None = None, status: int = 400
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.field, self.index, self.status = code, message, field, index, status


def parse_json(body: bytes, depth_max: int = DEPTH_MAX) -> Any:
    """Parsed JSON; EnvelopeError for all that strict parsers may read differently.

    depth_max: arrays and objects inside each other.
    """
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_int=_integer,
            parse_float=_float,
        )
    except UnicodeDecodeError as error:
        raise _malformed(f"the body is not UTF-8 at byte {error.start}") from None
    except RecursionError:
        raise _malformed(f"the body is nested more than {DEPTH_MAX} levels deep") from None
    except json.JSONDecodeError as error:
        raise _malformed(f"the body is not JSON: {error.msg} at character {error.pos}") from None
    _check_tree(value, depth_max)
    return value


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
        raise _malformed("a batch is a JSON array of at least one event")
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
        raise _malformed("an event is a JSON object", index=index)
    attributes = {name: value for name, value in item.items() if name not in ("data", "data_base64")}
    if "data_base64" in item:
        raise _malformed("data of this hub is JSON: send data, not data_base64", "/data_base64", index)
    return _envelope(attributes, item.get("data"), index)


def _binary(content_type: str, headers: Sequence[tuple[str, bytes]], body: bytes) -> Envelope:
    attributes: dict[str, Any] = {"datacontenttype": content_type}
    for name, value in headers:
        if name.startswith("ce-"):
            attribute = name[3:]
            if attribute in attributes:
                raise _malformed("the header stands twice", f"/{attribute}")
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
    for name in REQUIRED:
        if attributes.get(name) in (None, ""):
            raise EnvelopeError("event.missing_attribute", "is missing", field=f"/{name}", index=index)
    for name, value in attributes.items():
        problem = _attribute_problem(name, value)
        if problem:
            raise _malformed(problem, f"/{name}", index)
    if attributes["specversion"] != "1.0":
        raise _malformed('must be "1.0"', "/specversion", index)
    if not isinstance(data, dict):
        raise _malformed("data must be a JSON object", "/data", index)
    return Envelope(attributes, data)


def _attribute_problem(name: str, value: Any) -> str | None:
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
    if name == "datacontenttype" and not JSON_TYPE.fullmatch(value.partition(";")[0].strip()):
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
            raise _malformed("holds a bad percent-encoding", f"/{attribute}")
        return bytes.fromhex(match[1].decode())

    try:
        return _PERCENT.sub(decode, value).decode("utf-8")
    except UnicodeDecodeError:
        raise _malformed("is not UTF-8", f"/{attribute}") from None


def _charset(content_type: str) -> str:
    found = re.search(r";\s*charset\s*=\s*\"?([^\s;\"]*)", content_type, re.IGNORECASE)
    return found[1].lower() if found else ""


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _malformed(message: str, field: str = "", index: int | None = None) -> EnvelopeError:
    return EnvelopeError("event.malformed", message, field=field, index=index)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _malformed(f"the key {twice[:100]!r} stands twice in one object")
    return value


def _constant(name: str) -> Any:
    raise _malformed(f"{name} is not JSON")


def _integer(digits: str) -> int:
    if len(digits) <= 20 and INT_MIN <= (value := int(digits)) <= INT_MAX:
        return value
    raise _malformed("the body holds an integer beyond 64 bits; send it as a string")


def _float(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise _malformed("the body holds a number beyond double precision; send it as a string")
    return value


def _check_tree(value: Any, depth_max: int) -> None:
    """Depth and text of a parsed tree; iterative, so that depth cannot hurt."""
    level, depth = [value], 0
    while level:
        below: list[Any] = []
        for node in level:
            if isinstance(node, str):
                _check_text(node)
            elif isinstance(node, dict):
                for key in node:
                    _check_text(key)
                below.extend(node.values())
            elif isinstance(node, list):
                below.extend(node)
        depth += any(isinstance(node, dict | list) for node in level)
        if depth > depth_max:
            raise _malformed(f"the body is nested more than {DEPTH_MAX} levels deep")
        level = below


def _check_text(text: str) -> None:
    if text.isascii() and "\x00" not in text:
        return
    if "\x00" in text:
        raise _malformed("the body holds the character U+0000")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _malformed("the body holds half of a surrogate pair") from None
