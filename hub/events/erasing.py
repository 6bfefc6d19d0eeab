"""Erasing: the keys of what a fold erased are destroyed, whatever happens in between.

The fold's verdict comes first, so that a refused erasure destroys nothing. What is to be destroyed stands
in the read model until it is done: a process that dies between the two leaves it to its next start, or to
another process.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime

from hub.domain.values import rfc3339
from hub.events.measures import SUBJECTS_ERASED, SUBJECTS_TO_ERASE
from hub.store.engine import Store, StoreUnavailable
from hub.store.erasing import condemned, destroy, note_erased
from hub.store.vault import Vault

EVERY_S = 5.0
"""How often it is looked for what another process, or an earlier one, left undone."""

log = logging.getLogger(__name__)


class Eraser:
    """Destroys what is condemned. `run` goes on until cancelled; `at_once` is for whoever has just folded."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store, self._vault = store, vault
        self._one_at_a_time = asyncio.Lock()

    async def run(self) -> None:
        """Look again and again; a fault is logged and tried again."""
        while True:
            await self.at_once()
            await asyncio.sleep(EVERY_S)

    async def at_once(self) -> None:
        """Destroy what is condemned now; what fails is left to the next time."""
        try:
            await self.step()
        except StoreUnavailable as error:
            log.warning("erasing_waits", extra={"why": str(error)})
        except Exception:
            log.exception("erasing_failed")

    async def step(self) -> int:
        """Destroy what is condemned; how many keys. Each part may be repeated."""
        async with self._one_at_a_time:
            what = await self._store.inspect(lambda conn: condemned(conn, self._vault))
            SUBJECTS_TO_ERASE.set(len(what.subjects))
            if not what.subjects:
                return 0
            gone = await self._store.write(lambda conn: destroy(conn, self._vault, what))
            # Not noted before the files are clean: a crash in between cleans them again.
            await self._store.scrub()
            at = rfc3339(datetime.now(UTC))
            await self._store.write(lambda conn: note_erased(conn, gone, at))
            SUBJECTS_ERASED.inc(len(gone))
            SUBJECTS_TO_ERASE.set(0)
            log.info("erased", extra={"subjects": len(gone)})
            return len(gone)
