"""What an erasure destroys: keys of firms and persons, driven by the state that their folds left behind."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, func, select, update

from hub.domain.erasures import FIRM, PERSON, Erasure
from hub.domain.references import PERSON_PREFIX, UNKNOWN_REFERRAL_PREFIX
from hub.store.parts import parts
from hub.store.tables import record, reference, subject_key
from hub.store.vault import Vault


def condemned(conn: Connection, vault: Vault) -> list[str]:
    """Subjects (surrogates) that the read model says are erased and whose end is not noted yet.

    With a firm go the keys of those of its referrals that were spoken of before anybody knew whose they were.
    """
    of_firms = (
        select(record.c.key)
        .join(subject_key, subject_key.c.surrogate == record.c.key)
        .where(record.c.kind == Erasure.kind, record.c.id == FIRM, subject_key.c.erased_at.is_(None))
    )
    firms = list(conn.execute(of_firms).scalars())
    persons = select(record.c.key).where(record.c.kind == Erasure.kind, record.c.id == PERSON)
    wire_ids = [PERSON_PREFIX + id_ for id_ in conn.execute(persons).scalars()]
    for part in parts(firms):
        # No index helps here: erasing is rare, and an index would cost every event.
        named = select(reference.c.id).where(
            reference.c.kind.in_(("referral", "opened")), reference.c.target.in_(part)
        )
        wire_ids += [UNKNOWN_REFERRAL_PREFIX + id_ for id_ in conn.execute(named).scalars()]
    others: list[str] = []
    for digests in parts(vault.subject_digest(one) for one in wire_ids):
        living = subject_key.c.digest.in_(digests), subject_key.c.erased_at.is_(None)
        others += conn.execute(select(subject_key.c.surrogate).where(*living)).scalars()
    return [*firms, *others]


def destroy_keys(conn: Connection, surrogates: Iterable[str]) -> None:
    """Destroy keys and wire ids; the keyed digest stays, by which later events are recognised."""
    for part in parts(surrogates):
        conn.execute(
            update(subject_key)
            .where(subject_key.c.surrogate.in_(part))
            .values(wrapped_key=None, sealed_id=None)
        )


def note_erased(conn: Connection, surrogates: Iterable[str], at: str) -> None:
    """Note that nothing is left to be done for them."""
    for part in parts(surrogates):
        conn.execute(update(subject_key).where(subject_key.c.surrogate.in_(part)).values(erased_at=at))


def erased_count(conn: Connection) -> int:
    """How many subjects have been erased for good."""
    noted = subject_key.c.erased_at.is_not(None)
    return conn.execute(select(func.count()).select_from(subject_key).where(noted)).scalar_one()
