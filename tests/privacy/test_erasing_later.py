"""What a hub that folded an erasure could not destroy at once is destroyed later, and counted until then."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from sqlalchemy import Connection, select
from sqlalchemy.util import await_only

from hub.events.measures import REGISTRY
from hub.store.erasing import condemned, destroy
from hub.store.tables import inbox
from tests.privacy.told import KENTS, NUMBER, folded_and_dead, keys, until_erased
from tests.support.messages import firm, firm_id
from tests.support.spine import OpenHub, Spine, running_spine


async def test_a_hub_that_died_between_verdict_and_destruction_destroys_at_its_next_start(
    open_backbone: OpenHub, tmp_path: Path
) -> None:
    await folded_and_dead(open_backbone, tmp_path / "hub")
    async with running_spine(open_backbone, tmp_path / "hub") as spine:
        await until_erased(spine, firm_id(NUMBER))
        assert (await keys(spine, firm_id(NUMBER)))[:2] == (None, None)
        assert await spine.outcome(KENTS, firm(KENTS, NUMBER)) == "refused sme.erased"


async def test_keys_that_were_destroyed_without_a_note_of_it_are_destroyed_again(
    open_backbone: OpenHub, tmp_path: Path
) -> None:
    await folded_and_dead(open_backbone, tmp_path / "hub")
    hub = open_backbone(tmp_path / "hub")
    try:
        waiting = await hub.store.inspect(lambda conn: condemned(conn, hub.vault))
        await hub.store.write(lambda conn: destroy(conn, hub.vault, waiting))
        assert await keys(Spine(hub), firm_id(NUMBER)) == (None, None, None)
        assert await hub.eraser.step() == len(waiting.subjects) == 2
        assert (await keys(Spine(hub), firm_id(NUMBER)))[2]
        assert await hub.eraser.step() == 0
    finally:
        await hub.store.close()


async def test_keys_that_a_reader_of_older_rows_keeps_alive_are_counted_until_they_are_gone(
    open_backbone: OpenHub, tmp_path: Path
) -> None:
    await folded_and_dead(open_backbone, tmp_path / "hub")
    hub = open_backbone(tmp_path / "hub")
    begun, over, over_in_thread = asyncio.Event(), asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def read_for_long(conn: Connection) -> None:
        conn.execute(select(inbox.c.seq)).all()
        loop.call_soon_threadsafe(begun.set)
        if conn.dialect.name == "postgresql":
            await_only(over.wait())
        else:
            over_in_thread.wait()

    try:
        reading = asyncio.create_task(hub.store.read(read_for_long))
        await begun.wait()
        await hub.eraser.at_once()
        waiting = REGISTRY.get_sample_value("hub_subjects_to_erase")
        over.set()
        over_in_thread.set()
        await reading
        assert waiting == 2
        await hub.eraser.at_once()
        assert REGISTRY.get_sample_value("hub_subjects_to_erase") == 0
    finally:
        over_in_thread.set()
        await hub.store.close()
