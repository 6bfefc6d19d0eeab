"""The intake: a bounded queue before one writer, which commits what waits as a group.

An answer is given only after the commit, so what was acknowledged survives the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from datetime import UTC, datetime

from hub.domain.principal import Principal
from hub.events.accept import Receipt, accept
from hub.events.check import Checked, check
from hub.events.envelope import Envelope
from hub.events.rejection import Rejected, unavailable
from hub.store.engine import Store, StoreUnavailable
from hub.store.vault import Vault

GROUP_EVENTS_MAX = 256
QUEUE_EVENTS_MAX = 4_096
CHECKED_AT_ONCE_MAX = 8

log = logging.getLogger(__name__)
Answer = list[Receipt]


class Intake:
    """Accepts events for one process. `run` is its writer; `accepted` is set after each commit."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store, self._vault = store, vault
        self._waiting: asyncio.Queue[tuple[Sequence[Checked], asyncio.Future[Answer]]] = asyncio.Queue()
        self._queued_events = 0
        self.accepted = asyncio.Event()

    async def submit(self, principal: Principal, envelopes: Sequence[Envelope]) -> Answer:
        """Receipts, in order, once all events are durable; Rejected when none of them was stored."""
        if len(envelopes) > CHECKED_AT_ONCE_MAX:  # Others get their turn while a large batch is read.
            checked = await asyncio.to_thread(check, principal, envelopes)
        else:
            checked = check(principal, envelopes)
        if self._queued_events and self._queued_events + len(checked) > QUEUE_EVENTS_MAX:
            raise unavailable("The queue before the inbox is full.")
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._queued_events += len(checked)
        self._waiting.put_nowait((checked, answer))
        return await answer

    async def run(self) -> None:
        """Write until cancelled; a group that was begun is finished first."""
        while True:
            group = [await self._waiting.get()]
            size = len(group[0][0])
            while size < GROUP_EVENTS_MAX and not self._waiting.empty():
                group.append(self._waiting.get_nowait())
                size += len(group[-1][0])
            self._queued_events -= size
            writing = asyncio.ensure_future(self._write(group))
            try:
                await asyncio.shield(writing)
            except asyncio.CancelledError:
                with contextlib.suppress(asyncio.CancelledError):
                    await writing
                raise

    async def _write(self, group: Sequence[tuple[Sequence[Checked], asyncio.Future[Answer]]]) -> None:
        submissions = [submission for submission, _ in group]
        at = datetime.now(UTC)
        try:
            answers = await self._store.intake(lambda conn: accept(conn, self._vault, submissions, at))
        except Exception as error:
            await self._write_failed(group, error)
            return
        for (_, waiting), answer in zip(group, answers, strict=True):
            if waiting.done():
                continue  # The sender went away; the event is in the inbox all the same.
            if isinstance(answer, Rejected):
                waiting.set_exception(answer)
            else:
                waiting.set_result(answer)
        self.accepted.set()
        await self._store.signals.send("hub_accepted")

    async def _write_failed(
        self, group: Sequence[tuple[Sequence[Checked], asyncio.Future[Answer]]], error: Exception
    ) -> None:
        """The transaction is rolled back: a database that is gone fails all, one bad event only itself."""
        if len(group) > 1 and not isinstance(error, StoreUnavailable):
            for one in group:
                await self._write([one])
            return
        log.error("intake_failed", extra={"events": sum(len(one) for one, _ in group)}, exc_info=error)
        for _, waiting in group:
            if not waiting.done():
                waiting.set_exception(unavailable("The inbox cannot be written just now."))
