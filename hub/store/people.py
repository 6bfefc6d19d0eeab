"""People with a login: their grant, what they prove themselves by, and the links that let them choose it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, Select, Update, delete, insert, select, update

from hub.domain.references import ACCOUNT_PREFIX
from hub.domain.scopes import SCOPES, Audience
from hub.domain.values import rfc3339
from hub.store.tables import oauth_client, person, person_link, person_recovery, person_session
from hub.store.vault import Subject, Vault, open_bytes, save_subjects, seal_bytes

RECOVERY_CODES = 10


@dataclass(frozen=True, slots=True)
class Person:
    """A person and its grant as it stands now.

    partner: slug, None for managers. networks: slugs, None for all. suspended: the person, or its partner.
    password: argon2id hash; totp: sealed secret; both None until enrolment. generation: sessions and tokens
    of earlier ones have ended. elsewhere: whether another provider's account is linked.
    """

    id: str
    audience: Audience
    partner: str | None
    networks: frozenset[str] | None
    scopes: tuple[str, ...]
    suspended: bool
    created_at: str
    password: str | None
    totp: bytes | None
    totp_step: int
    generation: int
    elsewhere: bool


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Who is to get a login."""

    email: str
    name: str
    audience: Audience
    partner: str | None
    networks: frozenset[str] | None
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """What is sealed under the person's key."""

    email: str
    name: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link to choose credentials by, once. totp: the sealed secret that its page offers."""

    person: Person
    totp: bytes
    ends_at_s: int


def login_digest(vault: Vault, email: str) -> bytes:
    """Digest that a person is found by, whatever the case of the address."""
    return vault.digest("login", email.strip().casefold().encode())


def add_person(conn: Connection, vault: Vault, new: NewPerson, at: datetime) -> str:
    """Record a person without credentials: its id; ValueError, which says why, when it cannot be one."""
    _check(conn, new)
    login = login_digest(vault, new.email)
    if conn.execute(select(person.c.id).where(person.c.login == login)).first():
        raise ValueError("there is a person with that address already: hub person list shows them")
    id_ = str(uuid4())
    subject, row = vault.make(ACCOUNT_PREFIX + id_)
    save_subjects(conn, [row])
    conn.execute(
        insert(person).values(
            id=id_,
            audience=new.audience.value,
            partner=new.partner,
            networks=None if new.networks is None else json.dumps(sorted(new.networks)),
            scopes=json.dumps(list(new.scopes)),
            suspended=False,
            created_at=rfc3339(at),
            login=login,
            sealed=seal_bytes([subject], json.dumps({"email": new.email, "name": new.name}).encode()),
            totp_step=0,
            generation=1,
        )
    )
    return id_


def find_person(conn: Connection, id_: str) -> Person | None:
    """The person of that id."""
    return _first(conn, _PEOPLE.where(person.c.id == id_))


def find_people(conn: Connection, ids: Sequence[str]) -> list[Person | None]:
    """Each of the people, None where there is none; one query for all."""
    found = {row.id: person_of(row) for row in conn.execute(_PEOPLE.where(person.c.id.in_(set(ids))))}
    return [found.get(id_) for id_ in ids]


def find_by_login(conn: Connection, login: bytes) -> Person | None:
    """The person that signs in with the address of that digest."""
    return _first(conn, _PEOPLE.where(person.c.login == login))


def find_by_openid(conn: Connection, openid: bytes) -> Person | None:
    """The person that is linked to an account elsewhere."""
    return _first(conn, _PEOPLE.where(person.c.openid == openid))


def list_people(conn: Connection) -> list[Person]:
    """Everyone, oldest first."""
    return [person_of(row) for row in conn.execute(_PEOPLE.order_by(person.c.created_at, person.c.id))]


def names(conn: Connection, vault: Vault, ids: Iterable[str]) -> dict[str, Named]:
    """Address and name by id; those erased are absent."""
    rows = conn.execute(select(person.c.id, person.c.sealed).where(person.c.id.in_(set(ids)))).all()
    subjects: dict[str, Subject] = vault.subjects(conn, [ACCOUNT_PREFIX + row.id for row in rows])
    found = {}
    for row in rows:
        subject = subjects.get(ACCOUNT_PREFIX + row.id)
        content = open_bytes([subject], row.sealed) if subject and row.sealed else None
        if content is not None:
            found[row.id] = Named(**json.loads(content))
    return found


def set_grant(conn: Connection, id_: str, scopes: Sequence[str]) -> bool:
    """Replace the grant of a person; it acts on sessions and tokens, too. False: there is none such."""
    _check_scopes(scopes)
    return changed(conn, update(person).where(person.c.id == id_).values(scopes=json.dumps(list(scopes))))


def set_suspended(conn: Connection, id_: str, suspended: bool) -> bool:
    """Shut a person out, or let it in again. False: there is none such."""
    return changed(conn, update(person).where(person.c.id == id_).values(suspended=suspended))


def end_everywhere(conn: Connection, id_: str) -> bool:
    """End every session and every token of a person, in all processes at once. False: there is none such."""
    conn.execute(delete(person_session).where(person_session.c.person == id_))
    return changed(conn, update(person).where(person.c.id == id_).values(generation=person.c.generation + 1))


def forget_credentials(conn: Connection, id_: str) -> None:
    """Take password, second factor and linked account away, and end whatever was opened with them."""
    end_everywhere(conn, id_)
    conn.execute(delete(person_recovery).where(person_recovery.c.person == id_))
    conn.execute(update(person).where(person.c.id == id_).values(password=None, totp=None, openid=None))


def forget_people(conn: Connection, ids: Sequence[str]) -> None:
    """Take from persons all that is theirs; the row stays, so that what they did keeps an actor."""
    for id_ in ids:
        forget_credentials(conn, id_)
        conn.execute(delete(person_link).where(person_link.c.person == id_))
        conn.execute(
            update(person)
            .where(person.c.id == id_)
            .values(login=None, sealed=None, scopes="[]", suspended=True, totp_step=0)
        )


def set_password(conn: Connection, id_: str, password: str) -> None:
    """Keep another hash of the person's password."""
    conn.execute(update(person).where(person.c.id == id_).values(password=password))


def set_totp(conn: Connection, id_: str, totp: bytes, step: int, recovery: Sequence[bytes]) -> None:
    """Replace the second factor: sealed secret, step of the code that confirmed it, digests of new codes."""
    conn.execute(update(person).where(person.c.id == id_).values(totp=totp, totp_step=step))
    conn.execute(delete(person_recovery).where(person_recovery.c.person == id_))
    conn.execute(insert(person_recovery), [{"digest": digest, "person": id_} for digest in recovery])


def set_openid(conn: Connection, id_: str, openid: bytes) -> None:
    """Link an account elsewhere to the person; the caller has seen that it is nobody else's."""
    conn.execute(update(person).where(person.c.id == id_).values(openid=openid))


def use_totp_step(conn: Connection, id_: str, step: int) -> bool:
    """Use up a code: whether no code of this step or of a later one was used before."""
    later = update(person).where(person.c.id == id_, person.c.totp_step < step)
    return changed(conn, later.values(totp_step=step))


def use_recovery(conn: Connection, id_: str, digest: bytes) -> bool:
    """Use up a recovery code: whether it was the person's and unused."""
    one = delete(person_recovery).where(person_recovery.c.digest == digest, person_recovery.c.person == id_)
    return conn.execute(one).rowcount > 0


def recovery_left(conn: Connection, id_: str) -> int:
    """How many recovery codes the person still has."""
    return len(conn.execute(select(person_recovery.c.digest).where(person_recovery.c.person == id_)).all())


def add_link(conn: Connection, id_: str, digest: bytes, totp: bytes, ends_at_s: int) -> None:
    """Keep a new link of a person; those from before end."""
    conn.execute(delete(person_link).where(person_link.c.person == id_))
    conn.execute(insert(person_link).values(digest=digest, person=id_, totp=totp, ends_at_s=ends_at_s))


def find_link(conn: Connection, digest: bytes, now_s: int) -> Link | None:
    """The link of a digest, unless it has ended or was used."""
    row = conn.execute(
        select(person_link).where(person_link.c.digest == digest, person_link.c.ends_at_s > now_s)
    ).first()
    found = find_person(conn, row.person) if row else None
    return Link(found, row.totp, row.ends_at_s) if row and found else None


def forget_links(conn: Connection, now_s: int) -> None:
    """Delete links that nobody followed in time."""
    conn.execute(delete(person_link).where(person_link.c.ends_at_s < now_s))


def use_link(conn: Connection, digest: bytes) -> bool:
    """Use a link up: whether it was still there."""
    return conn.execute(delete(person_link).where(person_link.c.digest == digest)).rowcount > 0


def person_of(row: Row[Any]) -> Person:
    """A row of a query `with_standing` as a person."""
    return Person(
        id=row.id,
        audience=Audience(row.audience),
        partner=row.partner,
        networks=None if row.networks is None else frozenset(json.loads(row.networks)),
        scopes=tuple(json.loads(row.scopes)),
        suspended=bool(row.suspended or row.partner_suspended),
        created_at=row.created_at,
        password=row.password,
        totp=row.totp,
        totp_step=row.totp_step,
        generation=row.generation,
        elsewhere=row.openid is not None,
    )


def changed(conn: Connection, change: Update) -> bool:
    """Whether the change found a row."""
    return conn.execute(change).rowcount > 0


def with_standing(query: Select[Any]) -> Select[Any]:
    """A query of all columns of people, with what `person_of` needs to know of their partners besides."""
    # A partner's first client bears its name, and is suspended with the partner.
    partner_suspended = oauth_client.c.suspended.label("partner_suspended")
    return query.add_columns(partner_suspended).outerjoin(
        oauth_client, oauth_client.c.client_id == person.c.partner
    )


_PEOPLE = with_standing(select(person))


def _first(conn: Connection, query: Select[Any]) -> Person | None:
    row = conn.execute(query).first()
    return person_of(row) if row else None


def _check(conn: Connection, new: NewPerson) -> None:
    local, at, domain = new.email.strip().rpartition("@")
    if not (local and at and "." in domain) or len(new.email) > 254 or not new.email.isprintable():
        raise ValueError(f"{new.email!r} is no e-mail address")
    if new.audience not in (Audience.MANAGER, Audience.PARTNER):
        raise ValueError("a person is a manager, or works at a partner")
    if new.networks is not None and new.audience is not Audience.MANAGER:
        raise ValueError("a manager is bound to networks; what an adviser sees follows from its partner")
    if (new.partner is None) == (new.audience is Audience.PARTNER):
        raise ValueError("a person belongs to a partner if, and only if, its audience is partner")
    known = select(oauth_client.c.client_id).where(oauth_client.c.client_id == new.partner)
    if new.partner is not None and conn.execute(known).first() is None:
        raise ValueError(f"there is no partner {new.partner}: add it first with hub partner add")
    _check_scopes(new.scopes)


def _check_scopes(scopes: Sequence[str]) -> None:
    if unknown := sorted(set(scopes) - SCOPES):
        raise ValueError(f"there is no scope {', '.join(unknown)}: choose from {' '.join(sorted(SCOPES))}")
