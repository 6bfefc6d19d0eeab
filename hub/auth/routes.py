"""Addresses of the authorization server."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hub.auth.access import BY_ITSELF, OPEN
from hub.auth.addresses import Addresses
from hub.auth.oauth import described
from hub.auth.oauth.authorization import AUTHORIZE_PATH, METHOD
from hub.auth.oauth.calls import AUTH_METHOD
from hub.auth.oauth.code_grant import GRANT_TYPE
from hub.auth.oauth.key_uses import KeyUses
from hub.auth.oauth.server import (
    INTROSPECT_PATH,
    NOT_KEPT,
    REVOKE_PATH,
    TOKEN_PATH,
    ClientCredentials,
    Server,
)
from hub.auth.oauth.signing import DOCUMENT_AGE_S, Signing
from hub.auth.oauth.tokens import Tokens
from hub.auth.proofs.jws import ALGORITHMS
from hub.auth.proofs.nonces import Nonces
from hub.domain.scopes import SCOPES
from hub.events.audit import NoteRefusal, unheard
from hub.settings import Settings
from hub.store.engine import Store, StoreUnavailable

JWKS_PATH = "/oauth/jwks"
METADATA_PATH = "/.well-known/oauth-authorization-server"
RETRY_AFTER_S = 1
# RFC 6749 has this code for its other endpoint only; clients know it, and the status says the same.
UNAVAILABLE = {
    "error": "temporarily_unavailable",
    "error_description": "The hub cannot answer just now. Make a new assertion and ask again.",
}

log = logging.getLogger(__name__)


def build_router(
    store: Store,
    settings: Settings,
    signing: Signing,
    tokens: Tokens,
    nonces: Nonces,
    addresses: Addresses,
    uses: KeyUses,
    note_refusal: NoteRefusal = unheard,
    clock: Callable[[], float] = time.time,
) -> APIRouter:
    """Endpoints for tokens, key set and metadata (RFC 8414).

    addresses: tells who fails to prove itself. uses: is told which keys of clients were used.
    note_refusal: told of clients that ask for scopes which they do not hold. clock: seconds since 1970.
    """
    router = APIRouter(tags=["authorization"])
    server = Server(store, settings, tokens, nonces, addresses, uses, clock, note_refusal)
    kept = {"Cache-Control": f"public, max-age={DOCUMENT_AGE_S}"}

    @router.post(TOKEN_PATH, dependencies=[BY_ITSELF], openapi_extra=described.TOKEN)
    async def token(request: Request) -> Response:
        """An access token for a client that proves its key (RFC 6749, RFC 7523, RFC 9449)."""
        return await _answer(server.token, request)

    @router.post(REVOKE_PATH, dependencies=[BY_ITSELF], openapi_extra=described.REVOKE)
    async def revoke(request: Request) -> Response:
        """End an access token of the client that proves its key (RFC 7009)."""
        return await _answer(server.revoke, request)

    @router.post(INTROSPECT_PATH, dependencies=[BY_ITSELF], openapi_extra=described.INTROSPECT)
    async def introspect(request: Request) -> Response:
        """What an access token is worth now (RFC 7662)."""
        return await _answer(server.introspect, request)

    @router.get(JWKS_PATH, dependencies=[OPEN])
    async def jwks() -> Response:
        """Public keys that verify the hub's access tokens."""
        return JSONResponse(signing.jwks(), headers=kept)

    @router.get(METADATA_PATH, dependencies=[OPEN])
    async def metadata_document() -> Response:
        """What this authorization server can do."""
        return JSONResponse(metadata(settings), headers=kept)

    return router


async def _answer(endpoint: Callable[[Request], Awaitable[Response]], request: Request) -> Response:
    """The endpoint's answer, also while the database cannot give any."""
    try:
        return await endpoint(request)
    except StoreUnavailable as error:
        log.warning("authorization_unavailable", extra={"path": request.url.path, "why": str(error)})
        return JSONResponse(UNAVAILABLE, 503, {"Retry-After": str(RETRY_AFTER_S), **NOT_KEPT})


def metadata(settings: Settings) -> dict[str, Any]:
    """The server's metadata: only what is there."""
    issuer = settings.public_url
    signed_by_client = {
        f"{endpoint}_endpoint_auth_{what}_supported": values
        for endpoint in ("token", "revocation", "introspection")
        for what, values in (("methods", [AUTH_METHOD]), ("signing_alg_values", list(ALGORITHMS)))
    }
    return {
        "issuer": issuer,
        "token_endpoint": issuer + TOKEN_PATH,
        "revocation_endpoint": issuer + REVOKE_PATH,
        "introspection_endpoint": issuer + INTROSPECT_PATH,
        "jwks_uri": issuer + JWKS_PATH,
        "scopes_supported": sorted(SCOPES),
        "authorization_endpoint": issuer + AUTHORIZE_PATH,
        "authorization_response_iss_parameter_supported": True,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "code_challenge_methods_supported": [METHOD],
        "grant_types_supported": [ClientCredentials.GRANT_TYPE, GRANT_TYPE],
        **signed_by_client,
        "dpop_signing_alg_values_supported": list(ALGORITHMS),
    }
