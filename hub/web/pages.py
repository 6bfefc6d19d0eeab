"""Pages for people, rendered on the server: one look, one set of headers, four languages."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode

import segno
from babel.dates import format_datetime
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request

from hub.auth.addresses import Addresses
from hub.auth.denied import Denied
from hub.auth.people.cookies import cookie_of, csrf_token, is_ours
from hub.auth.people.sessions import SIGN_IN_PATH, cross_site
from hub.auth.people.sign_in import SignIn, Waiting
from hub.domain.principal import CONFIRM_PATH
from hub.domain.refusal import Refusal
from hub.store.sessions import IDLE_S, Session
from hub.web.files import NOSNIFF, Files
from hub.web.forms import read_fields
from hub.web.words import Words, language_of, load_words

STATIC = "/static"
_FILES = ("pages.css", "pages.js")


@dataclass(frozen=True, slots=True)
class PageError:
    """What is wrong with what was sent. field: whose input it is, empty for none; text: translated."""

    field: str
    text: str


class Pages:
    """Renders pages, and reads what their forms send."""

    def __init__(self, sign_in: SignIn, addresses: Addresses, *, elsewhere: bool = False) -> None:
        """elsewhere: whether people may sign in with another provider's account."""
        self.sign_in, self.sessions, self.addresses = sign_in, sign_in.sessions, addresses
        self.elsewhere = elsewhere
        folder = files("hub.web").joinpath("static", "pages")
        self.files = Files(STATIC, {name: folder.joinpath(name) for name in _FILES})
        self._words = load_words()
        self._templates = Environment(
            loader=PackageLoader("hub.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        secure = self.sessions.public_url.startswith("https://")
        self._transport = {"Strict-Transport-Security": "max-age=31536000"} if secure else {}

    def words(self, request: Request) -> tuple[str, Words]:
        """The language that the browser asks for, and what the pages say in it."""
        language = language_of(request.headers.get("accept-language", ""))
        return language, self._words[language]

    def page(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        error: PageError | None = None,
        session: Session | None = None,
        value: str | None = None,
        next_: str = "",
        notice: str = "",
        form_action: str = "'self'",
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> Response:
        """The page. session: of the person who is signed in, for the warning before it ends.

        value: of the cookie that the page's forms belong to; by default the one that came. next_: where the
        form leads to. form_action: where forms may lead, as the content security policy puts it.
        """
        language, words = self.words(request)
        nonce = secrets.token_urlsafe(16)
        cookie = value or cookie_of(request)
        shown = {
            "language": language,
            "words": words,
            "nonce": nonce,
            "files": self.files.paths,
            "error": error,
            "notice": words[notice] if notice else "",
            "session": session,
            "idle_s": IDLE_S,
            "csrf": csrf_token(cookie) if cookie else "",
            "next": next_,
            **members,
        }
        shown["page"] = shown
        text = self._templates.get_template(template).render(shown)
        return HTMLResponse(text, status, self._headers(nonce, form_action) | dict(headers or {}))

    def part(self, request: Request, template: str, *, session: Session | None, **members: Any) -> str:
        """A part of a page that is put together elsewhere."""
        language, words = self.words(request)
        value = cookie_of(request)
        csrf = csrf_token(value) if session and value else ""
        shown = {"language": language, "words": words, "session": session, "csrf": csrf, "idle_s": IDLE_S}
        return self._templates.get_template(template).render({**shown, **members})

    def refused(self, request: Request, status: int, code: str, headers: Mapping[str, str]) -> Response:
        """A page that says what went wrong, where there is no form to say it at.

        Who is suspended finds the way out there: no other page is open to it.
        """
        _, words = self.words(request)
        error = PageError("", words[code])
        way_out = code == "person.suspended"
        return self.page(request, "error.html", status=status, error=error, headers=headers, way_out=way_out)

    def denied(self, request: Request, denied: Denied) -> Response:
        """The same, for a request that is not let in."""
        return self.refused(request, denied.status, denied.refusal.code, denied.headers)

    def error(
        self, request: Request, answer: Refusal | Waiting, fields: Mapping[str, str]
    ) -> tuple[PageError, int, dict[str, str]]:
        """What the page says, its status, and its headers. fields: which input a code is about."""
        _, words = self.words(request)
        if isinstance(answer, Waiting):
            minutes = -(-answer.retry_after_s // 60)
            text = words[answer.refusal.code].format(minutes=minutes)
            return PageError("", text), 429, {"Retry-After": str(answer.retry_after_s)}
        return PageError(fields.get(answer.code, ""), words[answer.code]), 400, {}

    async def fields(self, request: Request) -> dict[str, str]:
        """Fields of a form that a page of ours sent, and of the session whose cookie came along, if any.

        Denied for others, Malformed for what is no form. A cookie that leads nowhere belongs to no session.
        """
        fields = await read_fields(request)
        value = cookie_of(request)
        if value and await self.sessions.find_by(value):
            self.sessions.check_ours(request, value, fields.get("csrf"))
        elif not is_ours(request, self.sessions.public_url):
            raise cross_site()
        return fields

    def when(self, language: str, at_s: int) -> str:
        """A moment in words; UTC, because the server does not know where the reader is."""
        at = datetime.fromtimestamp(at_s, UTC)
        return f"{format_datetime(at, 'd MMMM y, HH:mm', locale=language)} UTC"

    def _headers(self, nonce: str, form_action: str) -> dict[str, str]:
        policy = (
            f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src data:; "
            f"connect-src 'self'; form-action {form_action}; base-uri 'none'; frame-ancestors 'none'"
        )
        return {
            **NOSNIFF,
            **self._transport,
            "Content-Security-Policy": policy,
            "Cache-Control": "no-store",
            # Under no-referrer browsers send "Origin: null" with our own forms; other hosts get nothing.
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
        }


def go(address: str, *cookies: str) -> Response:
    """On to another page, by GET. cookies: values of Set-Cookie."""
    response = RedirectResponse(address, 303, {"Cache-Control": "no-store"})
    for cookie in cookies:
        response.headers.append("Set-Cookie", cookie)
    return response


def to_sign_in(next_: str) -> Response:
    """On to the sign-in, and from there to where one wanted to go."""
    return go(f"{SIGN_IN_PATH}?{urlencode({'next': next_})}")


def to_confirm(next_: str) -> Response:
    """On to the second factor, and from there to where one wanted to go."""
    return go(f"{CONFIRM_PATH}?{urlencode({'next': next_})}")


def picture_of(text: str) -> Markup:
    """A QR code as inline SVG: no picture of a secret travels by itself."""
    svg = segno.make(text, error="m").svg_inline(scale=4, border=0, omitsize=True)
    return Markup(svg)  # noqa: S704 (made here, from nothing that comes from outside)
