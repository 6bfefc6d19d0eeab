"""Entries of the ledger as a viewer may see them: what it sent, and what is about its referrals.

Size, leaf indexes and leaf hashes are public; which event stands behind a leaf is not.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Select, select, tuple_

from hub.domain.principal import HUB
from hub.domain.refusal import Refusal
from hub.domain.values import parse_time
from hub.domain.viewer import Viewer
from hub.store.entry_rights import count_visible, newest_visible, visible_by_case, visible_entries
from hub.store.firms import party_labels, states_of, visible_firms
from hub.store.pages import (
    Order,
    Page,
    decode_cursor,
    encode_cursor,
    first_refusal,
    projection_version,
)
from hub.store.parts import parts
from hub.store.referrals import Name
from hub.store.tables import inbox, leaf, verdict
from hub.store.vault import Vault, open_bytes

SORT = "ledger"
ORDER = (Order(inbox.c.seq, int, descending=True),)
SEQ_MAX = 2**63 - 1
TIMELINE_MAX = 500
"""Entries of one referral that are listed: the first ones."""


@dataclass(frozen=True, slots=True)
class EntryView:
    """One accepted event. partner: slug, None for the hub's own and for clients that belong to no partner.

    subject: None where it is a firm that the viewer may not read. accepted_at: as in the commitment.
    time: what the sender said. status: pending, applied, refused, parked. leaf_hash: base64.
    """

    seq: int
    leaf_index: int | None
    type: str
    partner: str | None
    subject: str | None
    accepted_at: str
    time: datetime | None
    status: str
    refusal: Refusal | None
    leaf_hash: str


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """An entry as its sender and the parties of its referral may check it. salt: base64, None for others."""

    entry: EntryView
    salt: str | None


def find_entries(
    conn: Connection, viewer: Viewer, vault: Vault, *, first: int, after: str | None, counted: bool = False
) -> Page[EntryView] | Refusal:
    """Entries that the viewer may see, newest first. Refusal: first or after is wrong."""
    key = decode_cursor(after, SORT, ORDER) if after is not None else None
    for refusal in (first_refusal(first), key):
        if isinstance(refusal, Refusal):
            return refusal
    below = key[0] if isinstance(key, tuple) else SEQ_MAX
    seqs = newest_visible(conn, viewer, int(below), first + 1)
    query = _entries(viewer).where(inbox.c.seq.in_(seqs[:first]), visible_entries(viewer))
    nodes = _views(conn, viewer, vault, conn.execute(query.order_by(inbox.c.seq.desc())).all())
    return Page(
        nodes=nodes,
        cursors=[encode_cursor(SORT, [one.seq]) for one in nodes],
        has_next=len(seqs) > first,
        has_previous=key is not None,
        total=count_visible(conn, viewer) if counted else None,
        version=projection_version(conn),
    )


def timelines(
    conn: Connection, viewer: Viewer, vault: Vault, names: Iterable[Name]
) -> dict[Name, list[EntryView]]:
    """Entries about each referral that the viewer is a party to, in order of acceptance."""
    wanted = sorted(set(names))
    about = select(verdict.c.seq).where(
        verdict.c.key.in_({key for key, _ in wanted}),
        tuple_(verdict.c.key, verdict.c.referral).in_(wanted),
    )
    visible = inbox.c.seq.in_(about), visible_by_case(viewer.labels)
    query = _entries(viewer).where(*visible).order_by(inbox.c.seq)
    by_name: dict[Name, list[Any]] = defaultdict(list)
    for row in conn.execute(query):
        by_name[row.case, row.referral].append(row)
    return {name: _views(conn, viewer, vault, rows[:TIMELINE_MAX]) for name, rows in by_name.items()}


def get_receipt(conn: Connection, viewer: Viewer, vault: Vault, seq: int) -> ReceiptView | None:
    """The receipt; None for a seq that does not exist and for one that is none of the viewer's business."""
    return get_receipts(conn, viewer, vault, [seq]).get(seq)


def get_receipts(
    conn: Connection, viewer: Viewer, vault: Vault, seqs: Iterable[int]
) -> dict[int, ReceiptView]:
    """Receipts by seq, those that the viewer may see.

    The salt lets its holder test guesses at the event: one who was merely offered the case, or who only
    audits, gets none. It is gone with the keys of those that the event is about.
    """
    rows = [
        row
        for part in parts(seq for seq in seqs if 0 < seq <= SEQ_MAX)
        for row in conn.execute(_entries(viewer).where(inbox.c.seq.in_(part), visible_entries(viewer)))
    ]
    salted = {row.seq: json.loads(row.subjects) for row in rows if _sent(viewer, row) or row.is_party}
    subjects = vault.by_surrogate(conn, {one for surrogates in salted.values() for one in surrogates})
    receipts = {}
    for row, entry in zip(rows, _views(conn, viewer, vault, rows), strict=True):
        salt = None
        if row.seq in salted:
            salt = open_bytes([subjects[one] for one in salted[row.seq]], row.salt)
        receipts[row.seq] = ReceiptView(entry, b64encode(salt).decode() if salt else None)
    return receipts


def receipt_of(conn: Connection, viewer: Viewer, vault: Vault, seq: int) -> dict[str, Any] | None:
    """The body of GET /receipts/{seq}; None where the answer is 404."""
    return receipts_of(conn, viewer, vault, [seq]).get(seq)


def receipts_of(
    conn: Connection, viewer: Viewer, vault: Vault, seqs: Iterable[int]
) -> dict[int, dict[str, Any]]:
    """Bodies of GET /receipts/{seq} by seq; absent where the answer is 404."""
    return {seq: _body(one) for seq, one in get_receipts(conn, viewer, vault, seqs).items()}


def _body(receipt: ReceiptView) -> dict[str, Any]:
    entry, refusal = receipt.entry, receipt.entry.refusal
    return {
        "seq": entry.seq,
        "status": entry.status,
        "refusal": refusal and {"code": refusal.code, "message": refusal.message, "remedy": refusal.remedy},
        "accepted_at": entry.accepted_at,
        "leaf_index": entry.leaf_index,
        "leaf_hash": entry.leaf_hash,
        "salt": receipt.salt,
        "subject": entry.subject,
    }


_JOINED = inbox.outerjoin(verdict, verdict.c.seq == inbox.c.seq).outerjoin(leaf, leaf.c.seq == inbox.c.seq)


def _entries(viewer: Viewer) -> Select[Any]:
    return select(
        inbox,
        leaf.c.leaf_index,
        verdict.c.status,
        verdict.c.code,
        verdict.c.message,
        verdict.c.remedy,
        verdict.c.key.label("case"),
        verdict.c.referral,
        visible_by_case(party_labels(viewer)).label("is_party"),
    ).select_from(_JOINED)


def _sent(viewer: Viewer, row: Any) -> bool:
    principal = viewer.principal
    if principal.partner:
        return bool(row.partner == principal.partner)
    return principal.client_id is not None and bool(row.client == principal.client_id)


def _views(conn: Connection, viewer: Viewer, vault: Vault, rows: Sequence[Any]) -> list[EntryView]:
    """Views of rows of `_entries`, in their order."""
    firms = {row.subject for row in rows if _is_about_firm(row)}
    wire_ids = vault.wire_ids(conn, firms)
    readable: set[str] = set()
    for states in states_of(conn, firms):
        # An emergency access opens the firm where it is asked for, not the subjects of a list.
        readable |= visible_firms(conn, replace(viewer, glass=False), vault, states).keys()

    def subject(row: Any) -> str | None:
        if row.subject not in firms:
            return str(row.subject)
        return wire_ids.get(row.subject) if _sent(viewer, row) or row.subject in readable else None

    return [_view(row, subject(row)) for row in rows]


def _is_about_firm(row: Any) -> bool:
    """Whether the subject is the surrogate of a firm, and not the id of something else."""
    return row.subject in json.loads(row.subjects)


def _view(row: Any, subject: str | None) -> EntryView:
    sent_at = json.loads(row.event)["attributes"].get("time")
    return EntryView(
        seq=row.seq,
        leaf_index=row.leaf_index,
        type=row.type,
        partner=None if row.partner == HUB else row.partner,
        subject=subject,
        accepted_at=row.accepted_at,
        time=parse_time(sent_at) if sent_at else None,
        status=row.status or "pending",
        refusal=Refusal(row.code, row.message, row.remedy) if row.code else None,
        leaf_hash=b64encode(sha256(b"\x00" + row.commitment).digest()).decode(),
    )
