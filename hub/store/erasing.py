"""What an erasure destroys: keys of firms and persons, driven by the state that their folds left behind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from hub.domain.erasures import FIRM, PERSON, Erasure
from hub.domain.references import ACCOUNT_PREFIX, PERSON_PREFIX, UNKNOWN_REFERRAL_PREFIX
from hub.store.parts import parts
from hub.store.people import forget_people
from hub.store.tables import record, reference, subject_key
from hub.store.vault import Vault


@dataclass(frozen=True, slots=True)
class Condemned:
    """Subjects (surrogates) whose keys are to go, and those among them that are persons, by id."""

    subjects: list[str]
    persons: list[str]


def condemned(conn: Connection, vault: Vault) -> Condemned:
    """What the read model says is erased and whose end is not noted yet.

    With a firm go the keys of those of its referrals that were spoken of before anybody knew whose they were;
    and whatever the intake destroyed of those that came to an erased firm (`destroy_now`).
    """
    of_firms = (
        select(record.c.key)
        .join(subject_key, subject_key.c.surrogate == record.c.key)
        .where(record.c.kind == Erasure.kind, record.c.id == FIRM, subject_key.c.erased_at.is_(None))
    )
    firms = list(conn.execute(of_firms).scalars())
    unnoted = select(subject_key.c.surrogate).where(
        subject_key.c.wrapped_key.is_(None), subject_key.c.erased_at.is_(None)
    )
    of_persons = select(record.c.key).where(record.c.kind == Erasure.kind, record.c.id == PERSON)
    ids = list(conn.execute(of_persons).scalars())
    persons = _living(conn, vault, PERSON_PREFIX, ids) | _living(conn, vault, ACCOUNT_PREFIX, ids)
    subjects = dict.fromkeys([*firms, *_spoken_of(conn, vault, firms), *persons])
    subjects |= dict.fromkeys(conn.execute(unnoted).scalars())
    return Condemned(list(subjects), sorted(set(persons.values())))


def _spoken_of(conn: Connection, vault: Vault, firms: Iterable[str]) -> list[str]:
    """Keys of referrals of these firms that were spoken of before they were theirs."""
    referrals: list[str] = []
    for part in parts(firms):
        # No index helps here: erasing is rare, and an index would cost every event.
        named = select(reference.c.id).where(
            reference.c.kind.in_(("referral", "opened")), reference.c.target.in_(part)
        )
        referrals += conn.execute(named).scalars()
    return list(_living(conn, vault, UNKNOWN_REFERRAL_PREFIX, referrals))


def _living(conn: Connection, vault: Vault, prefix: str, ids: Iterable[str]) -> dict[str, str]:
    """Those of the ids whose end is not noted yet, by surrogate."""
    found: dict[str, str] = {}
    for part in parts(ids):
        digests = {vault.subject_digest(prefix + id_): id_ for id_ in part}
        query = select(subject_key.c.surrogate, subject_key.c.digest)
        living = query.where(subject_key.c.digest.in_(digests), subject_key.c.erased_at.is_(None))
        found |= {row.surrogate: digests[row.digest] for row in conn.execute(living)}
    return found


def destroy(conn: Connection, vault: Vault, what: Condemned) -> list[str]:
    """Destroy keys, wire ids and credentials; the digest stays, by which later events are recognised.

    Answers with all that is destroyed: referrals may have come to the firms since they were condemned.
    """
    forget_people(conn, what.persons)
    subjects = list(dict.fromkeys([*what.subjects, *_spoken_of(conn, vault, what.subjects)]))
    destroy_now(conn, subjects)
    return subjects


def destroy_now(conn: Connection, surrogates: Iterable[str]) -> None:
    """Destroy these keys, in a transaction on the truth; the eraser cleans the files and notes the end."""
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
