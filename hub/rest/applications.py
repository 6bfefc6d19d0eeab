"""Becoming a partner over HTTP: what the public may send, and what the network's manager answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hub.auth.access import BY_ITSELF, OPEN, needs
from hub.auth.addresses import Addresses
from hub.auth.metering import Meter
from hub.auth.oauth.server import TOKEN_PATH
from hub.auth.onboarding import applications
from hub.auth.onboarding.admissions import REASON_CHARS_MAX
from hub.auth.onboarding.applications import Applicant
from hub.auth.onboarding.client_keys import new_jwk
from hub.auth.proofs.jws import BadJws, public_key
from hub.auth.proofs.possession import CHALLENGE_LIFETIME_S
from hub.domain.partners import Role
from hub.domain.principal import ANYONE, Principal
from hub.domain.refusal import Refusal
from hub.domain.values import Country, Email, Name, Slug, Text, Value, rfc3339
from hub.events.audit import Acted
from hub.rest.admissions import Reason
from hub.rest.bodies import body_of
from hub.rest.clients import Jws, Scopes, bad_key
from hub.rest.problems import NOT_KEPT, confirmed, found, rejected
from hub.rest.registrar import Registrar
from hub.store import onboarding
from hub.store.clients import Client
from hub.store.onboarding import Application

SHOWN_MAX = 200
SECRET_CHARS_MAX = 100
CHALLENGE_COST, APPLICATION_COST = 100, 5_000
"""In fields of answers, charged to the address."""
APPLICATION = "application that you may see under this address"
PRIVATE = {**NOT_KEPT, "Referrer-Policy": "no-referrer"}


class NewApplication(Value):
    """Who wants to become a partner, of which network, with which rights; proof: as onboarding.md shows."""

    slug: Slug
    name: Annotated[Name, Field(max_length=200)]
    country: Country
    email: Email
    network: Slug
    scopes: Scopes
    message: Annotated[Text, Field(max_length=REASON_CHARS_MAX)] | None = None
    jwk: dict[str, Any]
    proof: Jws


class Approval(Value):
    """On what terms it is approved. scopes absent: those that were asked for."""

    scopes: Scopes | None = None
    role: Role = "member"


def build_router(registrar: Registrar, meter: Meter, addresses: Addresses) -> APIRouter:
    """Addresses under /applications. meter: charges the public by address."""
    router = APIRouter(prefix="/applications", tags=["onboarding"])
    _route_public(router, registrar, meter, addresses)
    _route_manager(router, registrar)
    return router


def _route_public(router: APIRouter, registrar: Registrar, meter: Meter, addresses: Addresses) -> None:
    @router.post("/challenge", dependencies=[OPEN])
    async def post_challenge(request: Request) -> Response:
        """A challenge for the key of an application."""
        meter.charge(request, ANYONE, CHALLENGE_COST)
        challenge = registrar.possession.challenge(applications.PURPOSE)
        answer = {"challenge": challenge, "audience": registrar.issuer, "expires_in": CHALLENGE_LIFETIME_S}
        return JSONResponse(answer, headers=NOT_KEPT)

    @router.post("", status_code=201, dependencies=[OPEN])
    async def post_application(request: Request) -> Response:
        """Apply; the answer has the address, to be kept secret, where the decision is told."""
        meter.charge(request, ANYONE, APPLICATION_COST)
        body = await body_of(request, NewApplication)
        try:
            jwk, thumbprint = new_jwk(body.jwk)
            challenge = registrar.possession.judge(
                body.proof,
                public_key(jwk),
                purpose=applications.PURPOSE,
                subject=body.slug,
                act="apply",
                thumbprint=thumbprint,
            )
        except BadJws as bad:
            raise bad_key(bad) from None
        applicant = Applicant(
            **{**body.model_dump(exclude={"proof"}), "jwk": jwk, "scopes": tuple(body.scopes)}
        )
        address, now = addresses.of(request), registrar.clock()
        made = await registrar.intake.commit(
            lambda conn: applications.apply(conn, registrar.vault, applicant, challenge, address, now)
        )
        if isinstance(made, Refusal):
            raise rejected(made)
        application, secret = made
        url = f"{registrar.issuer}/applications/status/{secret}"
        return JSONResponse({"id": application.id, "state": "open", "status_url": url}, 201, PRIVATE)

    @router.get("/status/{secret}", dependencies=[BY_ITSELF])
    async def get_status(request: Request, secret: str) -> Response:
        """What became of an application, for whoever has its secret address."""
        meter.charge(request, ANYONE, CHALLENGE_COST)
        wanted = applications.status_digest(secret[:SECRET_CHARS_MAX])
        application = found(
            await registrar.store.inspect(
                lambda conn: onboarding.find_application(conn, secret=wanted, since_s=_since_s(registrar))
            ),
            APPLICATION,
        )
        return JSONResponse(await _status(registrar, application), headers=PRIVATE)


def _route_manager(router: APIRouter, registrar: Registrar) -> None:
    manager: Principal = needs(registrar.authenticate, "partners:admin")
    admitting: Principal = needs(registrar.authenticate, "partners:admin", "events:publish")

    @router.get("")
    async def get_applications(principal: Principal = manager) -> Response:
        """Applications for the networks in the caller's mandate, the newest first; kept for 30 days."""
        wanted = await registrar.store.inspect(
            lambda conn: onboarding.applications(
                conn, networks=principal.networks, since_s=_since_s(registrar), most=SHOWN_MAX
            )
        )
        return JSONResponse({"applications": [_view(registrar, one) for one in wanted]}, headers=NOT_KEPT)

    @router.post("/{application_id}/approve")
    async def approve(request: Request, application_id: str, principal: Principal = admitting) -> Response:
        """Make the applicant a partner of the network: its client may act at once."""
        confirmed(principal)
        body, now = await body_of(request, Approval), registrar.clock()
        application = await _in_mandate(registrar, principal, application_id)

        def work(conn: Connection) -> Client | Refusal:
            return applications.approve(
                conn, registrar.vault, principal, application, body.scopes, body.role, now
            )

        acted = Acted(("application", application_id))
        await registrar.act(principal, "application.approved", acted, work)
        return JSONResponse(
            _view(registrar, await _in_mandate(registrar, principal, application_id)), headers=NOT_KEPT
        )

    @router.post("/{application_id}/refuse")
    async def refuse(request: Request, application_id: str, principal: Principal = manager) -> Response:
        """Say no, and why: the applicant is told at its status address."""
        confirmed(principal)
        body = await body_of(request, Reason)
        application = await _in_mandate(registrar, principal, application_id)
        acted = Acted(("application", application_id))
        await registrar.act(
            principal,
            "application.refused",
            acted,
            lambda conn: applications.refuse(conn, registrar.vault, application, body.reason),
        )
        return JSONResponse(
            _view(registrar, await _in_mandate(registrar, principal, application_id)), headers=NOT_KEPT
        )


async def _in_mandate(registrar: Registrar, principal: Principal, id_: str) -> Application:
    """An application for a network of the caller's; Rejected 404 alike for none and for one of others."""
    application = found(
        await registrar.store.inspect(
            lambda conn: onboarding.find_application(conn, id_=id_, since_s=_since_s(registrar))
        ),
        APPLICATION,
    )
    return found(application if principal.manages(application.network) else None, APPLICATION)


async def _status(registrar: Registrar, application: Application) -> dict[str, Any]:
    applicant = applications.applicant_of(registrar.vault, application)
    status: dict[str, Any] = {
        "id": application.id,
        "state": application.state,
        "slug": applicant.slug,
        "network": application.network,
        "made_at": _made_at(application),
        "kept_until": rfc3339(_until(application)),
        "reason": applications.answer_of(registrar.vault, application),
    }
    if application.state == "approved":
        status |= {
            "client_id": applicant.slug,
            "issuer": registrar.issuer,
            "token_endpoint": registrar.issuer + TOKEN_PATH,
            "source_prefix": f"/partners/{applicant.slug}/",
            "dpop": True,
        }
    return status


def _view(registrar: Registrar, application: Application) -> dict[str, Any]:
    return {
        "id": application.id,
        "state": application.state,
        "made_at": _made_at(application),
        **applications.shown(applications.applicant_of(registrar.vault, application)),
        "answer": applications.answer_of(registrar.vault, application),
    }


def _since_s(registrar: Registrar) -> int:
    """What was made before is forgotten, though it may not be deleted yet."""
    return onboarding.kept_since_s(int(registrar.clock().timestamp()))


def _made_at(application: Application) -> str:
    return rfc3339(datetime.fromtimestamp(application.made_at_s, UTC))


def _until(application: Application) -> datetime:
    return datetime.fromtimestamp(application.made_at_s, UTC) + timedelta(days=onboarding.APPLICATION_DAYS)
