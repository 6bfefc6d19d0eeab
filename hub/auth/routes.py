"""Addresses of the authorization server."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hub.auth.jws import ALGORITHMS
from hub.auth.server import AUTH_METHOD, TOKEN_PATH, ClientCredentials, Server
from hub.auth.signing import Signing
from hub.domain.scopes import SCOPES
from hub.settings import Settings
from hub.store.engine import Store, StoreUnavailable

JWKS_PATH = "/oauth/jwks"
METADATA_PATH = "/.well-known/oauth-authorization-server"
DOCUMENT_AGE_S = 300
"""How long clients may keep the key set and the metadata."""
RETRY_AFTER_S = 1
NOT_KEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}
# RFC 6749 has this code for its other endpoint only; clients know it, and the status says the same.
UNAVAILABLE = {
    "error": "temporarily_unavailable",
    "error_description": "The hub cannot answer just now. Make a new assertion and ask again.",
}

log = logging.getLogger(__name__)


def build_router(
    store: Store, settings: Settings, signing: Signing, clock: Callable[[], float] = time.time
) -> APIRouter:
    """Token endpoint, key set and metadata (RFC 8414). clock: seconds since 1970."""
    router = APIRouter(tags=["authorization"])
    server = Server(store, settings, signing, clock)
    kept = {"Cache-Control": f"public, max-age={DOCUMENT_AGE_S}"}

    @router.post(TOKEN_PATH)
    async def token(request: Request) -> Response:
        """An access token for a client that proves its key (RFC 6749, RFC 7523, RFC 9449)."""
        try:
            return await server.token(request)
        except StoreUnavailable as error:
            log.warning("token_endpoint_unavailable", extra={"why": str(error)})
            return JSONResponse(UNAVAILABLE, 503, {"Retry-After": str(RETRY_AFTER_S), **NOT_KEPT})

    @router.get(JWKS_PATH)
    async def jwks() -> Response:
        """Public keys that verify the hub's access tokens."""
        return JSONResponse(signing.jwks(), headers=kept)

    @router.get(METADATA_PATH)
    async def metadata_document() -> Response:
        """What this authorization server can do."""
        return JSONResponse(metadata(settings), headers=kept)

    return router


def metadata(settings: Settings) -> dict[str, Any]:
    """The server's metadata: only what is there."""
    issuer = settings.public_url
    return {
        "issuer": issuer,
        "token_endpoint": issuer + TOKEN_PATH,
        "jwks_uri": issuer + JWKS_PATH,
        "scopes_supported": sorted(SCOPES),
        "response_types_supported": [],
        "grant_types_supported": [ClientCredentials.GRANT_TYPE],
        "token_endpoint_auth_methods_supported": [AUTH_METHOD],
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "dpop_signing_alg_values_supported": list(ALGORITHMS),
    }
