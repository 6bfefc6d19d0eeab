"""Messages of the log that nobody can read: kept, sealed, until somebody has looked at them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select, update

from hub.store.bulk import write_rows
from hub.store.tables import inbox, parked, verdict
from hub.store.vault import Vault

LISTED_MAX = 1_000
CONTENT_BYTES_MAX = 8_388_608
"""A batch of the largest size, with its headers, is kept whole."""
WAITING_OF_PARTNER_MAX = 10_000
NOT_KEPT = " (not kept: too many wait)"


@dataclass(frozen=True, slots=True)
class Parked:
    """id: topic/partition/offset@topic id. partner: whose topic it stood in; None for the hub's own."""

    id: str
    partner: str | None
    error: str
    content: bytes
    parked_at: str
    replayed_at: str | None = None


def park(conn: Connection, vault: Vault, messages: Sequence[Parked]) -> None:
    """Keep messages; one that was parked before stays as it is.

    Of a partner that has WAITING_OF_PARTNER_MAX already, their contents are not kept.
    """
    full = {one for one in {one.partner for one in messages} if one and _has_too_many(conn, one)}
    rows = [
        {
            "id": one.id,
            "partner": one.partner,
            "error": one.error[:1_000] + (NOT_KEPT if one.partner in full else ""),
            "content": vault.seal_parked(
                one.id, b"" if one.partner in full else one.content[:CONTENT_BYTES_MAX]
            ),
            "parked_at": one.parked_at,
            "published": False,
        }
        for one in messages
    ]
    write_rows(conn, parked, rows, update=())


def _has_too_many(conn: Connection, partner: str) -> bool:
    waiting = select(parked.c.id).where(parked.c.partner == partner, parked.c.replayed_at.is_(None))
    some = waiting.limit(WAITING_OF_PARTNER_MAX).subquery()
    count = conn.execute(select(func.count()).select_from(some)).scalar_one()
    return bool(count >= WAITING_OF_PARTNER_MAX)


def list_parked(conn: Connection, vault: Vault, id_: str | None = None) -> list[Parked]:
    """What is parked, oldest first; with an id that one alone."""
    query = select(parked).order_by(parked.c.parked_at, parked.c.id).limit(LISTED_MAX)
    if id_ is not None:
        query = query.where(parked.c.id == id_)
    return [
        Parked(
            row.id,
            row.partner,
            row.error,
            vault.open_parked(row.id, row.content),
            row.parked_at,
            row.replayed_at,
        )
        for row in conn.execute(query)
    ]


def find_parked(conn: Connection, vault: Vault, id_: str) -> Parked | None:
    """The parked message of that id."""
    found = list_parked(conn, vault, id_)
    return found[0] if found else None


def parked_headings(conn: Connection) -> list[Parked]:
    """What is parked, without contents: first what was not replayed, each oldest first."""
    columns = parked.c.id, parked.c.partner, parked.c.error, parked.c.parked_at, parked.c.replayed_at
    query = select(*columns).order_by(parked.c.replayed_at.is_not(None), parked.c.parked_at, parked.c.id)
    return [
        Parked(row.id, row.partner, row.error, b"", row.parked_at, row.replayed_at)
        for row in conn.execute(query.limit(LISTED_MAX))
    ]


def parked_events(conn: Connection, seq: int | None = None) -> list[Parked]:
    """Events that could not be folded, as if they were messages `seq/<N>`; with a seq that one alone.

    content: the event as stored, with personal members sealed. parked_at: when it was accepted.
    """
    query = (
        select(inbox.c.seq, inbox.c.partner, inbox.c.accepted_at, inbox.c.event, verdict.c.message)
        .join_from(verdict, inbox, verdict.c.seq == inbox.c.seq)
        .where(verdict.c.status == "parked")
        .order_by(inbox.c.seq)
        .limit(LISTED_MAX)
    )
    if seq is not None:
        query = query.where(inbox.c.seq == seq)
    return [
        Parked(f"seq/{row.seq}", row.partner, row.message, row.event.encode(), row.accepted_at)
        for row in conn.execute(query)
    ]


def mark_replayed(conn: Connection, id_: str, at: str) -> bool:
    """Note that a parked message went its way after all; False when there is none, or it did before."""
    unplayed = update(parked).where(parked.c.id == id_, parked.c.replayed_at.is_(None))
    return conn.execute(unplayed.values(replayed_at=at)).rowcount == 1


def unpublished(conn: Connection, limit: int) -> list[tuple[str, str | None, str, str]]:
    """(id, partner, error, parked_at) of messages that the topic of parked ones was not told of."""
    query = select(parked.c.id, parked.c.partner, parked.c.error, parked.c.parked_at)
    rows = conn.execute(query.where(parked.c.published.is_(False)).order_by(parked.c.parked_at).limit(limit))
    return [(row.id, row.partner, row.error, row.parked_at) for row in rows]


def mark_published(conn: Connection, ids: Sequence[str]) -> None:
    """Note that the topic was told."""
    conn.execute(update(parked).where(parked.c.id.in_(ids)).values(published=True))


def forget_parked(conn: Connection, before: str) -> int:
    """Forget what was parked before then; how many."""
    return conn.execute(delete(parked).where(parked.c.parked_at < before)).rowcount
