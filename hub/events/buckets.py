"""Token buckets by name: what may be had at once, and how fast it comes back. In the memory of the process.

A bucket holds ten seconds of its rate, but always the largest thing that may be asked for at once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

BURST_S = 10
SIZE_MAX = 2**31 - 1
"""GraphQL's integers end here."""


class Rate(NamedTuple):
    """What fills one bucket of every name; per_s 0: there is no such bucket. least: what it holds anyway."""

    kind: str
    per_s: int
    least: int = 1

    @property
    def size(self) -> int:
        """What the bucket holds."""
        return max(self.least, min(BURST_S * self.per_s, SIZE_MAX))


@dataclass(slots=True)
class Bucket:
    """Tokens that come back at a rate. level: what was there at `at_s`; below 0, what was lent."""

    kind: str
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


class Buckets:
    """The buckets of every name, one for each rate.

    clock: seconds that never go back. names_max: where anybody may choose a name, so that they are bounded;
    who was not seen for longest is forgotten then, and begins anew with full buckets.
    """

    def __init__(
        self, rates: Iterable[Rate], clock: Callable[[], float], names_max: int | None = None
    ) -> None:
        self._rates = [(one.kind, one.per_s, one.size) for one in rates if one.per_s]
        self._clock, self._names_max = clock, names_max
        self._by_name: OrderedDict[str, tuple[Bucket, ...]] = OrderedDict()

    def known(self, name: str) -> tuple[Bucket, ...]:
        """The buckets of a name; none before it was seen by `of`."""
        return self._by_name.get(name, ())

    def of(self, name: str) -> tuple[Bucket, ...]:
        """The buckets of a name, which is seen now."""
        buckets = self._by_name.get(name)
        if buckets is None:
            now_s = self._clock()
            buckets = tuple(Bucket(kind, rate, size, size, now_s) for kind, rate, size in self._rates)
            self._by_name[name] = buckets
        if self._names_max:
            self._by_name.move_to_end(name)
            if len(self._by_name) > self._names_max:
                self._by_name.popitem(last=False)
        return buckets
