"""Sessions of people: kept in the store, carried by a cookie, and judged anew with every request."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection
from starlette.requests import HTTPConnection

from hub.auth.denied import Denied
from hub.auth.digests import secret_digest
from hub.auth.people.cookies import (
    CSRF_HEADER,
    changes_something,
    cookie_of,
    drop_cookie,
    is_csrf_token,
    is_ours,
)
from hub.domain.audit import Act
from hub.domain.principal import ANYONE, Principal
from hub.domain.refusal import Refusal
from hub.events.audit import Auditor
from hub.settings import Settings
from hub.store import people, sessions
from hub.store.engine import Store
from hub.store.people import Person
from hub.store.sessions import IDLE_S, NewSession, Session
from hub.store.together import Together

T = TypeVar("T")

ABSOLUTE_S = 12 * 60 * 60
HALFWAY_S = 5 * 60
"""How long the second factor is awaited after the password."""
CONFIRMED_S = 5 * 60
"""How long a second factor stands for acts that cannot be taken back."""
SEEN_EVERY_S = 60
"""How exactly it is kept when a session was seen: a write for each request would cost more than it tells."""
CONSOLE = "hub-console"
"""The hub's own pages, as the client that people act through."""
SIGN_IN_PATH = "/sign-in"

_NOT_PROVEN: Act = "session.refused"
_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = ("Windows", "Android", "iPhone", "iPad", "Macintosh", "Linux")


class Sessions:
    """Opens, finds and ends sessions. Nothing of them is remembered in the process."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        auditor: Auditor,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """auditor: records what people do. clock: seconds since 1970."""
        self.store, self.clock, self.public_url = store, clock, settings.public_url
        self._auditor = auditor
        self._found: Together[bytes, Session | None] = Together(
            lambda digests: store.inspect(lambda conn: sessions.find_sessions(conn, digests))
        )

    async def open(
        self,
        person: Person,
        device: str,
        *,
        confirmed_at_s: int | None,
        act: Act | None,
        instead_of: Session | None = None,
    ) -> str:
        """A new session under a secret that nobody had before: the cookie's value.

        confirmed_at_s: when a second factor was shown; None: the session is good for nothing but that.
        act: what the person has done with that; None: nothing yet. instead_of: the session that ends with
        it; what an attacker may have planted is worth nothing after.
        """
        value, now_s = secrets.token_urlsafe(32), int(self.clock())
        # A session lives from when its person signed in, however often it confirmed itself since.
        goes_on = instead_of is not None and instead_of.confirmed_at_s is not None
        new = NewSession(
            digest=secret_digest("session", value),
            id=secrets.token_urlsafe(9),
            person=person.id,
            generation=person.generation,
            device=device,
            started_at_s=instead_of.started_at_s if instead_of and goes_on else now_s,
            confirmed_at_s=confirmed_at_s,
        )

        def add(conn: Connection) -> None:
            if instead_of:
                sessions.end_session(conn, instead_of.digest)
            sessions.add_session(conn, new, now_s)

        await self.commit(person, act, add)
        return value

    async def commit(self, person: Person, act: Act | None, work: Callable[[Connection], T]) -> T:
        """Do the work and record what the person has done, in one commit; act None: nothing to record."""
        if act is None:
            return await self.store.write(work)
        return await self._auditor.act_with(_actor(person), act, None, work)

    def refused(self, person: Person, code: str, where: str) -> None:
        """Record that somebody could not prove to be this person; many of them are told together."""
        self._auditor.refused(_actor(person), code, where, _NOT_PROVEN)

    async def find(self, request: HTTPConnection) -> Session | None:
        """The live session of the request, halfway signed in or whole; None without one."""
        value = cookie_of(request)
        return await self.find_by(value) if value else None

    async def find_by(self, value: str) -> Session | None:
        """The live session of a cookie's value. That it was seen is noted, every minute at most."""
        found, now_s = await self._found.ask(secret_digest("session", value)), self.clock()
        if found is None or not _is_live(found, now_s):
            return None
        if now_s - found.seen_at_s >= SEEN_EVERY_S:
            digest, seen_at_s = found.digest, int(now_s)
            await self.store.write(lambda conn: sessions.touch_session(conn, digest, seen_at_s))
        return found

    async def principal(self, request: HTTPConnection) -> Principal:
        """The person who is signed in; ANYONE without a session.

        Denied for a session that has ended, for a request that no page of the hub made, and for a person
        that is suspended. A session that waits for its second factor is nobody's yet.
        """
        value = cookie_of(request)
        if value is None:
            return ANYONE
        session = await self.find_by(value)
        if session is None:
            raise _ended()
        if session.confirmed_at_s is None:
            return ANYONE
        confirmed = self.is_confirmed(session)
        principal = principal_of(session.person, CONSOLE, session.person.scopes, confirmed=confirmed)
        try:
            if changes_something(request):
                self.check_ours(request, value, request.headers.get(CSRF_HEADER))
            if session.person.suspended:
                raise suspended()
        except Denied as denied:
            denied.principal = principal
            raise
        return principal

    def check_ours(self, request: HTTPConnection, value: str, token: str | None) -> None:
        """Denied unless a page of the hub, and of this session, made the request.

        A WebSocket of a browser has an origin and no headers of ours: the origin alone decides there.
        """
        proven = request.scope["type"] == "websocket" or is_csrf_token(value, token)
        if not is_ours(request, self.public_url) or not proven:
            raise cross_site()

    def is_confirmed(self, session: Session) -> bool:
        """Whether the session's person showed a second factor just now."""
        shown = session.confirmed_at_s
        return shown is not None and self.clock() - shown <= CONFIRMED_S

    async def of(self, person: Person) -> list[Session]:
        """Live sessions of a person, the latest first."""
        now_s = self.clock()
        found = await self.store.inspect(
            lambda conn: sessions.sessions_of(conn, person.id, int(now_s) - IDLE_S)
        )
        return [one for one in found if _is_live(one, now_s) and one.confirmed_at_s is not None]

    async def end(self, session: Session) -> None:
        """Sign out of this browser."""
        act: Act | None = None if session.confirmed_at_s is None else "session.ended"
        await self.commit(session.person, act, lambda conn: sessions.end_session(conn, session.digest))

    async def end_one(self, person: Person, session_id: str) -> None:
        """Sign out of another browser, by its name in the list."""
        await self.commit(
            person, "session.ended", lambda conn: sessions.end_session_of(conn, person.id, session_id)
        )

    async def end_everywhere(self, person: Person) -> None:
        """End every session and token of a person: no request that begins after this is theirs."""
        await self.commit(person, "sessions.ended", lambda conn: people.end_everywhere(conn, person.id))


def principal_of(
    person: Person, client_id: str, scopes: tuple[str, ...] | frozenset[str], *, confirmed: bool
) -> Principal:
    """What a person may do: scopes are cut down to its grant as it stands now."""
    place = f"/partners/{person.partner}" if person.partner else "/hub"
    return Principal(
        client_id=client_id,
        audience=person.audience,
        partner=person.partner,
        scopes=frozenset(scopes).intersection(person.scopes),
        networks=person.networks,
        source_prefix=f"{place}/people/{person.id}/",
        person=person.id,
        confirmed=confirmed,
    )


def _actor(person: Person) -> Principal:
    return principal_of(person, CONSOLE, person.scopes, confirmed=False)


def device_of(request: HTTPConnection) -> str:
    """Browser and system in two words: enough to tell one's own devices apart, and no fingerprint."""
    agent = request.headers.get("user-agent", "")
    browser = next((name for mark, name in _BROWSERS if mark in agent), "?")
    system = next((name for name in _SYSTEMS if name in agent), "?")
    return f"{browser} · {system}"


def cross_site() -> Denied:
    """403 for a request that carries a session's cookie and was made by somebody else's page."""
    refusal = Refusal(
        "session.cross_site",
        "the request carries a session's cookie, and no page of the hub made it",
        "Send it from the hub's own pages, with the header X-Hub-CSRF; programs send an access token.",
    )
    return Denied(403, refusal, {})


def suspended() -> Denied:
    """403 for a person that is shut out, or whose partner is."""
    refusal = Refusal(
        "person.suspended",
        "you are suspended, or your organisation is",
        "Ask the network manager; once you are resumed, the session goes on.",
    )
    return Denied(403, refusal, {})


def _ended() -> Denied:
    refusal = Refusal(
        "session.ended",
        "your session has ended",
        f"Sign in again at {SIGN_IN_PATH}; without a session the request is the public's.",
    )
    # The cookie goes: the next request of this browser is the public's.
    return Denied(401, refusal, {"Set-Cookie": drop_cookie(), "WWW-Authenticate": 'Cookie realm="hub"'})


def _is_live(session: Session, now_s: float) -> bool:
    longest_s = HALFWAY_S if session.confirmed_at_s is None else ABSOLUTE_S
    return now_s - session.seen_at_s <= IDLE_S and now_s - session.started_at_s <= longest_s
