"""The inbox: every accepted event, kept for good, and the identities that make each one single."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, bindparam, func, select

from hub.store.bulk import Rows
from hub.store.lookup import Lookup
from hub.store.prepared import Prepared
from hub.store.tables import Number, identity, inbox, leaf

Identity = tuple[str, str, str]

# Statements of the accept path are built once: building one costs as much as running it.
KNOWN = Lookup(select(identity), identity.c.partner, identity.c.source, identity.c.event_id)
NEWEST = Lookup(select(func.coalesce(func.max(inbox.c.seq), 0).label("seq")))
_NEWEST_SEQUENCED = Prepared(select(func.coalesce(func.max(leaf.c.seq), 0)))
_FROM, _MOST = bindparam("first", type_=Number), bindparam("most", type_=Number)
_UNSEQUENCED = Prepared(
    select(inbox.c.seq, inbox.c.commitment).where(inbox.c.seq > _FROM).order_by(inbox.c.seq).limit(_MOST)
)


class InboxRow(NamedTuple):
    """An accepted event as stored: JSON texts with personal members sealed and firms as surrogates."""

    seq: int
    partner: str
    client: str
    type: str
    topic: str
    key: str
    subject: str
    accepted_at: str
    event: str
    resolved: str
    subjects: str
    salt: bytes
    commitment: bytes


def last_seq(conn: Connection) -> int:
    """seq of the newest accepted event; 0 when there is none."""
    return next(int(row.seq) for row in NEWEST.rows(conn, ()))


def appended(rows: Sequence[InboxRow], digests: dict[Identity, tuple[int, bytes]]) -> tuple[Rows, Rows]:
    """Accepted events and their identities, to be written: (seq, digest) by identity."""
    identities = [
        {"partner": partner, "source": source, "event_id": id_, "seq": seq, "digest": digest}
        for (partner, source, id_), (seq, digest) in digests.items()
    ]
    return Rows(inbox, [row._asdict() for row in rows]), Rows(identity, identities)


def unsequenced(conn: Connection, limit: int) -> list[tuple[int, bytes]]:
    """(seq, commitment) of accepted events that have no leaf yet, oldest first."""
    newest = _NEWEST_SEQUENCED.rows(conn, {})[0][0]
    rows = _UNSEQUENCED.rows(conn, {"first": newest, "most": limit})
    return [(row.seq, row.commitment) for row in rows]


@dataclass(frozen=True, slots=True)
class Sequenced:
    """An accepted event in its place of the tree, as the backbone carries it.

    attributes, data: as stored, personal members sealed and firms as surrogates. resolved: JSON.
    commitment: the entry of the ledger, which stands for the content.
    """

    leaf_index: int
    seq: int
    partner: str
    type: str
    topic: str
    key: str
    subject: str
    accepted_at: str
    resolved: str
    commitment: bytes
    attributes: dict[str, Any]
    data: dict[str, Any]


def sequenced(conn: Connection, first_leaf: int, limit: int) -> list[Sequenced]:
    """Events from that leaf index on, in order of the tree."""
    return _events(_FROM_LEAF.rows(conn, {"first": first_leaf, "most": limit}))


def sequenced_of_key(conn: Connection, key: str, first_leaf: int) -> list[Sequenced]:
    """Events of one key from that leaf index on, in order of the tree; every event is looked at for it."""
    wanted = leaf.c.leaf_index >= first_leaf, inbox.c.key == key
    return _events(conn.execute(_SEQUENCED.where(*wanted).order_by(leaf.c.leaf_index)))


def find_sequenced(conn: Connection, seq: int) -> Sequenced | None:
    """The event of that seq; None when there is none in the tree."""
    found = _events(conn.execute(_SEQUENCED.where(inbox.c.seq == seq)))
    return found[0] if found else None


_SEQUENCED = select(
    leaf.c.leaf_index,
    inbox.c.seq,
    inbox.c.partner,
    inbox.c.type,
    inbox.c.topic,
    inbox.c.key,
    inbox.c.subject,
    inbox.c.accepted_at,
    inbox.c.resolved,
    inbox.c.commitment,
    inbox.c.event,
).join_from(leaf, inbox, leaf.c.seq == inbox.c.seq)

_FROM_LEAF = Prepared(_SEQUENCED.where(leaf.c.leaf_index >= _FROM).order_by(leaf.c.leaf_index).limit(_MOST))
_BY_SEQ = Lookup(_SEQUENCED, inbox.c.seq)


def _events(rows: Iterable[Any]) -> list[Sequenced]:
    return [_event(row) for row in rows]


def _event(row: Any) -> Sequenced:
    return Sequenced(*row[:-1], **orjson.loads(row.event))


def sequenced_by_seq(conn: Connection, seqs: Iterable[int]) -> dict[int, Sequenced]:
    """Those of the events that stand in the tree."""
    return {one.seq: one for one in map(_event, _BY_SEQ.rows(conn, seqs))}
