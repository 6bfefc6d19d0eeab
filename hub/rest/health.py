"""Whether the process lives, and whether it can do its work."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from starlette.responses import Response

from hub.rest.problems import problem
from hub.store.engine import Store, StoreUnavailable
from hub.store.inbox import last_seq
from hub.store.ledger import newest_head
from hub.store.pages import projection_version


def build_router(store: Store) -> APIRouter:
    """/healthz and /readyz."""
    router = APIRouter(tags=["operations"])

    @router.get("/healthz")
    async def healthz() -> Response:
        """The process answers."""
        return JSONResponse({"status": "ok"})

    @router.get("/readyz")
    async def readyz() -> Response:
        """The database answers; how far sequencer and projector are behind the inbox, in events."""
        try:
            accepted, head, shown = await store.read(
                lambda conn: (last_seq(conn), newest_head(conn), projection_version(conn))
            )
        except StoreUnavailable:
            return problem(503, "hub.unavailable", "The database does not answer.", "Try again shortly.")
        return JSONResponse(
            {"status": "ok", "accepted": accepted, "sequenced": head.size if head else 0, "version": shown}
        )

    return router
