"""Many questions in one transaction: those that wait are asked together, each of data read after it came."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")

ASKED_MAX = 256


class Together(Generic[Q, A]):
    """Asks whatever has come while the last group was being answered.

    answer: the answers of a group of at most ASKED_MAX questions, in their order.
    """

    def __init__(self, answer: Callable[[Sequence[Q]], Awaitable[Sequence[A]]]) -> None:
        self._answer = answer
        self._waiting: list[tuple[Q, asyncio.Future[A]]] = []
        self._asking: asyncio.Task[None] | None = None

    async def ask(self, question: Q) -> A:
        """The answer; whatever `answer` raises is raised for every question of the group."""
        future: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, future))
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask_all())
        return await future

    async def _ask_all(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting[:ASKED_MAX], self._waiting[ASKED_MAX:]
                try:
                    answers = await self._answer([question for question, _ in group])
                except Exception as error:
                    _settle(group, error)
                else:
                    for (_, future), answer in zip(group, answers, strict=True):
                        if not future.done():
                            future.set_result(answer)
        finally:
            self._asking = None


def _settle(group: Sequence[tuple[Q, asyncio.Future[A]]], error: Exception) -> None:
    for _, future in group:
        if not future.done():
            future.set_exception(error)
