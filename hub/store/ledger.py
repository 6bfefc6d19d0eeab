"""Tiles, leaves and signed checkpoints of the ledger's tree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from hub.store.bulk import write_rows
from hub.store.prepared import Prepared
from hub.store.tables import Number, checkpoint, inbox, leaf, tile

_NEWEST_HEAD = Prepared(select(checkpoint).order_by(checkpoint.c.size.desc()).limit(1))
_TILE = Prepared(
    select(tile.c.hashes).where(
        tile.c.level == bindparam("level", type_=Number),
        tile.c.position == bindparam("position", type_=Number),
    )
)


class SqlTiles:
    """Tile storage of hub.ledger.tree on one connection; `save` writes what was put."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._new: dict[tuple[int, int], bytes] = {}

    def get(self, level: int, position: int) -> bytes | None:
        """Hashes of a tile, full or partial."""
        if (level, position) in self._new:
            return self._new[level, position]
        rows = _TILE.rows(self._conn, {"level": level, "position": position})
        return rows[0].hashes if rows else None

    def put(self, level: int, position: int, hashes: bytes) -> None:
        """Keep a tile until `save`."""
        self._new[level, position] = hashes

    def save(self) -> None:
        """Write every tile that was put."""
        rows = [
            {"level": level, "position": position, "hashes": hashes}
            for (level, position), hashes in self._new.items()
        ]
        write_rows(self._conn, tile, rows, update=("hashes",))


@dataclass(frozen=True, slots=True)
class SignedHead:
    """The newest checkpoint; an empty tree has none."""

    size: int
    root: bytes
    note: str


def newest_head(conn: Connection) -> SignedHead | None:
    """The newest signed checkpoint."""
    rows = _NEWEST_HEAD.rows(conn, {})
    return SignedHead(rows[0].size, rows[0].root, rows[0].note) if rows else None


def save_leaves(conn: Connection, first_index: int, seqs: Sequence[int], head: SignedHead) -> None:
    """Give events their places in the tree, and the tree its new checkpoint."""
    write_rows(
        conn, leaf, [{"leaf_index": first_index + place, "seq": seq} for place, seq in enumerate(seqs)]
    )
    write_rows(conn, checkpoint, [{"size": head.size, "root": head.root, "note": head.note}])


def entries(conn: Connection, first_index: int, limit: int) -> list[bytes]:
    """Commitments from that leaf on."""
    rows = conn.execute(
        select(inbox.c.commitment)
        .join_from(leaf, inbox, leaf.c.seq == inbox.c.seq)
        .where(leaf.c.leaf_index >= first_index)
        .order_by(leaf.c.leaf_index)
        .limit(limit)
    )
    return [row.commitment for row in rows]
