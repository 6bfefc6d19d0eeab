"""The manager's hand: requests for scopes and grants of the partners in its mandate."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hub.auth.access import needs
from hub.auth.onboarding import admissions
from hub.auth.onboarding.admissions import REASON_CHARS_MAX
from hub.auth.onboarding.mandate import reaches
from hub.domain.principal import Principal
from hub.domain.refusal import Refusal
from hub.domain.values import Text, Value
from hub.events.audit import Acted
from hub.rest.bodies import body_of
from hub.rest.client_views import request_view
from hub.rest.clients import Scopes, view_of
from hub.rest.problems import NOT_KEPT, confirmed, found, not_found
from hub.rest.registrar import Registrar
from hub.store import onboarding
from hub.store.clients import Client, list_clients
from hub.store.onboarding import ScopeRequest
from hub.store.viewers import memberships

SHOWN_MAX = 200
CLIENT, REQUEST = "client of a partner of yours with this id", "request of yours to decide with this id"
State = Literal["open", "approved", "refused"]


class Grant(Value):
    """All that a client may ask for from now on."""

    scopes: Scopes


class Reason(Value):
    """Why something is refused; told to who asked."""

    reason: Annotated[Text, Field(max_length=REASON_CHARS_MAX)]


def build_router(registrar: Registrar) -> APIRouter:
    """Addresses for managers with `partners:admin`."""
    router = APIRouter(tags=["onboarding"])
    manager: Principal = needs(registrar.authenticate, "partners:admin")

    @router.get("/scope-requests")
    async def get_requests(state: State = "open", principal: Principal = manager) -> Response:
        """Requests of the clients in the caller's mandate, the newest first."""
        wanted = await registrar.store.inspect(lambda conn: _requests(conn, registrar, principal, state))
        shown = [request_view(registrar.vault, one) for one in wanted]
        return JSONResponse({"scope_requests": shown}, headers=NOT_KEPT)

    @router.post("/scope-requests/{request_id}/approve")
    async def approve(request_id: str, principal: Principal = manager) -> Response:
        """Grant what was asked for; it acts at once."""
        return await _decide(registrar, principal, request_id, "approved", None)

    @router.post("/scope-requests/{request_id}/refuse")
    async def refuse(request: Request, request_id: str, principal: Principal = manager) -> Response:
        """Say no, and why."""
        body = await body_of(request, Reason)
        return await _decide(registrar, principal, request_id, "refused", body.reason)

    @router.put("/clients/{client_id}/grant")
    async def put_grant(request: Request, client_id: str, principal: Principal = manager) -> Response:
        """Replace the grant of a partner's client; it acts at once, also on tokens that are out."""
        confirmed(principal)
        body, now = await body_of(request, Grant), registrar.clock()
        client, _ = await registrar.client(principal, client_id)

        def work(conn: Connection) -> Client | Refusal:
            done = admissions.grant(conn, principal, client_id, body.scopes, now)
            if done is None:
                raise not_found(CLIENT)
            return done

        acted = Acted(("client", client_id), client.partner)
        await registrar.act(principal, "grant.changed", acted, work)
        return JSONResponse(await view_of(registrar, principal, client_id), headers=NOT_KEPT)

    return router


def _requests(
    conn: Connection, registrar: Registrar, principal: Principal, state: State
) -> list[ScopeRequest]:
    reach = reaches(principal, list_clients(conn), memberships(conn, registrar.clock()))
    return onboarding.scope_requests(conn, clients=sorted(reach), state=state, most=SHOWN_MAX)


async def _decide(
    registrar: Registrar,
    principal: Principal,
    request_id: str,
    decision: Literal["approved", "refused"],
    reason: str | None,
) -> Response:
    confirmed(principal)
    now = registrar.clock()

    def work(conn: Connection) -> ScopeRequest | Refusal:
        decided = admissions.decide_request(
            conn, registrar.vault, principal, request_id, decision, reason, now
        )
        if decided is None:
            raise not_found(REQUEST)
        return decided

    request = await registrar.store.inspect(lambda conn: onboarding.find_scope_request(conn, request_id))
    client, _ = await registrar.client(principal, found(request, REQUEST).client_id, REQUEST)
    acted = Acted(("scope-request", request_id), client.partner)
    act: Literal["grant.changed", "grant.refused"] = (
        "grant.changed" if decision == "approved" else "grant.refused"
    )
    done = await registrar.act(principal, act, acted, work)
    return JSONResponse(request_view(registrar.vault, done), headers=NOT_KEPT)
