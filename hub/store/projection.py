"""What the projector writes: positions, verdicts, records, and the rows that reads are served from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, delete, func, inspect, select

from hub.domain.opportunities import Opportunity
from hub.domain.record import Gone, Record
from hub.domain.referrals import Referral
from hub.domain.refusal import Refusal
from hub.domain.services import Service
from hub.store.audit import forget_audited
from hub.store.bulk import Rows, remove, write, write_rows
from hub.store.lookup import Lookup
from hub.store.opportunities import index_opportunities
from hub.store.parties import CaseEntries, forget_entries, index_entries, index_referrals
from hub.store.parts import parts
from hub.store.prepared import Prepared
from hub.store.records import changed_records
from hub.store.services import index_services
from hub.store.stakes import index_stakes
from hub.store.tables import (
    leaf,
    opportunity_row,
    position,
    record,
    referral_party,
    referral_row,
    service_row,
    tag,
    verdict,
)

INBOX = "inbox"
"""The lane of the whole tree, in order."""

_POSITIONS = Prepared(select(position))
# Always held in one order: nobody waits in a circle.
_HELD = Lookup(select(position).order_by(position.c.lane).with_for_update(), position.c.lane)
_JUDGED = Lookup(select(verdict.c.seq), verdict.c.seq)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of an event. status: applied, refused, parked. referral: the one it is about."""

    seq: int
    status: str
    refusal: Refusal | None
    key: str
    referral: str | None


@dataclass(slots=True)
class Position:
    """How far a lane is folded: every event of it below `leaf`, of which `events` through this row.

    log_offset: the next one to read of the log whose topic has that id; None before the first.
    """

    leaf: int = 0
    events: int = 0
    topic_id: str | None = None
    log_offset: int | None = None


def positions(conn: Connection, *, hold: Iterable[str] = ()) -> dict[str, Position]:
    """How far each lane is folded.

    hold: lanes that nobody else may fold until the end of this transaction; a lane without a row begins
    where the whole tree has been folded to.
    """
    held = sorted(set(hold))
    found = _positions(conn, held)
    if missing := [lane for lane in held if lane not in found]:
        start = _positions(conn, ()).get(INBOX, Position()).leaf
        rows = [{"lane": lane, "leaf": start, "events": 0} for lane in missing]
        write_rows(conn, position, rows, update=())
        found = _positions(conn, held)
    return found


def _positions(conn: Connection, held: Sequence[str]) -> dict[str, Position]:
    rows = _HELD.rows(conn, held) if held else _POSITIONS.rows(conn, {})
    return {row.lane: Position(row.leaf, row.events, row.topic_id, row.log_offset) for row in rows}


def save_positions(conn: Connection, changed: Mapping[str, Position]) -> None:
    """Move lanes on, in the transaction that holds them."""
    write(conn, _positions_rows(changed))


def _positions_rows(changed: Mapping[str, Position]) -> Rows:
    rows = [{"lane": lane, **asdict(one)} for lane, one in sorted(changed.items())]
    return Rows(position, rows, update=("leaf", "events", "topic_id", "log_offset"))


def is_by_lanes(conn: Connection) -> bool:
    """Whether there is a read model that lanes beside the whole tree's have folded."""
    if not inspect(conn).has_table(position.name, schema=position.schema):
        return False
    return conn.execute(select(position.c.lane).where(position.c.lane != INBOX).limit(1)).scalar() is not None


def follows_the_tree(conn: Connection, *, by_lanes: bool) -> bool:
    """Whether the read model shows this truth: nothing that is not in the tree, all below its positions.

    A truth that was restored from a backup may be behind its read model. by_lanes: whether lanes beside
    the whole tree's may be folded apart.
    """
    size, newest = conn.execute(
        select(func.coalesce(func.max(leaf.c.leaf_index) + 1, 0), func.coalesce(func.max(leaf.c.seq), 0))
    ).one()
    shown = conn.execute(select(func.coalesce(func.max(verdict.c.seq), 0))).scalar_one()
    found = positions(conn)
    if shown > newest or any(one.leaf > size for one in found.values()):
        return False
    if found.keys() - {INBOX}:
        return by_lanes
    last = select(leaf.c.seq).where(leaf.c.leaf_index == found.get(INBOX, Position()).leaf - 1)
    return bool((conn.execute(last).scalar_one_or_none() or 0) == shown)


def judged(conn: Connection, seqs: Iterable[int]) -> set[int]:
    """Those of the events that the read model shows."""
    return {row.seq for row in _JUDGED.rows(conn, seqs)}


def statuses(conn: Connection, seqs: Iterable[int]) -> dict[int, tuple[str, str | None]]:
    """(status, code of the refusal) of those of the events that the read model shows, by seq."""
    columns = verdict.c.seq, verdict.c.status, verdict.c.code
    return {
        row.seq: (row.status, row.code)
        for part in parts(seqs)
        for row in conn.execute(select(*columns).where(verdict.c.seq.in_(part)))
    }


def save_verdicts(conn: Connection, verdicts: Sequence[Verdict]) -> None:
    """Write verdicts of events that had none."""
    write(conn, _verdict_rows(verdicts))


def _verdict_rows(verdicts: Sequence[Verdict]) -> Rows:
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
    return Rows(verdict, rows)


def verdicts_of(conn: Connection, key: str) -> dict[int, str]:
    """Status of each event of a key that the read model shows, by seq."""
    rows = conn.execute(select(verdict.c.seq, verdict.c.status).where(verdict.c.key == key))
    return {row.seq: row.status for row in rows}


def forget_key(conn: Connection, key: str) -> None:
    """Remove the state of a key, its verdicts, and every row that follows from them: it is folded again."""
    of_key = conn.execute(select(record.c.kind, record.c.id).where(record.c.key == key)).all()
    for table, column, kinds in (
        (service_row, service_row.c.id, {Service.kind}),
        (opportunity_row, opportunity_row.c.id, {Opportunity.kind}),
        (tag, tag.c.item, {Service.kind, Opportunity.kind}),
    ):
        for ids in parts(row.id for row in of_key if row.kind in kinds):
            conn.execute(delete(table).where(column.in_(ids)))
    forget_entries(conn, key)
    for table in (referral_row, referral_party):
        conn.execute(delete(table).where(table.c.firm == key))
    forget_audited(conn, key)
    for table in (record, verdict):
        conn.execute(delete(table).where(table.c.key == key))


def save_changes(
    conn: Connection,
    changed: Sequence[tuple[str, Record | Gone, int]],
    verdicts: Sequence[Verdict] = (),
    moved: Mapping[str, Position] | None = None,
    cases: Sequence[CaseEntries] = (),
) -> None:
    """Write what changed, (key, record, version), every row that follows from it, and what came with it."""
    newest = {(key, one.kind, one.id): (key, one, version) for key, one, version in changed}
    gone = [(key, one) for key, one, _ in newest.values() if isinstance(one, Gone)]
    latest = [(key, one, version) for key, one, version in newest.values() if isinstance(one, Record)]
    changes = (
        changed_records(latest, gone),
        index_services([one for _, one, _ in latest if isinstance(one, Service)]),
        index_opportunities([one for _, one, _ in latest if isinstance(one, Opportunity)]),
        # Of every version, so that it does not matter which events were folded together.
        index_stakes([(key, one) for key, one, _ in changed if isinstance(one, Record)]),
        index_referrals([(key, one, version) for key, one, version in latest if isinstance(one, Referral)]),
        index_entries(conn, cases),
    )
    remove(conn, *(keys for change in changes for keys in change.gone))
    written = [rows for change in changes for rows in change.rows]
    write(conn, *written, _verdict_rows(verdicts), _positions_rows(moved or {}))
