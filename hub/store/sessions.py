"""Where people are signed in, and how often somebody tried to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    bindparam,
    case,
    delete,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from hub.store.people import Person, person_of, with_standing
from hub.store.tables import person, person_session, sign_in_try

IDLE_S = 30 * 60
"""A session that was not seen for so long has ended."""
SESSIONS_MAX = 20
"""Sessions of one person at a time: the one not seen for longest ends."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session of a browser. Seconds since 1970.

    id: what a list calls it. confirmed_at_s: when a second factor was last shown; None: the password was,
    and nothing else, so that nothing but showing the second factor is open to it.
    """

    digest: bytes
    id: str
    person: Person
    device: str
    started_at_s: int
    seen_at_s: int
    confirmed_at_s: int | None


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session that is to be kept, of a generation of its person."""

    digest: bytes
    id: str
    person: str
    generation: int
    device: str
    started_at_s: int
    confirmed_at_s: int | None


def add_session(conn: Connection, new: NewSession, now_s: int) -> None:
    """Keep a new session; the oldest of too many ends."""
    rows = conn.execute(
        select(person_session.c.digest)
        .where(person_session.c.person == new.person)
        .order_by(person_session.c.seen_at_s.desc(), person_session.c.id)
    ).scalars()
    for digest in list(rows)[SESSIONS_MAX - 1 :]:
        end_session(conn, digest)
    conn.execute(
        insert(person_session).values(
            digest=new.digest,
            id=new.id,
            person=new.person,
            generation=new.generation,
            device=new.device,
            started_at_s=new.started_at_s,
            seen_at_s=now_s,
            confirmed_at_s=new.confirmed_at_s,
        )
    )


def find_sessions(conn: Connection, digests: Sequence[bytes]) -> list[Session | None]:
    """Each of the sessions with its person, None where there is none; one query for all.

    Sessions from before the person was signed out everywhere are none.
    """
    rows = conn.execute(_SOME, {"wanted": sorted(set(digests))}).all()
    found = {row.digest: _session(row) for row in rows}
    return [found.get(digest) for digest in digests]


def sessions_of(conn: Connection, person_id: str, seen_after_s: int) -> list[Session]:
    """Sessions of a person that were seen after that, the latest first."""
    query = _ALL.where(person_session.c.person == person_id, person_session.c.seen_at_s > seen_after_s)
    rows = conn.execute(query.order_by(person_session.c.seen_at_s.desc(), person_session.c.id)).all()
    return [_session(row) for row in rows]


def touch_session(conn: Connection, digest: bytes, now_s: int) -> None:
    """Note that a session was seen."""
    seen = update(person_session).where(person_session.c.digest == digest, person_session.c.seen_at_s < now_s)
    conn.execute(seen.values(seen_at_s=now_s))


def end_session(conn: Connection, digest: bytes) -> bool:
    """End a session: whether it was there."""
    one = delete(person_session).where(person_session.c.digest == digest)
    return conn.execute(one).rowcount > 0


def end_session_of(conn: Connection, person_id: str, session_id: str) -> bool:
    """End a session that a person picked from its list."""
    one = delete(person_session).where(
        person_session.c.id == session_id, person_session.c.person == person_id
    )
    return conn.execute(one).rowcount > 0


def end_other_sessions(conn: Connection, person_id: str, but: bytes) -> None:
    """End every session of a person but this one."""
    conn.execute(
        delete(person_session).where(person_session.c.person == person_id, person_session.c.digest != but)
    )


def forget_sessions(conn: Connection, now_s: int) -> None:
    """Delete sessions that were not seen for too long: those that ended otherwise are not seen any more."""
    conn.execute(delete(person_session).where(person_session.c.seen_at_s < now_s - IDLE_S))


def forget_ended_tries(conn: Connection, now_s: int) -> None:
    """Delete tries that no longer count."""
    conn.execute(delete(sign_in_try).where(sign_in_try.c.ends_at_s < now_s))


def count_tries(
    conn: Connection, digests: Sequence[bytes], now_s: int, window_s: int
) -> list[tuple[int, int]]:
    """Count one try more for each digest: tries in its window, and seconds until the window ends.

    One statement decides: reading first and writing then would let tries through that come at once.
    """
    found = {}
    for digest in sorted(set(digests)):  # In one order: two requests must not wait for each other.
        row = conn.execute(_TRY, {"digest": digest, "now_s": now_s, "ends_at_s": now_s + window_s}).one()
        found[digest] = row.tries, row.ends_at_s - now_s
    return [found[digest] for digest in digests]


def find_tries(conn: Connection, digests: Sequence[bytes], now_s: int) -> dict[bytes, tuple[int, int]]:
    """What stands for these digests: tries, and seconds until they end; what has ended is absent."""
    standing = select(sign_in_try).where(
        sign_in_try.c.digest.in_(list(digests)), sign_in_try.c.ends_at_s > now_s
    )
    return {row.digest: (row.tries, row.ends_at_s - now_s) for row in conn.execute(standing)}


def forget_tries(conn: Connection, digests: Sequence[bytes], known: bytes, known_until_s: int) -> None:
    """Forget tries, one after the other as they are counted: the person proved itself, and is known now."""
    for digest in digests:
        conn.execute(delete(sign_in_try).where(sign_in_try.c.digest == digest))
    kept = upsert(sign_in_try).values(digest=known, tries=0, ends_at_s=known_until_s)
    later = {"ends_at_s": known_until_s}
    conn.execute(kept.on_conflict_do_update(index_elements=["digest"], set_=later))


_ALL = with_standing(
    select(
        person,
        person_session.c.digest,
        person_session.c.id.label("session"),
        person_session.c.device,
        person_session.c.started_at_s,
        person_session.c.seen_at_s,
        person_session.c.confirmed_at_s,
    )
    .join_from(person_session, person, person.c.id == person_session.c.person)
    .where(person_session.c.generation == person.c.generation)
)
_SOME = _ALL.where(person_session.c.digest.in_(bindparam("wanted", expanding=True)))

_OVER = sign_in_try.c.ends_at_s <= bindparam("now_s")
_TRY = (
    upsert(sign_in_try)
    .values(digest=bindparam("digest"), tries=literal_column("1"), ends_at_s=bindparam("ends_at_s"))
    .on_conflict_do_update(
        index_elements=["digest"],
        set_={
            "tries": case((_OVER, 1), else_=sign_in_try.c.tries + 1),
            "ends_at_s": case((_OVER, bindparam("ends_at_s")), else_=sign_in_try.c.ends_at_s),
        },
    )
    .returning(sign_in_try.c.tries, sign_in_try.c.ends_at_s)
)


def _session(row: Row[Any]) -> Session:
    return Session(
        digest=row.digest,
        id=row.session,
        person=person_of(row),
        device=row.device,
        started_at_s=row.started_at_s,
        seen_at_s=row.seen_at_s,
        confirmed_at_s=row.confirmed_at_s,
    )
