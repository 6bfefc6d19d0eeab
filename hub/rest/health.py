"""Whether the process lives, and whether it can do its work."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from hub.rest.problems import problem
from hub.store.engine import Store
from hub.store.inbox import last_seq
from hub.store.ledger import tree_size
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
            accepted, sequenced, shown = await store.read(
                lambda conn: (last_seq(conn), tree_size(conn), projection_version(conn))
            )
        except SQLAlchemyError:
            return problem(503, "hub.unavailable", "The database does not answer.", "Try again shortly.")
        return JSONResponse({"status": "ok", "accepted": accepted, "sequenced": sequenced, "version": shown})

    return router
