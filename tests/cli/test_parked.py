"""hub parked: what could not be read or folded is shown, and goes its way once the fault is mended."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner, Result

from hub.cli.main import app
from hub.cli.partners import add_partner
from hub.domain import registry
from hub.domain.opportunities import opportunity_id
from hub.domain.record import Accepted, Changes, KeyState
from hub.domain.refusal import Refusal
from hub.domain.registry import CASES, EventSpec
from hub.events.deliveries import Deliveries, Message
from hub.events.rebuild import model_hash, rebuild
from hub.events.refold import refold
from hub.events.spine import Hub
from hub.store.deliveries import Place, delivery_at, place_named
from hub.store.parked import list_parked
from hub.store.tables import verdict
from tests.durability.histories import beginning
from tests.kafka.clients import producing
from tests.support.messages import (
    KENT,
    NORMANDY,
    body,
    consent,
    event,
    firm,
    firm_id,
    partner,
    referral,
    service,
    uuid_of,
)
from tests.support.spine import Production, Spine, embedded, running_spine
from tests.support.waiting import PATIENCE_S, soon

KENTS, NORMANDS = partner(KENT), partner(NORMANDY)
REASON = {"code": "other", "party": "provider"}


async def hub_parked(hub: Hub, *arguments: str) -> Result:
    """Run the command beside the running hub, on its settings."""
    environment = {
        f"HUB_{name.upper()}": str(getattr(hub.settings, name))
        for name in ("data_dir", "database_url", "kafka_bootstrap", "kafka_partitions")
    }
    return await asyncio.to_thread(lambda: CliRunner().invoke(app, ["parked", *arguments], env=environment))


async def listed(hub: Hub) -> list[dict[str, Any]]:
    """What the command lists."""
    done = await hub_parked(hub, "list", "--json")
    assert done.exit_code == 0, done.stderr
    return list(json.loads(done.stdout))


async def statuses(hub: Hub, seqs: Sequence[int]) -> list[str]:
    """Verdicts as they stand."""
    query = select(verdict.c.seq, verdict.c.status).where(verdict.c.seq.in_(seqs))
    found = await hub.store.inspect(lambda conn: {row.seq: row.status for row in conn.execute(query)})
    return [found[seq] for seq in seqs]


def break_fold(monkeypatch: pytest.MonkeyPatch, type_: str) -> None:
    """No honest event is known to break a fold, so one type gets a fold with a fault."""

    def faulty(_state: KeyState, _event: Accepted[Any]) -> Changes:
        raise ZeroDivisionError("a fault in a fold")

    spec = registry.EVENTS[type_]
    broken = EventSpec(spec.payload, spec.topic, spec.key, spec.scopes, faulty)
    monkeypatch.setitem(registry.EVENTS, type_, broken)


async def test_an_event_that_could_not_be_folded_is_folded_again_with_all_of_its_key(
    spine: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await spine.set_up_network()
    hub, case, given = spine.hub, uuid_of("case"), uuid_of("given")
    moves = [event(NORMANDS, f"referral.{what}", case, {}) for what in ("accepted", "started")]
    with monkeypatch.context() as broken:
        break_fold(broken, "hub.referral.accepted.v1")
        receipts = await spine.post(
            KENTS,
            firm(KENTS, "1"),
            consent(KENTS, "1", NORMANDY, id_=given),
            referral(KENTS, "1", case, given),
        )
        receipts += await spine.post(NORMANDS, *moves)
        assert (await spine.verdicts(receipts))[-2:] == [
            "parked hub.unavailable",
            "refused referral.illegal_move",
        ]
        seq = receipts[-2].seq
        (row,) = await listed(hub)
        assert (row["id"], row["partner"], row["replayed_at"]) == (f"seq/{seq}", NORMANDY, None)
        shown = json.loads((await hub_parked(hub, "show", f"seq/{seq}", "--json")).stdout)
        assert json.loads(shown["text"])["attributes"]["type"] == "hub.referral.accepted.v1"
        assert firm_id("1") not in shown["text"]
        still = await hub_parked(hub, "replay", f"seq/{seq}")
        assert (still.exit_code, "parked.still" in still.stderr) == (1, True)
    done = await hub_parked(hub, "replay", f"seq/{seq}", "--json")
    assert json.loads(done.stdout) == {"id": f"seq/{seq}", "replayed": True}
    # What came after it was refused for its sake, and is not any more.
    assert set(await statuses(hub, [one.seq for one in receipts])) == {"applied"}
    assert await listed(hub) == []
    assert (await rebuild(hub.store, by_lanes=hub.kafka is not None)).equal
    completed = event(NORMANDS, "referral.held", case, {"reason": REASON, "resume_on": "2027-01-01"})
    assert await spine.outcome(NORMANDS, completed) == "applied"
    again = await hub_parked(hub, "replay", f"seq/{seq}")
    assert (again.exit_code, "parked.unknown" in again.stderr) == (1, True)


async def test_folding_any_key_again_changes_nothing(spine: Spine) -> None:
    """Every row of every table that follows from a key is removed and made again, and no other."""
    await spine.set_up_network()
    receipts = []
    for sender, message in beginning():
        receipts += await spine.post(sender, message)
    withdrawn = service(KENTS, "withdrawn")
    receipts += await spine.post(
        KENTS,
        withdrawn,
        {**withdrawn, "id": "w", "type": "hub.service.withdrawn.v1", "data": {}},
        opportunity(),
    )
    await spine.verdicts(receipts)
    hub = spine.hub
    before = await hub.store.inspect(model_hash)
    for receipt in receipts:
        # As if it had been parked: whatever stands there is replaced.
        parking = verdict.update().where(verdict.c.seq == receipt.seq).values(status="parked")
        assert await hub.store.project(lambda conn, parking=parking: conn.execute(parking).rowcount) == 1  # type: ignore[misc]
        assert await refold(hub.store, receipt.seq, hub.kafka.lane if hub.kafka else None) is None
        assert await hub.store.inspect(model_hash) == before


def opportunity() -> dict[str, Any]:
    """An opportunity of KENT's."""
    text = {"en": "x"}
    data = {
        "reference": "r",
        "opportunity_type": "business-offer",
        "title": text,
        "summary": text,
        "country": "FR",
        "published_on": "2026-11-01",
        "deadline": "2027-01-01",
    }
    return event(KENTS, "opportunity.published", opportunity_id(KENT, "r"), data)


async def test_a_command_with_other_lanes_than_the_hub_changes_nothing(
    production: Production, tmp_path: Path
) -> None:
    async with running_spine(production.open_hub, tmp_path / "hub") as spine:
        (receipt,) = await spine.post(KENTS, service(KENTS))
        await spine.verdicts([receipt])
        store = spine.hub.store
        parking = verdict.update().where(verdict.c.seq == receipt.seq).values(status="parked")
        await store.project(lambda conn: conn.execute(parking).rowcount)
        before = await store.inspect(model_hash)
        for wrong in (None, lambda topic, _key: f"{topic}/999"):
            refusal = await refold(store, receipt.seq, wrong)
            assert refusal
            assert refusal.code == "parked.other_lanes"
        assert await store.inspect(model_hash) == before


async def test_a_message_of_an_unknown_partner_is_replayed_once_the_partner_was_added(
    production: Production, tmp_path: Path
) -> None:
    slug = "late-to-the-party"
    late = partner(slug)
    async with running_spine(production.open_hub, tmp_path / "hub") as spine:
        hub = spine.hub
        assert hub.kafka
        await hub.kafka.cluster.make_inbox(f"in.{slug}")
        message, headers = service(late), [("content-type", b"application/cloudevents+json")]
        await asyncio.to_thread(_write, production.bootstrap, f"in.{slug}", body(message), headers)
        (row,) = await _listed_of(hub, slug)
        assert (row["error"], row["replayed_at"]) == ("client.unknown", None)
        shown = json.loads((await hub_parked(hub, "show", row["id"], "--json")).stdout)
        assert json.loads(shown["text"]) == message
        assert shown["headers"] == {"content-type": "application/cloudevents+json"}
        assert shown["why"]["code"] == "client.unknown"
        assert message["data"]["own_id"] in (await hub_parked(hub, "show", row["id"])).stdout
        early = await hub_parked(hub, "replay", row["id"])
        assert (early.exit_code, "client.unknown" in early.stderr) == (1, True)

        await _add_partner(hub, slug)
        assert (await hub_parked(hub, "replay", row["id"])).exit_code == 0
        place = _place(row["id"])
        found = await hub.store.inspect(lambda conn: delivery_at(conn, hub.vault, place))
        assert found
        assert found.status == "accepted"
        assert await hub.progress.reached(found.seqs, 20)
        assert await statuses(hub, found.seqs) == ["applied"]
        (row,) = await _listed_of(hub, slug)
        assert row["replayed_at"]
        again = await hub_parked(hub, "replay", row["id"])
        assert (again.exit_code, "parked.replayed" in again.stderr) == (1, True)


async def test_what_is_no_event_stays_parked(spine: Spine) -> None:
    hub, place = spine.hub, Place(KENT, "topic-of-kent", 0, 7)
    await _add_partner(hub, KENT)
    headers = [("content-type", b"application/cloudevents+json")]
    await Deliveries(hub.store, hub.vault, hub.intake).take_in([Message(place, headers, b"\x1b[31m\xff")])
    (row,) = await listed(hub)
    assert (row["id"], row["partner"], row["error"]) == (place.name, KENT, "event.malformed")
    shown = json.loads((await hub_parked(hub, "show", place.name, "--json")).stdout)
    assert (shown["text"], shown["hex"]) == (None, b"\x1b[31m\xff".hex())
    done = await hub_parked(hub, "replay", place.name)
    assert (done.exit_code, "event.malformed" in done.stderr) == (1, True)
    assert (await listed(hub))[0]["replayed_at"] is None


async def test_a_record_of_the_hubs_own_topics_is_not_replayed(
    production: Production, tmp_path: Path
) -> None:
    async with running_spine(production.open_hub, tmp_path / "hub") as spine:
        await asyncio.to_thread(_write, production.bootstrap, CASES, b"\x00 not ours", [])
        (row,) = await _listed_of(spine.hub, None)
        assert row["id"].startswith(f"{CASES}/0/")
        shown = json.loads((await hub_parked(spine.hub, "show", row["id"], "--json")).stdout)
        assert shown["hex"] == b"\x00 not ours".hex()
        done = await hub_parked(spine.hub, "replay", row["id"])
        assert (done.exit_code, "parked.not_replayable" in done.stderr) == (1, True)


async def test_an_id_under_which_nothing_is_parked_is_told(tmp_path: Path) -> None:
    async with running_spine(embedded, tmp_path) as spine:
        for id_ in ("seq/9", "seq/0", "hub.cases.v1/0/0@x", "anything", "in.x/0/0@y"):
            for command in ("show", "replay"):
                done = await hub_parked(spine.hub, command, id_)
                assert (done.exit_code, "parked.unknown" in done.stderr) == (1, True), id_


def _write(bootstrap: str, topic: str, value: bytes, headers: list[tuple[str, bytes]]) -> None:
    with producing(bootstrap) as producer:
        producer.send(topic, value, headers=headers, partition=0).get(PATIENCE_S)


async def _listed_of(hub: Hub, slug: str | None) -> list[dict[str, Any]]:
    """What is parked of a partner, once there is something."""

    async def is_there() -> bool:
        found = await hub.store.inspect(lambda conn: list_parked(conn, hub.vault))
        return any(one.partner == slug for one in found)

    await soon(is_there, "something is parked")
    return [row for row in await listed(hub) if row["partner"] == slug]


async def _add_partner(hub: Hub, slug: str) -> None:
    row = await add_partner(hub, slug, slug, "GB", None, "member", [], None, True)
    assert not isinstance(row, Refusal), row


def _place(name: str) -> Place:
    found = place_named(name)
    assert found
    return found
