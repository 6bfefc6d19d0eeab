"""GET /receipts/{seq}: what became of an event, for its sender and the parties of its referral."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from starlette.requests import Request
from starlette.responses import Response

from hub.auth.authenticate import missing_scope, missing_token
from hub.domain.principal import Principal
from hub.domain.scopes import Audience
from hub.rest.problems import not_found
from hub.store.engine import Store
from hub.store.entries import receipt_of
from hub.store.records import viewer_of
from hub.store.vault import Vault

_SEQ = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)


def build_router(
    store: Store,
    vault: Vault,
    authenticate: Callable[[Request], Awaitable[Principal]],
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> APIRouter:
    """The receipts' address. authenticate: raises Denied for a token that does not hold; clock: aware UTC."""
    router = APIRouter(tags=["events"])

    @router.get("/receipts/{seq}")
    async def get_receipt(request: Request, seq: str) -> Response:
        """The receipt of an event; 404 alike for one that is not there and one that is not the caller's."""
        principal = await authenticate(request)
        if principal.audience is Audience.PUBLIC:
            raise missing_token()
        if "events:read" not in principal.scopes:
            raise missing_scope("events:read")
        now = clock()
        number = int(seq) if _SEQ.fullmatch(seq) else 0
        receipt = await store.read(
            lambda conn: receipt_of(conn, viewer_of(conn, principal, now), vault, number)
        )
        if receipt is None:
            return not_found("receipt that you may read under this number")
        # A verdict is still to come, and rights end: no copy may outlive this answer.
        return JSONResponse(receipt, headers={"Cache-Control": "no-store"})

    return router
