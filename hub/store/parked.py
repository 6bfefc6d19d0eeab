"""Messages of the log that nobody can read: kept, sealed, until somebody has looked at them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, update

from hub.store.bulk import write_rows
from hub.store.tables import parked
from hub.store.vault import Vault

LISTED_MAX = 1_000
CONTENT_BYTES_MAX = 1_048_576


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
    """Keep messages; one that was parked before stays as it is."""
    rows = [
        {
            "id": one.id,
            "partner": one.partner,
            "error": one.error[:1_000],
            "content": vault.seal_parked(one.id, one.content[:CONTENT_BYTES_MAX]),
            "parked_at": one.parked_at,
            "published": False,
        }
        for one in messages
    ]
    write_rows(conn, parked, rows, update=())


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
