"""Every refusal over HTTP, as RFC 9457 problem details with a stable code and a remedy."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar
from uuid import uuid4

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from hub.auth.denied import Denied
from hub.domain.principal import ANYONE, Principal
from hub.domain.refusal import Refusal
from hub.events.audit import NoteRefusal, unheard
from hub.events.rejection import FieldError, Rejected
from hub.rest.methods import methods_of
from hub.store.engine import StoreUnavailable

RETRY_AFTER_S = 1
NOT_KEPT = {"Cache-Control": "no-store"}
STATUSES = {
    "credential.conflict": 409,
    "request.decided": 409,
    "breakglass.open": 409,
    "breakglass.same_hand": 409,
    "breakglass.decided": 409,
    "scope.exceeded": 403,
    "quota.exceeded": 429,
    "hub.unavailable": 503,
}
"""How a refusal of the domain or the store is answered; 422 where the code is not here."""
T = TypeVar("T")
_TEXT = {"type": "string"}
DESCRIBED: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A refusal (RFC 9457); docs/errors.md explains every code.",
        "content": {
            "application/problem+json": {
                "schema": {
                    "type": "object",
                    "required": ["type", "title", "status", "detail", "code", "remedy", "errors"],
                    "properties": {
                        **dict.fromkeys(("type", "title", "detail", "code", "remedy"), _TEXT),
                        "status": {"type": "integer"},
                        "errors": {"type": "array", "items": {"type": "object"}},
                    },
                }
            }
        },
    }
}
"""Responses that every route may give beside its own."""

log = logging.getLogger(__name__)


def problem(
    status: int,
    code: str,
    message: str,
    remedy: str,
    errors: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem document; 429 and 503 say when to come back."""
    retry = {"Retry-After": str(RETRY_AFTER_S)} if status in (429, 503) else {}
    return JSONResponse(
        {
            "type": f"urn:partner-network-hub:problem:{code}",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "detail": message,
            "code": code,
            "remedy": remedy,
            "errors": [
                {"index": error.index, "field": error.field, "message": error.message} for error in errors
            ],
        },
        status,
        {**retry, **NOT_KEPT, **(headers or {})},
        media_type="application/problem+json",
    )


def rejection(error: Rejected, headers: Mapping[str, str] | None = None) -> Response:
    """Why an event was not accepted."""
    retry = {} if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}
    return problem(
        error.status, error.code, error.message, error.remedy, error.errors, {**retry, **(headers or {})}
    )


def rejected(refusal: Refusal) -> Rejected:
    """A refusal as the problem that answers it; 422 unless its code says more."""
    message = f"{refusal.message[:1].upper()}{refusal.message[1:].removesuffix('.')}."
    return Rejected(STATUSES.get(refusal.code, 422), refusal.code, message, refusal.remedy)


def not_found(what: str) -> Rejected:
    """404, also for what the caller may not see."""
    return Rejected(404, "resource.not_found", f"There is no {what}.", "Check the address.")


def found(thing: T | None, what: str) -> T:
    """The thing; Rejected 404 when there is none, which names what was looked for."""
    if thing is None:
        raise not_found(what)
    return thing


def confirmed(principal: Principal) -> None:
    """Denied 403 when a person has to show its second factor first."""
    if refusal := principal.unconfirmed():
        raise Denied(403, refusal, {})


def place_of(request: Request) -> str:
    """The method and the template of the route: a name of our own, whatever was sent."""
    route = request.scope.get("route")
    return f"{request.method} {route.path}" if route else "no route"


def install(app: FastAPI, note_refusal: NoteRefusal = unheard) -> None:
    """Answer every exception with a problem document; none ever shows a stack trace."""

    @app.exception_handler(StoreUnavailable)
    async def unavailable(request: Request, error: StoreUnavailable) -> Response:
        # The template: a path may hold the secret of a link.
        log.warning("database_unavailable", extra={"route": place_of(request), "why": str(error)})
        message = "The hub's database cannot answer just now."
        return problem(503, "hub.unavailable", message, "Send the same request again after Retry-After.")

    @app.exception_handler(Denied)
    async def denied(request: Request, error: Denied) -> Response:
        refusal = error.refusal
        principal: Principal = error.principal or getattr(request.state, "principal", None) or ANYONE
        note_refusal(principal, refusal.code, place_of(request))
        return problem(error.status, refusal.code, refusal.message, refusal.remedy, headers=error.headers)

    @app.exception_handler(Rejected)
    async def not_accepted(_request: Request, error: Rejected) -> Response:
        return rejection(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> Response:
        errors = [
            FieldError("/" + "/".join(str(step) for step in one["loc"]), one["msg"]) for one in error.errors()
        ]
        message = f"{errors[0].field} {errors[0].message}" if errors else "The parameters are wrong."
        remedy = "Mend the parameters; /openapi.json describes them."
        return problem(422, "payload.invalid", message, remedy, errors)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            methods = ", ".join(methods_of(request.app, request.url.path))
            message, allow = f"This address takes {methods}.", {"Allow": methods}
            return problem(405, "resource.not_found", message, "Use such a method.", headers=allow)
        if error.status_code == HTTPStatus.NOT_FOUND:
            return rejection(not_found("such page"))
        return problem(error.status_code, "event.malformed", str(error.detail), "Mend the request.")

    @app.exception_handler(ClientDisconnect)
    async def gone(_request: Request, _error: ClientDisconnect) -> Response:
        return Response(status_code=400)  # Nobody reads it, and nothing is wrong here.

    @app.exception_handler(Exception)
    async def fault(request: Request, error: Exception) -> Response:
        incident = uuid4().hex
        log.error("request_failed", extra={"incident": incident, "route": place_of(request)}, exc_info=error)
        message = f"The hub failed at this request; incident {incident}."
        return problem(
            500, "hub.unavailable", message, "Try again; tell the operator the incident if it stays."
        )
