"""GET /receipts/{seq}: what became of an event, for its sender and the parties of its referral.

GET /receipts/in/{partition}/{offset}: what became of a message that a partner wrote to its own topic.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from sqlalchemy import Connection
from starlette.responses import Response

from hub.auth.access import Authenticate, needs
from hub.domain.principal import Principal
from hub.domain.viewer import Viewer
from hub.rest.problems import NOT_KEPT, found
from hub.store.deliveries import find_delivery
from hub.store.engine import Store
from hub.store.entries import receipt_of
from hub.store.vault import Vault
from hub.store.viewers import viewer_of

_SEQ = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
_PARTITION = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)
_OFFSET = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)


def build_router(
    store: Store,
    vault: Vault,
    authenticate: Authenticate,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> APIRouter:
    """The receipts' address. authenticate: raises Denied for a token that does not hold; clock: aware UTC."""
    router = APIRouter(tags=["events"])

    reader: Principal = needs(authenticate, "events:read")

    @router.get("/receipts/{seq}")
    async def get_receipt(seq: str, principal: Principal = reader) -> Response:
        """The receipt of an event; 404 alike for one that is not there and one that is not the caller's."""
        now = clock()
        number = int(seq) if _SEQ.fullmatch(seq) else 0
        receipt = await store.read(
            lambda conn: receipt_of(conn, viewer_of(conn, principal, now), vault, number)
        )
        # A verdict is still to come, and rights end: no copy may outlive this answer.
        return JSONResponse(found(receipt, "receipt that you may read under this number"), headers=NOT_KEPT)

    @router.get("/receipts/in/{partition}/{offset}")
    async def get_delivery(partition: str, offset: str, principal: Principal = reader) -> Response:
        """The receipt of a message of the caller's own topic; 404 also while it has not been read."""
        now = clock()
        receipt = None
        if principal.partner and _PARTITION.fullmatch(partition) and _OFFSET.fullmatch(offset):
            place = int(partition), int(offset)
            receipt = await store.read(
                lambda conn: _receipt_in(conn, viewer_of(conn, principal, now), vault, *place)
            )
        what = "message of yours that was read under this partition and offset"
        return JSONResponse(found(receipt, what), headers=NOT_KEPT)

    return router


def _receipt_in(
    conn: Connection, viewer: Viewer, vault: Vault, partition: int, offset: int
) -> dict[str, Any] | None:
    """The receipt of a message of the viewer's topic: that of its first event, with `seqs` for a batch."""
    found = find_delivery(conn, vault, viewer.principal.partner or "", partition, offset)
    if found is None:
        return None
    if found.refusal:
        absent = dict.fromkeys(("accepted_at", "leaf_index", "leaf_hash", "salt", "subject"))
        return {"seq": None, "status": found.status, "refusal": asdict(found.refusal), **absent}
    receipt = receipt_of(conn, viewer, vault, found.seqs[0])
    if receipt and len(found.seqs) > 1:
        receipt["seqs"] = list(found.seqs)
    return receipt
