"""Public paths and bytes of the ledger: tiles of hashes and bundles of entries.

Source: C2SP tlog-tiles, https://c2sp.org/tlog-tiles. Paths are relative to the log's prefix, without a
leading slash: ``tile/1/x001/x234/067.p/5``, ``tile/entries/003``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from hub.ledger.merkle import SIZE_MAX
from hub.ledger.tree import TILE_HEIGHT, TILE_WIDTH

LEVEL_MAX = 63
ENTRY_BYTES_MAX = 0xFFFF

_PATH = re.compile(
    r"tile/(?P<level>entries|[0-9]{1,2})/(?P<position>(?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/(?P<width>[0-9]{1,3}))?"
)


@dataclass(frozen=True, slots=True)
class TilePath:
    """One resource of the log. level: 0 to 63, None for entries; position: from 0; width: 1 to 256 (full).

    Other values are a ValueError.
    """

    level: int | None
    position: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        if not (0 <= (self.level or 0) <= LEVEL_MAX and 0 <= self.position <= SIZE_MAX):
            raise ValueError(f"no tile {self.level}/{self.position}")
        if not 1 <= self.width <= TILE_WIDTH:
            raise ValueError(f"a tile is 1 to {TILE_WIDTH} wide, not {self.width}")


def parse_path(path: str) -> TilePath | None:
    """The resource that a path names; None unless the path is exactly what format_path gives for it."""
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    level = None if match["level"] == "entries" else int(match["level"])
    position = int(match["position"].replace("x", "").replace("/", ""))
    try:
        tile = TilePath(level, position, int(match["width"] or TILE_WIDTH))
    except ValueError:
        return None
    # One resource has one path, whatever zeros and suffixes a pattern lets through.
    return tile if format_path(tile) == path else None


def format_path(tile: TilePath) -> str:
    """`tile/<L>/<N>[.p/<W>]` or `tile/entries/<N>[.p/<W>]`; a full tile has no width in its path."""
    groups, rest = [f"{tile.position % 1000:03}"], tile.position // 1000
    while rest:
        groups.insert(0, f"x{rest % 1000:03}")
        rest //= 1000
    level = "entries" if tile.level is None else tile.level
    partial = "" if tile.width == TILE_WIDTH else f".p/{tile.width}"
    return f"tile/{level}/{'/'.join(groups)}{partial}"


def width_at(tile: TilePath, size: int) -> int:
    """How many hashes or entries the tile (of whatever width) has in a tree of that size; 0: no such tile."""
    whole = size >> TILE_HEIGHT * (tile.level or 0)
    return max(0, min(TILE_WIDTH, whole - tile.position * TILE_WIDTH))


def encode_entries(entries: Iterable[bytes]) -> bytes:
    """An entry bundle: each entry behind its length in two bytes, big-endian.

    ValueError for an entry of more than 65,535 bytes.
    """
    parts = []
    for entry in entries:
        if len(entry) > ENTRY_BYTES_MAX:
            raise ValueError(f"an entry has at most {ENTRY_BYTES_MAX} bytes, not {len(entry)}")
        parts += [len(entry).to_bytes(2, "big"), entry]
    return b"".join(parts)


def decode_entries(bundle: bytes) -> list[bytes] | None:
    """The entries of a bundle, None when its lengths do not add up or it has more than 256 entries."""
    entries: list[bytes] = []
    start = 0
    while start < len(bundle):
        end = start + 2 + int.from_bytes(bundle[start : start + 2], "big")
        if end > len(bundle) or len(entries) == TILE_WIDTH:
            return None
        entries.append(bundle[start + 2 : end])
        start = end
    return entries
