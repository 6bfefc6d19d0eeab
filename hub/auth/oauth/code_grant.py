"""Tokens for people: the authorization code, given at the consent page and redeemed at the token endpoint.

Sources: RFC 6749 section 4.1, RFC 7636 (S256 alone), RFC 9207 (the issuer in the answer), RFC 9449 section 10
(a code bound to a DPoP key), RFC 9700. Clients prove their key; there are no public clients
(docs/decisions/0028-code-for-confidential-clients.md).
"""

from __future__ import annotations

import hmac
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from authlib.oauth2.rfc6749.errors import InvalidGrantError
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from hub.auth.digests import secret_digest
from hub.auth.oauth.calls import Call, Callers
from hub.auth.oauth.tokens import Tokens, token_answer
from hub.domain.scopes import SCOPES
from hub.store.clients import Client, find_client
from hub.store.codes import Code, find_code, is_registered, redirects, use_code
from hub.store.engine import Store
from hub.store.people import Person
from hub.store.sessions import Session

GRANT_TYPE = "authorization_code"
CODE_LIFETIME_S = 60
AUTHORIZE_PATH = "/oauth/authorize"
METHOD = "S256"

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}", re.ASCII)
_NOT_GOOD = (
    "The code is not good: it is unknown, was used or has ended, or belongs to another client, redirect_uri, "
    "code_verifier or key."
)


class WrongPlace(Exception):
    """Client or redirect URI are not known: nobody must be sent anywhere."""


@dataclass(frozen=True, slots=True)
class Ask:
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


class Codes:
    """Judges authorization requests, gives codes and redeems them."""

    def __init__(
        self, store: Store, tokens: Tokens, callers: Callers | None, clock: Callable[[], float] = time.time
    ) -> None:
        """callers: of the token endpoint; None where no code is redeemed. clock: seconds since 1970."""
        self._store, self._tokens, self._callers, self._clock = store, tokens, callers, clock

    async def read(self, parameters: list[tuple[str, str]]) -> Ask:
        """The request of these query parameters; WrongPlace when it does not say where to answer it."""
        values = dict(parameters)
        client_id, uri = values.get("client_id", ""), values.get("redirect_uri", "")
        doubled = len(values) < len(parameters)
        client, registered = await self._store.inspect(
            lambda conn: (find_client(conn, client_id), redirects(conn, client_id))
        )
        if client is None or client.suspended or not is_registered(uri, registered):
            raise WrongPlace
        if sum(name in ("client_id", "redirect_uri", "state") for name, _ in parameters) > len(
            {"client_id", "redirect_uri", "state"} & values.keys()
        ):
            raise WrongPlace
        scopes = tuple(dict.fromkeys(values.get("scope", "").split(" ")))
        return Ask(
            client=client,
            redirect_uri=uri,
            state=values.get("state"),
            scopes=scopes,
            challenge=values.get("code_challenge", ""),
            dpop_jkt=values.get("dpop_jkt"),
            error=_error(values, client, scopes, doubled=doubled),
        )

    def code_for(self, ask: Ask, session: Session) -> tuple[str, Code]:
        """A new code for the session's person, and what is kept of it by `give`."""
        code = secrets.token_urlsafe(32)
        kept = Code(
            digest=secret_digest("code", code),
            client_id=ask.client.client_id,
            person=session.person.id,
            generation=session.person.generation,
            redirect_uri=ask.redirect_uri,
            challenge=ask.challenge,
            scope=" ".join(granted(ask, session.person)),
            dpop_jkt=ask.dpop_jkt,
            confirmed_at_s=session.confirmed_at_s or 0,
            ends_at_s=int(self._clock()) + CODE_LIFETIME_S,
        )
        return code, kept

    async def redeem(self, call: Call) -> dict[str, Any]:
        """The token response for a code; InvalidGrantError, one for all reasons, when it is not good."""
        assert self._callers is not None
        client = self._callers.prove(call).row
        try:
            self._callers.bind_or_waive(call)
        finally:
            # Used up even when the answer is a no.
            await self._callers.use_up(call)
        digest, jti, now_s = (
            secret_digest("code", call.values.get("code", "")),
            secrets.token_urlsafe(16),
            int(self._clock()),
        )
        found = await self._store.inspect(lambda conn: find_code(conn, digest))
        if found is None or not _fits(found, client, call):
            raise InvalidGrantError(_NOT_GOOD)
        code, person = found
        if not await self._store.write(lambda conn: use_code(conn, digest, jti, now_s)):
            await self._end_what_it_gave(digest)
            raise InvalidGrantError(_NOT_GOOD)
        token = self._tokens.issue_for(
            person, client, code.scope, call.thumbprint, jti=jti, confirmed_at_s=code.confirmed_at_s
        )
        return token_answer(token, code.scope, call.thumbprint)

    async def _end_what_it_gave(self, digest: bytes) -> None:
        """A code came twice: one of the two was a thief's, and nobody knows which (RFC 6749, 10.5)."""
        found = await self._store.inspect(lambda conn: find_code(conn, digest))
        if found and found[0].jti:
            await self._tokens.end(found[0].jti)


def granted(ask: Ask, person: Person) -> list[str]:
    """What the person can let the client do: of what it asks for, what the person may do itself."""
    return [scope for scope in ask.scopes if scope in person.scopes]


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


def _fits(found: tuple[Code, Person], client: Client, call: Call) -> bool:
    code, person = found
    verifier = call.values.get("code_verifier", "")
    return (
        code.client_id == client.client_id
        and code.redirect_uri == call.values.get("redirect_uri")
        and bool(_VERIFIER.fullmatch(verifier))
        and hmac.compare_digest(create_s256_code_challenge(verifier), code.challenge)
        and code.dpop_jkt in (None, call.thumbprint)
        and code.generation == person.generation
        and not person.suspended
        and acts_for(client, person)
    )
