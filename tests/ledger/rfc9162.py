"""The recursive definitions of RFC 9162 section 2.1 to the letter, on whole lists: slow and plain."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256


def split(size: int) -> int:
    """Largest power of two below the size (above 1)."""
    return 1 << (size - 1).bit_length() - 1


def tree_hash(entries: Sequence[bytes]) -> bytes:
    """MTH(D_n)."""
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    k = split(len(entries))
    return sha256(b"\x01" + tree_hash(entries[:k]) + tree_hash(entries[k:])).digest()


def path(m: int, entries: Sequence[bytes]) -> list[bytes]:
    """PATH(m, D_n)."""
    if len(entries) == 1:
        return []
    k = split(len(entries))
    if m < k:
        return [*path(m, entries[:k]), tree_hash(entries[k:])]
    return [*path(m - k, entries[k:]), tree_hash(entries[:k])]


def proof(m: int, entries: Sequence[bytes]) -> list[bytes]:
    """PROOF(m, D_n), 0 < m <= n."""
    return _subproof(m, entries, known=True)


def _subproof(m: int, entries: Sequence[bytes], *, known: bool) -> list[bytes]:
    if m == len(entries):
        return [] if known else [tree_hash(entries)]
    k = split(len(entries))
    if m <= k:
        return [*_subproof(m, entries[:k], known=known), tree_hash(entries[k:])]
    return [*_subproof(m - k, entries[k:], known=False), tree_hash(entries[:k])]
