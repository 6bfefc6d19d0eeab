"""The page of an invitation: choose a password, add an authenticator, keep the recovery codes."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from hub.auth.people.cookies import set_cookie
from hub.auth.people.openid import ELSEWHERE_PATH
from hub.auth.people.sessions import device_of
from hub.auth.people.sign_in import ENROL_PATH, LINK_ENDED, Enrolled, Waiting
from hub.domain.refusal import Refusal
from hub.store.people import Link
from hub.web.guard import guarded
from hub.web.pages import Pages


def add_routes(router: APIRouter, pages: Pages) -> None:
    """Routes of the invitation; the link's secret stands in the path, and works once."""
    sign_in = pages.sign_in

    async def form(
        request: Request, token: str, link: Link, answer: Refusal | Waiting | None = None
    ) -> Response:
        error, status, headers = pages.error(request, answer)
        email, key = await sign_in.email_of(link.person.id), sign_in.offered(link)
        language, _ = pages.words(request)
        return pages.page(
            request,
            "enrol.html",
            status=status,
            error=error,
            headers=headers,
            email=email,
            ends=pages.when(language, link.ends_at_s),
            **pages.authenticator(request, key, email),
            action=f"{ENROL_PATH}/{quote(token, safe='')}",
            elsewhere=f"{ELSEWHERE_PATH}?link={quote(token, safe='')}" if pages.elsewhere else "",
        )

    @router.get(ENROL_PATH + "/{token}")
    @guarded(pages)
    async def show(request: Request) -> Response:
        token = request.path_params["token"]
        link = await sign_in.link(token)
        # Looking does not use the link up: mail scanners look at every link.
        return await form(request, token, link) if link else pages.refused(request, 404, LINK_ENDED.code, {})

    @router.post(ENROL_PATH + "/{token}")
    @guarded(pages)
    async def choose(request: Request) -> Response:
        fields = await pages.fields(request)
        token = request.path_params["token"]
        answer = await sign_in.enrol(
            token, fields.get("password", ""), fields.get("code", ""), device=device_of(request)
        )
        if isinstance(answer, Enrolled):
            cookie = {"Set-Cookie": set_cookie(answer.value)}
            return pages.page(
                request, "recovery.html", codes=answer.codes, headers=cookie, value=answer.value
            )
        link = await sign_in.link(token)
        if link is None:
            return pages.refused(request, 404, LINK_ENDED.code, {})
        return await form(request, token, link, answer)
