"""The sequencer: one leader that gives accepted events their places in the tree.

Its cursor is the tree itself: an event without a leaf is still to be done, so a crash loses and repeats
nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection

from hub.events.measures import LEADING
from hub.ledger import checkpoint, merkle, tree
from hub.store.engine import Store, StoreUnavailable
from hub.store.inbox import unsequenced
from hub.store.ledger import SignedHead, SqlTiles, newest_head, save_leaves

BATCH_EVENTS_MAX = 1_000
POLL_S = 0.2
PACE_S = 0.002
RETRY_S = 1.0

log = logging.getLogger(__name__)


class Sequencer:
    """`run` follows the inbox until cancelled. sequenced: set whenever the tree has grown.

    wake: set after a commit of the intake, of another process too when its signal arrives; what no signal
    told is found by polling.
    """

    def __init__(self, store: Store, origin: str, key: Ed25519PrivateKey, wake: asyncio.Event) -> None:
        self._store, self._origin, self._key, self._wake = store, origin, key, wake
        self.sequenced = asyncio.Event()

    async def run(self) -> None:
        """Sequence for ever; to be run by one process at a time, see `lead`."""
        await follow(self._wake, self.step, "sequencer")

    async def step(self) -> bool:
        """Sequence one batch; whether there was anything to do."""
        grown = await self._store.write(self._extend)
        if grown:
            self.sequenced.set()
            self._store.signals.send("hub_sequenced")
        return grown

    def _extend(self, conn: Connection) -> bool:
        batch = unsequenced(conn, BATCH_EVENTS_MAX)
        if not batch:
            return False
        head, tiles = newest_head(conn), SqlTiles(conn)
        first = head.size if head else 0
        if [seq for seq, _ in batch] != list(range(first + 1, first + 1 + len(batch))):
            # Numbers have no gaps: whatever is missing here is not lost, but it must not be overtaken.
            raise RuntimeError(f"after {first} leaves the inbox goes on with {batch[0][0]} to {batch[-1][0]}")
        size = tree.append(tiles, first, [merkle.leaf_hash(entry) for _, entry in batch])
        root = tree.root(tiles, size)
        tiles.save()
        note = checkpoint.sign(self._origin, size, root, self._key)
        save_leaves(conn, first, [seq for seq, _ in batch], SignedHead(size, root, note))
        return True


async def lead(store: Store, name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do the work whenever this process leads in the matter; for ever."""
    while True:
        try:
            async with store.leading(name) as leadership:
                log.info("leading", extra={"matter": name})
                LEADING.labels(name).set(1)
                working = asyncio.ensure_future(work())
                lost = asyncio.ensure_future(leadership.lost.wait())
                try:
                    await asyncio.wait((working, lost), return_when=asyncio.FIRST_COMPLETED)
                finally:
                    LEADING.labels(name).set(0)
                    for task in (working, lost):
                        task.cancel()
                    await asyncio.wait((working, lost))
                log.warning("leading_no_more", extra={"matter": name})
        except StoreUnavailable as error:
            log.warning("no_leadership", extra={"matter": name, "why": str(error)})
        await asyncio.sleep(RETRY_S)


async def follow(wake: asyncio.Event, step: Callable[[], Awaitable[bool]], name: str) -> None:
    """Call step whenever woken, or after a while, and again at once as long as there is work.

    A fault is logged and tried again: these loops are the spine of the hub and end with the process only.
    """
    while True:
        try:
            wake.clear()
            if await step():
                # What arrives meanwhile shares the next transaction, and the intake gets its turn.
                await asyncio.sleep(PACE_S)
            else:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(POLL_S):
                        await wake.wait()
        except StoreUnavailable as error:
            log.warning("%s_waits", name, extra={"why": str(error)})
            await asyncio.sleep(RETRY_S)
        except Exception:
            log.exception("%s_failed", name)
            await asyncio.sleep(RETRY_S)
