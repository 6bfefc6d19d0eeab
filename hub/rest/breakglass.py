"""/breakglass: managers ask for emergency access to a firm, decide on it and end it.

docs/audit.md says what it opens, who is told, and when it ends.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field, model_validator
from starlette.requests import Request
from starlette.responses import Response

from hub.auth.access import Authenticate, needs
from hub.domain.audit import Actor
from hub.domain.breakglass import MINUTES_MAX
from hub.domain.principal import Principal
from hub.domain.refusal import Refusal
from hub.domain.values import Uuid, Value, rfc3339
from hub.events.breakglass import Decision, EmergencyAccess
from hub.rest.bodies import body_of
from hub.rest.problems import NOT_KEPT, confirmed, not_found, rejected
from hub.store.breakglass import GrantView

SCOPE = "ledger:breakglass"
CASE = "case of a firm in your networks that this could be about"
UNSEEN = ("referral.not_found", "sme.erased")


class Wanted(Value):
    """The body of POST /breakglass: one firm, by its own id or by a referral."""

    sme: Uuid | None = None
    referral: Uuid | None = None
    reason: Annotated[str, Field(min_length=10, max_length=2_000, pattern=r"\S")]
    minutes: Annotated[int, Field(ge=1, le=MINUTES_MAX)] = MINUTES_MAX

    @model_validator(mode="after")
    def _one_of_both(self) -> Wanted:
        if (self.sme is None) == (self.referral is None):
            raise ValueError("must name either sme or referral")
        return self


def build_router(access: EmergencyAccess, authenticate: Authenticate) -> APIRouter:
    """The addresses of emergency accesses."""
    router = APIRouter(tags=["breakglass"])
    manager: Principal = needs(authenticate, SCOPE)

    @router.get("/breakglass")
    async def list_accesses(principal: Principal = manager) -> Response:
        """Emergency accesses in the manager's networks, the latest first."""
        shown = [_shown(one) for one in await access.list(principal)]
        return JSONResponse({"breakglass": shown}, headers=NOT_KEPT)

    @router.post("/breakglass", status_code=201, openapi_extra=_DOCUMENT)
    async def request_access(request: Request, principal: Principal = manager) -> Response:
        """Ask for access; it opens when another manager approves it within an hour."""
        confirmed(principal)
        wanted = await body_of(request, Wanted)
        done = await access.request(
            principal,
            sme=wanted.sme,
            referral=wanted.referral,
            reason=wanted.reason,
            minutes=wanted.minutes,
        )
        return _outcome(done, 201)

    @router.post("/breakglass/{id}/approve")
    async def approve_access(id: str, principal: Principal = manager) -> Response:
        """Open it from now on for the minutes that were asked for."""
        return await decide(principal, id, "approved")

    @router.post("/breakglass/{id}/refuse")
    async def refuse_access(id: str, principal: Principal = manager) -> Response:
        """Leave it closed for good."""
        return await decide(principal, id, "refused")

    @router.post("/breakglass/{id}/end")
    async def end_access(id: str, principal: Principal = manager) -> Response:
        """Close it before its time, or take the request back."""
        return await decide(principal, id, "ended")

    async def decide(principal: Principal, id_: str, decision: Decision) -> Response:
        if decision != "ended":  # To close is never held up.
            confirmed(principal)
        return _outcome(await access.decide(principal, id_, decision), 200)

    return router


def _outcome(done: GrantView | Refusal, status: int) -> Response:
    if isinstance(done, Refusal):
        raise not_found(CASE) if done.code in UNSEEN else rejected(done)
    return JSONResponse(_shown(done), status, NOT_KEPT)


def _shown(view: GrantView) -> dict[str, Any]:
    grant = view.grant
    times = {
        name: at and rfc3339(at)
        for name, at in (
            ("requested_at", grant.requested_at),
            ("decided_at", grant.decided_at),
            ("until", grant.until),
            ("ended_at", grant.ended_at),
            ("used_at", grant.used_at),
        )
    }
    return {
        "id": grant.id,
        "state": view.state,
        "networks": grant.networks,
        "referrals": view.referrals,
        "reason": view.reason,
        "minutes": grant.minutes,
        "requested_by": _who(grant.requester),
        "decided_by": _who(grant.decided_by),
        "ended_by": _who(grant.ended_by),
        "uses": grant.uses,
        **times,
    }


def _who(actor: Actor | None) -> dict[str, str | None] | None:
    return {"client_id": actor.client_id, "person_id": actor.person_id} if actor else None


_DOCUMENT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": Wanted.model_json_schema()}},
    }
}
