"""How much a partner may post: a bucket of events and one of bytes for each, in the memory of the process.

A bucket fills at the rate that the operator set and holds ten seconds of it, but always a whole batch.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from hub.events.envelope import BATCH_BYTES_MAX, BATCH_EVENTS_MAX
from hub.events.measures import QUOTA_REFUSALS
from hub.events.rejection import Rejected

BURST_S = 10
SIZE_MAX = 2**31 - 1
"""GraphQL's integers end here."""


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
    """What a partner has left of a quota. full_s: until the bucket is full again."""

    name: str
    rate_per_s: int
    size: int
    left: int
    full_s: float


class Quotas:
    """Buckets of every partner. Rates of 0: no quota. clock: seconds that never go back.

    Partners are those that hold a token, so there are never more buckets than partners.
    """

    def __init__(
        self, events_per_s: int = 0, bytes_per_s: int = 0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._kinds = [
            (name, rate, max(least, min(BURST_S * rate, SIZE_MAX)))
            for name, rate, least in (
                ("events", events_per_s, BATCH_EVENTS_MAX),
                ("bytes", bytes_per_s, BATCH_BYTES_MAX),
            )
            if rate
        ]
        self._buckets: dict[str, tuple[Bucket, ...]] = {}

    def take(self, partner: str, *, events: int = 0, body_bytes: int = 0) -> None:
        """Take all of it or, when a bucket lacks it, nothing: Rejected 429, with the time to wait."""
        buckets, now_s = self._of(partner), self._clock()
        for bucket in buckets:
            amount = events if bucket.name == "events" else body_bytes
            if amount > bucket.size:
                raise _too_much(partner, bucket, amount)
            if amount and (wait_s := bucket.missing_s(amount, now_s)):
                raise _used_up(partner, bucket, amount, wait_s)
        for bucket in buckets:
            bucket.level -= events if bucket.name == "events" else body_bytes

    async def wait(self, partner: str, *, events: int = 0, body_bytes: int = 0) -> None:
        """Take all of it, and return when it would have been there: for those who can be slowed down.

        What is not there is lent, also more than a bucket holds; who waits longest comes first.
        """
        now_s, wait_s = self._clock(), 0.0
        for bucket in self._of(partner):
            amount = events if bucket.name == "events" else body_bytes
            if amount:
                wait_s = max(wait_s, bucket.missing_s(amount, now_s))
                bucket.level -= amount
        if wait_s:
            await asyncio.sleep(wait_s)

    def standings(self, partner: str) -> list[Standing]:
        """What the partner has left, of each quota that there is."""
        now_s, found = self._clock(), []
        for one in self._of(partner):
            full_s = one.missing_s(one.size, now_s)
            found.append(Standing(one.name, one.rate_per_s, one.size, max(0, int(one.level)), full_s))
        return found

    def _of(self, partner: str) -> tuple[Bucket, ...]:
        buckets = self._buckets.get(partner)
        if buckets is None:
            now_s = self._clock()
            buckets = tuple(Bucket(name, rate, size, size, now_s) for name, rate, size in self._kinds)
            self._buckets[partner] = buckets
        return buckets


def refused(partner: str, what: str, message: str, remedy: str, retry_after_s: int | None) -> Rejected:
    """429, and counted. what: events, bytes, or the queue, which the partner has used up."""
    QUOTA_REFUSALS.labels(partner, what).inc()
    return Rejected(429, "quota.exceeded", message, remedy, retry_after_s=retry_after_s)


def _used_up(partner: str, bucket: Bucket, amount: int, wait_s: float) -> Rejected:
    retry_after_s = math.ceil(wait_s)
    return refused(
        partner,
        bucket.name,
        f"Your quota has no {amount} {bucket.name} left just now.",
        f"Send the same again, unchanged, after {retry_after_s} s, and post more slowly.",
        retry_after_s,
    )


def _too_much(partner: str, bucket: Bucket, amount: int) -> Rejected:
    return refused(
        partner,
        bucket.name,
        f"These are {amount} {bucket.name}, and your quota never holds more than {bucket.size}.",
        f"Waiting does not help: send batches of at most {bucket.size} {bucket.name}.",
        None,
    )
