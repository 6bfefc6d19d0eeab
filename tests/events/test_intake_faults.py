"""Intake under faults: what cannot be stored is not acknowledged, and all goes on afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, update

from hub.domain import registry
from hub.domain.record import Accepted, Changes, KeyState
from hub.domain.registry import EventSpec
from hub.events.rejection import Rejected
from hub.store.tables import record
from tests.support.messages import KENT, network_events, network_manager, partner, service
from tests.support.spine import Spine, embedded, running_spine

KENTS = partner(KENT)


async def _full_disk(spine: Spine, full: bool) -> None:
    """The truth may grow no further, or as it likes: what SQLite says at the limit is `disk is full`."""

    def limit(conn: Connection) -> None:
        pages = conn.exec_driver_sql("PRAGMA page_count").scalar_one()
        conn.exec_driver_sql(f"PRAGMA max_page_count={pages if full else 1_000_000_000}")

    await spine.hub.store.intake(limit)


async def test_a_full_disk_acknowledges_nothing_and_loses_nothing(tmp_path: Path) -> None:
    async with running_spine(embedded, tmp_path) as spine:
        await spine.set_up_network()
        acknowledged = await spine.post(KENTS, service(KENTS, "before"))
        await _full_disk(spine, full=True)
        before = await spine.counts()
        messages = [service(KENTS, f"during-{n}", description={"en": "x" * 4_000}) for n in range(30)]
        answers = await asyncio.gather(
            *(spine.post(KENTS, message) for message in messages), return_exceptions=True
        )
        refused = [one for one in answers if isinstance(one, Rejected)]
        assert refused, "the disk was never full"
        assert {(one.status, one.code) for one in refused} == {(503, "hub.unavailable")}
        taken = [receipt for one in answers if isinstance(one, list) for receipt in one]
        assert (await spine.counts())["inbox"] == before["inbox"] + len(taken)

        await _full_disk(spine, full=False)
        again = [(await spine.post(KENTS, message))[0] for message in messages]
        assert {one.seq for one in again if one.duplicate} == {one.seq for one in taken}
        assert set(await spine.verdicts([*acknowledged, *again])) == {"applied"}


async def test_a_database_that_fails_is_told_and_comes_back(tmp_path: Path) -> None:
    async with running_spine(embedded, tmp_path) as spine:
        await spine.set_up_network()
        message = service(KENTS)
        with contextlib.closing(sqlite3.connect(tmp_path / "hub.db")) as operator:
            operator.execute("ALTER TABLE identity RENAME TO taken_away")
            with pytest.raises(Rejected) as caught:
                await spine.post(KENTS, message)
            assert (caught.value.status, caught.value.code) == (503, "hub.unavailable")
            assert "same id" in caught.value.remedy
            operator.execute("ALTER TABLE taken_away RENAME TO identity")
        assert not (await spine.post(KENTS, message))[0].duplicate


async def test_an_event_that_breaks_its_fold_is_parked_and_the_flow_goes_on(
    spine: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No honest event is known to break a fold, so one type gets a fold with a fault."""
    await spine.set_up_network()
    spec = registry.EVENTS["hub.service.assured.v1"]

    def faulty(_state: KeyState, _event: Accepted[Any]) -> Changes:
        raise ZeroDivisionError("a fault in a fold")

    broken = EventSpec(spec.payload, spec.topic, spec.key, spec.scopes, faulty)
    monkeypatch.setitem(registry.EVENTS, "hub.service.assured.v1", broken)
    published = service(KENTS)
    poison = {
        **published,
        "id": "poison",
        "type": "hub.service.assured.v1",
        "data": {"assured_date": "2026-11-22"},
    }
    capacity = {"capacity": {"status": "waitlist"}}
    later = {**published, "id": "later", "type": "hub.service.capacity-changed.v1", "data": capacity}
    receipts = await spine.post(KENTS, published, poison, later, service(KENTS, "other"))
    assert await spine.verdicts(receipts) == ["applied", "parked hub.unavailable", "applied", "applied"]


async def test_what_was_accepted_before_a_stop_is_projected_after_it(tmp_path: Path) -> None:
    manager = network_manager()
    hub = embedded(tmp_path)
    await hub.prepare()
    writer = asyncio.ensure_future(hub.intake.run())
    receipts = await Spine(hub).post(manager, *network_events(manager))
    writer.cancel()
    await asyncio.gather(writer, return_exceptions=True)
    await hub.store.close()
    async with running_spine(embedded, tmp_path) as spine:
        assert set(await spine.verdicts(receipts)) == {"applied"}


async def test_a_record_that_cannot_be_read_parks_its_own_events_only(spine: Spine) -> None:
    await spine.set_up_network()
    broken, sound = service(KENTS, "broken"), service(KENTS, "sound")
    assert await spine.verdicts(await spine.post(KENTS, broken, sound)) == ["applied", "applied"]
    garbage = update(record).where(record.c.id == broken["subject"]).values(doc="{")
    await spine.hub.store.project(lambda conn: conn.execute(garbage).rowcount)
    again = [
        {**one, "id": f"again-{place}", "data": {**one["data"], "url": "https://a.example/"}}
        for place, one in enumerate((sound, broken, sound))
    ]
    receipts = await spine.post(KENTS, *again)
    assert await spine.verdicts(receipts) == ["applied", "parked hub.unavailable", "applied"]
