"""Hubs that must not be: each breaks one promise, so that the checks can be seen to notice.

And one that must be borne: a worker that works without being the leader.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.util import await_only

import hub.events.kafka
import hub.events.projector
import hub.events.spine
from chaos.points import burning
from hub.events.accept import accept
from hub.events.backbone import Batch
from hub.events.intake import Intake
from hub.events.kafka.relay import Relay
from hub.events.projector import Projector
from hub.events.rejection import Rejected
from hub.store.engine import Store
from hub.store.inbox import sequenced
from hub.store.projection import Position, positions, save_positions
from hub.store.relay import tell

ANSWER_S = 0.1
AFTER_ANSWER = "hasty.after_answer"
AFTER_CURSOR = "hasty.after_cursor"
AFTER_POSITION = "hasty.after_position"


class HastyIntake(Intake):
    """Answers, and commits a moment later."""

    async def _write(self, group: Sequence[tuple[Any, asyncio.Future[Any]]]) -> None:
        submissions = [submission for submission, _ in group]
        at = datetime.now(UTC)

        def work(conn: Connection) -> None:
            answers = accept(conn, self._vault, submissions, at)
            for (_, waiting), answer in zip(group, answers, strict=True):
                if isinstance(answer, Rejected):
                    waiting.set_exception(answer)
                else:
                    waiting.set_result(answer)
            await_only(asyncio.sleep(ANSWER_S))
            burning.passes(AFTER_ANSWER)

        await self._store.intake(work)
        self.accepted.set()


class HastyRelay(Relay):
    """Moves its cursor, and publishes then."""

    async def step(self) -> bool:
        """As Relay.step, the wrong way round."""
        at = self._told = self._told or await self._connect()
        batch = await self._store.inspect(lambda conn: sequenced(conn, at.leaf, 500))
        if not batch:
            return False
        lanes, records = self._chain(at, batch)
        end = batch[-1].leaf_index + 1
        await self._store.write(lambda conn: tell(conn, at.leaf, end, lanes))
        burning.passes(AFTER_CURSOR)
        await asyncio.get_running_loop().run_in_executor(self._thread, self._producer.publish, records)
        at.leaf = end
        at.lanes |= lanes
        return True


class HastyProjector(Projector):
    """Moves its positions in one transaction, and writes the rows in another."""

    async def _fold(self, batch: Batch) -> None:
        def move(conn: Connection) -> dict[str, Position]:
            at = positions(conn, hold=batch.lanes)
            before = {lane: replace(at[lane]) for lane in batch.lanes}
            for one in batch.events:
                at[one.lane].leaf = max(at[one.lane].leaf, one.event.leaf_index + 1)
            save_positions(conn, {lane: at[lane] for lane in batch.lanes})
            return before

        def write(conn: Connection) -> list[int]:
            save_positions(conn, before)
            return hub.events.projector.fold_batch(conn, batch)

        before = await self._store.project(move)
        if batch.events:
            burning.passes(AFTER_POSITION)
        await self._store.project(write)


async def unled(_store: Store, _name: str, work: Callable[[], Awaitable[None]]) -> None:
    """In the place of `lead`: works, whoever else does."""
    await work()


def install(variant: str) -> None:
    """Put a variant in the place of the hub's own part."""
    owner, name, replacement = VARIANTS[variant]
    setattr(owner, name, replacement)


VARIANTS: dict[str, tuple[ModuleType, str, object]] = {
    "unled": (hub.events.spine, "lead", unled),
    "hasty-intake": (hub.events.spine, "Intake", HastyIntake),
    "hasty-relay": (hub.events.kafka, "Relay", HastyRelay),
    "hasty-projector": (hub.events.spine, "Projector", HastyProjector),
}
