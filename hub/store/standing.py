"""How the holder of an access token stands at this moment: its client's grant, and whether it was revoked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete
from sqlalchemy.dialects.postgresql import insert as upsert

from hub.store.clients import Client, client_of
from hub.store.engine import Glance, Store
from hub.store.tables import oauth_revoked

REMEMBERED_ROWS_MAX = 4_096


class TokenStanding(NamedTuple):
    """client: without its keys; None when there is none. revoked: whether the token was."""

    client: Client | None
    revoked: bool


async def standings(store: Store, tokens: Sequence[tuple[str, str]]) -> list[TokenStanding]:
    """How each token (client id, jti) stands now, in one question."""
    rows = await store.glance(_STANDING, [client_id for client_id, _ in tokens], [jti for _, jti in tokens])
    return [TokenStanding(None if row[0] is None else _client(*row[:-1]), bool(row[-1])) for row in rows]


async def clients_with_keys(store: Store, client_ids: Sequence[str]) -> list[Client | None]:
    """Each of the clients with its live keys as they are now, None where there is none, in one question."""
    found: dict[str, Client] = {}
    for *members, jwk in await store.glance(_CLIENTS, client_ids):
        before = found.get(members[0])
        keys = (*(before.keys if before else ()), *(() if jwk is None else (json.loads(jwk),)))
        found[members[0]] = replace(_client(*members), keys=keys)
    return [found.get(client_id) for client_id in client_ids]


def revoke(conn: Connection, jti: str, expires_at_s: int) -> None:
    """Refuse an access token from now on."""
    conn.execute(_REVOKE, {"jti": jti, "expires_at": expires_at_s})


def forget_revocations(conn: Connection, now_s: int) -> None:
    """Delete revocations of tokens that have expired by themselves."""
    conn.execute(delete(oauth_revoked).where(oauth_revoked.c.expires_at < now_s))


_REVOKE = upsert(oauth_revoked).on_conflict_do_nothing(index_elements=["jti"])
_STANDING = Glance(
    sqlite="""
        SELECT c.client_id, c.partner, c.audience, c.source_prefix, c.networks, c.scopes, c.bearer,
               c.suspended,
               EXISTS (SELECT 1 FROM oauth_revoked r WHERE r.jti = json_extract(?2, '$[' || asked.key || ']'))
        FROM json_each(?1) AS asked LEFT JOIN oauth_client c ON c.client_id = asked.value
        ORDER BY asked.key""",
    postgres="""
        SELECT c.client_id, c.partner, c.audience, c.source_prefix, c.networks, c.scopes, c.bearer,
               c.suspended, EXISTS (SELECT FROM oauth_revoked r WHERE r.jti = asked.jti)
        FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS asked (client_id, jti, place)
        LEFT JOIN oauth_client c ON c.client_id = asked.client_id
        ORDER BY asked.place""",
)


_CLIENTS = Glance(
    sqlite="""
        SELECT c.client_id, c.partner, c.audience, c.source_prefix, c.networks, c.scopes, c.bearer,
               c.suspended, k.jwk
        FROM oauth_client c
        LEFT JOIN oauth_client_key k ON k.client_id = c.client_id AND k.retired_at IS NULL
        WHERE c.client_id IN (SELECT value FROM json_each(?1))
        ORDER BY c.client_id, k.added_at, k.kid""",
    postgres="""
        SELECT c.client_id, c.partner, c.audience, c.source_prefix, c.networks, c.scopes, c.bearer,
               c.suspended, k.jwk
        FROM oauth_client c
        LEFT JOIN oauth_client_key k ON k.client_id = c.client_id AND k.retired_at IS NULL
        WHERE c.client_id = ANY ($1::text[])
        ORDER BY c.client_id, k.added_at, k.kid""",
)


@lru_cache(REMEMBERED_ROWS_MAX)
def _client(*row: Any) -> Client:
    """The client of a row that was just read: remembered is what its text means, not what it says now."""
    return client_of(*row)
