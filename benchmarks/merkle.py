"""The ledger's tree: appending, and proving and verifying in a tree of a million leaves.

Run it alone with ``python benchmarks/merkle.py``. Peers in the same process: pymerkle's tree in memory, and
the bare SHA-256 calls that the result cannot do without.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from hashlib import sha256
from importlib.metadata import version
from random import Random
from statistics import median
from time import perf_counter
from typing import Any

import pymerkle

from hub.ledger.merkle import leaf_hash, verify_consistency, verify_inclusion
from hub.ledger.tree import append, consistency_proof, inclusion_proof, root

LEAVES = 1_000_000
BATCH = 256
ROUNDS = 5
APPENDED = 100 * BATCH
PROOFS = 1_000
APPEND_TARGET_PER_S = 100_000
PROOF_TARGET_MS = 0.2
PEER = f"pymerkle {version('pymerkle')}"

Row = dict[str, Any]


class MemoryTiles:
    """Tiles in a dict: what is measured is the tree, not a disk."""

    def __init__(self) -> None:
        self._tiles: dict[tuple[int, int], bytes] = {}

    def get(self, level: int, position: int) -> bytes | None:
        """The tile so far."""
        return self._tiles.get((level, position))

    def put(self, level: int, position: int, hashes: bytes) -> None:
        """Keep the tile."""
        self._tiles[level, position] = hashes


def measure() -> list[Row]:
    """One row a figure; ratio: how many times as good as the peer, above 1 is better than it.

    target and value are in the row's unit; met says whether the value reaches the target.
    """
    entries = [sha256(b"%d" % number).digest() for number in range(LEAVES)]
    return [*_append_rows(entries), *_proof_rows(entries)]


def _append_rows(entries: Sequence[bytes]) -> list[Row]:
    """Leaves a second in batches of 256, from commitment to tiles, with the root of every batch.

    Rounds alternate with the peers, so that a busy machine slows all of them.
    """
    ours, theirs, bare = [], [], []
    storage, peer, size = MemoryTiles(), pymerkle.InmemoryTree(), 0
    for _ in range(ROUNDS):
        fresh = entries[size : size + APPENDED]
        batches = [fresh[start : start + BATCH] for start in range(0, APPENDED, BATCH)]

        def grow(batches: Sequence[Sequence[bytes]] = batches, before: int = size) -> None:
            reached = before
            for batch in batches:
                reached = append(storage, reached, [leaf_hash(entry) for entry in batch])
                root(storage, reached)

        def grow_peer(batches: Sequence[Sequence[bytes]] = batches) -> None:
            for batch in batches:
                peer.append_entries(batch)
                peer.get_root()

        def hash_only(fresh: Sequence[bytes] = fresh) -> None:
            for entry in fresh:
                sha256(b"\x00" + entry).digest()
                sha256(b"\x01" + entry + entry).digest()

        ours.append(APPENDED / _seconds(grow))
        theirs.append(APPENDED / _seconds(grow_peer))
        bare.append(APPENDED / _seconds(hash_only))
        size += APPENDED
    if root(storage, size) != peer.get_root():
        raise AssertionError("the two trees differ: nothing was measured")
    value = median(ours)
    return [
        _row(
            f"merkle append, {name}", value, "leaves/s", peer_name, value / median(peer_rates), at_least=True
        )
        for name, peer_name, peer_rates in (
            ("against another tree", PEER, theirs),
            ("against its hashes alone", "hashlib.sha256, twice a leaf", bare),
        )
    ]


def _proof_rows(entries: Sequence[bytes]) -> list[Row]:
    """Milliseconds to make a proof and verify it, at random places of a million leaves."""
    storage, size = MemoryTiles(), 0
    while size < LEAVES:
        size = append(storage, size, [leaf_hash(entry) for entry in entries[size : size + 10_000]])
    peer = pymerkle.InmemoryTree()
    peer.append_entries(entries)
    head = root(storage, size)
    if head != peer.get_root():
        raise AssertionError("the two trees differ: nothing was measured")
    places = Random(7).sample(range(1, LEAVES), PROOFS)
    leaves = [(place, leaf_hash(entries[place])) for place in places]
    olds = [(place, root(storage, place)) for place in places]

    def include() -> bool:
        return all(
            verify_inclusion(leaf, place, size, inclusion_proof(storage, place, size), head)
            for place, leaf in leaves
        )

    def include_peer() -> bool:
        for place, leaf in leaves:
            pymerkle.verify_inclusion(leaf, head, peer.prove_inclusion(place + 1))
        return True

    def extend() -> bool:
        return all(
            verify_consistency(place, size, old, head, consistency_proof(storage, place, size))
            for place, old in olds
        )

    def extend_peer() -> bool:
        for place, old in olds:
            pymerkle.verify_consistency(old, head, peer.prove_consistency(place))
        return True

    return [
        _proof_row("merkle prove and verify inclusion", include, include_peer),
        _proof_row("merkle prove and verify consistency", extend, extend_peer),
    ]


def _proof_row(name: str, ours: Callable[[], bool], theirs: Callable[[], bool]) -> Row:
    pairs = [(_seconds(ours), _seconds(theirs)) for _ in range(ROUNDS)]
    value, peer_value = (median(times) / PROOFS * 1000 for times in zip(*pairs, strict=True))
    return _row(f"{name}, 1,000,000 leaves", value, "ms", PEER, peer_value / value, at_least=False)


def _seconds(work: Callable[[], bool | None]) -> float:
    start = perf_counter()
    if work() is False:
        raise AssertionError("a proof did not verify: nothing was measured")
    return perf_counter() - start


def _row(name: str, value: float, unit: str, peer: str, ratio: float, *, at_least: bool) -> Row:
    target = APPEND_TARGET_PER_S if at_least else PROOF_TARGET_MS
    return {
        "name": name,
        "value": round(value, 0 if at_least else 4),
        "unit": unit,
        "peer": peer,
        "ratio": round(ratio, 2),
        "target": target,
        "met": value >= target if at_least else value <= target,
    }


if __name__ == "__main__":
    rows = measure()
    for row in rows:
        print(row)
    sys.exit(0 if all(row["met"] for row in rows) else 1)
