"""Requests for scopes, applications of those who want to become partners, and when keys were last used.

What people wrote is sealed under the hub's own key by the caller; here it is bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from hub.domain.values import rfc3339
from hub.store.bulk import write_rows
from hub.store.tables import application, key_use, oauth_client_key, scope_request

State = Literal["open", "approved", "refused"]
Decision = Literal["approved", "refused"]
APPLICATION_DAYS, REQUEST_DAYS = 30, 90
"""How long what people wrote is kept."""


@dataclass(frozen=True, slots=True)
class ScopeRequest:
    """A client asks for more. reason, answer: sealed."""

    id: str
    client_id: str
    scopes: tuple[str, ...]
    reason: bytes
    state: State
    made_at: str
    decided_at: str | None = None
    answer: bytes | None = None


@dataclass(frozen=True, slots=True)
class Application:
    """Somebody wants to become a partner.

    secret: digest of what its status is asked with. address: keyed digest of where it came from. sealed: what
    was told. made_at_s: seconds since 1970. answer: sealed.
    """

    id: str
    secret: bytes
    address: bytes
    network: str
    sealed: bytes
    state: State
    made_at_s: int
    answer: bytes | None = None


@dataclass(frozen=True, slots=True)
class KeyStanding:
    """What is known of a live key beside its numbers."""

    thumbprint: str
    added_at: str
    last_used_at: str | None


def add_scope_request(conn: Connection, request: ScopeRequest) -> None:
    """Keep a new request."""
    row = {name: getattr(request, name) for name in ("id", "client_id", "reason", "state", "made_at")}
    conn.execute(insert(scope_request).values(**row, scopes=json.dumps(list(request.scopes))))


def scope_requests(
    conn: Connection, *, clients: Sequence[str] | None = None, state: State | None = None, most: int
) -> list[ScopeRequest]:
    """Requests, the newest first. clients: of these alone; None: of all."""
    query = select(scope_request).order_by(scope_request.c.made_at.desc(), scope_request.c.id).limit(most)
    if clients is not None:
        query = query.where(scope_request.c.client_id.in_(list(clients)))
    if state is not None:
        query = query.where(scope_request.c.state == state)
    return [_scope_request(row) for row in conn.execute(query)]


def find_scope_request(conn: Connection, id_: str) -> ScopeRequest | None:
    """The request of that id."""
    row = conn.execute(select(scope_request).where(scope_request.c.id == id_)).first()
    return _scope_request(row) if row else None


def decide_scope_request(
    conn: Connection, id_: str, decision: Decision, at: datetime, answer: bytes | None
) -> bool:
    """Decide an open request. False: it is decided already, or there is none."""
    decided = (
        update(scope_request)
        .where(scope_request.c.id == id_, scope_request.c.state == "open")
        .values(state=decision, decided_at=rfc3339(at), answer=answer)
    )
    return conn.execute(decided).rowcount > 0


def count_open_requests(conn: Connection, client_id: str) -> int:
    """How many requests of a client wait."""
    mine = (scope_request.c.client_id == client_id) & (scope_request.c.state == "open")
    return conn.execute(select(func.count()).select_from(scope_request).where(mine)).scalar_one()


def add_application(conn: Connection, one: Application) -> None:
    """Keep a new application."""
    names = ("id", "secret", "address", "network", "sealed", "state", "made_at_s")
    conn.execute(insert(application).values({name: getattr(one, name) for name in names}))


def applications(
    conn: Connection, *, networks: Iterable[str] | None, since_s: int, most: int
) -> list[Application]:
    """Applications made since then, the newest first. networks: for these alone; None: for all."""
    query = select(application).where(application.c.made_at_s >= since_s)
    query = query.order_by(application.c.made_at_s.desc(), application.c.id).limit(most)
    if networks is not None:
        query = query.where(application.c.network.in_(sorted(networks)))
    return [Application(**row) for row in conn.execute(query).mappings()]


def find_application(
    conn: Connection, *, since_s: int, id_: str | None = None, secret: bytes | None = None
) -> Application | None:
    """The application of that id, or of that secret's digest, if it was made since then."""
    which = application.c.id == id_ if secret is None else application.c.secret == secret
    row = (
        conn.execute(select(application).where(which, application.c.made_at_s >= since_s)).mappings().first()
    )
    return Application(**row) if row else None


def decide_application(conn: Connection, id_: str, decision: Decision, answer: bytes | None) -> bool:
    """Decide an open application. False: it is decided already, or there is none."""
    still_open = (application.c.id == id_) & (application.c.state == "open")
    decided = update(application).where(still_open).values(state=decision, answer=answer)
    return conn.execute(decided).rowcount > 0


def count_open_applications(conn: Connection, address: bytes) -> tuple[int, int]:
    """How many applications wait: of all, and of those from that address."""
    its_own = func.count().filter(application.c.address == address)
    row = conn.execute(select(func.count(), its_own).where(application.c.state == "open")).one()
    return row[0], row[1]


def kept_since_s(now_s: int) -> int:
    """Applications made before count no more: APPLICATION_DAYS days ago. Seconds since 1970."""
    return now_s - APPLICATION_DAYS * 86_400


def forget_applications(conn: Connection, now_s: int) -> None:
    """Delete applications that were kept for long enough, decided or not."""
    conn.execute(delete(application).where(application.c.made_at_s < kept_since_s(now_s)))


def forget_scope_requests(conn: Connection, now_s: int) -> None:
    """Delete requests that were decided REQUEST_DAYS ago, or that nobody decided within as many."""
    before = rfc3339(datetime.fromtimestamp(now_s, UTC) - timedelta(days=REQUEST_DAYS))
    last = func.coalesce(scope_request.c.decided_at, scope_request.c.made_at)
    conn.execute(delete(scope_request).where(last < before))


def key_standings(conn: Connection, clients: Iterable[str]) -> Mapping[tuple[str, str], KeyStanding]:
    """Standing of the live keys of these clients, by client and `kid`."""
    used = (key_use.c.client_id == oauth_client_key.c.client_id) & (key_use.c.kid == oauth_client_key.c.kid)
    query = (
        select(oauth_client_key, key_use.c.last_used_at)
        .outerjoin_from(oauth_client_key, key_use, used)
        .where(oauth_client_key.c.client_id.in_(list(clients)), oauth_client_key.c.retired_at.is_(None))
    )
    return {
        (row.client_id, row.kid): KeyStanding(row.thumbprint, row.added_at, row.last_used_at)
        for row in conn.execute(query)
    }


def last_uses(conn: Connection, clients: Iterable[str]) -> Mapping[str, str]:
    """When each of these clients last got a token, with whatever key; those that ever did."""
    query = (
        select(key_use.c.client_id, func.max(key_use.c.last_used_at).label("at"))
        .where(key_use.c.client_id.in_(list(clients)))
        .group_by(key_use.c.client_id)
    )
    return {row.client_id: row.at for row in conn.execute(query)}


def note_uses(conn: Connection, uses: Mapping[tuple[str, str], datetime]) -> None:
    """Keep when keys were last used, by client and `kid`."""
    rows = [
        {"client_id": client_id, "kid": kid, "last_used_at": rfc3339(at)}
        for (client_id, kid), at in sorted(uses.items())
    ]
    write_rows(conn, key_use, rows, update=("last_used_at",))


def is_known_key(conn: Connection, thumbprint: str) -> bool:
    """Whether any client has, or ever had, this key."""
    known = select(oauth_client_key.c.kid).where(oauth_client_key.c.thumbprint == thumbprint)
    return conn.execute(known.limit(1)).first() is not None


def _scope_request(row: Row[tuple[object, ...]]) -> ScopeRequest:
    return ScopeRequest(**{**row._mapping, "scopes": tuple(json.loads(row.scopes))})
