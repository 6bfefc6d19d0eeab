"""Signing in with another provider's account: there, and back."""

from __future__ import annotations

import logging

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from hub.auth.people.cookies import ATTRIBUTES, set_cookie
from hub.auth.people.linked_accounts import LinkedAccounts
from hub.auth.people.openid import (
    BACK_PATH,
    ELSEWHERE_PATH,
    REQUEST_S,
    ExternalAccount,
    NotSignedIn,
    Provider,
)
from hub.auth.people.sessions import device_of
from hub.web.forms import safe_next
from hub.web.guard import guarded
from hub.web.pages import Pages, go

COOKIE = "__Host-hub-elsewhere"
_ENDED = f"{COOKIE}=; Max-Age=0; {ATTRIBUTES}"

log = logging.getLogger(__name__)


def add_routes(router: APIRouter, pages: Pages, provider: Provider, accounts: LinkedAccounts) -> None:
    """Routes of the way to the provider and back."""

    @router.get(ELSEWHERE_PATH)
    @guarded(pages)
    async def leave(request: Request) -> Response:
        next_ = safe_next(request.query_params.get("next"))
        link = request.query_params.get("link", "")[:100]
        try:
            address, carried = await provider.leave(next_, link, anew="anew" in request.query_params)
        except NotSignedIn as why:
            return failed(request, "sign_in.elsewhere", why)
        return go(address, f"{COOKIE}={carried}; Max-Age={REQUEST_S}; {ATTRIBUTES}")

    @router.get(BACK_PATH)
    @guarded(pages)
    async def back(request: Request) -> Response:
        given = request.query_params
        try:
            if len(given) < len(given.multi_items()):
                raise NotSignedIn("a parameter came twice")
            asked, account = await provider.arrive(given, request.cookies.get(COOKIE, ""))
        except NotSignedIn as why:
            return failed(request, "sign_in.elsewhere", why)
        if asked.anew:
            return await again(request, asked.next, account)
        answer = await accounts.sign_in(account, asked.link, device=device_of(request))
        if not isinstance(answer, str):
            return failed(request, answer.code, None)
        before = await pages.sessions.find(request)
        if before:
            await pages.sessions.end(before)
        return go(asked.next, set_cookie(answer), _ENDED)

    async def again(request: Request, next_: str, account: ExternalAccount) -> Response:
        """The person of the session has proven itself once more, and nobody else."""
        session = await pages.signed_in(request)
        if session is None:
            return failed(request, "sign_in.elsewhere", None)
        answer = await accounts.confirm(session, account)
        if not isinstance(answer, str):
            return failed(request, answer.code, None)
        return go(next_, set_cookie(answer), _ENDED)

    def failed(request: Request, code: str, why: NotSignedIn | None) -> Response:
        if why is not None:
            log.warning("sign_in_elsewhere_failed", extra={"why": str(why)})
        return pages.refused(request, 400, code, {"Set-Cookie": _ENDED})
