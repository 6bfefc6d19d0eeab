"""A partner's own hand on its clients: what they are, which keys they have, and what more they ask for."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hub.auth.access import needs_one
from hub.auth.authenticate import scope_denied
from hub.auth.onboarding import admissions, client_keys
from hub.auth.onboarding.mandate import reaches
from hub.auth.proofs.jws import BadJws
from hub.auth.proofs.possession import CHALLENGE_LIFETIME_S
from hub.domain.principal import Principal, account_of
from hub.domain.refusal import Refusal
from hub.domain.values import Text, Value, rfc3339
from hub.events.audit import Acted
from hub.events.rejection import Rejected
from hub.rest.bodies import body_of
from hub.rest.client_views import client_view, request_view
from hub.rest.problems import NOT_KEPT, confirmed, not_found, rejected
from hub.rest.registrar import Registrar
from hub.store import onboarding
from hub.store.clients import Client, list_clients
from hub.store.onboarding import ScopeRequest
from hub.store.viewers import memberships

REQUESTS_SHOWN_MAX = 100
APPROVAL = "key-approval"
"""Header in which the end of a key is approved: a DELETE has no body that all would pass on."""

Jws = Annotated[str, Field(min_length=1, max_length=8_192)]
Scopes = Annotated[list[Annotated[str, Field(max_length=64)]], Field(min_length=1, max_length=50)]


class NewKey(Value):
    """A public key, and who vouches for it: its own signature, and that of a live key (absent: a person)."""

    jwk: dict[str, Any]
    proof: Jws
    approval: Jws | None = None


class WantedScopes(Value):
    """Scopes that a client asks for, and why."""

    scopes: Scopes
    reason: Annotated[Text, Field(max_length=admissions.REASON_CHARS_MAX)]


def build_router(registrar: Registrar) -> APIRouter:
    """Addresses under /clients for those whose clients they are, and for managers to look at."""
    router = APIRouter(prefix="/clients", tags=["onboarding"])
    holder: Principal = needs_one(registrar.authenticate, "partners:self", "partners:admin")
    _route_views(router, registrar, holder)
    _route_keys(router, registrar, holder)

    @router.post("/{client_id}/scope-requests", status_code=201)
    async def post_scope_request(request: Request, client_id: str, principal: Principal = holder) -> Response:
        """Ask the network's manager for more scopes."""
        client = await _own(registrar, principal, client_id)
        body = await body_of(request, WantedScopes)
        acted = Acted(("client", client_id), client.partner)
        at = rfc3339(registrar.clock())

        def work(conn: Connection) -> ScopeRequest | Refusal:
            return admissions.make_request(conn, registrar.vault, client, body.scopes, body.reason, at)

        made = await registrar.act(principal, "grant.requested", acted, work)
        return JSONResponse(request_view(registrar.vault, made), 201, NOT_KEPT)

    return router


def _route_views(router: APIRouter, registrar: Registrar, holder: Principal) -> None:
    @router.get("")
    async def get_clients(principal: Principal = holder) -> Response:
        """Clients of the caller's partner; for a manager those of the partners in its mandate."""
        return JSONResponse({"clients": await _views(registrar, principal)}, headers=NOT_KEPT)

    @router.get("/me")
    async def get_own_client(principal: Principal = holder) -> Response:
        """The client that asks."""
        return JSONResponse(await view_of(registrar, principal, principal.client_id or ""), headers=NOT_KEPT)

    @router.get("/{client_id}")
    async def get_client(client_id: str, principal: Principal = holder) -> Response:
        """One of these clients."""
        return JSONResponse(await view_of(registrar, principal, client_id), headers=NOT_KEPT)


def _route_keys(router: APIRouter, registrar: Registrar, holder: Principal) -> None:
    @router.post("/{client_id}/keys/challenge")
    async def post_challenge(client_id: str, principal: Principal = holder) -> Response:
        """A challenge for the next change of this client's keys."""
        client = await _own(registrar, principal, client_id)
        challenge = registrar.possession.challenge(client_keys.purpose_of(client.client_id))
        told = {"challenge": challenge, "audience": registrar.issuer, "expires_in": CHALLENGE_LIFETIME_S}
        return JSONResponse(told, headers=NOT_KEPT)

    @router.post("/{client_id}/keys", status_code=201)
    async def post_key(request: Request, client_id: str, principal: Principal = holder) -> Response:
        """Add a public key: the new key proves itself, and a live key (or a person) approves it."""
        client = await _own(registrar, principal, client_id)
        body = await body_of(request, NewKey)
        _check_approval(principal, client, body.approval)
        try:
            change = client_keys.judge_addition(
                registrar.possession,
                client,
                body.jwk,
                body.proof,
                None if principal.person else body.approval,
            )
        except BadJws as bad:
            raise bad_key(bad) from None
        now = registrar.clock()
        acted = Acted(("key", change.kid), client.partner)
        await registrar.act(principal, "key.added", acted, lambda conn: client_keys.add(conn, change, now))
        return JSONResponse(await view_of(registrar, principal, client_id), 201, NOT_KEPT)

    @router.delete("/{client_id}/keys/{kid}")
    async def delete_key(
        request: Request, client_id: str, kid: str, principal: Principal = holder
    ) -> Response:
        """Retire a key; the live key that stays signs for it, in the header Key-Approval."""
        client = await _own(registrar, principal, client_id)
        approval = request.headers.get(APPROVAL)
        _check_approval(principal, client, approval)
        try:
            change = client_keys.judge_retirement(
                registrar.possession, client, kid, None if principal.person else approval
            )
        except BadJws as bad:
            raise bad_key(bad) from None
        if change is None:
            raise not_found("live key of this client with this kid")
        now = registrar.clock()
        acted = Acted(("key", change.kid), client.partner)
        await registrar.act(
            principal, "key.retired", acted, lambda conn: client_keys.retire(conn, change, now)
        )
        return JSONResponse(await view_of(registrar, principal, client_id), headers=NOT_KEPT)


async def _own(registrar: Registrar, principal: Principal, client_id: str) -> Client:
    """The caller's own client; Rejected 404 for all others."""
    client, reach = await registrar.client(principal, client_id)
    if reach != "own":
        raise not_found("client of yours with this id")
    return client


def _check_approval(principal: Principal, client: Client, approval: str | None) -> None:
    """Who approves is a live key, or a person that confirmed it and may do all that the client may."""
    if principal.person is None:
        if approval is None:
            raise bad_key(BadJws("is missing: sign it with a live key of this client"), "approval")
        return
    confirmed(principal)
    if lacking := sorted(set(client.scopes) - principal.scopes):
        raise scope_denied(*lacking)


def bad_key(bad: BadJws, what: str = "key or its proof") -> Rejected:
    """422 for a key, or a statement on one, that is not what it has to be."""
    return rejected(
        Refusal(
            "credential.invalid", f"the {what} {bad}", "docs/onboarding.md shows how it is made and signed."
        )
    )


async def _views(registrar: Registrar, principal: Principal) -> list[dict[str, Any]]:
    now = registrar.clock()

    def read(conn: Connection) -> list[dict[str, Any]]:
        reach = reaches(principal, known := list_clients(conn), memberships(conn, now))
        return _shown(conn, registrar, [client for client in known if client.client_id in reach])

    return await registrar.store.inspect(read)


async def view_of(registrar: Registrar, principal: Principal, client_id: str) -> dict[str, Any]:
    """A client as its partner and its manager see it; Rejected 404 for all others."""
    client, _ = await registrar.client(principal, client_id)
    return (await registrar.store.inspect(lambda conn: _shown(conn, registrar, [client])))[0]


def _shown(conn: Connection, registrar: Registrar, found: list[Client]) -> list[dict[str, Any]]:
    ids = [client.client_id for client in found]
    keys, used = onboarding.key_standings(conn, ids), onboarding.last_uses(conn, ids)
    asked = onboarding.scope_requests(conn, clients=ids, state="open", most=REQUESTS_SHOWN_MAX)
    return [
        client_view(
            client,
            keys=keys,
            last_used_at=used.get(client.client_id),
            requested=[one for one in asked if one.client_id == client.client_id],
            quotas=registrar.intake.quotas.left(account_of(client.partner, client.client_id)),
        )
        for client in found
    ]
