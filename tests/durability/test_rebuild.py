"""Rebuilding: whatever happened, folding it again gives the same read model."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import select

from hub.cli.rebuild import model_hash, rebuild_beside
from hub.events.backbone import EmbeddedBackbone
from hub.events.progress import Progress
from hub.events.projector import STREAM, Projector
from hub.events.rejection import Rejected
from hub.events.spine import Hub
from hub.store.engine import SqliteStore
from hub.store.projection import offset_of
from hub.store.schema import prepare_read_model
from hub.store.tables import verdict
from tests.durability.histories import HISTORIES, KENTS, Step, beginning
from tests.support.messages import NORMANDY, event, firm_id, partner, uuid_of
from tests.support.spine import BACKBONES, Spine, running_spine

SEEN: Counter[str] = Counter()


async def live(spine: Spine, history: list[tuple[Step, bool]]) -> None:
    """Post a history, several events at a time, and wait until it is projected."""
    await spine.set_up_network()
    steps = [(step, False) for step in beginning()] + history
    receipts = []
    for (sender, message), twice in steps:
        posts = [spine.post(sender, message) for _ in range(1 + twice)]
        for answer in await asyncio.gather(*posts, return_exceptions=True):
            if isinstance(answer, list):
                receipts += answer
            else:
                assert isinstance(answer, Rejected), answer
                assert answer.status in (409, 422), answer
                SEEN[answer.code] += 1
    SEEN.update(await spine.verdicts(receipts))


async def refolded(hub: Hub, batch_events: int) -> str:
    """Hash of the read model, folded again in batches of that size."""
    with tempfile.TemporaryDirectory(dir=hub.settings.data_dir) as name:
        beside = SqliteStore(hub.settings.data_dir, read_file=f"{Path(name).name}/read.db")
        try:
            await prepare_read_model(beside)
            projector = Projector(beside, EmbeddedBackbone(beside, asyncio.Event()), Progress())
            offset = 0
            while await projector.step(until=offset + batch_events):
                offset = await beside.read(lambda conn: offset_of(conn, STREAM))
            return await beside.read(model_hash)
        finally:
            await beside.close()


@pytest.mark.parametrize("backbone", BACKBONES)
def test_any_history_folded_again_gives_the_live_read_model(backbone: str) -> None:
    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(history=HISTORIES)
    def holds(history: list[tuple[Step, bool]]) -> None:
        asyncio.run(_rebuilds(BACKBONES[backbone], history))

    SEEN.clear()
    holds()
    assert not [what for what in SEEN if what.startswith("parked")]
    wanted = {
        "applied",
        "refused referral.illegal_move",
        "refused referral.not_found",
        "refused consent.missing",
    }
    assert wanted <= SEEN.keys(), "the histories no longer reach the rules"


async def _rebuilds(open_backbone: Callable[[Path], Hub], history: list[tuple[Step, bool]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with running_spine(open_backbone, Path(folder)) as spine:
            await live(spine, history)
            report = await rebuild_beside(spine.hub)
            assert report["equal"], report
            for batch_events in (1, 7):
                assert await refolded(spine.hub, batch_events) == report["live_hash"]


@pytest.fixture
async def grown(spine: Spine) -> Spine:
    """A hub with a short history."""
    case = uuid_of("case-1-of-1")
    normands = partner(NORMANDY)
    accepted = event(normands, "referral.accepted", case, {"sme_id": firm_id("1")})
    await live(
        spine, [((normands, accepted), True), ((KENTS, event(KENTS, "referral.claimed", case, {})), False)]
    )
    return spine


async def test_a_rebuild_tells_how_many_events_it_folded(grown: Spine) -> None:
    report = await rebuild_beside(grown.hub)
    assert report == {
        "events": (await grown.counts())["inbox"],
        "live_hash": report["live_hash"],
        "rebuilt_hash": report["live_hash"],
        "equal": True,
    }


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE verdict SET status = 'applied' WHERE status = 'refused'",
        "UPDATE record SET doc = replace(doc, 'accepted', 'completed') WHERE kind = 'referral'",
        "DELETE FROM referral_party WHERE rowid = (SELECT min(rowid) FROM referral_party)",
        "UPDATE service_row SET free = NOT coalesce(free, 0)",
        "INSERT INTO tag (item, name, value) VALUES ('x', 'y', 'z')",
    ],
)
async def test_a_live_model_that_was_tampered_with_is_told_from_the_rebuilt_one(
    grown: Spine, tampering: str
) -> None:
    with contextlib.closing(sqlite3.connect(grown.hub.settings.data_dir / "read.db")) as intruder:
        assert intruder.execute(tampering).rowcount > 0
        intruder.commit()
    assert not (await rebuild_beside(grown.hub))["equal"]


async def test_a_rebuild_leaves_the_live_model_alone(grown: Spine) -> None:
    before = await grown.hub.store.read(model_hash)
    await rebuild_beside(grown.hub)
    assert await grown.hub.store.read(model_hash) == before
    statuses = await grown.hub.store.read(lambda conn: conn.execute(select(verdict.c.status)).scalars().all())
    assert {"applied", "refused"} <= set(statuses)
    assert not list(grown.hub.settings.data_dir.glob("read-rebuilt*"))
