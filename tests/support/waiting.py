"""Waiting for what happens soon, however slow the machine is.

Of the time between two looks a second at most is counted: a machine that stands still for half a minute takes
next to no patience away. A wait that ends well costs no more than one pause too much.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

PATIENCE_S = 60.0
"""Of everything that a test waits for; whatever comes at all comes within it."""
PAUSE_S = 0.02
COUNTED_S_MAX = 1.0

T = TypeVar("T")


async def soon(look: Callable[[], Awaitable[T]], what: object = "", *, pause_s: float = PAUSE_S) -> T:
    """The first answer of `look` that is true. what: is told when none comes."""
    for _ in _looks():
        if found := await look():
            return found
        await asyncio.sleep(pause_s)
    raise AssertionError(f"it never came true: {what}")


def soon_here(look: Callable[[], T], what: object = "", *, pause_s: float = PAUSE_S) -> T:
    """As `soon`, where there is no event loop."""
    for _ in _looks():
        if found := look():
            return found
        time.sleep(pause_s)
    raise AssertionError(f"it never came true: {what}")


def _looks() -> Iterator[None]:
    """Once for each look, until patience is at its end."""
    left_s = PATIENCE_S
    while left_s > 0:
        begun_s = time.monotonic()
        yield
        left_s -= min(time.monotonic() - begun_s, COUNTED_S_MAX)
