"""/oauth/authorize: a person is asked whether a client may act for it, and is sent back with a code."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from hub.auth.oauth.code_grant import AUTHORIZE_PATH, Ask, Codes, WrongPlace, acts_for, granted
from hub.store.codes import add_code
from hub.store.sessions import Session
from hub.web.forms import Malformed
from hub.web.guard import guarded
from hub.web.pages import Pages, go, to_sign_in

QUERY_CHARS_MAX = 1_900
"""So that the way back from the sign-in fits its own limit."""
PARAMETERS_MAX = 20


class _Answers:
    """Judges requests, and sends people back to the client. issuer: named in each answer (RFC 9207)."""

    def __init__(self, codes: Codes, issuer: str) -> None:
        self._codes, self._issuer = codes, issuer

    async def read(self, query: str) -> Ask:
        """The request of a query; Malformed, or WrongPlace, when nobody can be answered."""
        if len(query) > QUERY_CHARS_MAX or not (query.isascii() and query.isprintable()):
            raise Malformed
        try:
            pairs = parse_qsl(query, strict_parsing=True, errors="strict", max_num_fields=PARAMETERS_MAX)
        except ValueError:
            raise Malformed from None
        if not all(text.isascii() and text.isprintable() for pair in pairs for text in pair):
            raise Malformed
        return await self._codes.read(pairs)

    def back(self, ask: Ask, **members: str) -> Response:
        """Back to the client, with state and issuer: who mixes servers up can tell."""
        state = {} if ask.state is None else {"state": ask.state}
        joint = "&" if urlsplit(ask.redirect_uri).query else "?"
        return go(f"{ask.redirect_uri}{joint}{urlencode({**members, **state, 'iss': self._issuer})}")

    def refused(self, ask: Ask, error: str, description: str) -> Response:
        """Back to the client with an error of RFC 6749, 4.1.2.1."""
        return self.back(ask, error=error, error_description=description)

    def judged(self, ask: Ask, session: Session) -> Response | None:
        """The refusal that does not need the person's word; None when it is asked."""
        if ask.error:
            return self.refused(ask, *ask.error)
        if session.person.suspended or not acts_for(ask.client, session.person):
            return self.refused(ask, "access_denied", "This person cannot use this client.")
        if not granted(ask, session.person):
            return self.refused(ask, "invalid_scope", "The person has none of these scopes itself.")
        return None


def add_routes(router: APIRouter, pages: Pages, codes: Codes) -> None:
    """Routes of the consent page."""
    answers = _Answers(codes, pages.sessions.public_url)

    @router.get(AUTHORIZE_PATH)
    @guarded(pages)
    async def show(request: Request) -> Response:
        query = request.url.query
        try:
            ask = await answers.read(query)
        except WrongPlace:
            return pages.refused(request, 400, "authorize.client", {})
        session = await pages.opened(request)
        if session is None:
            return answers.refused(ask, *ask.error) if ask.error else to_sign_in(f"{AUTHORIZE_PATH}?{query}")
        back = urlsplit(ask.redirect_uri)
        return answers.judged(ask, session) or pages.page(
            request,
            "consent.html",
            session=session,
            client=ask.client.client_id,
            place=back.netloc,
            scopes=granted(ask, session.person),
            query=query,
            email=await pages.sign_in.email_of(session.person.id),
            # Browsers hold the policy against where the answer to the form leads, too.
            policy={"form-action": f"'self' {back.scheme}://{back.netloc}"},
        )

    @router.post(AUTHORIZE_PATH)
    @guarded(pages)
    async def decide(request: Request) -> Response:
        fields = await pages.fields(request)
        try:
            ask = await answers.read(fields.get("query", ""))
        except WrongPlace:
            return pages.refused(request, 400, "authorize.client", {})
        session = await pages.opened(request)
        if session is None:
            return to_sign_in(f"{AUTHORIZE_PATH}?{fields['query']}")
        if no := answers.judged(ask, session):
            return no
        if fields.get("decision") != "allow":
            return answers.refused(ask, "access_denied", "The person refused.")
        code, kept = codes.code_for(ask, session)
        await pages.sessions.commit(session.person, "authorization.given", lambda conn: add_code(conn, kept))
        return answers.back(ask, code=code)
