"""Submissions that wait for the writer, a queue for each partner, taken in fair turn.

The next one is of the partner that has had the fewest events lately (start-time fair queueing): one that
floods waits for itself, and a single event of another goes before all that the flood has left to say. A
partner that was silent has no credit for it. Within one partner the order stays.
"""

from __future__ import annotations

import heapq
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Turns(Generic[T]):
    """Counts events and not submissions, so that batches give no advantage."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[tuple[int, T]]] = {}
        # Whose turn it is: one entry for each partner that waits; the number keeps ties in order.
        self._turns: list[tuple[int, int, str]] = []
        self._entered = 0
        # Events that a partner in its turn has had, on a clock that all share: idle partners are moved on.
        self._now = 0
        self._had: dict[str, int] = {}

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self._turns)

    def put(self, partner: str, events: int, submission: T) -> None:
        """Queue a submission of so many events behind those of its partner."""
        queue = self._queues.get(partner)
        if queue is not None:
            queue.append((events, submission))
            return
        self._queues[partner] = deque([(events, submission)])
        self._enter(partner, max(self._now, self._had.get(partner, 0)))

    def take(self) -> tuple[str, int, T]:
        """Partner, number of events and submission that come next; IndexError when nothing waits."""
        self._now, _, partner = heapq.heappop(self._turns)
        queue = self._queues[partner]
        events, submission = queue.popleft()
        self._had[partner] = self._now + events
        if queue:
            self._enter(partner, self._had[partner])
        else:
            del self._queues[partner]
            if not self._turns:
                self._had.clear()  # Nobody waits: all begin anew.
                self._now = 0
        return partner, events, submission

    def _enter(self, partner: str, turn: int) -> None:
        self._entered += 1
        heapq.heappush(self._turns, (turn, self._entered, partner))
