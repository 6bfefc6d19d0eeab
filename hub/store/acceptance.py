"""What the intake looks up for a group of events, and what it writes: a statement each on PostgreSQL.

All other processes that accept events wait meanwhile, so that every way to the database counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from hub.store.bulk import write
from hub.store.inbox import KNOWN, NEWEST, Identity, InboxRow, appended
from hub.store.lookup import Lookups
from hub.store.references import MEMBERS, NAMED, References
from hub.store.vault import BY_DIGEST, Subject, Vault, made

_BEFORE = Lookups(NAMED, MEMBERS, BY_DIGEST, KNOWN, NEWEST)


@dataclass(frozen=True, slots=True)
class Before:
    """What stood when a group was begun. newest: seq of the newest event.

    subjects: by wire id. identities: seq and content digest of those that were accepted before.
    """

    references: References
    subjects: dict[str, Subject]
    identities: dict[Identity, tuple[int, bytes]]
    newest: int


def look_up(
    conn: Connection,
    vault: Vault,
    *,
    names: Iterable[tuple[str, str]],
    members: Collection[str],
    wire_ids: Iterable[str],
    identities: Iterable[Identity],
) -> Before:
    """Those that exist. names: kind and id of references; members: partners whose memberships count."""
    digests = vault.digests(wire_ids)
    named, memberships, subjects, known, newest = _BEFORE.rows(
        conn, set(names), members, digests, set(identities), ()
    )
    references = References()
    references.take(named, members, memberships)
    return Before(
        references,
        vault.found(digests, subjects),
        {(row.partner, row.source, row.event_id): (row.seq, row.digest) for row in known},
        next(row.seq for row in newest),
    )


def save_accepted(
    conn: Connection,
    subjects: Sequence[dict[str, Any]],
    rows: Sequence[InboxRow],
    digests: dict[Identity, tuple[int, bytes]],
    references: References,
) -> None:
    """Write new keys, events with their identities, (seq, digest), and what they brought into being."""
    write(conn, made(subjects), *appended(rows, digests), references.changes())
