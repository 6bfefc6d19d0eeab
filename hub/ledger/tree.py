"""The append-only Merkle tree on tiles of height 8 (C2SP tlog-tiles): append, root, proofs of any past size.

A tile of level L holds up to 256 hashes of subtrees with 256**L leaves each; every hash between two levels
follows from it. Tiles only grow, so that a tree of any past size is a prefix of what is stored.
Arguments that no tree can have are a ValueError; storage that lacks what the size promises is a TileFault.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Protocol

from hub.ledger.merkle import EMPTY_ROOT, HASH_BYTES, SIZE_MAX, fork_height, node_hash, trailing_zeros

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
TILE_BYTES = TILE_WIDTH * HASH_BYTES
CACHED_TILES = 256
"""Tiles whose inner hashes are kept, some 4 MiB at most. Keyed by content: nothing can go stale."""

_INNER = sha256(b"\x01")


class TileStorage(Protocol):
    """Where tiles are kept: level from 0, position from 0 within it, 32 bytes a hash, at most 256 hashes."""

    def get(self, level: int, position: int) -> bytes | None:
        """The hashes of a tile so far, concatenated; None when there are none."""

    def put(self, level: int, position: int, hashes: bytes) -> None:
        """Keep the tile in place of its shorter self."""


class TileFault(Exception):
    """The storage holds fewer, more or other hashes than a tree of the size in question has."""


def append(storage: TileStorage, size: int, leaf_hashes: Sequence[bytes]) -> int:
    """Add leaves (32-byte leaf hashes, in order) behind a tree of that size; the new size.

    Each touched tile is written once, a level's last partial tile read once. Run it in one transaction: a
    size that is not exactly what is stored (a second writer, a half-done batch) is a TileFault before
    anything of that level is written, so that leaves are never replaced.
    """
    new_size = _checked_size(_checked_size(size) + len(leaf_hashes))
    if any(len(leaf) != HASH_BYTES for leaf in leaf_hashes):
        raise ValueError(f"a leaf hash has {HASH_BYTES} bytes")
    level, fresh = 0, b"".join(leaf_hashes)
    while fresh:
        position, width = divmod(size >> TILE_HEIGHT * level, TILE_WIDTH)
        stored = storage.get(level, position) or b""
        if len(stored) != width * HASH_BYTES:
            raise TileFault(
                f"tile {level}/{position} holds {len(stored)} bytes where a tree of size {size} has"
                f" {width * HASH_BYTES}: append at the size that is stored"
            )
        fresh, roots = stored + fresh, []
        for offset in range(0, len(fresh), TILE_BYTES):
            tile = fresh[offset : offset + TILE_BYTES]
            storage.put(level, position, tile)
            position += 1
            if len(tile) == TILE_BYTES:  # Only a full tile has a hash in the level above.
                roots.append(_top(tile))
        level, fresh = level + 1, b"".join(roots)
    return new_size


def root(storage: TileStorage, size: int) -> bytes:
    """Root of the tree of that size, 32 bytes."""
    return _Nodes(storage, _checked_size(size)).span(0)


def inclusion_proof(storage: TileStorage, leaf_index: int, size: int) -> list[bytes]:
    """Hashes that prove leaf_index (from 0) in the tree of that size, from the leaf upwards.

    Source: RFC 9162 section 2.1.3.1.
    """
    if not 0 <= leaf_index < _checked_size(size):
        raise ValueError(f"no leaf {leaf_index} in a tree of size {size}")
    return _siblings(_Nodes(storage, size), leaf_index, from_height=0)


def consistency_proof(storage: TileStorage, from_size: int, to_size: int) -> list[bytes]:
    """Hashes that prove that the tree of to_size extends the tree of from_size.

    Empty for equal sizes and from the empty tree. Source: RFC 9162 section 2.1.4.1.
    """
    if not 0 <= from_size <= _checked_size(to_size):
        raise ValueError(f"no tree of size {from_size} within a tree of size {to_size}")
    if from_size in (0, to_size):
        return []
    nodes, base = _Nodes(storage, to_size), trailing_zeros(from_size)
    proof = _siblings(nodes, from_size - 1, from_height=base)
    if from_size != 1 << base:  # Else the verifier has this hash: it is the root of the old tree.
        proof.insert(0, nodes.hash(base, (from_size - 1) >> base))
    return proof


def _siblings(nodes: _Nodes, leaf_index: int, from_height: int) -> list[bytes]:
    """What stands beside the leaf's path to the root, from a height upwards."""
    forks = fork_height(leaf_index, nodes.size)
    path = []
    for height in range(from_height, max(forks, leaf_index.bit_length())):
        node = leaf_index >> height
        if height == forks - 1:
            path.append(nodes.span((node + 1) << height))  # The one sibling that the right edge may cut.
        elif height < forks or node & 1:
            path.append(nodes.hash(height, node ^ 1))
    return path


class _Nodes:
    """Hashes of a tree of one size; each tile is read once."""

    def __init__(self, storage: TileStorage, size: int) -> None:
        self.size = size
        self._storage = storage
        self._tiles: dict[tuple[int, int], tuple[bytes, ...]] = {}

    def hash(self, height: int, index: int) -> bytes:
        """Hash of the whole subtree of 2**height leaves that begins at leaf index << height."""
        level, row = divmod(height, TILE_HEIGHT)
        position, place = divmod(index, TILE_WIDTH >> row)
        rows = self._tiles.get((level, position)) or self._read(level, position)
        found = rows[row][place * HASH_BYTES : (place + 1) * HASH_BYTES]
        if not found:
            raise TileFault(f"tile {level}/{position} is shorter than a tree of size {self.size} needs")
        return found

    def span(self, start: int) -> bytes:
        """Root of the leaves from start to the end, when start begins a subtree of the tree."""
        found, rest = b"", self.size - start
        if not rest:
            return EMPTY_ROOT
        while rest:
            height = trailing_zeros(rest)
            rest -= 1 << height
            whole = self.hash(height, (start + rest) >> height)
            found = node_hash(whole, found) if found else whole
        return found

    def _read(self, level: int, position: int) -> tuple[bytes, ...]:
        tile = self._storage.get(level, position) or b""
        if len(tile) > TILE_BYTES or len(tile) % HASH_BYTES:
            raise TileFault(f"tile {level}/{position} has {len(tile)} bytes: not a row of hashes")
        rows = self._tiles[level, position] = _rows(tile)
        return rows


def _checked_size(size: int) -> int:
    if not 0 <= size <= SIZE_MAX:
        raise ValueError(f"no tree has size {size}")
    return size


@lru_cache(maxsize=CACHED_TILES)
def _rows(tile: bytes) -> tuple[bytes, ...]:
    """The tile's hashes and, row by row up to its top, those of the whole subtrees above them."""
    rows = [tile]
    for _ in range(TILE_HEIGHT - 1):
        rows.append(_parents(rows[-1]))
    return tuple(rows)


def _top(tile: bytes) -> bytes:
    """Hash of a full tile. Not cached: a tile that fills up is seen once."""
    row = tile
    while len(row) > HASH_BYTES:
        row = _parents(row)
    return row


def _parents(row: bytes) -> bytes:
    """Hashes of the pairs of a row; a last one without a partner is left out."""
    parents = []
    for start in range(0, len(row) - HASH_BYTES, 2 * HASH_BYTES):
        # A copy of a begun hash is a fifth faster than a new one over prefix and pair.
        inner = _INNER.copy()
        inner.update(row[start : start + 2 * HASH_BYTES])
        parents.append(inner.digest())
    return b"".join(parents)
