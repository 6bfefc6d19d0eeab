"""Trees in memory: made to order, and one large tree for the tests at tile boundaries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256

import pytest

from hub.ledger.merkle import leaf_hash
from hub.ledger.tree import append


class MemoryTiles:
    """Tiles in a dict, with a record of what was read and written."""

    def __init__(self) -> None:
        self.tiles: dict[tuple[int, int], bytes] = {}
        self.reads: list[tuple[int, int]] = []
        self.writes: list[tuple[int, int]] = []

    def get(self, level: int, position: int) -> bytes | None:
        self.reads.append((level, position))
        return self.tiles.get((level, position))

    def put(self, level: int, position: int, hashes: bytes) -> None:
        self.writes.append((level, position))
        self.tiles[level, position] = hashes


Grow = Callable[..., MemoryTiles]


def grown(entries: Sequence[bytes], batch: int = 1000) -> MemoryTiles:
    """The tree of these entries, appended in batches."""
    storage, size = MemoryTiles(), 0
    while size < len(entries):
        size = append(storage, size, [leaf_hash(entry) for entry in entries[size : size + batch]])
    return storage


@pytest.fixture(scope="session")
def grow() -> Grow:
    """Makes trees: grow(entries, batch)."""
    return grown


@pytest.fixture(scope="session")
def entries() -> list[bytes]:
    """65,800 entries of 32 bytes, like commitments: enough for a second tile on level 1."""
    return [sha256(b"entry %d" % number).digest() for number in range(65_800)]


@pytest.fixture(scope="session")
def large(entries: list[bytes]) -> Iterator[MemoryTiles]:
    """The tree of all entries. Tests only read it, which is checked in the end."""
    storage = grown(entries)
    before = dict(storage.tiles)
    yield storage
    assert storage.tiles == before
