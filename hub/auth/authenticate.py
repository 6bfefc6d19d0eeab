"""Who sends this request: the access token is checked strictly, the client's standing is read now."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NoReturn
from urllib.parse import quote

from starlette.requests import HTTPConnection

from hub.auth.denied import Denied
from hub.auth.oauth.server import TOKEN_PATH
from hub.auth.oauth.tokens import Held, Tokens
from hub.auth.people.sessions import CONFIRMED_S, Sessions, principal_of, suspended
from hub.auth.proofs.dpop import NeedsNonce, read_proof
from hub.auth.proofs.jws import ALGORITHMS, BadJws
from hub.auth.proofs.nonces import Nonces
from hub.auth.proofs.replay import Replay, SingleUse
from hub.domain.principal import Principal
from hub.domain.refusal import Refusal
from hub.domain.scopes import missing_scope
from hub.settings import Settings
from hub.store.clients import Client
from hub.store.engine import Store

_AUTHORIZATION = re.compile(r"(bearer|dpop) +([A-Za-z0-9._~+/=-]+)", re.ASCII | re.IGNORECASE)
_DPOP = f'DPoP realm="hub", algs="{" ".join(ALGORITHMS)}"'
_BEARER = 'Bearer realm="hub"'


def missing_token() -> Denied:
    """401 for what the public may not do."""
    refusal = Refusal(
        "token.missing",
        "this needs an access token, and the request carries none",
        f"Get a token at {TOKEN_PATH} and send it in the header Authorization.",
    )
    return Denied(401, refusal, {"WWW-Authenticate": f"{_BEARER}, {_DPOP}"})


def scope_denied(*scopes: str, one_of: bool = False) -> Denied:
    """403 for a caller without these scopes. one_of: any of them would do."""
    # The attribute names what a token must hold altogether (RFC 6750, 3): of alternatives it cannot tell.
    named = "" if one_of else f', scope="{" ".join(scopes)}"'
    challenge = f'{_BEARER}, error="insufficient_scope"{named}'
    return Denied(403, missing_scope(*scopes, one_of=one_of), {"WWW-Authenticate": challenge})


class Authenticator:
    """Turns the Authorization header of a request into a Principal."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        tokens: Tokens,
        nonces: Nonces,
        sessions: Sessions,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """sessions: of people. clock: seconds since 1970."""
        self._nonces, self._sessions = nonces, sessions
        self._tokens, self._clock, self._issuer = tokens, clock, settings.public_url
        self._replay = Replay(store)

    async def principal(self, request: HTTPConnection) -> Principal:
        """The caller; ANYONE without Authorization header and session. Denied when there is one that fails.

        Tokens in the query or the body are never read; with a header the cookie is not looked at.
        """
        headers = request.headers.getlist("authorization")
        if not headers:
            principal = await self._sessions.principal(request)
            request.state.principal = principal
            return principal
        if len(headers) > 1:
            self._deny("several Authorization headers came with the request")
        given = _AUTHORIZATION.fullmatch(headers[0])
        if not given:
            self._deny("the header Authorization is neither Bearer nor DPoP with a token")
        principal = await self.holder(
            given[1],
            given[2],
            method=request.scope.get("method", "GET"),
            path=_raw_path(request),
            proofs=request.headers.getlist("dpop"),
        )
        # For whoever refuses the request later, and records whom it refused.
        request.state.principal = principal
        return principal

    async def holder(
        self, scheme: str, token: str, *, method: str, path: str, proofs: Sequence[str]
    ) -> Principal:
        """The caller that presents this token under the scheme (Bearer or DPoP, any case); else Denied.

        path: of the request, percent-encoded, without query. proofs: values of its DPoP headers.
        """
        try:
            held = await self._tokens.held(token)
        except BadJws as bad:
            self._deny(f"the access token {bad}")
        principal = self._principal(held)
        try:
            await self._check_sent(held, scheme, token, method=method, path=path, proofs=proofs)
        except Denied as denied:
            denied.principal = principal
            raise
        return principal

    def _principal(self, held: Held) -> Principal:
        """Whom the token speaks for: its client, or the person who lets the client act."""
        client = held.client
        if held.person is None:
            return client.principal(held.scopes)
        confirmed = self._clock() - held.claims["auth_time"] <= CONFIRMED_S
        person = principal_of(held.person, client.client_id, held.scopes, confirmed=confirmed)
        if client.networks is None:
            return person
        # A client that is bound to networks opens no others, whoever uses it.
        networks = client.networks if person.networks is None else client.networks & person.networks
        return replace(person, networks=networks)

    async def _check_sent(
        self, held: Held, scheme: str, token: str, *, method: str, path: str, proofs: Sequence[str]
    ) -> None:
        """Denied unless the client may send its token so, and sends it itself."""
        if (held.bound_to is not None) != (scheme.lower() == "dpop"):
            wanted = (
                "Bearer: it is bound to no key" if held.bound_to is None else "DPoP, with a proof of its key"
            )
            self._deny(f"the access token must be sent as {wanted}")
        if held.bound_to is not None:
            await self._check_proof(proofs, held.bound_to, token, method, path)
        if held.client.suspended:
            raise _suspended(held.client)
        if held.person and held.person.suspended:
            raise suspended()

    async def _check_proof(
        self, proofs: Sequence[str], bound_to: str, token: str, method: str, path: str
    ) -> None:
        try:
            url, now_s = self._issuer + path, self._clock()
            proof = read_proof(
                proofs, method=method, url=url, now_s=now_s, nonces=self._nonces, access_token=token
            )
            if proof.thumbprint != bound_to:
                raise BadJws("is signed with another key than the token is bound to")
            if not all(await self._replay.first_use(SingleUse(proof.issuer, proof.jti, proof.expires_at_s))):
                raise BadJws("was used before: make a new one for each request")
        except NeedsNonce as bad:
            self._deny(f"the DPoP proof {bad}", error="use_dpop_nonce")
        except BadJws as bad:
            self._deny(f"the DPoP proof {bad}", error="invalid_dpop_proof")

    def _deny(self, message: str, *, error: str = "invalid_token") -> NoReturn:
        refusal = Refusal(
            "token.invalid",
            message,
            f"Get a new token at {self._issuer}{TOKEN_PATH} and send the request again.",
        )
        why = f'error="{error}", error_description="{message}"'
        challenges = (f"{_BEARER}, {why}", _DPOP) if error == "invalid_token" else (f"{_DPOP}, {why}",)
        raise Denied(401, refusal, {"WWW-Authenticate": ", ".join(challenges)})


def _suspended(client: Client) -> Denied:
    refusal = Refusal(
        "partner.suspended",
        f"client {client.client_id} is suspended",
        "Ask the network manager to resume it; its tokens work again from then on.",
    )
    return Denied(403, refusal, {})


def _raw_path(request: HTTPConnection) -> str:
    """The path as it was sent: a server that does not tell gets the usual spelling."""
    raw: bytes | None = request.scope.get("raw_path")
    return quote(request.scope["path"]) if raw is None else raw.decode("latin-1")
