"""/oauth/authorize: a person is asked whether a client may act for it, and is sent back with a code."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from hub.auth.oauth.authorization import (
    AUTHORIZE_PATH,
    AuthorizationRequest,
    AuthorizationRequests,
    UnknownRedirect,
    acts_for,
    granted,
)
from hub.store.authorization_codes import add_code
from hub.store.sessions import Session
from hub.web.forms import Malformed
from hub.web.guard import guarded
from hub.web.pages import Pages, go, to_sign_in

QUERY_CHARS_MAX = 1_900
"""So that the way back from the sign-in fits its own limit."""
PARAMETERS_MAX = 20


class _Answers:
    """Judges requests, and sends people back to the client. issuer: named in each answer (RFC 9207)."""

    def __init__(self, requests: AuthorizationRequests, issuer: str) -> None:
        self._requests, self._issuer = requests, issuer

    async def read(self, query: str) -> AuthorizationRequest:
        """The request of a query; Malformed, or UnknownRedirect, when nobody can be answered."""
        if len(query) > QUERY_CHARS_MAX or not (query.isascii() and query.isprintable()):
            raise Malformed
        try:
            pairs = parse_qsl(query, strict_parsing=True, errors="strict", max_num_fields=PARAMETERS_MAX)
        except ValueError:
            raise Malformed from None
        if not all(text.isascii() and text.isprintable() for pair in pairs for text in pair):
            raise Malformed
        return await self._requests.read(pairs)

    def back(self, asked: AuthorizationRequest, **members: str) -> Response:
        """Back to the client, with state and issuer: who mixes servers up can tell."""
        state = {} if asked.state is None else {"state": asked.state}
        joint = "&" if urlsplit(asked.redirect_uri).query else "?"
        return go(f"{asked.redirect_uri}{joint}{urlencode({**members, **state, 'iss': self._issuer})}")

    def refused(self, asked: AuthorizationRequest, error: str, description: str) -> Response:
        """Back to the client with an error of RFC 6749, 4.1.2.1."""
        return self.back(asked, error=error, error_description=description)

    def judged(self, asked: AuthorizationRequest, session: Session) -> Response | None:
        """The refusal that does not need the person's word; None when it is asked."""
        if asked.error:
            return self.refused(asked, *asked.error)
        if session.person.suspended or not acts_for(asked.client, session.person):
            return self.refused(asked, "access_denied", "This person cannot use this client.")
        if not granted(asked, session.person):
            return self.refused(asked, "invalid_scope", "The person has none of these scopes itself.")
        return None


def add_routes(router: APIRouter, pages: Pages, requests: AuthorizationRequests) -> None:
    """Routes of the consent page."""
    answers = _Answers(requests, pages.sessions.public_url)

    @router.get(AUTHORIZE_PATH)
    @guarded(pages)
    async def show(request: Request) -> Response:
        query = request.url.query
        try:
            asked = await answers.read(query)
        except UnknownRedirect:
            return pages.refused(request, 400, "authorize.client", {})
        session = await pages.opened(request)
        if session is None:
            return (
                answers.refused(asked, *asked.error)
                if asked.error
                else to_sign_in(f"{AUTHORIZE_PATH}?{query}")
            )
        back = urlsplit(asked.redirect_uri)
        return answers.judged(asked, session) or pages.page(
            request,
            "consent.html",
            session=session,
            client=asked.client.client_id,
            place=back.netloc,
            scopes=granted(asked, session.person),
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
            asked = await answers.read(fields.get("query", ""))
        except UnknownRedirect:
            return pages.refused(request, 400, "authorize.client", {})
        session = await pages.opened(request)
        if session is None:
            return to_sign_in(f"{AUTHORIZE_PATH}?{fields['query']}")
        if no := answers.judged(asked, session):
            return no
        if fields.get("decision") != "allow":
            return answers.refused(asked, "access_denied", "The person refused.")
        code, kept = requests.code_for(asked, session)
        await pages.sessions.commit(session.person, "authorization.given", lambda conn: add_code(conn, kept))
        return answers.back(asked, code=code)
