"""When a key was last used: noted in memory, and kept at most once a minute for each key."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

from hub.store.engine import Store, StoreUnavailable
from hub.store.onboarding import note_uses

KEEP_EVERY_S = 60.0

log = logging.getLogger(__name__)


class KeyUses:
    """Uses of clients' keys in this process. What was noted since the last time is lost with the process.

    There are never more of them than live keys: only what a key has proven is noted.
    """

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        every_s: float = KEEP_EVERY_S,
    ) -> None:
        """clock: aware UTC."""
        self._store, self._clock, self._every_s = store, clock, every_s
        self._noted: dict[tuple[str, str], datetime] = {}

    def note(self, client_id: str, kid: str) -> None:
        """This key has just proven its client."""
        self._noted[client_id, kid] = self._clock()

    async def keep(self) -> None:
        """Write down what was noted; what cannot be written now is tried again next time."""
        noted, self._noted = self._noted, {}
        if not noted:
            return
        try:
            await self._store.write(lambda conn: note_uses(conn, noted))
        except StoreUnavailable as error:
            log.warning("key_uses_wait", extra={"why": str(error)})
            self._noted = noted | self._noted

    @contextlib.asynccontextmanager
    async def keeping(self) -> AsyncIterator[None]:
        """Write down every now and then until the end of the block, and once more then."""
        task = asyncio.create_task(self._keep_on())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.keep()

    async def _keep_on(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            await self.keep()
