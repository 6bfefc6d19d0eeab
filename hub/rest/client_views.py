"""Clients, requests and applications as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub.auth.onboarding.admissions import answer_of, reason_of
from hub.auth.proofs.jws import public_key
from hub.events.quotas import QuotaLeft
from hub.store.clients import Client
from hub.store.onboarding import KeyStanding, ScopeRequest
from hub.store.vault import Vault


def client_view(
    client: Client,
    *,
    keys: Mapping[tuple[str, str], KeyStanding],
    last_used_at: str | None,
    requested: Sequence[ScopeRequest],
    quotas: Sequence[QuotaLeft],
) -> dict[str, Any]:
    """A client. keys: standing by client and `kid`; requested: open requests; quotas: of this process."""
    return {
        "client_id": client.client_id,
        "partner": client.partner,
        "audience": client.audience.value,
        "source_prefix": client.source_prefix,
        "networks": None if client.networks is None else sorted(client.networks),
        "scopes": list(client.scopes),
        "requested_scopes": sorted({scope for one in requested for scope in one.scopes}),
        "dpop": not client.bearer,
        "suspended": client.suspended,
        "last_used_at": last_used_at,
        "keys": [_key(jwk, keys.get((client.client_id, str(jwk["kid"])))) for jwk in client.keys],
        "quotas": [
            {"name": one.name, "per_second": one.rate_per_s, "size": one.size, "left": one.left}
            for one in quotas
        ],
    }


def _key(jwk: Mapping[str, Any], standing: KeyStanding | None) -> dict[str, Any]:
    return {
        "kid": jwk["kid"],
        "thumbprint": standing.thumbprint if standing else None,
        "algs": sorted(public_key(jwk).algorithms),
        "added_at": standing.added_at if standing else None,
        "last_used_at": standing.last_used_at if standing else None,
    }


def request_view(vault: Vault, request: ScopeRequest) -> dict[str, Any]:
    """A request for scopes."""
    return {
        "id": request.id,
        "client_id": request.client_id,
        "scopes": list(request.scopes),
        "reason": reason_of(vault, request),
        "state": request.state,
        "made_at": request.made_at,
        "decided_at": request.decided_at,
        "answer": answer_of(vault, request),
    }
