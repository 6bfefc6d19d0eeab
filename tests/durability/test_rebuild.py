"""Rebuilding: whatever happened, folding it again gives the same read model."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import (
    Connection,
    Executable,
    and_,
    delete,
    false,
    func,
    insert,
    inspect,
    not_,
    select,
    update,
)

from hub.events.rebuild import Rebuilt, fold_all, model_hash, rebuild
from hub.events.rejection import Rejected
from hub.events.spine import Hub
from hub.store.engine import Store
from hub.store.postgres import PostgresStore
from hub.store.schema import prepare_read_model
from hub.store.tables import entry_party, record, referral_party, service_row, tag, verdict
from tests.durability.histories import HISTORIES, KENTS, Step, beginning
from tests.support.messages import NORMANDY, event, firm_id, partner, service, uuid_of
from tests.support.spine import OpenHub, Spine, running_spine

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


async def refolded(store: Store, batch_events: int) -> str:
    """Hash of the read model, folded again in batches of that size."""
    beside = store.beside()
    try:
        await prepare_read_model(beside, anew=True)
        await fold_all(beside, batch_events=batch_events)
        return await beside.inspect(model_hash)
    finally:
        await beside.close()


@pytest.mark.parametrize("backbone", ["embedded", "kafka"])
def test_any_history_folded_again_gives_the_live_read_model(
    backbone: str, backbones: Callable[[str], OpenHub]
) -> None:
    @settings(
        max_examples=12 if backbone == "embedded" else 4,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(history=HISTORIES)
    def holds(history: list[tuple[Step, bool]]) -> None:
        asyncio.run(_rebuilds(backbones(backbone), history))

    SEEN.clear()
    holds()
    assert not [what for what in SEEN if what.startswith("parked")]
    assert {"applied", "refused referral.illegal_move", "refused referral.not_found"} <= SEEN.keys(), (
        "the histories no longer reach the rules"
    )


async def _rebuilds(open_backbone: OpenHub, history: list[tuple[Step, bool]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with running_spine(open_backbone, Path(folder)) as spine:
            await live(spine, history)
            report = await rebuilt(spine.hub)
            assert report.equal, report
            labels, follow = await spine.hub.store.inspect(entries_of_parties)
            assert labels == follow
            for batch_events in (1, 7):
                assert await refolded(spine.hub.store, batch_events) == report.live_hash


def entries_of_parties(conn: Connection) -> tuple[set[tuple[Any, ...]], set[tuple[Any, ...]]]:
    """(label, seq) as the model has them, and as they follow from parties and verdicts."""
    about = and_(verdict.c.key == referral_party.c.firm, verdict.c.referral == referral_party.c.id)
    follow = select(referral_party.c.label, verdict.c.seq).join(verdict, about)
    kept, expected = ({tuple(row) for row in conn.execute(query)} for query in (select(entry_party), follow))
    return kept, expected


async def rebuilt(hub: Hub) -> Rebuilt:
    """The report of a rebuild beside the running hub."""
    return await rebuild(hub.store, by_lanes=hub.kafka is not None)


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
    report = await rebuilt(grown.hub)
    assert report.events == (await grown.counts())["inbox"]
    assert report.equal
    assert not report.swapped


@pytest.mark.parametrize(
    "tampering",
    [
        update(verdict).where(verdict.c.status == "refused").values(status="applied"),
        update(record)
        .where(record.c.kind == "referral")
        .values(doc=func.replace(record.c.doc, "accepted", "completed")),
        delete(referral_party).where(
            referral_party.c.label == select(func.min(referral_party.c.label)).scalar_subquery()
        ),
        delete(entry_party).where(entry_party.c.seq == select(func.min(entry_party.c.seq)).scalar_subquery()),
        update(service_row).values(free=not_(func.coalesce(service_row.c.free, false()))),
        insert(tag).values(item="x", name="y", value="z"),
    ],
)
async def test_a_live_model_that_was_tampered_with_is_told_from_the_rebuilt_one_and_replaced(
    grown: Spine, tampering: Executable
) -> None:
    sound = await grown.hub.store.inspect(model_hash)
    assert await grown.hub.store.project(lambda conn: conn.execute(tampering).rowcount) > 0
    assert await grown.hub.store.inspect(model_hash) != sound
    report = await rebuilt(grown.hub)
    assert (report.equal, report.swapped, report.rebuilt_hash) == (False, True, sound)
    assert await grown.hub.store.inspect(model_hash) == sound
    # The flow goes on in the new model.
    assert await grown.verdicts(await grown.post(KENTS, service(KENTS, "after"))) == ["applied"]
    assert (await rebuilt(grown.hub)).equal


async def test_a_rebuild_leaves_nothing_behind(grown: Spine) -> None:
    before = await grown.hub.store.inspect(model_hash)
    await rebuilt(grown.hub)
    assert await grown.hub.store.inspect(model_hash) == before
    statuses = await grown.hub.store.inspect(
        lambda conn: conn.execute(select(verdict.c.status)).scalars().all()
    )
    assert {"applied", "refused"} <= set(statuses)
    assert not list(grown.hub.settings.data_dir.glob("read-rebuilt*"))
    if isinstance(grown.hub.store, PostgresStore):
        schemas = await grown.hub.store.own(lambda conn: inspect(conn).get_schema_names())
        assert "read_beside" not in schemas
