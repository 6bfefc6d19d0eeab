"""How much a partner may post: a bucket of events and one of bytes for each, in the memory of the process.

A bucket fills at the rate that the operator set and holds ten seconds of it, but always a whole batch.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hub.events.envelope import BATCH_BYTES_MAX, BATCH_EVENTS_MAX
from hub.events.measures import QUOTA_REFUSALS
from hub.events.rejection import Rejected

BURST_S = 10
SIZE_MAX = 2**31 - 1
"""GraphQL's integers end here."""


@dataclass(slots=True)
class Bucket:
    """Tokens that come back at a rate. level: what was there at `at_s`; below 0, what was lent."""

    rate_per_s: float
    size: int
    level: float
    at_s: float

    def missing_s(self, wanted: int, now_s: float) -> float:
        """Seconds until so many are there; 0 when they are. Never for more than the size: ask before."""
        self.level = min(self.size, self.level + max(0.0, now_s - self.at_s) * self.rate_per_s)
        self.at_s = now_s
        return max(0.0, (wanted - self.level) / self.rate_per_s)


@dataclass(frozen=True, slots=True)
class Standing:
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
        self._sizes = {
            name: (rate, max(least, min(BURST_S * rate, SIZE_MAX)))
            for name, rate, least in (
                ("events", events_per_s, BATCH_EVENTS_MAX),
                ("bytes", bytes_per_s, BATCH_BYTES_MAX),
            )
            if rate
        }
        self._buckets: dict[str, dict[str, Bucket]] = {}

    def take(self, partner: str, *, events: int = 0, body_bytes: int = 0) -> None:
        """Take all of it or, when a bucket lacks it, nothing: Rejected 429, with the time to wait."""
        now_s = self._clock()
        wanted = list(self._wanted(partner, events, body_bytes))
        for name, bucket, amount in wanted:
            if amount > bucket.size:
                raise _too_much(partner, name, amount, bucket.size)
            if wait_s := bucket.missing_s(amount, now_s):
                raise _used_up(partner, name, amount, wait_s)
        for _, bucket, amount in wanted:
            bucket.level -= amount

    async def wait(self, partner: str, *, events: int = 0, body_bytes: int = 0) -> None:
        """Take all of it, and return when it would have been there: for those who can be slowed down.

        What is not there is lent, also more than a bucket holds; who waits longest comes first.
        """
        now_s, wait_s = self._clock(), 0.0
        for _, bucket, amount in self._wanted(partner, events, body_bytes):
            wait_s = max(wait_s, bucket.missing_s(amount, now_s))
            bucket.level -= amount
        if wait_s:
            await asyncio.sleep(wait_s)

    def standings(self, partner: str) -> list[Standing]:
        """What the partner has left, of each quota that there is."""
        now_s, found = self._clock(), []
        for name, bucket in self._of(partner).items():
            full_s = bucket.missing_s(bucket.size, now_s)
            left = max(0, math.floor(bucket.level))
            found.append(Standing(name, int(bucket.rate_per_s), bucket.size, left, full_s))
        return found

    def _of(self, partner: str) -> dict[str, Bucket]:
        buckets = self._buckets.get(partner)
        if buckets is None:
            now_s = self._clock()
            buckets = {name: Bucket(rate, size, size, now_s) for name, (rate, size) in self._sizes.items()}
            self._buckets[partner] = buckets
        return buckets

    def _wanted(self, partner: str, events: int, body_bytes: int) -> Iterator[tuple[str, Bucket, int]]:
        for name, bucket in self._of(partner).items():
            amount = events if name == "events" else body_bytes
            if amount:
                yield name, bucket, amount


def refused(partner: str, what: str, message: str, remedy: str, retry_after_s: int | None) -> Rejected:
    """429, and counted. what: events, bytes, or the queue, which the partner has used up."""
    QUOTA_REFUSALS.labels(partner, what).inc()
    return Rejected(429, "quota.exceeded", message, remedy, retry_after_s=retry_after_s)


def _used_up(partner: str, name: str, amount: int, wait_s: float) -> Rejected:
    retry_after_s = math.ceil(wait_s)
    return refused(
        partner,
        name,
        f"Your quota has no {amount} {name} left just now.",
        f"Send the same again, unchanged, after {retry_after_s} s, and post more slowly.",
        retry_after_s,
    )


def _too_much(partner: str, name: str, amount: int, size: int) -> Rejected:
    return refused(
        partner,
        name,
        f"These are {amount} {name}, and your quota never holds more than {size}.",
        f"Waiting does not help: send batches of at most {size} {name}.",
        None,
    )
