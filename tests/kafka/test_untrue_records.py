"""What stands in the log and is not true, or not ours, or cannot be read: it changes nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from hub.domain.registry import CASES, CATALOGUE
from hub.events.kafka.messages import to_record
from hub.events.spine import Hub, open_hub
from hub.events.unfit import Unfit
from hub.settings import Settings
from hub.store.inbox import sequenced
from hub.store.projection import positions
from tests.kafka.lanes import (
    KENTS,
    folded,
    hub_id,
    parked,
    produce,
    published,
    working,
)
from tests.support.messages import firm, service
from tests.support.spine import PARTITIONS, Production
from tests.support.waiting import soon


async def test_bytes_that_nobody_can_read_are_parked_and_the_flow_goes_on(
    hub: Hub, production: Production
) -> None:
    total = await published(hub, 5)
    for value in (b"\x00\xff not an event", b"{}", None):
        await asyncio.to_thread(produce, production, CASES, value=value, key=b"key", partition=0)
    async with working(hub, "intake", "sequencer", "relay", "projector") as spine:
        await spine.verdicts(await spine.post(KENTS, service(KENTS, "after")))
        await folded(hub, total + 1)

        async def are_parked() -> bool:
            return len(await parked(hub)) == 3

        await soon(are_parked)
    found = await parked(hub)
    assert {one.content for one in found} == {b"\x00\xff not an event", b"{}", b""}
    assert all(one.id.startswith(f"{CASES}/0/") and one.partner is None and one.error for one in found)


async def test_records_of_another_hub_are_left_alone(hub: Hub, production: Production) -> None:
    total = await published(hub, 5)
    others = [("hub-id", b"0" * 32), ("hub-leaf", b"0"), ("hub-after", b"-1")]
    await asyncio.to_thread(produce, production, CATALOGUE, value=b"{}", key=b"x", headers=others)
    async with working(hub, "intake", "sequencer", "relay", "projector") as spine:
        await spine.verdicts(await spine.post(KENTS, service(KENTS, "after")))
        await folded(hub, total + 1)
    assert await parked(hub) == []


async def test_records_of_a_history_that_is_no_more_are_left_alone(hub: Hub, production: Production) -> None:
    """A truth restored from a backup: the log goes on with events that nobody ever accepted again."""
    total = await published(hub, 5)
    (last,) = await hub.store.inspect(lambda conn: sequenced(conn, total - 1, 1))
    assert hub.kafka
    for seq, changed in (
        (total + 1, {"leaf_index": total}),
        (last.seq, {"data": {"url": "https://x.example/"}}),
    ):
        lost = replace(last, seq=seq, commitment=bytes(32), **changed)
        record = to_record(lost, last.leaf_index - 1, PARTITIONS, hub_id(hub))
        await asyncio.to_thread(produce, production, **record._asdict())
    async with working(hub, "intake", "sequencer", "relay", "projector") as spine:
        receipts = await spine.post(KENTS, service(KENTS, "after"))
        assert [one.seq for one in receipts] == [total + 1]
        assert await spine.verdicts(receipts) == ["applied"]
        await folded(hub, total + 1)


async def test_a_record_with_other_places_moves_nothing(hub: Hub, production: Production) -> None:
    total = await published(hub, 5)
    (last,) = await hub.store.inspect(lambda conn: sequenced(conn, total - 1, 1))
    far = to_record(replace(last, leaf_index=10**9), 10**9 - 1, PARTITIONS, hub_id(hub))
    elsewhere = to_record(last, last.leaf_index - 1, PARTITIONS, hub_id(hub))
    other = (elsewhere.partition + 1) % PARTITIONS
    for record in (far, elsewhere._replace(partition=other), elsewhere._replace(value=b"{}")):
        await asyncio.to_thread(produce, production, **record._asdict())
    async with working(hub, "intake", "sequencer", "relay", "projector") as spine:
        assert await spine.verdicts(await spine.post(KENTS, service(KENTS, "after"))) == ["applied"]
        await folded(hub, total + 1)
        found = await hub.store.inspect(positions)
        assert max(one.leaf for one in found.values()) == total + 1


async def test_an_event_that_grows_when_it_is_sealed_goes_its_way(hub: Hub) -> None:
    total = await published(hub, 3)
    extensions = {f"attribute{number}": "ü" * 300 for number in range(50)}
    contacts = [{"name": "ü" * 100, "role": "ü" * 100} for _ in range(10)]
    large = {**firm(KENTS, "77", contacts=contacts, extensions={"text": "ü" * 20_000}), **extensions}
    async with working(hub, "intake", "sequencer", "relay", "projector") as spine:
        receipts = await spine.post(KENTS, large)
        receipts += await spine.post(KENTS, service(KENTS, "after"))
        assert await spine.verdicts(receipts) == ["applied", "applied"]
        await folded(hub, total + 2)


async def test_a_process_that_lacks_the_setting_leaves_the_read_model_alone(
    hub: Hub, production: Production, tmp_path: Path
) -> None:
    total = await published(hub, 3)
    async with working(hub, "projector"):
        await folded(hub, total)
    members = {**production.settings(tmp_path), "kafka_bootstrap": ""}
    forgetful = open_hub(Settings(data_dir=tmp_path, **members))
    try:
        with pytest.raises(Unfit, match="HUB_KAFKA_BOOTSTRAP is not set"):
            await forgetful.prepare()
    finally:
        await forgetful.store.close()
    await folded(hub, total)
