"""Signing in: password, then code; and showing the code again where an act asks for it."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from hub.auth.people.cookies import set_cookie
from hub.auth.people.openid import ELSEWHERE_PATH
from hub.auth.people.sessions import SIGN_IN_PATH, device_of
from hub.auth.people.sign_in import Waiting
from hub.domain.principal import CONFIRM_PATH
from hub.domain.refusal import Refusal
from hub.web.forms import safe_next
from hub.web.guard import guarded
from hub.web.pages import Pages, go, to_sign_in

CODE_PATH = "/sign-in/code"
# What one comes from, and what the page says then.
_NOTICES = {
    "signed-out": "notice_signed_out",
    "signed-out-everywhere": "notice_signed_out_everywhere",
    "ended": "notice_ended",
}


def add_routes(router: APIRouter, pages: Pages) -> None:
    """Routes of the sign-in."""
    _add_password_step(router, pages)
    _add_code_steps(router, pages)


def _add_password_step(router: APIRouter, pages: Pages) -> None:
    sessions, sign_in = pages.sessions, pages.sign_in

    def form(
        request: Request, next_: str, answer: Refusal | Waiting | None = None, email: str = ""
    ) -> Response:
        error, status, headers = pages.error(request, answer)
        notice = next((_NOTICES[name] for name in request.query_params if name in _NOTICES), "")
        return pages.page(
            request,
            "sign_in.html",
            status=status,
            error=error,
            headers=headers,
            next_=next_,
            notice="" if answer else notice,
            email=email,
            elsewhere=_with_next(ELSEWHERE_PATH, next_) if pages.elsewhere else "",
        )

    @router.get(SIGN_IN_PATH)
    @guarded(pages)
    async def show(request: Request) -> Response:
        next_ = safe_next(request.query_params.get("next"))
        session = await sessions.find(request)
        if session and session.confirmed_at_s is not None:
            return go(next_)
        return form(request, next_)

    @router.post(SIGN_IN_PATH)
    @guarded(pages)
    async def by_password(request: Request) -> Response:
        fields = await pages.fields(request)
        next_, email = safe_next(fields.get("next")), fields.get("email", "")
        before = await sessions.find(request)
        answer = await sign_in.by_password(
            email, fields.get("password", ""), address=pages.addresses.of(request), device=device_of(request)
        )
        if not isinstance(answer, str):
            return form(request, next_, answer, email)
        if before:
            await sessions.end(before)
        return go(_with_next(CODE_PATH, next_), set_cookie(answer))


def _add_code_steps(router: APIRouter, pages: Pages) -> None:
    sessions, sign_in = pages.sessions, pages.sign_in

    def form(request: Request, path: str, next_: str, answer: Refusal | Waiting | None = None) -> Response:
        error, status, headers = pages.error(request, answer)
        return pages.page(
            request,
            "code.html",
            status=status,
            error=error,
            headers=headers,
            next_=next_,
            what="code" if path == CODE_PATH else "confirm",
            action=path,
        )

    async def by_code(request: Request, path: str) -> Response:
        fields = await pages.fields(request)
        next_ = safe_next(fields.get("next"))
        session = await (pages.signed_in(request) if path == CONFIRM_PATH else sessions.find(request))
        if session is None:
            return to_sign_in(next_)
        address = pages.addresses.of(request)
        answer = await sign_in.by_code(session, fields.get("code", ""), address=address)
        if not isinstance(answer, str):
            return form(request, path, next_, answer)
        return go(next_, set_cookie(answer))

    @router.get(CODE_PATH)
    @guarded(pages)
    async def show_code(request: Request) -> Response:
        next_ = safe_next(request.query_params.get("next"))
        session = await sessions.find(request)
        if session is None:
            return to_sign_in(next_)
        return go(next_) if session.confirmed_at_s is not None else form(request, CODE_PATH, next_)

    @router.get(CONFIRM_PATH)
    @guarded(pages)
    async def show_confirm(request: Request) -> Response:
        next_ = safe_next(request.query_params.get("next"))
        session = await pages.signed_in(request)
        if session is None:
            return to_sign_in(_with_next(CONFIRM_PATH, next_))
        if pages.elsewhere and session.person.elsewhere:
            return go(f"{_with_next(ELSEWHERE_PATH, next_)}&anew")
        return form(request, CONFIRM_PATH, next_)

    @router.post(CODE_PATH)
    @guarded(pages)
    async def second_step(request: Request) -> Response:
        return await by_code(request, CODE_PATH)

    @router.post(CONFIRM_PATH)
    @guarded(pages)
    async def confirm(request: Request) -> Response:
        return await by_code(request, CONFIRM_PATH)


def _with_next(path: str, next_: str) -> str:
    return f"{path}?{urlencode({'next': next_})}"
