"""What partners write to Kafka themselves is taken in by the rules of HTTP, exactly once."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import pytest
from sqlalchemy import select, text

from hub.events.deliveries import Deliveries, Message
from hub.events.rejection import Rejected
from hub.store import clients
from hub.store.deliveries import Place, delivery_at
from hub.store.parked import list_parked
from hub.store.tables import inbox
from tests.kafka.clients import administering, producing, records_left
from tests.kafka.writing import BATCH, MEMBERS, STRUCTURED, Writing, binary
from tests.support.messages import KENT, NORMANDY, body, event, partner, service
from tests.support.waiting import PATIENCE_S, soon

pytestmark = pytest.mark.asyncio(loop_scope="module")
KENTS, NORMANDS = partner(KENT), partner(NORMANDY)


async def test_each_mode_is_accepted_and_its_receipt_is_that_of_the_event(writing: Writing) -> None:
    other = {**service(KENTS, "in binary"), "ownattribute": "50 %41 é"}
    written = [
        await writing.write(KENT, service(KENTS, "structured")),
        await writing.write(KENT, service(KENTS, "without a header"), headers=[]),
        await writing.write(KENT, body(other["data"]), headers=binary(other)),
    ]
    for offset in written:
        told = await writing.told(KENT, offset)
        assert set(told) == MEMBERS
        assert told["status"] == "applied"
        plain = await writing.http.get(f"/receipts/{told['seq']}", headers={"As": KENT})
        assert plain.json() == told
    stored = await writing.spine.stored((await writing.told(KENT, written[2]))["seq"])
    assert stored["attributes"]["ownattribute"] == "50 %41 é"


async def test_a_batch_is_accepted_as_a_whole(writing: Writing) -> None:
    messages = [service(KENTS, f"batch-{n}") for n in range(3)]
    told = await writing.told(KENT, await writing.write(KENT, messages, BATCH))
    assert told["seqs"] == list(range(told["seq"], told["seq"] + 3))
    assert told["subject"] == messages[0]["subject"]


async def test_a_batch_with_one_bad_event_leaves_nothing(writing: Writing) -> None:
    before, _ = await writing.counts(KENT)
    bad = service(KENTS, "bad", colour="red")
    messages = [service(KENTS, "good"), bad, service(KENTS, "as good")]
    assert await writing.outcome(KENT, messages, BATCH) == "refused payload.unknown_field"
    assert (await writing.counts(KENT))[0] == before


async def test_an_event_is_the_same_by_topic_and_by_http(writing: Writing) -> None:
    first, second = service(KENTS, "first by http"), service(KENTS, "first by topic")
    (posted,) = await writing.spine.post(KENTS, first)
    assert (await writing.told(KENT, await writing.write(KENT, first)))["seq"] == posted.seq
    told = await writing.told(KENT, await writing.write(KENT, second))
    (again,) = await writing.spine.post(KENTS, second)
    assert (again.seq, again.duplicate) == (told["seq"], True)
    offset = await writing.write(KENT, body(second["data"]), headers=binary(second))
    assert (await writing.told(KENT, offset))["seq"] == told["seq"]


async def test_other_content_under_a_known_identity_is_refused(writing: Writing) -> None:
    message = service(KENTS, "conflict")
    assert await writing.outcome(KENT, message) == "applied"
    changed = {**message, "data": {**message["data"], "url": "https://a.example/"}}
    told = await writing.told(KENT, await writing.write(KENT, changed))
    assert set(told) == MEMBERS
    assert (told["seq"], told["status"], told["refusal"]["code"]) == (None, "refused", "event.conflict")
    with pytest.raises(Rejected) as by_http:
        await writing.spine.post(KENTS, changed)
    rejected = by_http.value
    assert told["refusal"] == {
        "code": rejected.code,
        "message": rejected.message,
        "remedy": rejected.remedy,
    }


async def test_the_partner_is_the_topics_whatever_a_message_says(writing: Writing) -> None:
    spoofed = service(NORMANDS, "spoofed")
    assert await writing.outcome(KENT, spoofed) == "refused event.foreign_source"
    named = {**service(KENTS, "named"), "partner": NORMANDY, "hubpartner": NORMANDY}
    headers = [
        *STRUCTURED,
        ("hub-partner", NORMANDY.encode()),
        ("ce_source", NORMANDS.source_prefix.encode()),
    ]
    told = await writing.told(KENT, await writing.write(KENT, named, headers))
    sender = await writing.hub.store.inspect(
        lambda conn: conn.execute(select(inbox.c.partner).where(inbox.c.seq == told["seq"])).scalar_one()
    )
    assert sender == KENT


async def test_an_event_beyond_the_grant_is_refused(writing: Writing) -> None:
    message = event(KENTS, "network.configured", "kent", {"name": {"en": "Kent"}})
    assert await writing.outcome(KENT, message) == "refused scope.missing"


async def test_a_suspended_partner_is_refused_until_it_is_resumed(writing: Writing) -> None:
    message = service(NORMANDS, "while suspended")
    await writing.hub.store.write(lambda conn: clients.set_suspended(conn, NORMANDY, True))
    try:
        assert await writing.outcome(NORMANDY, message) == "refused partner.suspended"
    finally:
        await writing.hub.store.write(lambda conn: clients.set_suspended(conn, NORMANDY, False))
    assert await writing.outcome(NORMANDY, message) == "applied"


async def test_what_was_taken_in_is_deleted_from_the_log(writing: Writing) -> None:
    secret = service(KENTS, "deleted", description={"en": "not for the log"})
    assert await writing.outcome(KENT, secret) == "applied"

    async def is_empty() -> bool:
        return await asyncio.to_thread(records_left, writing.bootstrap, f"in.{KENT}") == 0

    await soon(is_empty, "the records leave the log", pause_s=0.3)


async def test_a_message_read_twice_is_taken_in_once(writing: Writing) -> None:
    """By a consumer that has lost its partition and does not know, while another one has it."""
    zombie = Deliveries(writing.hub.store, writing.hub.vault, writing.hub.intake)
    # Where nothing else is written: whichever test comes first, its receipts are its own.
    places = [Place(KENT, "a topic of its own", 11, offset) for offset in range(4)]
    capacity = {**service(KENTS, "twice"), "id": "early", "type": "hub.service.capacity-changed.v1"}
    capacity["data"] = {"capacity": {"status": "waitlist"}}
    values = [body(capacity), body(service(KENTS, "twice")), b"no event", body(service(KENTS, "more"))]
    messages = [Message(one, STRUCTURED, value) for one, value in zip(places, values, strict=True)]
    await asyncio.gather(*(zombie.take_in(messages) for _ in range(3)))
    first = [await _delivered(writing, one) for one in places]
    assert [one.status for one in first] == ["refused", "accepted", "parked", "accepted"]
    before = await writing.counts(KENT)
    # The refused one would be accepted by now; what its sender was told stands.
    await zombie.take_in(messages)
    assert [await _delivered(writing, one) for one in places] == first
    assert await writing.counts(KENT) == before


async def test_a_database_that_fails_parks_nothing_and_loses_nothing(writing: Writing) -> None:
    store = writing.hub.store
    before = len(await store.inspect(lambda conn: list_parked(conn, writing.hub.vault)))
    await store.own(lambda conn: conn.execute(text("ALTER TABLE identity RENAME TO taken_away")))
    try:
        written = [await writing.write(KENT, service(KENTS, f"outage {n}")) for n in range(3)]
        await asyncio.sleep(1)
        assert (await writing.receipt(KENT, written[0])).status_code == 404
    finally:
        await store.own(lambda conn: conn.execute(text("ALTER TABLE taken_away RENAME TO identity")))
    for offset in written:
        assert (await writing.told(KENT, offset))["status"] == "applied"
    assert len(await store.inspect(lambda conn: list_parked(conn, writing.hub.vault))) == before


async def test_a_hub_that_stopped_goes_on_where_it_was(writing: Writing) -> None:
    offsets = [await writing.write(NORMANDY, service(NORMANDS, f"before {n}"), partition=2) for n in range(5)]
    await writing.told(NORMANDY, offsets[-1], 2)
    events, messages = await writing.counts(NORMANDY)
    await writing.stop()
    written = [service(NORMANDS, f"while it stood still {n}") for n in range(5)]
    with producing(writing.bootstrap) as producer:
        sent = [producer.send(f"in.{NORMANDY}", body(one), partition=2) for one in written]
        offsets += [(await asyncio.to_thread(one.get, PATIENCE_S)).offset for one in sent]
    await writing.start()
    for offset in offsets:
        assert (await writing.told(NORMANDY, offset, 2))["status"] == "applied"
    assert await writing.counts(NORMANDY) == (events + 5, messages + 5)


async def test_a_topic_that_is_made_later_is_found_and_one_made_again_is_another(writing: Writing) -> None:
    slug, third = "enterprise-europe-network", partner("enterprise-europe-network")
    writing.readers[slug] = third
    await writing.make_topic(slug)
    first, last = service(third, "in the first topic"), service(third, "in the second topic")
    for n in range(2):
        assert await writing.outcome(slug, {**first, "id": str(n)}) == "applied"
    with administering(writing.bootstrap) as admin:
        admin.delete_topics([f"in.{slug}"])
        await soon(lambda: asyncio.to_thread(lambda: f"in.{slug}" not in admin.list_topics()))
    await writing.make_topic(slug)
    offset = await writing.write(slug, last)
    assert offset == 0

    async def is_the_second() -> bool:
        return bool((await writing.told(slug, 0))["subject"] == last["subject"])

    await soon(is_the_second, "the second topic is read from its beginning")
    assert (await writing.receipt(slug, 1)).status_code == 404  # Of the first topic, which is gone.


async def test_receipts_are_for_the_partner_of_the_topic(writing: Writing) -> None:
    offset = await writing.write(KENT, service(KENTS, "mine"))
    assert (await writing.told(KENT, offset))["status"] == "applied"
    unread = await writing.receipt(KENT, offset + 1_000)
    assert (unread.status_code, unread.json()["code"]) == (404, "resource.not_found")
    writing.readers["stranger"] = dataclasses.replace(KENTS, client_id="portal", partner=None)
    writing.readers["limited"] = dataclasses.replace(KENTS, scopes=KENTS.scopes - {"events:read"})
    others = [await writing.receipt(slug, offset) for slug in (NORMANDY, "stranger")]
    assert {one.text for one in others} == {unread.text}
    for place in ("x/0", "0/-1", "00/0", "0/01", f"0/{'9' * 30}", "-1/0"):
        assert (await writing.http.get(f"/receipts/in/{place}", headers={"As": KENT})).status_code == 404
    nobody, limited = await writing.receipt("", offset), await writing.receipt("limited", offset)
    assert (nobody.status_code, limited.status_code) == (401, 403)


async def _delivered(writing: Writing, place: Place) -> Any:
    found = await writing.hub.store.inspect(lambda conn: delivery_at(conn, writing.hub.vault, place))
    assert found
    return found
