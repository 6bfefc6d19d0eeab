"""The audit log as a viewer may read it: who is told is decided in SQL, by labels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, delete, select

from hub.domain.audit import AuditRecorded
from hub.domain.marks import SEALED_CONTEXT
from hub.domain.refusal import Refusal
from hub.domain.values import rfc3339
from hub.domain.viewer import Viewer
from hub.store.bulk import write_rows
from hub.store.firms import states_of, visible_firms
from hub.store.newest import Way, newest
from hub.store.pages import (
    Order,
    Page,
    count_of,
    criteria_refusal,
    decode_cursor,
    encode_cursor,
    first_refusal,
    projection_version,
)
from hub.store.probe import there_is
from hub.store.tables import audit_reader, audit_row, inbox
from hub.store.vault import Vault

SORT = "audit"
ORDER = (Order(audit_row.c.seq, int, descending=True),)


@dataclass(frozen=True, slots=True)
class AuditRow:
    """What the projector keeps of a record. labels: who may read it."""

    seq: int
    key: str
    act: str
    outcome: str
    code: str | None
    actor: str
    labels: frozenset[str]


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Members are AND, values of one member OR; None and an empty list restrict nothing.

    actor: client:<id> or person:<id>.
    """

    act: Sequence[str] | None = None
    outcome: Sequence[str] | None = None
    actor: Sequence[str] | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditView:
    """A record. sme: wire id of the firm that it is about, None without the right to read that firm.

    outcome, code: also of what the rules refused after it was recorded.
    """

    seq: int
    accepted_at: str
    outcome: str
    code: str | None
    subject: str
    data: AuditRecorded
    sme: str | None


def save_audited(conn: Connection, rows: Sequence[AuditRow]) -> None:
    """Keep what the log is filtered by, and who may read it."""
    write_rows(
        conn,
        audit_row,
        [
            {
                "seq": one.seq,
                "key": one.key,
                "act": one.act,
                "outcome": one.outcome,
                "code": one.code,
                "actor": one.actor,
            }
            for one in rows
        ],
    )
    write_rows(
        conn,
        audit_reader,
        [{"label": label, "seq": one.seq} for one in rows for label in sorted(one.labels)],
    )


def forget_audited(conn: Connection, key: str) -> None:
    """Remove what follows from the records of a key."""
    of_key = select(audit_row.c.seq).where(audit_row.c.key == key)
    conn.execute(delete(audit_reader).where(audit_reader.c.seq.in_(of_key)))
    conn.execute(delete(audit_row).where(audit_row.c.key == key))


def visible_audit(viewer: Viewer, seq: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether the viewer may read the record of that seq."""
    told = select(audit_reader.c.seq).where(audit_reader.c.label.in_(sorted(viewer.audit_labels)))
    return there_is(told.where(audit_reader.c.seq == seq))


def find_audit(
    conn: Connection,
    viewer: Viewer,
    vault: Vault,
    *,
    filter: AuditFilter,
    first: int,
    after: str | None,
    counted: bool = False,
) -> Page[AuditView] | Refusal:
    """Records that the viewer may read, newest first. Refusal: first, after or the filter is wrong."""
    key = decode_cursor(after, SORT, ORDER) if after is not None else None
    for refusal in (first_refusal(first), criteria_refusal(filter), key):
        if isinstance(refusal, Refusal):
            return refusal
    told = _told(filter)
    page = told.where(audit_reader.c.seq < key[0]) if isinstance(key, tuple) else told
    way = Way(audit_reader.c.label, viewer.audit_labels, page)
    seqs = [seq for (seq,) in newest(conn, [way], first + 1)]
    columns = inbox.c.seq, inbox.c.accepted_at, inbox.c.subject, inbox.c.event
    query = select(*columns, audit_row.c.outcome, audit_row.c.code).join_from(audit_row, inbox, _SAME)
    query = query.where(audit_row.c.seq.in_(seqs[:first]), visible_audit(viewer, audit_row.c.seq))
    nodes = _views(conn, viewer, vault, conn.execute(query.order_by(audit_row.c.seq.desc())).all())
    to_viewer = audit_reader.c.label.in_(sorted(viewer.audit_labels))
    return Page(
        nodes=nodes,
        cursors=[encode_cursor(SORT, [one.seq]) for one in nodes],
        has_next=len(seqs) > first,
        has_previous=key is not None,
        total=count_of(conn, told.where(to_viewer).distinct()) if counted else None,
        version=projection_version(conn),
    )


_SAME = inbox.c.seq == audit_row.c.seq


def _told(criteria: AuditFilter) -> Select[Any]:
    """Numbers of records by the rows of their readers, with whatever else the filter asks for."""
    told = select(audit_reader.c.seq)
    wanted = _filtered(criteria)
    if not wanted:
        return told
    told = told.join(audit_row, audit_row.c.seq == audit_reader.c.seq).where(*wanted)
    return told.join(inbox, _SAME) if criteria.since or criteria.until else told


def _filtered(criteria: AuditFilter) -> list[ColumnElement[bool]]:
    lists = (
        (audit_row.c.act, criteria.act),
        (audit_row.c.outcome, criteria.outcome),
        (audit_row.c.actor, criteria.actor),
    )
    found: list[ColumnElement[bool]] = [column.in_(values) for column, values in lists if values]
    if criteria.since:
        found.append(inbox.c.accepted_at >= rfc3339(criteria.since))
    if criteria.until:
        found.append(inbox.c.accepted_at < rfc3339(criteria.until))
    return found


def _views(conn: Connection, viewer: Viewer, vault: Vault, rows: Sequence[Any]) -> list[AuditView]:
    records = [_recorded(row.event) for row in rows]
    named = {one.sme_id for one in records if one.sme_id}
    readable: dict[str, str] = {}
    for states in states_of(conn, named):
        views = visible_firms(conn, replace(viewer, glass=False), vault, states)
        readable |= {key: view.id for key, view in views.items()}
    return [
        AuditView(
            row.seq,
            row.accepted_at,
            row.outcome,
            row.code,
            row.subject,
            one,
            readable.get(one.sme_id or ""),
        )
        for row, one in zip(rows, records, strict=True)
    ]


def _recorded(event: str) -> AuditRecorded:
    return AuditRecorded.model_validate(json.loads(event)["data"], context=SEALED_CONTEXT)
