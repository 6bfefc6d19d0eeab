"""Pages for people, rendered on the server: one look, one set of headers, four languages."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode, urlsplit

import segno
from babel.dates import format_datetime
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request

from hub.auth.addresses import Addresses
from hub.auth.denied import Denied
from hub.auth.people.cookies import cookie_of, csrf_token, is_ours
from hub.auth.people.second_factor import provisioning_uri
from hub.auth.people.sessions import SIGN_IN_PATH, cross_site, suspended
from hub.auth.people.sign_in import SignIn, Waiting
from hub.domain.principal import CONFIRM_PATH
from hub.domain.refusal import Refusal
from hub.store.people import Person
from hub.store.sessions import IDLE_S, Session
from hub.web.files import NOSNIFF, Files
from hub.web.forms import read_fields
from hub.web.words import Words, language_of, load_words

STATIC = "/static"
_FILES = ("pages.css", "pages.js", "stay.js")
# Directives of the content security policy, unless a page has others for itself.
_POLICY = {
    "default-src": "'none'",
    "script-src": "'nonce-{nonce}'",
    "style-src": "'nonce-{nonce}'",
    "img-src": "data:",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
# Which input a refusal is about.
_INPUTS = {
    "sign_in.wrong": "password",
    "sign_in.code_wrong": "code",
    "password.wrong": "current",
    "password.short": "password",
    "password.long": "password",
    "password.common": "password",
    "password.personal": "password",
}


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
        policy: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> Response:
        """The page. session: of the person who is signed in, for the warning before it ends.

        value: of the cookie that the page's forms belong to; by default the one that came. next_: where the
        form leads to. policy: directives of the content security policy that differ on this page.
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
        return HTMLResponse(text, status, self._headers(nonce, policy or {}) | dict(headers or {}))

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
        self, request: Request, answer: Refusal | Waiting | None
    ) -> tuple[PageError | None, int, dict[str, str]]:
        """What a form's page says of the answer to it, its status, and its headers."""
        if answer is None:
            return None, 200, {}
        _, words = self.words(request)
        if isinstance(answer, Waiting):
            minutes = -(-answer.retry_after_s // 60)
            text = words[answer.refusal.code].format(minutes=minutes)
            return PageError("", text), 429, {"Retry-After": str(answer.retry_after_s)}
        return PageError(_INPUTS.get(answer.code, ""), words[answer.code]), 400, {}

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

    async def opened(self, request: Request) -> Session | None:
        """The session of a person who is signed in, suspended or not; None for anybody else, and halfway."""
        session = await self.sessions.find(request)
        return session if session and session.confirmed_at_s is not None else None

    async def signed_in(self, request: Request) -> Session | None:
        """The same, for all but signing out: Denied for a person that is suspended."""
        session = await self.opened(request)
        if session and session.person.suspended:
            raise suspended()
        return session

    def authenticator(self, request: Request, key: str, email: str) -> dict[str, Any]:
        """What the page shows of a key that the person's authenticator is to hold."""
        _, words = self.words(request)
        host = urlsplit(self.sessions.public_url).netloc
        return {
            "key": " ".join(key[at : at + 4] for at in range(0, len(key), 4)),
            "picture": _picture_of(provisioning_uri(key, email, f"{words['hub']} ({host})")),
        }

    def when(self, language: str, at_s: int) -> str:
        """A moment in words; UTC, because the server does not know where the reader is."""
        at = datetime.fromtimestamp(at_s, UTC)
        return f"{format_datetime(at, 'd MMMM y, HH:mm', locale=language)} UTC"

    def _headers(self, nonce: str, own: Mapping[str, str]) -> dict[str, str]:
        policy = "; ".join(f"{name} {sources}" for name, sources in {**_POLICY, **own}.items())
        return {
            **NOSNIFF,
            **self._transport,
            "Content-Security-Policy": policy.replace("{nonce}", nonce),
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


def mandate(person: Person, words: Words) -> str:
    """For whom a person acts."""
    if person.partner:
        return words["adviser_at"].format(partner=person.partner)
    if person.networks is None:
        return words["manager_of_all"]
    return words["manager_of"].format(networks=", ".join(sorted(person.networks)))


def _picture_of(text: str) -> Markup:
    """A QR code as inline SVG: no picture of a secret travels by itself."""
    svg = segno.make(text, error="m").svg_inline(scale=4, border=0, omitsize=True)
    return Markup(svg)  # noqa: S704 (made here, from nothing that comes from outside)
