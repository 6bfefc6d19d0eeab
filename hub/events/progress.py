"""How far the read model is, for those who wait for their own write."""

from __future__ import annotations

import asyncio
import heapq
from itertools import count


class Progress:
    """Position of the projection in this process."""

    def __init__(self) -> None:
        self._position = 0
        self._tie = count()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []

    def advance(self, seq: int) -> None:
        """The read model now shows every event up to seq."""
        self._position = max(self._position, seq)
        while self._waiting and self._waiting[0][0] <= self._position:
            waiter = heapq.heappop(self._waiting)[2]
            if not waiter.done():
                waiter.set_result(None)

    async def reached(self, seq: int, timeout_s: float) -> bool:
        """Wait until the read model shows seq; False at the time-out."""
        if self._position >= seq:
            return True
        waiter = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (seq, next(self._tie), waiter))
        try:
            async with asyncio.timeout(timeout_s):
                await waiter
        except TimeoutError:
            return False
        return True
