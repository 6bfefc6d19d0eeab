"""Asking what may not answer: one question at a time, and nobody waits longer than the bound."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")

ANSWER_S_MAX = 1.5


class Probe(Generic[T]):
    """Shares one question among all who ask while it is open, also when it stays open for long.

    A question that hangs is left alone and not asked again beside it: a database that stands still must not
    fill up with what health checks ask of it, and a connection that is given up in the midst of a statement
    cannot be used again.
    """

    def __init__(self, ask: Callable[[], Awaitable[T]]) -> None:
        self._ask = ask
        self._asked: asyncio.Future[T] | None = None

    async def answer(self) -> T:
        """The answer, or whatever the question raises; TimeoutError when there is none in time."""
        if self._asked is None:
            self._asked = asyncio.ensure_future(self._ask())
            self._asked.add_done_callback(self._answered)
        asked = self._asked
        done, _ = await asyncio.wait({asked}, timeout=ANSWER_S_MAX)
        if not done:
            raise TimeoutError
        return asked.result()

    def _answered(self, asked: asyncio.Future[T]) -> None:
        self._asked = None
        if not asked.cancelled():
            asked.exception()  # Nobody may be left to be told.
