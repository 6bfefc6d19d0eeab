"""A hub with people on a store of its own, and browsers that know nothing but what the hub tells them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import unescape
from typing import Any

import httpx
import pyotp
from argon2 import PasswordHasher
from fastapi import FastAPI, Request
from sqlalchemy import Connection

from hub.auth import routes as oauth
from hub.auth.addresses import Addresses
from hub.auth.authenticate import Authenticator
from hub.auth.oauth.authorization import AuthorizationRequests
from hub.auth.oauth.key_uses import KeyUses
from hub.auth.oauth.signing import open_signing
from hub.auth.oauth.tokens import Tokens
from hub.auth.people.linked_accounts import LinkedAccounts
from hub.auth.people.openid import Provider
from hub.auth.people.passwords import Passwords
from hub.auth.people.sessions import Sessions
from hub.auth.people.sign_in import SignIn, make_link
from hub.auth.proofs.nonces import open_nonces
from hub.domain.scopes import DEFAULT_SCOPES, Audience
from hub.events.audit import Auditor
from hub.events.intake import Intake
from hub.events.quotas import Quotas
from hub.rest import problems
from hub.settings import Settings
from hub.store import people
from hub.store.clients import Client, add_client
from hub.store.engine import Store
from hub.store.people import NewPerson
from hub.store.vault import Vault
from hub.web import routes
from hub.web.pages import Pages

HUB = "https://hub.example"
EMAIL = "anna.lee@example.org"
PASSWORD = "violet anchor crumbs orbit"
AT = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
NOW_S = 1_800_000_000
"""When every world begins: its time stands still between the steps of a test, however long these take."""
COOKIE = "__Host-hub-session"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1)
"""Of the same kind as the hub's own, which would take most of the time of these tests."""


@dataclass
class Guest:
    """A person that was invited: id, link, and, once enrolled, authenticator and recovery codes."""

    id: str
    link: str
    email: str
    totp: pyotp.TOTP | None = None
    recovery: list[str] = field(default_factory=list)
    used_step: int = 0


class Browser:
    """Keeps cookies, sends what browsers send with forms, and reads forms from pages."""

    def __init__(self, app: FastAPI, address: str = "203.0.113.7") -> None:
        transport = httpx.ASGITransport(app, client=(address, 50_000))
        self.http = httpx.AsyncClient(transport=transport, base_url=HUB)
        self.page: httpx.Response | None = None

    @property
    def cookie(self) -> str | None:
        """The value of the session's cookie."""
        return self.http.cookies.get(COOKIE)

    @property
    def csrf(self) -> str:
        """The token that the last page's forms hold."""
        assert self.page is not None
        found = re.search(r'name="csrf" value="([^"]+)"', self.page.text)
        return unescape(found[1]) if found else ""

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """A page that the person opens."""
        self.page = await self.http.get(path, headers=headers)
        return self.page

    async def post(self, path: str, headers: dict[str, str] | None = None, **fields: str) -> httpx.Response:
        """A form of the last page, sent as a browser sends it from there."""
        sent = {"Origin": HUB, "Sec-Fetch-Site": "same-origin", **(headers or {})}
        answer = await self.http.post(path, data={"csrf": self.csrf, **fields}, headers=sent)
        if answer.headers.get("content-type", "").startswith("text/html"):
            self.page = answer
        return answer

    async def who(self, method: str = "GET", **headers: str) -> httpx.Response:
        """What the hub takes the browser for."""
        return await self.http.request(method, "/who", headers=headers)


@dataclass
class World:
    """One hub; its time moves only when a test sets `ahead_s`, or uses an authenticator."""

    store: Store
    vault: Vault
    settings: Settings
    auditor: Auditor | None = None
    provider: Provider | None = None
    ahead_s: float = 0
    app: FastAPI = field(init=False)
    browsers: list[Browser] = field(default_factory=list)

    def __post_init__(self) -> None:
        auditor = self.auditor or Auditor(self.vault, Intake(self.store, self.vault, Quotas()))
        self.sessions = Sessions(self.store, self.settings, auditor, self.clock)
        self.sign_in = SignIn(self.sessions, self.vault, Passwords(CHEAP))
        other = (self.provider, LinkedAccounts(self.sign_in, self.vault)) if self.provider else None
        self.pages = Pages(self.sign_in, Addresses(), elsewhere=other is not None)
        self.app = FastAPI()
        problems.install(self.app)
        signing, nonces = open_signing(self.settings), open_nonces(self.settings, self.clock)
        tokens = Tokens(self.store, self.settings, signing, self.clock)
        requests = AuthorizationRequests(self.store, self.clock)
        self.app.include_router(routes.build_router(self.pages, requests, other))
        parts = self.store, self.settings, signing, tokens, nonces, Addresses(), KeyUses(self.store)
        self.app.include_router(oauth.build_router(*parts, clock=self.clock))
        authenticator = Authenticator(self.store, self.settings, tokens, nonces, self.sessions, self.clock)

        @self.app.api_route("/who", methods=["GET", "POST"])
        async def who(request: Request) -> dict[str, Any]:
            principal = await authenticator.principal(request)
            return {
                "audience": principal.audience,
                "client_id": principal.client_id,
                "person": principal.person,
                "partner": principal.partner,
                "networks": None if principal.networks is None else sorted(principal.networks),
                "scopes": sorted(principal.scopes),
                "source_prefix": principal.source_prefix,
                "confirmed": principal.confirmed,
            }

    def clock(self) -> float:
        return NOW_S + self.ahead_s

    def browser(self, address: str = "203.0.113.7") -> Browser:
        """A browser without a cookie."""
        self.browsers.append(Browser(self.app, address))
        return self.browsers[-1]

    async def invite(self, email: str = EMAIL, **members: Any) -> Guest:
        """A manager of all networks, unless told otherwise, with a link."""
        new = NewPerson(
            **{
                "email": email,
                "name": "Anna Lee",
                "audience": Audience.MANAGER,
                "partner": None,
                "networks": None,
                "scopes": DEFAULT_SCOPES[Audience.MANAGER],
                **members,
            }
        )

        def work(conn: Connection) -> tuple[str, str]:
            id_ = people.add_person(conn, self.vault, new, AT)
            return id_, make_link(conn, self.vault, id_, self.clock())

        id_, token = await self.store.write(work)
        return Guest(id_, f"/enrol/{token}", email)

    async def partner(self, slug: str = "kent") -> None:
        """A partner, as far as people are concerned: its first client."""
        client = Client(slug, slug, Audience.PARTNER, f"/partners/{slug}/", None, ("catalogue:read",), True)
        await self.store.intake(lambda conn: add_client(conn, client, AT))

    async def enrol(self, browser: Browser, guest: Guest, password: str = PASSWORD) -> httpx.Response:
        """The guest chooses a password and adds the authenticator: it is signed in then."""
        page = await browser.get(guest.link)
        key = re.search(r'class="key">([A-Z2-7 ]+)<', page.text)
        assert key, page.text
        guest.totp = pyotp.TOTP(key[1].replace(" ", ""))
        answer = await browser.post(guest.link, password=password, code=self.code(guest))
        guest.recovery = re.findall(r"<li><code>([a-z0-9-]+)</code>", answer.text)
        return answer

    def code(self, guest: Guest) -> str:
        """What the authenticator shows; time goes on until it is one that was not used."""
        assert guest.totp
        step = max(int(self.clock()) // 30, guest.used_step + 1)
        self.ahead_s += max(0, step * 30 - self.clock())
        guest.used_step = step
        return guest.totp.at(step * 30)

    async def member(self, browser: Browser | None = None, **members: Any) -> tuple[Browser, Guest]:
        """Somebody who has just enrolled, and the browser where it is signed in."""
        browser, guest = browser or self.browser(), await self.invite(**members)
        answer = await self.enrol(browser, guest)
        assert answer.status_code == 200, answer.text
        return browser, guest

    async def password_step(
        self, browser: Browser, email: str = EMAIL, password: str = PASSWORD, **fields: str
    ) -> httpx.Response:
        """The first half of signing in."""
        await browser.get("/sign-in")
        return await browser.post("/sign-in", email=email, password=password, **fields)

    async def enter(self, browser: Browser, guest: Guest, **fields: str) -> httpx.Response:
        """Sign in with password and code, as somebody who had not been signed in."""
        browser.http.cookies.clear()
        answer = await self.password_step(browser, guest.email, **fields)
        assert answer.status_code == 303, answer.text
        await browser.get(answer.headers["location"])
        return await browser.post("/sign-in/code", code=self.code(guest), **fields)
