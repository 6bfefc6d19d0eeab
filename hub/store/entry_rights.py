"""Who sees which entries of the ledger: what it sent, what is about its referrals, what it is told of acts.

One list of reasons makes the condition on an entry, the way to a page and the count, so that these agree.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, or_, select, true, union

from hub.domain.viewer import Viewer
from hub.store.audit import visible_audit
from hub.store.newest import Way, newest
from hub.store.pages import count_of
from hub.store.partners import members_of
from hub.store.probe import there_is
from hub.store.tables import audit_reader, entry_party, inbox
from hub.store.tables.events import OF_NETWORK, OF_NO_PARTNER


def visible_by_case(labels: Iterable[str]) -> ColumnElement[bool]:
    """Whether the entry is about a referral of which one of the labels is a party."""
    ours = select(entry_party.c.seq).where(entry_party.c.label.in_(sorted(labels)))
    return there_is(ours.where(entry_party.c.seq == inbox.c.seq))


def visible_entries(viewer: Viewer) -> ColumnElement[bool]:
    """Visibility, in the statement itself: page, count and get cannot differ."""
    if _sees_all(viewer):
        return inbox.c.seq > 0
    by_inbox = (of.label.in_(labels) & of.condition for of, labels in _by_inbox(viewer))
    return or_(visible_by_case(viewer.labels), visible_audit(viewer, inbox.c.seq), *by_inbox)


def newest_visible(conn: Connection, viewer: Viewer, below: int, most: int) -> list[int]:
    """Numbers of the newest entries that the viewer sees, those below a number."""
    if _sees_all(viewer):
        seqs = select(inbox.c.seq).where(inbox.c.seq < below).order_by(inbox.c.seq.desc())
        return list(conn.execute(seqs.limit(most)).scalars())
    ways = [
        Way(of.label, labels, of.rows().where(of.seq < below)) for of, labels in _reasons(viewer) if labels
    ]
    return [seq for (seq,) in newest(conn, ways, most)]


def count_visible(conn: Connection, viewer: Viewer) -> int:
    """Number of entries that the viewer sees."""
    if _sees_all(viewer):
        return count_of(conn, select(inbox.c.seq))
    rows = (of.rows().where(of.label.in_(labels)) for of, labels in _reasons(viewer))
    return count_of(conn, union(*rows))


class _Of(NamedTuple):
    """Entries that an index has by label and number."""

    label: ColumnElement[str]
    seq: ColumnElement[int]
    condition: ColumnElement[bool] = true()

    def rows(self) -> Select[int]:
        """Numbers of all of them."""
        return select(self.seq).where(self.condition)


_PARTIES, _TOLD = _Of(entry_party.c.label, entry_party.c.seq), _Of(audit_reader.c.label, audit_reader.c.seq)
_SENDERS = _Of(inbox.c.partner, inbox.c.seq)
_CLIENTS = _Of(inbox.c.client, inbox.c.seq, OF_NO_PARTNER)
_NETWORKS = _Of(inbox.c.key, inbox.c.seq, OF_NETWORK)
_Reason = tuple[_Of, list[str]]


def _reasons(viewer: Viewer) -> list[_Reason]:
    """Why the viewer sees entries: those of each of the labels."""
    by_label = [(_PARTIES, sorted(viewer.labels)), (_TOLD, sorted(viewer.audit_labels))]
    return [*by_label, *_by_inbox(viewer)]


def _by_inbox(viewer: Viewer) -> list[_Reason]:
    """What the viewer sent; an auditor: what members of its networks sent and what is about these, too."""
    principal, senders = viewer.principal, set[str]()
    found: list[_Reason] = []
    if principal.partner:
        senders.add(principal.partner)
    elif principal.client_id:
        found.append((_CLIENTS, [principal.client_id]))
    if viewer.may("ledger:audit"):
        networks = _audited(viewer)
        members = members_of(viewer, networks)
        senders.update(members)
        found.append((_NETWORKS, sorted({*networks, *members})))
    return [*found, (_SENDERS, sorted(senders))]


def _sees_all(viewer: Viewer) -> bool:
    return viewer.may("ledger:audit") and "*" in _audited(viewer)


def _audited(viewer: Viewer) -> frozenset[str]:
    """Networks that one with ledger:audit oversees or belongs to."""
    return viewer.reader.networks if viewer.manages is None else viewer.manages
