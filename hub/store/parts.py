"""Long lists in parts: databases bound the number of values in one statement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

VALUES_A_STATEMENT = 500
T = TypeVar("T")


def parts(values: Iterable[T]) -> Iterator[list[T]]:
    """The values in lists of at most VALUES_A_STATEMENT, in order; nothing for nothing."""
    rest = iter(values)
    while part := list(islice(rest, VALUES_A_STATEMENT)):
        yield part
