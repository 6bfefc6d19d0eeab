"""A person's own page: where it is signed in, signing out, and changing how it signs in."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from hub.auth.people.cookies import CSRF_HEADER, cookie_of, drop_cookie, set_cookie
from hub.auth.people.sessions import SIGN_IN_PATH
from hub.auth.people.sign_in import LINK_ENDED, Waiting
from hub.domain.refusal import Refusal
from hub.store.sessions import Session
from hub.web.forms import HOME
from hub.web.guard import confirmed, guarded
from hub.web.pages import Pages, go, mandate, to_sign_in

PASSWORD_PATH = "/account/password"  # noqa: S105 (an address, no secret)
AUTHENTICATOR_PATH = "/account/authenticator"


def add_routes(router: APIRouter, pages: Pages) -> None:
    """Routes of the account."""
    _add_overview(router, pages)
    _add_signing_out(router, pages)
    _add_password(router, pages)
    _add_authenticator(router, pages)


def _add_overview(router: APIRouter, pages: Pages) -> None:
    @router.get(HOME)
    @guarded(pages)
    async def account(request: Request) -> Response:
        session = await pages.signed_in(request)
        if session is None:
            return to_sign_in(HOME)
        language, words = pages.words(request)
        person = session.person
        here = [
            {
                "id": one.id,
                "device": one.device,
                "since": pages.when(language, one.started_at_s),
                "seen": pages.when(language, one.seen_at_s),
                "here": one.id == session.id,
            }
            for one in await pages.sessions.of(person)
        ]
        return pages.page(
            request,
            "account.html",
            session=session,
            notice="notice_saved" if "saved" in request.query_params else "",
            email=await pages.sign_in.email_of(person.id),
            mandate=mandate(person, words),
            sessions=here,
            scopes=sorted(person.scopes),
            has_password=person.password is not None,
            linked=person.elsewhere,
            recovery_left=await pages.sign_in.recovery_left(person),
        )

    @router.post("/account/stay")
    @guarded(pages)
    async def stay(request: Request) -> Response:
        """Somebody is there: the look-up itself has noted it."""
        session, value = await pages.signed_in(request), cookie_of(request)
        if session is None or value is None:
            return Response(status_code=401)
        pages.sessions.check_ours(request, value, request.headers.get(CSRF_HEADER))
        return Response(status_code=204, headers={"Cache-Control": "no-store"})


def _add_signing_out(router: APIRouter, pages: Pages) -> None:
    sessions = pages.sessions

    @router.post("/account/sign-out")
    @guarded(pages)
    async def sign_out(request: Request) -> Response:
        await pages.fields(request)
        session = await sessions.find(request)
        if session:
            await sessions.end(session)
        return go(f"{SIGN_IN_PATH}?signed-out", drop_cookie())

    @router.post("/account/sign-out-everywhere")
    @guarded(pages)
    async def sign_out_everywhere(request: Request) -> Response:
        await pages.fields(request)
        session = await pages.opened(request)
        if session:
            await sessions.end_everywhere(session.person)
        return go(f"{SIGN_IN_PATH}?signed-out-everywhere", drop_cookie())

    @router.post("/account/sessions/{session_id}/end")
    @guarded(pages)
    async def end_one(request: Request) -> Response:
        await pages.fields(request)
        session = await pages.opened(request)
        if session is None:
            return to_sign_in(HOME)
        await sessions.end_one(session.person, request.path_params["session_id"])
        return go(HOME)


def _add_password(router: APIRouter, pages: Pages) -> None:
    async def form(request: Request, session: Session, answer: Refusal | Waiting | None = None) -> Response:
        error, status, headers = pages.error(request, answer)
        email = await pages.sign_in.email_of(session.person.id)
        return pages.page(
            request,
            "password.html",
            status=status,
            error=error,
            headers=headers,
            session=session,
            email=email,
        )

    @router.get(PASSWORD_PATH)
    @confirmed(pages, PASSWORD_PATH)
    async def show_password(request: Request, session: Session) -> Response:
        return await form(request, session)

    @router.post(PASSWORD_PATH)
    @confirmed(pages, PASSWORD_PATH)
    async def change_password(request: Request, session: Session) -> Response:
        fields = await pages.fields(request)
        answer = await pages.sign_in.change_password(
            session,
            fields.get("current", ""),
            fields.get("password", ""),
            address=pages.addresses.of(request),
        )
        if isinstance(answer, str):
            return go(f"{HOME}?saved", set_cookie(answer))
        return await form(request, session, answer)


def _add_authenticator(router: APIRouter, pages: Pages) -> None:
    async def form(request: Request, session: Session, answer: Refusal | None = None) -> Response:
        error, status, headers = pages.error(request, answer)
        key = await pages.sign_in.offer_authenticator(session)
        email = await pages.sign_in.email_of(session.person.id)
        return pages.page(
            request,
            "authenticator.html",
            status=status,
            error=error,
            headers=headers,
            session=session,
            **pages.authenticator(request, key, email),
        )

    @router.get(AUTHENTICATOR_PATH)
    @confirmed(pages, AUTHENTICATOR_PATH)
    async def show_authenticator(request: Request, session: Session) -> Response:
        return await form(request, session)

    @router.post(AUTHENTICATOR_PATH)
    @confirmed(pages, AUTHENTICATOR_PATH)
    async def change_authenticator(request: Request, session: Session) -> Response:
        fields = await pages.fields(request)
        answer = await pages.sign_in.change_authenticator(session, fields.get("code", ""))
        if isinstance(answer, tuple):
            return pages.page(request, "recovery.html", session=session, codes=answer)
        if answer is LINK_ENDED:
            return go(AUTHENTICATOR_PATH)
        return await form(request, session, answer)
