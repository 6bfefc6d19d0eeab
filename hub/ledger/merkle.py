"""Hashing and proof verification of RFC 9162 (the trees of RFC 6962) with SHA-256.

Standard library only: a partner can lift this file into a client of its own. Verifiers take what a
stranger sent: on anything that is not a valid proof they answer False, they never raise.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import TypeGuard

HASH_BYTES = 32
SIZE_MAX = 2**63 - 1
"""Largest tree that is signed, proven or verified: sizes are signed 64-bit integers in most clients."""

EMPTY_ROOT = sha256(b"").digest()
"""Root of the tree without leaves."""


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 || entry), 32 bytes. An entry of this ledger is the 32-byte commitment of an event."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right), 32 bytes: the parent of two hashes of 32 bytes each."""
    return sha256(b"\x01" + left + right).digest()


def verify_inclusion(
    leaf_hash: bytes, leaf_index: int, tree_size: int, hashes: Sequence[bytes], root: bytes
) -> bool:
    """Whether the leaf stands at leaf_index (from 0) of the tree with that size and root.

    leaf_hash, root and each of hashes: 32 bytes. hashes: list or tuple, from the leaf upwards, exactly as
    many as RFC 9162 section 2.1.3 asks for. root must come from a verified checkpoint.
    """
    if not (_is_hash(leaf_hash) and _is_hash(root) and _is_size(leaf_index) and _is_size(tree_size)):
        return False
    if leaf_index >= tree_size:
        return False
    forks = fork_height(leaf_index, tree_size)
    lefts = (leaf_index >> forks).bit_count()
    if not _are_hashes(hashes, forks + lefts):
        return False
    return _climb(leaf_hash, leaf_index, hashes, forks) == root


def verify_consistency(
    from_size: int, to_size: int, from_root: bytes, to_root: bytes, hashes: Sequence[bytes]
) -> bool:
    """Whether the tree of to_size begins with all leaves of the tree of from_size, in the same order.

    Roots and each of hashes: 32 bytes. hashes: list or tuple as in RFC 9162 section 2.1.4. Equal sizes need
    equal roots, and the empty tree begins every tree: both with no hashes at all (an empty proof says
    nothing about to_root beyond that).
    """
    if not (_is_size(from_size) and _is_size(to_size) and _is_hash(from_root) and _is_hash(to_root)):
        return False
    if from_size > to_size or any(
        size == 0 and root != EMPTY_ROOT for size, root in ((from_size, from_root), (to_size, to_root))
    ):
        return False
    if from_size in (0, to_size):
        return _are_hashes(hashes, 0) and (from_size != to_size or from_root == to_root)
    # The proof climbs from the last whole subtree of the old tree; below it nothing has changed.
    base = trailing_zeros(from_size)
    node, forks = (from_size - 1) >> base, fork_height(from_size - 1, to_size) - base
    known = 1 if from_size == 1 << base else 0  # That subtree is then the old tree itself: its root is known.
    if not _are_hashes(hashes, 1 - known + forks + (node >> forks).bit_count()):
        return False
    start, path = (from_root, hashes) if known else (hashes[0], hashes[1:])
    old = start
    for height, sibling in enumerate(path):
        if height >= forks or node >> height & 1:  # Right siblings are younger than the old tree.
            old = node_hash(sibling, old)
    return old == from_root and _climb(start, node, path, forks) == to_root


def fork_height(leaf_index: int, tree_size: int) -> int:
    """Levels on which the path of the leaf may still turn left or right (leaf_index < tree_size).

    Above them the path runs along the right edge of the tree and meets left siblings only.
    """
    return (leaf_index ^ (tree_size - 1)).bit_length()


def trailing_zeros(size: int) -> int:
    """Height of the last whole subtree of a tree of that size (above 0)."""
    return (size & -size).bit_length() - 1


def _climb(start: bytes, node: int, path: Sequence[bytes], forks: int) -> bytes:
    """Root above the node `start` (its index on its level) along the path of siblings."""
    found = start
    for height, sibling in enumerate(path):
        if height >= forks or node >> height & 1:
            found = node_hash(sibling, found)
        else:
            found = node_hash(found, sibling)
    return found


def _is_hash(value: object) -> TypeGuard[bytes]:
    return type(value) is bytes and len(value) == HASH_BYTES


def _is_size(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 <= value <= SIZE_MAX  # A bool is an int too, but no size.


def _are_hashes(values: object, count: int) -> TypeGuard[Sequence[bytes]]:
    return isinstance(values, list | tuple) and len(values) == count and all(map(_is_hash, values))
