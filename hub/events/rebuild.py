"""Folding every event again beside the live read model, comparing both, and putting the new one in place."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from hub.domain.refusal import Refusal
from hub.events.backbone import EmbeddedBackbone
from hub.events.projector import Projector
from hub.events.unfit import Unfit
from hub.store.engine import Store
from hub.store.pages import projection_version
from hub.store.schema import prepare_read_model
from hub.store.tables import leaf, position, read

HASHED_ROWS = 1_000
SWAPS_TRIED = 100
RETRY_S = 0.1


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """events: of the read models that were compared. swapped: the new one is the live one now."""

    events: int
    live_hash: str
    rebuilt_hash: str
    swapped: bool

    @property
    def equal(self) -> bool:
        """Whether folding again gave the same rows."""
        return self.live_hash == self.rebuilt_hash


async def rebuild(
    store: Store, *, by_lanes: bool, tell: Callable[[int, int], None] = lambda _done, _total: None
) -> Rebuilt:
    """Fold the inbox into a second read model while the live one goes on, and compare them at lag 0.

    The new one takes the place of one that differs. by_lanes: the live model is folded by workers that
    must be running. tell: events folded, and how many there are. Unfit when lag 0 is never reached.
    """
    async with store.leading("rebuild"):
        return await _rebuild(store, by_lanes, tell)


async def _rebuild(store: Store, by_lanes: bool, tell: Callable[[int, int], None]) -> Rebuilt:
    beside = store.beside()
    try:
        await prepare_read_model(beside, anew=True)
        for _ in range(SWAPS_TRIED):
            await fold_all(beside, tell)
            if not by_lanes:
                await fold_all(store)
            new = await beside.inspect(lambda conn: (projection_version(conn), model_hash(conn)))
            comparison = _Comparison(*new)
            swapped = await store.swap(beside, comparison.differs)
            if comparison.live_hash:
                return Rebuilt(comparison.events, comparison.live_hash, comparison.rebuilt_hash, swapped)
            await asyncio.sleep(RETRY_S)
        message = "The live read model does not catch up, so that nothing can be compared."
        remedy = "See /readyz: is Kafka there, and hub work running? Then try again."
        raise Unfit(Refusal("rebuild.behind", message, remedy))
    finally:
        await beside.close()


async def fold_all(
    store: Store,
    tell: Callable[[int, int], None] = lambda _done, _total: None,
    batch_events: int | None = None,
) -> None:
    """Fold whatever the tree holds into the store's read model. batch_events: fewer at a time than usual."""
    total = await store.inspect(
        lambda conn: conn.execute(select(func.count()).select_from(leaf)).scalar_one()
    )
    backbone = EmbeddedBackbone(store, asyncio.Event(), until=total, most=batch_events)
    done = await store.inspect(projection_version)

    async def shown(seqs: Sequence[int]) -> None:
        nonlocal done
        done += len(seqs)
        tell(done, total)

    projector = Projector(store, backbone, shown)
    while await projector.step():
        pass


@dataclass(slots=True)
class _Comparison:
    """The new model, and the live one when it was compared at lag 0."""

    events: int
    rebuilt_hash: str
    live_hash: str = ""

    def differs(self, live: Connection) -> bool:
        """Whether the live model, held still, shows the same events in other rows."""
        if projection_version(live) != self.events:
            return False
        self.live_hash = model_hash(live)
        return self.live_hash != self.rebuilt_hash


def model_hash(conn: Connection) -> str:
    """Hex SHA-256 over every row of the read model, in the order of their keys.

    Positions are left out: they say by which way events came, not what they brought about.
    """
    digest = hashlib.sha256()
    for table in read.sorted_tables:
        if table is position:
            continue
        query = select(table).order_by(*table.primary_key.columns)
        for row in conn.execute(query, execution_options={"yield_per": HASHED_ROWS}):
            digest.update(repr((table.name, *row)).encode())
    return digest.hexdigest()
