"""What is kept for a while only is deleted when its time is over, whether or not anybody calls.

How long that is stands beside each table's functions in hub/store; docs/privacy.md lists it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from sqlalchemy import Connection

from hub.store.authorization_codes import forget_codes
from hub.store.clients import forget_jtis
from hub.store.engine import Store, StoreUnavailable
from hub.store.onboarding import forget_applications, forget_scope_requests
from hub.store.people import forget_links
from hub.store.sessions import forget_ended_tries, forget_sessions
from hub.store.standing import forget_revocations

EVERY_S = 60.0
KEPT_FOR_A_WHILE: tuple[Callable[[Connection, int], object], ...] = (
    forget_jtis,
    forget_revocations,
    forget_codes,
    forget_sessions,
    forget_ended_tries,
    forget_links,
    forget_applications,
    forget_scope_requests,
)
"""Each deletes what is over at that time, in seconds since 1970."""

log = logging.getLogger(__name__)


class Forgetter:
    """Deletes what is over. `run` goes on until cancelled."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        """clock: seconds since 1970."""
        self._store, self._clock = store, clock

    async def run(self) -> None:
        """Delete again and again; what cannot be deleted now is the next time."""
        while True:
            try:
                await self.step()
            except StoreUnavailable as error:
                log.warning("forgetting_waits", extra={"why": str(error)})
            await asyncio.sleep(EVERY_S)

    async def step(self) -> None:
        """Delete what is over now; a commit for each table, so that none waits long for another."""
        now_s = int(self._clock())
        for forget in KEPT_FOR_A_WHILE:
            await self._store.write(lambda conn, forget=forget: forget(conn, now_s))  # type: ignore[misc]
