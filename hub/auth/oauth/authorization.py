"""The authorization endpoint's half of the code grant: what a client asks for, and the code it gets.

Sources: RFC 6749 section 4.1, RFC 7636 (S256 alone), RFC 9449 section 10 (a code bound to
a DPoP key), RFC 9700.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from hub.auth.digests import secret_digest
from hub.domain.scopes import SCOPES
from hub.store.authorization_codes import AuthorizationCode, is_registered, redirects
from hub.store.clients import Client, find_client
from hub.store.engine import Store
from hub.store.people import Person
from hub.store.sessions import Session

AUTHORIZE_PATH = "/oauth/authorize"
METHOD = "S256"
CODE_LIFETIME_S = 60

_ADDRESSING = ("client_id", "redirect_uri", "state")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


class UnknownRedirect(Exception):
    """Client or redirect URI are not known: nobody must be sent anywhere."""


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """An authorization request that can be answered. error: to be told to the client; None: it is good.

    scopes: those asked for.
    """

    client: Client
    redirect_uri: str
    state: str | None
    scopes: tuple[str, ...]
    challenge: str
    dpop_jkt: str | None
    error: tuple[str, str] | None = None


class AuthorizationRequests:
    """Judges authorization requests, and answers them with codes."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        """clock: seconds since 1970."""
        self._store, self._clock = store, clock

    async def read(self, parameters: list[tuple[str, str]]) -> AuthorizationRequest:
        """The request of these query parameters; UnknownRedirect when it does not say where to answer it."""
        values = dict(parameters)
        client_id, uri = values.get("client_id", ""), values.get("redirect_uri", "")
        doubled = len(values) < len(parameters)
        client, registered = await self._store.inspect(
            lambda conn: (find_client(conn, client_id), redirects(conn, client_id))
        )
        if client is None or client.suspended or not is_registered(uri, registered):
            raise UnknownRedirect
        # Which of two is meant nobody knows; any other parameter that is doubled the client can be told of.
        if any(len([name for name, _ in parameters if name == one]) > 1 for one in _ADDRESSING):
            raise UnknownRedirect
        scopes = tuple(dict.fromkeys(values.get("scope", "").split(" ")))
        return AuthorizationRequest(
            client=client,
            redirect_uri=uri,
            state=values.get("state"),
            scopes=scopes,
            challenge=values.get("code_challenge", ""),
            dpop_jkt=values.get("dpop_jkt"),
            error=_error(values, client, scopes, doubled=doubled),
        )

    def code_for(self, asked: AuthorizationRequest, session: Session) -> tuple[str, AuthorizationCode]:
        """A new code for the session's person, and what is to be kept of it."""
        code = secrets.token_urlsafe(32)
        kept = AuthorizationCode(
            digest=secret_digest("code", code),
            client_id=asked.client.client_id,
            person=session.person.id,
            generation=session.person.generation,
            redirect_uri=asked.redirect_uri,
            challenge=asked.challenge,
            scope=" ".join(granted(asked, session.person)),
            dpop_jkt=asked.dpop_jkt,
            confirmed_at_s=session.confirmed_at_s or 0,
            ends_at_s=int(self._clock()) + CODE_LIFETIME_S,
        )
        return code, kept


def granted(asked: AuthorizationRequest, person: Person) -> list[str]:
    """What the person can let the client do: of what it asks for, what the person may do itself."""
    return [scope for scope in asked.scopes if scope in person.scopes]


def acts_for(client: Client, person: Person) -> bool:
    """Whether people of this kind use this client: a partner's client is for the partner's own people."""
    return client.partner in (None, person.partner)


def _error(
    values: dict[str, str], client: Client, scopes: tuple[str, ...], *, doubled: bool
) -> tuple[str, str] | None:
    """Error code and description of RFC 6749, 4.1.2.1; None when the request is good."""
    if doubled:
        return "invalid_request", "A parameter is given more than once."
    if "request" in values or "request_uri" in values:
        kind = "request" if "request" in values else "request_uri"
        return f"{kind}_not_supported", "Send the parameters themselves."
    if values.get("response_type") != "code":
        return "unsupported_response_type", "The only response_type is code."
    if values.get("response_mode", "query") != "query":
        return "invalid_request", "The only response_mode is query."
    if values.get("code_challenge_method") != METHOD or not _CHALLENGE.fullmatch(
        values.get("code_challenge", "")
    ):
        return "invalid_request", "Send code_challenge with code_challenge_method S256 (RFC 7636)."
    if "dpop_jkt" in values and not _CHALLENGE.fullmatch(values["dpop_jkt"]):
        return "invalid_request", "dpop_jkt is no thumbprint."
    if not SCOPES.issuperset(scopes):
        return "invalid_scope", "Name one or more scopes of this server, a single space between them."
    if not set(client.scopes).issuperset(scopes):
        return "invalid_scope", "A scope is not granted to this client."
    return None
