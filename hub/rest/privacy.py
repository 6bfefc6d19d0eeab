"""GET /privacy/firms/{sme_id}, /privacy/people/{person_id}: a copy of all that is held on one of them.

For the firm or the person itself, handed on by who may export it. Streamed: however long a firm was helped,
the hub holds a page of its events at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from sqlalchemy import Connection
from starlette.responses import Response

from hub.auth.access import Authenticate, needs
from hub.auth.metering import Meter
from hub.domain.principal import Principal
from hub.domain.viewer import Viewer
from hub.events.audit import Acted
from hub.events.exporting import as_json
from hub.events.quotas import COST_MAX
from hub.events.spine import Hub
from hub.rest.problems import NOT_KEPT, confirmed, found
from hub.store.exports import Export, export_firm, export_person
from hub.store.vault import Vault
from hub.store.viewers import viewer_of

COPY_COST = COST_MAX
"""As the largest answer to a query: every event of the hub is looked at, and one written to the ledger."""
Find = Callable[[Connection, Viewer, Vault, str], Export | None]


def build_router(
    hub: Hub,
    authenticate: Authenticate,
    meter: Meter,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> APIRouter:
    """The addresses of copies. meter: charges them, found or not. clock: aware UTC."""
    router = APIRouter(tags=["privacy"])
    exporter: Principal = needs(authenticate, "privacy:export")

    async def find(request: Request, principal: Principal, id_: str, export: Find) -> Export | None:
        confirmed(principal)
        meter.charge(request, principal, COPY_COST)
        now = clock()
        # A copy is made of the whole state of a firm, which no viewer has a part in by itself: whose it may
        # be is the first thing that `export` asks.
        return await hub.store.inspect(
            lambda conn: export(conn, viewer_of(conn, principal, now), hub.vault, id_)
        )

    @router.get("/privacy/firms/{sme_id}")
    async def get_firm(request: Request, sme_id: str, principal: Principal = exporter) -> Response:
        """All that is held on a firm; 404 alike for one that is unknown, erased or not the caller's."""
        held = await find(request, principal, sme_id, export_firm)
        export = found(held, "firm of this id that you may export")
        # Recorded before it is told: who was given a copy is in the ledger, whatever becomes of the answer.
        await hub.auditor.act(principal, "firm.exported", Acted(sme_id=sme_id))
        return _streamed(hub, export)

    @router.get("/privacy/people/{person_id}")
    async def get_person(request: Request, person_id: str, principal: Principal = exporter) -> Response:
        """All that is held on a person who acts for a network or signs in; 404 as for firms."""
        held = await find(request, principal, person_id, export_person)
        export = found(held, "person of this id that you may export")
        await hub.auditor.act(principal, "person.exported", Acted(about=("person", person_id)))
        return _streamed(hub, export)

    return router


def _streamed(hub: Hub, export: Export) -> Response:
    return StreamingResponse(as_json(hub.store, export), media_type="application/json", headers=NOT_KEPT)
