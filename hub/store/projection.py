"""What the projector writes: positions, verdicts, records, and the rows that reads are served from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from hub.domain.opportunities import Opportunity
from hub.domain.record import Record
from hub.domain.referrals import Referral
from hub.domain.refusal import Refusal
from hub.domain.services import Service
from hub.store.opportunities import index_opportunities
from hub.store.pages import projection_version
from hub.store.records import save_records
from hub.store.referrals import index_referrals
from hub.store.services import index_services
from hub.store.tables import leaf, position, verdict


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of an event. status: applied, refused, parked. referral: the one it is about."""

    seq: int
    status: str
    refusal: Refusal | None
    key: str
    referral: str | None


def offset_of(conn: Connection, stream: str) -> int:
    """Position of the next event to read; 0 at the start."""
    return (
        conn.execute(select(position.c.offset).where(position.c.stream == stream)).scalar_one_or_none() or 0
    )


def advance(conn: Connection, stream: str, expected: int, offset: int) -> bool:
    """Compare-and-set of the position, in the transaction of the rows; False when another was faster."""
    conn.execute(upsert(position).values(stream=stream, offset=0).on_conflict_do_nothing())
    done = conn.execute(
        update(position)
        .where(position.c.stream == stream, position.c.offset == expected)
        .values(offset=offset)
    )
    return done.rowcount == 1


def follows_the_tree(conn: Connection, stream: str) -> bool:
    """Whether the newest verdict is of the event that stands before the position in the tree."""
    offset = offset_of(conn, stream)
    before = conn.execute(select(leaf.c.seq).where(leaf.c.leaf_index == offset - 1)).scalar_one_or_none()
    return (before or 0) == projection_version(conn)


def save_verdicts(conn: Connection, verdicts: Sequence[Verdict]) -> None:
    """Write verdicts of events that had none."""
    rows = [
        {
            "seq": one.seq,
            "status": one.status,
            "code": one.refusal.code if one.refusal else None,
            "message": one.refusal.message if one.refusal else None,
            "remedy": one.refusal.remedy if one.refusal else None,
            "key": one.key,
            "referral": one.referral,
        }
        for one in verdicts
    ]
    if rows:
        conn.execute(insert(verdict), rows)


def save_changes(conn: Connection, changed: Sequence[tuple[str, Record, int]]) -> None:
    """Write changed records, (key, record, version), and every row that follows from them."""
    newest = {(key, one.kind, one.id): (key, one, version) for key, one, version in changed}
    latest = list(newest.values())
    save_records(conn, latest)
    index_services(conn, [(one, version) for _, one, version in latest if isinstance(one, Service)])
    index_opportunities(conn, [(one, version) for _, one, version in latest if isinstance(one, Opportunity)])
    index_referrals(conn, [(key, one, version) for key, one, version in latest if isinstance(one, Referral)])
