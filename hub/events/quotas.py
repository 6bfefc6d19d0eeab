"""How much one may post and ask: buckets of events, bytes and cost, at the rates that the operator set."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from typing import NamedTuple

from hub.events.buckets import Bucket, Buckets, Rate
from hub.events.envelope import BATCH_BYTES_MAX, BATCH_EVENTS_MAX
from hub.events.measures import QUOTA_REFUSALS
from hub.events.rejection import Rejected

COST_MAX = 20_000
"""Fields of one GraphQL answer, every list as long as it may be (pages) or usually is (other lists)."""

_NAMES = {"events": "events", "bytes": "bytes", "cost": "fields of answers"}


class QuotaLeft(NamedTuple):
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
        self._clock, self._label = clock, label
        rates = (
            Rate("events", events_per_s, BATCH_EVENTS_MAX),
            Rate("bytes", bytes_per_s, BATCH_BYTES_MAX),
            Rate("cost", cost_per_s, COST_MAX),
        )
        self._buckets = Buckets(rates, clock, accounts_max)

    def take(self, account: str, *, events: int = 0, body_bytes: int = 0, cost: int = 0) -> None:
        """Take all of it or, when a bucket lacks it, nothing: Rejected 429, with the time to wait.

        Never more than one batch, or one document, may hold: the edges have refused what is larger.
        """
        wanted = {"events": events, "bytes": body_bytes, "cost": cost}
        buckets, now_s = self._buckets.of(account), self._clock()
        for bucket in buckets:
            amount = wanted[bucket.kind]
            if amount and (wait_s := bucket.missing_s(amount, now_s)):
                raise _used_up(self._label or account, bucket, amount, wait_s)
        for bucket in buckets:
            bucket.level -= wanted[bucket.kind]

    async def wait(self, account: str, *, events: int = 0, body_bytes: int = 0) -> None:
        """Take all of it, and return when it would have been there: for those who can be slowed down.

        What is not there is lent, also more than a bucket holds; who waits longest comes first.
        """
        now_s, wait_s = self._clock(), 0.0
        wanted = {"events": events, "bytes": body_bytes, "cost": 0}
        for bucket in self._buckets.of(account):
            amount = wanted[bucket.kind]
            if amount:
                wait_s = max(wait_s, bucket.missing_s(amount, now_s))
                bucket.level -= amount
        if wait_s:
            await asyncio.sleep(wait_s)

    def left(self, account: str) -> list[QuotaLeft]:
        """What the account has left, of each quota that there is."""
        now_s, found = self._clock(), []
        for one in self._buckets.of(account):
            full_s = one.missing_s(one.size, now_s)
            found.append(QuotaLeft(one.kind, one.rate_per_s, one.size, max(0, int(one.level)), full_s))
        return found


def refused(account: str, what: str, message: str, remedy: str, retry_after_s: int | None) -> Rejected:
    """429, and counted. what: events, bytes, cost, or the queue, which the account has used up."""
    QUOTA_REFUSALS.labels(account, what).inc()
    return Rejected(429, "quota.exceeded", message, remedy, retry_after_s=retry_after_s)


def _used_up(account: str, bucket: Bucket, amount: int, wait_s: float) -> Rejected:
    retry_after_s = math.ceil(wait_s)
    return refused(
        account,
        bucket.kind,
        f"Your quota has no {amount} {_NAMES[bucket.kind]} left just now.",
        f"Send the same again, unchanged, after {retry_after_s} s, and more slowly from then on.",
        retry_after_s,
    )
