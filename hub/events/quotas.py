"""How much one may post and ask: buckets of events, bytes and cost for each, in the memory of the process.

A bucket fills at the rate that the operator set and holds ten seconds of it, but always the largest thing
that may be asked for at once.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from hub.events.envelope import BATCH_BYTES_MAX, BATCH_EVENTS_MAX
from hub.events.measures import QUOTA_REFUSALS
from hub.events.rejection import Rejected

BURST_S = 10
SIZE_MAX = 2**31 - 1
"""GraphQL's integers end here."""
COST_MAX = 20_000
"""Fields of one GraphQL answer, every list as long as it may be (pages) or usually is (other lists)."""

_NAMES = {"events": "events", "bytes": "bytes", "cost": "fields of answers"}


@dataclass(slots=True)
class Bucket:
    """Tokens that come back at a rate. level: what was there at `at_s`; below 0, what was lent."""

    name: str
    rate_per_s: int
    size: int
    level: float
    at_s: float

    def missing_s(self, wanted: int, now_s: float) -> float:
        """Seconds until so many are there; 0 when they are. Never for more than the size: ask before."""
        level = self.level + (now_s - self.at_s) * self.rate_per_s
        self.level = level = level if level < self.size else self.size
        self.at_s = now_s
        missing = wanted - level
        # Whoever comes back in time must not find that a sum of fractions is a hair short.
        return 0.0 if missing < 1e-6 else missing / self.rate_per_s


class Standing(NamedTuple):
    """What one has left of a quota. full_s: until the bucket is full again."""

    name: str
    rate_per_s: int
    size: int
    left: int
    full_s: float


class Quotas:
    """Buckets of every account (Principal.account). Rates of 0: no quota. clock: seconds that never go back.

    Accounts are those that hold a token, so there are never more than clients. Where anybody may open one,
    accounts_max bounds them: who was not seen for longest is forgotten, and begins anew with full buckets.
    label: of all accounts in the metrics, where their own names must not stand there.
    """

    def __init__(
        self,
        events_per_s: int = 0,
        bytes_per_s: int = 0,
        cost_per_s: int = 0,
        clock: Callable[[], float] = time.monotonic,
        *,
        accounts_max: int | None = None,
        label: str | None = None,
    ) -> None:
        self._clock, self._accounts_max, self._label = clock, accounts_max, label
        self._kinds = [
            (name, rate, max(least, min(BURST_S * rate, SIZE_MAX)))
            for name, rate, least in (
                ("events", events_per_s, BATCH_EVENTS_MAX),
                ("bytes", bytes_per_s, BATCH_BYTES_MAX),
                ("cost", cost_per_s, COST_MAX),
            )
            if rate
        ]
        self._buckets: OrderedDict[str, tuple[Bucket, ...]] = OrderedDict()

    def take(self, account: str, *, events: int = 0, body_bytes: int = 0, cost: int = 0) -> None:
        """Take all of it or, when a bucket lacks it, nothing: Rejected 429, with the time to wait.

        Never more than one batch, or one document, may hold: the edges have refused what is larger.
        """
        wanted = {"events": events, "bytes": body_bytes, "cost": cost}
        buckets, now_s = self._of(account), self._clock()
        for bucket in buckets:
            amount = wanted[bucket.name]
            if amount and (wait_s := bucket.missing_s(amount, now_s)):
                raise _used_up(self._label or account, bucket, amount, wait_s)
        for bucket in buckets:
            bucket.level -= wanted[bucket.name]

    async def wait(self, account: str, *, events: int = 0, body_bytes: int = 0) -> None:
        """Take all of it, and return when it would have been there: for those who can be slowed down.

        What is not there is lent, also more than a bucket holds; who waits longest comes first.
        """
        now_s, wait_s = self._clock(), 0.0
        wanted = {"events": events, "bytes": body_bytes, "cost": 0}
        for bucket in self._of(account):
            amount = wanted[bucket.name]
            if amount:
                wait_s = max(wait_s, bucket.missing_s(amount, now_s))
                bucket.level -= amount
        if wait_s:
            await asyncio.sleep(wait_s)

    def standings(self, account: str) -> list[Standing]:
        """What the account has left, of each quota that there is."""
        now_s, found = self._clock(), []
        for one in self._of(account):
            full_s = one.missing_s(one.size, now_s)
            found.append(Standing(one.name, one.rate_per_s, one.size, max(0, int(one.level)), full_s))
        return found

    def _of(self, account: str) -> tuple[Bucket, ...]:
        buckets = self._buckets.get(account)
        if buckets is None:
            now_s = self._clock()
            buckets = tuple(Bucket(name, rate, size, size, now_s) for name, rate, size in self._kinds)
            self._buckets[account] = buckets
        if self._accounts_max:
            self._buckets.move_to_end(account)
            if len(self._buckets) > self._accounts_max:
                self._buckets.popitem(last=False)
        return buckets


def refused(account: str, what: str, message: str, remedy: str, retry_after_s: int | None) -> Rejected:
    """429, and counted. what: events, bytes, cost, or the queue, which the account has used up."""
    QUOTA_REFUSALS.labels(account, what).inc()
    return Rejected(429, "quota.exceeded", message, remedy, retry_after_s=retry_after_s)


def _used_up(account: str, bucket: Bucket, amount: int, wait_s: float) -> Rejected:
    retry_after_s = math.ceil(wait_s)
    return refused(
        account,
        bucket.name,
        f"Your quota has no {amount} {_NAMES[bucket.name]} left just now.",
        f"Send the same again, unchanged, after {retry_after_s} s, and more slowly from then on.",
        retry_after_s,
    )
