"""The intake: bounded queues, one an account, before one writer, which commits what waits as a group.

An answer is given only after the commit, so what was acknowledged survives the process. Accounts (partners,
and clients of the hub itself) take turns: one that floods waits for itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from sqlalchemy import Connection

from hub.domain.principal import Principal
from hub.events.accept import Receipt, accept
from hub.events.check import Checked, check
from hub.events.envelope import Envelope
from hub.events.measures import COMMIT_S, GROUP_EVENTS
from hub.events.quotas import Quotas, refused
from hub.events.rejection import Rejected, unavailable
from hub.events.turns import Turns
from hub.store.engine import Store, StoreUnavailable
from hub.store.vault import Vault

GROUP_EVENTS_MAX = 256
QUEUE_EVENTS_MAX = 16_384
CHECKED_AT_ONCE_MAX = 8

log = logging.getLogger(__name__)
Answer = list[Receipt]
Waiting = tuple[Sequence[Checked], asyncio.Future[Answer]]
T = TypeVar("T")


class Intake:
    """Accepts events for one process. `run` is its writer; `accepted` is set after each commit.

    quotas: for the edges, which charge them before they submit; here nothing is charged.
    queue_events_max: of all partners; half of it for one, so that none alone can shut the others out.
    """

    def __init__(
        self,
        store: Store,
        vault: Vault,
        quotas: Quotas | None = None,
        queue_events_max: int = QUEUE_EVENTS_MAX,
    ) -> None:
        self._store, self._vault, self.quotas = store, vault, quotas or Quotas()
        self._queue_events_max = queue_events_max
        self._waiting: Turns[Waiting] = Turns()
        self._arrived = asyncio.Event()
        self._queued = Counter[str]()
        self.queued_events = 0
        self.accepted = asyncio.Event()

    async def submit(self, principal: Principal, envelopes: Sequence[Envelope]) -> Answer:
        """Receipts, in order, once all events are durable; Rejected when none of them was stored."""
        account, size = principal.account, len(envelopes)
        self._check_room(account, size)  # Before the work, which would be in vain.
        if size > CHECKED_AT_ONCE_MAX:  # Others get their turn while a large batch is read.
            checked = await asyncio.to_thread(check, principal, envelopes)
            self._check_room(account, size)
        else:
            checked = check(principal, envelopes)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.queued_events += size
        self._queued[account] += size
        self._waiting.put(account, size, (checked, answer))
        self._arrived.set()
        return await answer

    def _check_room(self, account: str, size: int) -> None:
        """Rejected when so many more events do not fit; what is alone always fits."""
        queued = self._queued[account]
        if queued and queued + size > self._queue_events_max // 2:
            raise refused(
                account,
                "queue",
                f"{queued} events of yours wait to be accepted, and these {size} are too many more.",
                "Send them again, unchanged, once earlier posts were answered; fewer at a time are as fast.",
                None,
            )
        if self.queued_events and self.queued_events + size > self._queue_events_max:
            raise unavailable("The queue before the inbox is full.")

    async def commit(self, work: Callable[[Connection], T]) -> T:
        """Accept in another way than `submit`: work does it, in a transaction of the truth."""
        with COMMIT_S.time():
            done = await self._store.intake(work)
        self.accepted.set()
        self._store.signals.send("hub_accepted")
        return done

    async def run(self) -> None:
        """Write until cancelled; a group that was begun is finished first."""
        while True:
            while not self._waiting:
                self._arrived.clear()
                await self._arrived.wait()
            group = self._next_group()
            writing = asyncio.ensure_future(self._write(group))
            try:
                await asyncio.shield(writing)
            except asyncio.CancelledError:
                with contextlib.suppress(asyncio.CancelledError):
                    await writing
                raise

    def _next_group(self) -> list[Waiting]:
        """What is written together: of each partner in its turn."""
        group: list[Waiting] = []
        size = 0
        while size < GROUP_EVENTS_MAX and self._waiting:
            account, events, waiting = self._waiting.take()
            self._queued[account] -= events
            group.append(waiting)
            size += events
        self.queued_events -= size
        return group

    async def _write(self, group: Sequence[Waiting]) -> None:
        submissions = [submission for submission, _ in group]
        at, begun_s = datetime.now(UTC), time.perf_counter()
        try:
            answers = await self._store.intake(lambda conn: accept(conn, self._vault, submissions, at))
        except Exception as error:
            await self._write_failed(group, error)
            return
        COMMIT_S.observe(time.perf_counter() - begun_s)
        GROUP_EVENTS.observe(sum(map(len, submissions)))
        for (_, waiting), answer in zip(group, answers, strict=True):
            if waiting.done():
                continue  # The sender went away; the event is in the inbox all the same.
            if isinstance(answer, Rejected):
                waiting.set_exception(answer)
            else:
                waiting.set_result(answer)
        self.accepted.set()
        self._store.signals.send("hub_accepted")

    async def _write_failed(self, group: Sequence[Waiting], error: Exception) -> None:
        """The transaction is rolled back: a database that is gone fails all, one bad event only itself."""
        if len(group) > 1 and not isinstance(error, StoreUnavailable):
            for one in group:
                await self._write([one])
            return
        log.error("intake_failed", extra={"events": sum(len(one) for one, _ in group)}, exc_info=error)
        for _, waiting in group:
            if not waiting.done():
                waiting.set_exception(unavailable("The inbox cannot be written just now."))
