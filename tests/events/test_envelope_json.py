"""Envelopes: JSON that two parsers could read in two ways is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hub.events.envelope import BATCH, STRUCTURED, Envelope, parse
from hub.events.strict_json import EnvelopeError
from tests.events.envelopes import GOOD, batch, binary, good, headers, refused, structured, with_data


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 1}',
        '{"a": {"b": 1, "b": 2}}',
        '{"a": [{"b": 1, "\\u0062": 2}]}',
        '{"a": NaN}',
        '{"a": Infinity}',
        '{"a": -Infinity}',
        '{"a": 123456789012345678901234567890}',
        '{"a": 9223372036854775808}',
        '{"a": 18446744073709551616}',
        '{"a": -9223372036854775809}',
        '{"a": ' + "9" * 5_000 + "}",
        '{"a": 1e400}',
        '{"a": -1e400}',
        '{"a": "\\ud800"}',
        '{"a": "\\udc00\\ud800"}',
        '{"\\ud800": 1}',
        '{"a": "\\u0000"}',
        '{"\\u0000": 1}',
        '{"a": "\x01"}',
        '{"a": 1,}',
        '{"a": 01}',
        "{'a': 1}",
        '{"a": 1} {}',
        "",
    ],
)
def test_ambiguous_json_is_malformed_in_every_mode(text: str) -> None:
    for error in (
        refused(structured, with_data(text)),
        refused(parse, BATCH, [], b"[" + with_data(text) + b"]"),
        refused(binary, None, text.encode()),
    ):
        assert (error.code, error.status) == ("event.malformed", 400)


def test_a_key_twice_in_the_envelope_is_malformed() -> None:
    error = refused(structured, json.dumps(GOOD).encode()[:-1] + b', "id": "e-2"}')
    assert error.code == "event.malformed"
    assert "'id'" in error.message


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), 2**53 + 1, 0.1, 1e300, -0.0, 5e-324])
def test_numbers_of_64_bits_and_doubles_keep_their_value(number: float) -> None:
    (envelope,) = structured(good(data={"a": number}))
    assert envelope.data == {"a": number}
    assert envelope.canonical_forms()


def test_neighbouring_large_integers_have_different_content() -> None:
    contents = {structured(good(data={"a": 2**53 + step}))[0].canonical_forms()[1] for step in range(5)}
    assert len(contents) == 5


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe{\x00}\x00",
        json.dumps(GOOD).encode("utf-16"),
        json.dumps(good(id="caf\u00e9"), ensure_ascii=False).encode("latin-1"),
        b'{"a": "\xed\xa0\x80"}',
        b'{"a": "\xc0\xaf"}',
        b"\xef\xbb\xbf" + json.dumps(GOOD).encode(),
        b"",
        b"\x00",
    ],
)
def test_bytes_that_are_not_plain_utf_8_are_malformed(body: bytes) -> None:
    assert refused(structured, body).code == "event.malformed"


@pytest.mark.parametrize("brackets", ["[]", "{}"])
@pytest.mark.parametrize("depth", [70, 1_000, 100_000])
def test_deep_json_is_malformed_and_harmless(brackets: str, depth: int) -> None:
    step = '{"a":' if brackets == "{}" else "["
    inner = step * depth + "1" + brackets[1] * depth
    body = with_data('{"a": ' + inner + "}")
    # A batch may be large enough for the deepest of them.
    assert refused(parse, BATCH, [], b"[" + body + b"]").code == "event.malformed"
    assert refused(structured, body).code in ("event.malformed", "event.too_large")


def test_an_event_may_be_64_levels_deep() -> None:
    # The event and its data are the first two levels.
    assert structured(with_data('{"a": %s}' % ("[" * 62 + "]" * 62)))


def test_the_depth_of_a_batch_is_bounded_too() -> None:
    assert refused(batch, [good(data={"a": json.loads("[" * 70 + "]" * 70)})]).code == "event.malformed"


@settings(max_examples=60, deadline=None)
@given(body=st.binary(max_size=200), mode=st.sampled_from([STRUCTURED, BATCH, "application/json", ""]))
@example(body=b'{"id": "\\ud800"}', mode=STRUCTURED)
@example(body=b"[" * 100_000, mode=BATCH)
@example(body=b'{"' * 5_000, mode="application/json")
def test_arbitrary_bytes_are_events_or_refused(body: bytes, mode: str) -> None:
    try:
        found = parse(mode, headers(), body)
    except EnvelopeError as error:
        assert error.status in (400, 413, 415)  # noqa: PT017
    else:
        assert all(isinstance(one, Envelope) for one in found)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**66), 2**66) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from([*GOOD, "trace", "Trace", "data_base64"])


@settings(max_examples=60, deadline=None)
@given(
    changes=st.dictionaries(NAMES, JSON | st.text(max_size=5), max_size=3), taken=st.sets(NAMES, max_size=2)
)
def test_arbitrary_json_is_an_event_or_refused(changes: dict[str, Any], taken: set[str]) -> None:
    item = {name: value for name, value in {**GOOD, **changes}.items() if name not in taken}
    try:
        (envelope,) = structured(json.dumps(item).encode())
    except EnvelopeError as error:
        assert error.code in ("event.malformed", "event.missing_attribute")  # noqa: PT017
    else:
        as_sent, content = envelope.canonical_forms()
        assert json.loads(as_sent) == item
        assert content


@settings(max_examples=40, deadline=None)
@given(value=st.binary(max_size=30), name=st.from_regex(r"ce-[a-z0-9_\-]{0,8}", fullmatch=True))
def test_arbitrary_headers_are_events_or_refused(value: bytes, name: str) -> None:
    try:
        (envelope,) = binary([*headers(), (name, value)])
    except EnvelopeError as error:
        assert error.status == 400  # noqa: PT017
    else:
        assert name.removeprefix("ce-") in envelope.attributes


OBJECTS = st.dictionaries(
    st.text(max_size=6),
    st.recursive(
        st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False),
        lambda inner: st.dictionaries(st.text(max_size=6), inner, max_size=4) | st.lists(inner, max_size=3),
        max_leaves=10,
    ),
    max_size=5,
)


@settings(max_examples=60, deadline=None)
@given(data=OBJECTS, turns=st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_matter(data: dict[str, Any], turns: Any) -> None:
    def shuffled(value: Any) -> Any:
        if isinstance(value, dict):
            items = list(value.items())
            turns.shuffle(items)
            return {key: shuffled(inner) for key, inner in items}
        return [shuffled(inner) for inner in value] if isinstance(value, list) else value

    attributes = {name: value for name, value in GOOD.items() if name != "data"}
    one, other = Envelope(attributes, data), Envelope(shuffled(attributes), shuffled(data))
    assert one.canonical_forms() == other.canonical_forms()
