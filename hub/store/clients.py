"""OAuth clients, their public keys and the single use of identifiers of signed statements (``jti``)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from hub.domain.principal import Principal
from hub.domain.scopes import SCOPES, Audience
from hub.domain.values import rfc3339
from hub.store.lookup import Lookup
from hub.store.tables import oauth_client, oauth_client_key, oauth_jti
from hub.store.thumbprint import thumbprint

LIVE_KEYS_MAX = 2
"""A rotation needs the old key and the new one, never more."""
PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""Members that make a JWK secret: RFC 7518, section 6."""

_CLIENT_ID = re.compile(r"[A-Za-z0-9._~-]{1,128}", re.ASCII)
_KID_CHARS_MAX = 256


@dataclass(frozen=True, slots=True)
class Client:
    """Who may ask for tokens, and its grant as it stands now.

    partner: slug, None for portals and managers. networks: slugs, None for all. scopes: the grant.
    bearer: the recorded waiver of DPoP. keys: live public JWKs, oldest first, each with a `kid`.
    """

    client_id: str
    partner: str | None
    audience: Audience
    source_prefix: str
    networks: frozenset[str] | None
    scopes: tuple[str, ...]
    bearer: bool
    suspended: bool = False
    keys: tuple[dict[str, Any], ...] = ()

    def principal(self, scopes: Iterable[str]) -> Principal:
        """The client as a caller that acts for itself. scopes: of its grant, those that hold now."""
        return Principal(
            client_id=self.client_id,
            audience=self.audience,
            partner=self.partner,
            scopes=frozenset(scopes),
            networks=self.networks,
            source_prefix=self.source_prefix,
        )


def add_client(conn: Connection, client: Client, at: datetime) -> None:
    """Record a client and its keys; ValueError, which says why, when it cannot be one or exists already."""
    _check_client(client)
    if find_client(conn, client.client_id):
        raise ValueError(f"client {client.client_id} exists already: add a key to it, or choose another name")
    networks = None if client.networks is None else json.dumps(sorted(client.networks))
    conn.execute(
        insert(oauth_client).values(
            client_id=client.client_id,
            partner=client.partner,
            audience=client.audience.value,
            source_prefix=client.source_prefix,
            networks=networks,
            scopes=json.dumps(list(client.scopes)),
            bearer=client.bearer,
            suspended=client.suspended,
            created_at=rfc3339(at),
        )
    )
    for jwk in client.keys:
        add_key(conn, client.client_id, jwk, at)


def find_client(conn: Connection, client_id: str) -> Client | None:
    """The client with its live keys, in one query whether it exists or not."""
    return find_clients(conn, [client_id])[0]


def find_clients(conn: Connection, client_ids: Sequence[str]) -> list[Client | None]:
    """Each of the clients with its live keys, None where there is none; one query for all."""
    found = {one.client_id: one for one in _clients(_SOME.rows(conn, sorted(set(client_ids))))}
    return [found.get(client_id) for client_id in client_ids]


def list_clients(conn: Connection) -> list[Client]:
    """All clients by id, suspended ones too."""
    return _clients(conn.execute(_WITH_LIVE_KEYS).all())


def set_grant(conn: Connection, client_id: str, scopes: Sequence[str]) -> bool:
    """Replace the grant of a client; it acts on tokens already issued, too. False: no such client."""
    _check_scopes(scopes)
    changed = (
        update(oauth_client)
        .where(oauth_client.c.client_id == client_id)
        .values(scopes=json.dumps(list(scopes)))
    )
    return conn.execute(changed).rowcount > 0


def set_suspended(conn: Connection, partner: str, suspended: bool) -> bool:
    """Suspend or resume every client of a partner (slug). False: there is none."""
    of_partner = update(oauth_client).where(oauth_client.c.partner == partner)
    return conn.execute(of_partner.values(suspended=suspended)).rowcount > 0


def add_key(conn: Connection, client_id: str, jwk: Mapping[str, Any], at: datetime) -> None:
    """Give a client one more public key (a JWK with `kid`); ValueError, which says why, when it must not.

    A `kid` is never used twice, not even after its key was retired: old logs must not name two keys.
    """
    kid = jwk.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= _KID_CHARS_MAX:
        raise ValueError(f"the key needs a kid of 1 to {_KID_CHARS_MAX} characters: its RFC 7638 thumbprint")
    if PRIVATE_MEMBERS & jwk.keys():
        raise ValueError("the key is private or secret: give the public JWK, and keep the other to yourself")
    known = select(oauth_client.c.client_id).where(oauth_client.c.client_id == client_id)
    # The lock keeps two processes from adding the second and the third key at once.
    if conn.execute(known.with_for_update()).first() is None:
        raise ValueError(f"there is no client {client_id}: add it first")
    mine = select(oauth_client_key.c.kid, oauth_client_key.c.retired_at).where(
        oauth_client_key.c.client_id == client_id
    )
    rows = conn.execute(mine.order_by(oauth_client_key.c.added_at, oauth_client_key.c.kid)).all()
    if any(row.kid == kid for row in rows):
        raise ValueError(f"client {client_id} had a key {kid} before: make a new key with a kid of its own")
    live = [row.kid for row in rows if row.retired_at is None]
    if len(live) >= LIVE_KEYS_MAX:
        raise ValueError(
            f"client {client_id} has {LIVE_KEYS_MAX} live keys ({', '.join(live)}): retire one of them first"
        )
    conn.execute(
        insert(oauth_client_key).values(
            client_id=client_id,
            kid=kid,
            jwk=json.dumps(dict(jwk), sort_keys=True),
            thumbprint=thumbprint(jwk),
            added_at=rfc3339(at),
        )
    )


def retire_key(conn: Connection, client_id: str, kid: str, at: datetime) -> bool:
    """End the life of a key; what it signed is refused from then on. False: no such live key."""
    key = and_(
        oauth_client_key.c.client_id == client_id,
        oauth_client_key.c.kid == kid,
        oauth_client_key.c.retired_at.is_(None),
    )
    return conn.execute(update(oauth_client_key).where(key).values(retired_at=rfc3339(at))).rowcount > 0


def use_jtis(conn: Connection, statements: Sequence[tuple[str, str, int]]) -> list[bool]:
    """Use up identifiers of signed statements: for each whether it was never seen before.

    statements: issuer, jti, and seconds since 1970 when it is refused for its age and may be forgotten.
    """
    digests = [_jti_digest(issuer, jti) for issuer, jti, _ in statements]
    ends = {digest: end for digest, (_, _, end) in zip(digests, statements, strict=True)}
    rows = [{"digest": digest, "expires_at": end} for digest, end in sorted(ends.items())]
    # One statement decides: reading first and writing then would let two requests in.
    fresh = set(conn.execute(_USE_JTI, rows).scalars()) if rows else set()
    answers = []
    for digest in digests:
        answers.append(digest in fresh)
        fresh.discard(digest)  # The second one of the same group was seen before.
    return answers


def forget_jtis(conn: Connection, now_s: int) -> int:
    """Delete identifiers of statements that are refused for their age anyway; how many."""
    return conn.execute(delete(oauth_jti).where(oauth_jti.c.expires_at < now_s)).rowcount


_USE_JTI = upsert(oauth_jti).on_conflict_do_nothing(index_elements=["digest"]).returning(oauth_jti.c.digest)

_WITH_LIVE_KEYS: Select[Any] = (
    select(oauth_client, oauth_client_key.c.jwk)
    .outerjoin_from(
        oauth_client,
        oauth_client_key,
        and_(
            oauth_client_key.c.client_id == oauth_client.c.client_id,
            oauth_client_key.c.retired_at.is_(None),
        ),
    )
    .order_by(oauth_client.c.client_id, oauth_client_key.c.added_at, oauth_client_key.c.kid)
)
# Built once: every request with a token runs it.
_SOME = Lookup(_WITH_LIVE_KEYS, oauth_client.c.client_id)


def _clients(rows: Iterable[Row[Any]]) -> list[Client]:
    by_id: dict[str, tuple[Row[Any], list[dict[str, Any]]]] = {}
    for row in rows:
        keys = by_id.setdefault(row.client_id, (row, []))[1]
        if row.jwk is not None:
            keys.append(json.loads(row.jwk))
    return [_client(row, keys) for row, keys in by_id.values()]


def _client(row: Row[Any], keys: Iterable[dict[str, Any]]) -> Client:
    return client_of(
        row.client_id,
        row.partner,
        row.audience,
        row.source_prefix,
        row.networks,
        row.scopes,
        row.bearer,
        row.suspended,
        keys,
    )


def client_of(
    client_id: str,
    partner: str | None,
    audience: str,
    source_prefix: str,
    networks: str | None,
    scopes: str,
    bearer: bool,
    suspended: bool,
    keys: Iterable[dict[str, Any]] = (),
) -> Client:
    """A client from the columns of its row."""
    return Client(
        client_id=client_id,
        partner=partner,
        audience=Audience(audience),
        source_prefix=source_prefix,
        networks=None if networks is None else frozenset(json.loads(networks)),
        scopes=tuple(json.loads(scopes)),
        bearer=bool(bearer),
        suspended=bool(suspended),
        keys=tuple(keys),
    )


def _check_client(client: Client) -> None:
    if not _CLIENT_ID.fullmatch(client.client_id):
        raise ValueError("a client id has 1 to 128 letters, digits and . _ ~ -")
    if not client.source_prefix.endswith("/"):
        raise ValueError(f"source prefix {client.source_prefix!r} must end in a slash")
    if client.audience is Audience.PUBLIC:
        raise ValueError("the public needs no client: choose the audience partner, portal or manager")
    if (client.partner is None) == (client.audience is Audience.PARTNER):
        raise ValueError("a client speaks for a partner if, and only if, its audience is partner")
    _check_scopes(client.scopes)


def _check_scopes(scopes: Sequence[str]) -> None:
    if unknown := sorted(set(scopes) - SCOPES):
        raise ValueError(f"there is no scope {', '.join(unknown)}: choose from {' '.join(sorted(SCOPES))}")


def _jti_digest(issuer: str, jti: str) -> bytes:
    # JSON keeps the pair apart: ("a", "bc") and ("ab", "c") must not share a digest.
    return sha256(json.dumps([issuer, jti]).encode()).digest()
