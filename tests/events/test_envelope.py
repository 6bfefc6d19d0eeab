"""Envelopes: the three modes, what they share, and every way to be wrong about an attribute."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.events.envelope import BATCH, EVENT_BYTES_MAX, STRUCTURED
from tests.events.envelopes import GOOD, batch, binary, good, headers, refused, structured, with_data

DATA = json.dumps(GOOD["data"]).encode()


def test_a_structured_event_gives_its_attributes_and_its_data() -> None:
    (envelope,) = structured(GOOD)
    assert envelope.data == GOOD["data"]
    assert envelope.attributes == {name: value for name, value in GOOD.items() if name != "data"}


def test_binary_and_structured_forms_of_one_event_have_the_same_content() -> None:
    (plain,), (in_headers,) = (
        structured(good(attempt=5, urgent=True)),
        binary(headers(attempt="5", urgent="true")),
    )
    assert plain.canonical_forms()[1] == in_headers.canonical_forms()[1]
    (other,) = binary(headers(attempt="6", urgent="true"))
    assert plain.canonical_forms()[1] != other.canonical_forms()[1]


def test_the_form_as_sent_keeps_what_was_sent() -> None:
    (plain,), (in_headers,) = structured(GOOD), binary()
    assert json.loads(plain.canonical_forms()[0]) == GOOD
    assert json.loads(in_headers.canonical_forms()[0]) == good(datacontenttype="application/json")


def test_a_batch_gives_its_events_in_order() -> None:
    assert [one.attributes["id"] for one in batch([good(id="b"), good(id="a")])] == ["b", "a"]


@pytest.mark.parametrize("content_type", [f"{STRUCTURED}; charset=utf-8", f'{STRUCTURED};charset="UTF-8"'])
def test_utf_8_may_be_named(content_type: str) -> None:
    assert structured(GOOD, content_type)


@pytest.mark.parametrize("kind", ["application/vnd.kent+json", "application/json; charset=utf-8"])
def test_binary_data_may_be_any_json(kind: str) -> None:
    (envelope,) = binary(content_type=kind)
    assert envelope.attributes["datacontenttype"] == kind


@pytest.mark.parametrize("name", ["id", "source", "specversion", "type", "subject"])
@pytest.mark.parametrize("value", [..., "", None])
def test_a_missing_attribute_is_named(name: str, value: Any) -> None:
    error = refused(structured, good(**{name: value}))
    assert (error.code, error.field, error.status) == ("event.missing_attribute", f"/{name}", 400)


@pytest.mark.parametrize("name", ["id", "source", "specversion", "type", "subject"])
def test_a_missing_header_is_named(name: str) -> None:
    error = refused(binary, headers(**{name: None}))
    assert (error.code, error.field) == ("event.missing_attribute", f"/{name}")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("specversion", "0.3"),
        ("specversion", "1.0.2"),
        ("id", 7),
        ("type", ["hub.service.withdrawn.v1"]),
        ("subject", {"id": "x"}),
        ("source", "not a uri"),
        ("source", "/partners/kent/\u00e9"),
        ("source", "/partners/kent/<x>"),
        ("id", "line\nfeed"),
        ("id", "delete\x7f"),
        ("id", "next\x85line"),
        ("id", "not a character \uffff"),
        ("id", "x" * 1_001),
        ("time", "2026-11-22T09:00:00"),
        ("time", "2026-11-22 09:00:00Z"),
        ("time", "2026-11-22"),
        ("time", "2026-02-30T09:00:00Z"),
        ("time", "2026-11-22T25:00:00Z"),
        ("time", "0001-01-01T00:00:00+23:59"),
        ("time", "\u0662\u0660\u0662\u0666-11-22T09:00:00Z"),
        ("time", None),
        ("time", 1_763_802_000),
        ("datacontenttype", "text/xml"),
        ("datacontenttype", None),
        ("dataschema", "no uri"),
        ("Trace", "x"),
        ("trace-id", "x"),
        ("trace_id", "x"),
        ("x" * 61, "x"),
        ("trace", None),
        ("trace", 1.5),
        ("trace", ["x"]),
        ("trace", {"x": "y"}),
        ("trace", 2**31),
        ("trace", -(2**31) - 1),
    ],
)
def test_a_malformed_attribute_is_named(name: str, value: Any) -> None:
    error = refused(structured, good(**{name: value}))
    assert (error.code, error.field, error.status) == ("event.malformed", f"/{name}", 400)
    assert error.message


@pytest.mark.parametrize("value", ["x" * 1_000, "caf\u00e9", True, False, 0, 2**31 - 1, -(2**31), ""])
def test_an_extension_attribute_may_be_text_a_small_integer_or_a_boolean(value: Any) -> None:
    assert structured(good(trace=value))[0].attributes["trace"] == value


@pytest.mark.parametrize("time", ["2026-11-22T09:00:00+01:00", "2026-11-22t09:00:00.123456789z"])
def test_a_time_with_offset_is_taken(time: str) -> None:
    assert structured(good(time=time))[0].attributes["time"] == time


@pytest.mark.parametrize("data", [..., None, [], "text", 1, True])
def test_data_must_be_an_object(data: Any) -> None:
    error = refused(structured, good(data=data))
    assert (error.code, error.field) == ("event.malformed", "/data")


def test_data_in_base64_is_refused() -> None:
    error = refused(structured, good(data=..., data_base64="e30="))
    assert (error.code, error.field) == ("event.malformed", "/data_base64")


@pytest.mark.parametrize("body", [b"[]", b"1", b'"x"', b"null"])
def test_a_structured_event_is_an_object(body: bytes) -> None:
    assert refused(structured, body).code == "event.malformed"


def test_a_header_twice_is_refused() -> None:
    error = refused(binary, [*headers(), ("ce-id", b"e-2")])
    assert (error.code, error.field) == ("event.malformed", "/id")


def test_the_content_type_is_said_once() -> None:
    assert refused(binary, headers(datacontenttype="application/json")).field == "/datacontenttype"


@pytest.mark.parametrize("value", [b"50%", b"%zz", b"%a", b"%C3%28", b"%ff", b"\xff"])
def test_a_bad_percent_encoding_is_refused(value: bytes) -> None:
    error = refused(binary, [*headers(), ("ce-trace", value)])
    assert (error.code, error.field) == ("event.malformed", "/trace")


def test_a_percent_encoding_is_undone() -> None:
    (envelope,) = binary([*headers(), ("ce-trace", b"caf%C3%A9%2050%25")])
    assert envelope.attributes["trace"] == "caf\u00e9 50%"


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/xml", "application/cloudevents", "application/cloudevents+avro", "json"],
)
def test_another_content_type_is_not_supported(content_type: str) -> None:
    error = refused(structured, GOOD, content_type)
    assert (error.code, error.status) == ("event.unsupported_media_type", 415)


@pytest.mark.parametrize("mode", [STRUCTURED, BATCH, "application/json"])
@pytest.mark.parametrize("charset", ["utf-16", "iso-8859-1", '"latin1"', "us-ascii"])
def test_another_charset_is_not_supported(mode: str, charset: str) -> None:
    error = refused(structured, GOOD, f"{mode}; charset={charset}")
    assert (error.code, error.status) == ("event.unsupported_media_type", 415)


def padded(bytes_: int) -> bytes:
    """The good event, of exactly that size."""
    empty = with_data('{"reason": {"en": ""}}')
    return with_data('{"reason": {"en": "%s"}}' % ("x" * (bytes_ - len(empty))))


def test_an_event_has_at_most_256_kib() -> None:
    assert structured(padded(EVENT_BYTES_MAX))
    error = refused(structured, padded(EVENT_BYTES_MAX + 1))
    assert (error.code, error.status) == ("event.too_large", 413)


def test_an_event_of_a_batch_has_at_most_256_kib_too() -> None:
    large = json.loads(padded(EVENT_BYTES_MAX + 10_000))
    error = refused(batch, [GOOD, large])
    assert (error.code, error.status, error.index) == ("event.too_large", 413, 1)
    assert len(batch([json.loads(padded(200_000)), json.loads(padded(200_000))])) == 2


def test_a_batch_has_at_most_1000_events() -> None:
    small = good(time=...)
    assert len(batch([small] * 1_000)) == 1_000
    error = refused(batch, [small] * 1_001)
    assert (error.code, error.status) == ("event.too_large", 413)


@pytest.mark.parametrize("items", [[], {}, "x", None])
def test_a_batch_is_an_array_of_at_least_one_event(items: Any) -> None:
    assert refused(batch, items).code == "event.malformed"


@pytest.mark.parametrize(
    ("item", "code"),
    [
        (good(id=...), "event.missing_attribute"),
        (good(time="now"), "event.malformed"),
        ([], "event.malformed"),
    ],
)
def test_a_bad_event_of_a_batch_is_named_by_its_index(item: Any, code: str) -> None:
    error = refused(batch, [GOOD, GOOD, item, GOOD])
    assert (error.code, error.index) == (code, 2)
