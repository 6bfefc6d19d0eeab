"""Which events the read model shows, for those who wait for their own write."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable

RECENT_MAX = 16_384
ASK_AGAIN_S = (0.25, 0.5, 1.0)
"""Seconds until the database is asked for what this process was not told; the last one again and again."""


class Progress:
    """What projectors of this process, and others by signal, have folded.

    judged: those of some events (seq) that the read model shows, asked of the database. Signals may be
    lost, so that it is asked now and then.
    """

    def __init__(self, judged: Callable[[Collection[int]], Awaitable[set[int]]]) -> None:
        self._judged = judged
        self._recent: OrderedDict[int, None] = OrderedDict()
        self._waiting: defaultdict[int, list[asyncio.Event]] = defaultdict(list)

    def shows(self, seqs: Iterable[int]) -> None:
        """The read model now shows these events."""
        for seq in seqs:
            self._recent[seq] = None
            for waiter in self._waiting.get(seq, ()):
                waiter.set()
        while len(self._recent) > RECENT_MAX:
            self._recent.popitem(last=False)

    async def reached(self, seqs: Collection[int], timeout_s: float) -> bool:
        """Wait until the read model shows all of them; False at the time-out."""
        missing = {seq for seq in seqs if seq not in self._recent}
        try:
            async with asyncio.timeout(timeout_s):
                asks = iter(ASK_AGAIN_S)
                while missing:
                    await self._told(missing, next(asks, ASK_AGAIN_S[-1]))
                    missing = {seq for seq in missing if seq not in self._recent}
                    if missing:
                        self.shows(await self._judged(missing))
                        missing = {seq for seq in missing if seq not in self._recent}
        except TimeoutError:
            return False
        return True

    async def _told(self, seqs: Collection[int], timeout_s: float) -> None:
        """Wait for a while until one is told of them all."""
        waiter = asyncio.Event()
        for seq in seqs:
            self._waiting[seq].append(waiter)
        try:
            async with asyncio.timeout(timeout_s):
                while not all(seq in self._recent for seq in seqs):
                    waiter.clear()
                    await waiter.wait()
        except TimeoutError:
            return
        finally:
            for seq in seqs:
                self._waiting[seq].remove(waiter)
                if not self._waiting[seq]:
                    del self._waiting[seq]


def told(seqs: Iterable[int]) -> str:
    """Events as a signal carries them: "3-5,9" for 3, 4, 5 and 9."""
    spans: list[list[int]] = []
    for seq in sorted(seqs):
        if spans and seq == spans[-1][1] + 1:
            spans[-1][1] = seq
        else:
            spans.append([seq, seq])
    return ",".join(f"{first}-{last}" if first != last else str(first) for first, last in spans)


def heard(content: str) -> list[int]:
    """The events of a signal; ValueError for what `told` does not write."""
    seqs: list[int] = []
    for span in filter(None, content.split(",")):
        first, _, last = span.partition("-")
        found = range(int(first), int(last or first) + 1)
        if len(found) > RECENT_MAX:
            raise ValueError(f"a signal names {len(found)} events")
        seqs.extend(found)
    return seqs
