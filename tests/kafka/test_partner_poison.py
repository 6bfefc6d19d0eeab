"""What partners write that is no event: kept, told, and in nobody's way."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from kafka.errors import MessageSizeTooLargeError

from hub.events.deliveries import Message, envelopes
from hub.events.strict_json import EnvelopeError
from hub.store.deliveries import Place
from tests.kafka.clients import producing
from tests.kafka.writing import BATCH, MEMBERS, STRANGER, STRUCTURED, Writing, binary
from tests.support.messages import KENT, body, partner, service
from tests.support.waiting import PATIENCE_S, soon

pytestmark = pytest.mark.asyncio(loop_scope="module")
KENTS = partner(KENT)


async def test_what_a_stranger_writes_is_parked(writing: Writing) -> None:
    offset = await writing.write(STRANGER, service(partner(STRANGER)))
    found = await writing.parked(STRANGER, offset)
    assert (found.partner, found.error) == (STRANGER, "client.unknown")
    assert (await writing.counts(STRANGER))[0] == 0


@pytest.mark.parametrize(
    ("content", "headers", "code"),
    [
        (b"not an event", STRUCTURED, "event.malformed"),
        (None, STRUCTURED, "event.malformed"),
        (None, [], "event.malformed"),
        (b'{"id": "\xff"}', STRUCTURED, "event.malformed"),
        (b"[" * 100_000, STRUCTURED, "event.malformed"),
        (b"[]", BATCH, "event.malformed"),
        (b"{}", STRUCTURED, "event.missing_attribute"),
        (b"{}", [("ce_id", b"1")], "event.unsupported_media_type"),
        (b"{}", [("content-type", b"text/plain")], "event.unsupported_media_type"),
        (b"{}", [*STRUCTURED, *STRUCTURED], "event.malformed"),
        (body(service(KENTS, description={"en": "x" * 300_000})), STRUCTURED, "event.too_large"),
        (b" " * (4 * 1024 * 1024 + 1), BATCH, "event.too_large"),
    ],
    ids=lambda value: (value or b"null")[:20].decode("latin-1") if isinstance(value, bytes | None) else "",
)
async def test_what_is_no_event_is_parked_and_the_flow_goes_on(
    writing: Writing, content: bytes | None, headers: list[tuple[str, bytes | None]], code: str
) -> None:
    offset = await writing.write(KENT, content, headers)
    told = await writing.told(KENT, offset)
    assert (told["status"], told["refusal"]["code"], set(told)) == ("parked", code, MEMBERS)
    assert told["refusal"]["remedy"]
    found = await writing.parked(KENT, offset)
    assert (found.partner, found.error) == (KENT, code)
    assert found.content.endswith(content or b"")
    assert await writing.outcome(KENT, service(KENTS, "after it")) == "applied"


async def test_a_null_header_is_no_attribute() -> None:
    headers = [*binary(service(KENTS)), ("ce_time", None)]
    with pytest.raises(EnvelopeError, match="leave it out"):
        envelopes(Message(Place(KENT, "", 0, 0), headers, b"{}"))


async def test_the_broker_lets_nothing_in_that_is_larger_than_a_batch_may_be(writing: Writing) -> None:
    for codec in (None, "gzip"):
        with producing(writing.bootstrap, compression_type=codec) as producer:
            sent = producer.send(f"in.{KENT}", b"x" * 5_000_000, partition=0)
            with pytest.raises(MessageSizeTooLargeError):
                await asyncio.to_thread(sent.get, PATIENCE_S)


async def test_a_record_that_the_library_cannot_read_stops_nobody(writing: Writing) -> None:
    with producing(writing.bootstrap, linger_ms=200) as producer:
        messages = [service(KENTS, f"beside a spoiled one {n}") for n in range(4)]
        headers = [STRUCTURED, STRUCTURED, [(_NoText("content-type"), b"x")], STRUCTURED]
        sent = [
            producer.send(f"in.{KENT}", body(one), headers=own, partition=1)
            for one, own in zip(messages, headers, strict=True)
        ]
        places = [(await asyncio.to_thread(one.get, PATIENCE_S)).offset for one in sent]
    told = [await writing.told(KENT, one, 1) for one in places]
    assert [one["status"] for one in told[:3]] == ["applied", "applied", "parked"]
    assert "cannot be read" in told[2]["refusal"]["message"]
    assert await writing.outcome(KENT, service(KENTS, "behind it"), partition=1) == "applied"


class _NoText(str):
    """A header's name that goes over the wire as bytes that are no UTF-8."""

    def encode(self, *_: object) -> bytes:
        return b"\xff\xfe"


async def test_the_topic_of_parked_messages_is_told_where_they_stood_and_nothing_of_them(
    writing: Writing,
) -> None:
    offset = await writing.write(KENT, b'{"Ada Lovelace": 1, "Ada Lovelace": 2}')
    found = await writing.parked(KENT, offset)

    async def of_the_topic() -> dict[str, Any]:
        told = {json.loads(one.value)["id"]: one for one in await writing.log("hub.parked.v1")}
        return told if found.id in told else {}

    told = await soon(of_the_topic, "the topic is told", pause_s=0.3)
    event = json.loads(told[found.id].value)
    assert event["type"] == "hub.parked.recorded.v1"
    assert event["data"] == {
        "id": found.id,
        "partner": KENT,
        "error": "event.malformed",
        "parked_at": found.parked_at,
    }
    assert not [one for one in told.values() if b"Lovelace" in one.value]
