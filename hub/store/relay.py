"""How far the log has been told: the next leaf index to publish, and the last one of each lane."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, bindparam, delete, func, select, update

from hub.store.bulk import write_rows
from hub.store.prepared import Prepared
from hub.store.tables import Number, inbox, leaf, relay

TREE = ""
_ALL = Prepared(select(relay))
_MOVED = Prepared(
    update(relay)
    .where(relay.c.lane == TREE, relay.c.leaf == bindparam("expected", type_=Number))
    .values(leaf=bindparam("new_leaf", type_=Number))
    .returning(relay.c.leaf)
)


@dataclass(slots=True)
class Told:
    """leaf: the next to publish. lanes: the last leaf of each. log: of which this is true; None at first."""

    leaf: int = 0
    lanes: dict[str, int] = field(default_factory=dict)
    log: str | None = None


def told(conn: Connection) -> Told:
    """How far the log has been told."""
    found = Told()
    for row in _ALL.rows(conn, {}):
        if row.lane == TREE:
            found.leaf, found.log = row.leaf, row.log
        else:
            found.lanes[row.lane] = row.leaf
    return found


def tell(conn: Connection, expected: int, leaf_index: int, lanes: Mapping[str, int]) -> bool:
    """Move on to a leaf index; False when another relay did so meanwhile. lanes: those with new events."""
    if not _MOVED.rows(conn, {"expected": expected, "new_leaf": leaf_index}):
        return False
    rows = [{"lane": lane, "leaf": last} for lane, last in sorted(lanes.items())]
    write_rows(conn, relay, rows, update=("leaf",))
    return True


def begin(conn: Connection, log: str, since: str, lanes: Iterable[str]) -> int:
    """Begin to tell another log: from the first event accepted since then on (RFC 3339); its leaf index.

    What is older, projectors find in the inbox: every lane begins with a gap up to there.
    """
    size = select(func.coalesce(func.max(leaf.c.leaf_index) + 1, 0)).scalar_subquery()
    # One statement: a tree that grows between two would be passed over.
    first = conn.execute(
        select(func.coalesce(func.min(leaf.c.leaf_index), size))
        .join_from(leaf, inbox, leaf.c.seq == inbox.c.seq)
        .where(inbox.c.accepted_at >= since)
    ).scalar_one()
    conn.execute(delete(relay))
    write_rows(conn, relay, [{"lane": TREE, "leaf": first, "log": log}])
    write_rows(conn, relay, [{"lane": lane, "leaf": first - 1} for lane in lanes])
    return int(first)
