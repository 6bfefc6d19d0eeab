"""The authorization server: Authlib's framework, held to what the network allows.

One grant (client credentials), one way to prove who asks (private_key_jwt), tokens of RFC 9068 for five
minutes. Authlib is synchronous: what waits (form, store) is done before and after it.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any

from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, OAuth2Request
from authlib.oauth2.rfc6749.errors import (
    InvalidClientError,
    InvalidRequestError,
    InvalidScopeError,
    OAuth2Error,
    UnsupportedGrantTypeError,
)
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hub.auth.assertions import ASSERTION_TYPE, Assertion, Prover, read_assertion
from hub.auth.dpop import read_proof
from hub.auth.form import read_form
from hub.auth.jws import BadJws
from hub.auth.replay import Once, Replay
from hub.auth.signing import Signing
from hub.domain.scopes import SCOPES
from hub.settings import Settings
from hub.store.clients import Client, find_clients
from hub.store.engine import Store
from hub.store.together import Together

TOKEN_PATH = "/oauth/token"  # noqa: S105 (an address, no secret)
TOKEN_TYPE = "at+jwt"  # noqa: S105 (a media type, no secret)
TOKEN_LIFETIME_S = 300
AUTH_METHOD = "private_key_jwt"
NOT_PROVEN = "There is no such client, it is suspended, or no live key of it made this signature."

_SECRETS = ("client_secret", "client_assertion")


class ClientRefused(InvalidClientError):  # type: ignore[misc]
    """401: the client did not prove who it is. No scheme to offer, unless it tried HTTP Basic."""

    status_code = 401

    def __init__(self, description: str, *, basic: bool = False) -> None:
        super().__init__(description=description)
        self._basic = basic

    def get_headers(self) -> list[tuple[str, str]]:
        """The framework would answer every failure with a challenge for Basic, which is never accepted."""
        challenge = [("WWW-Authenticate", 'Basic realm="hub"')] if self._basic else []
        return [*OAuth2Error.get_headers(self), *challenge]


class ProofRefused(OAuth2Error):  # type: ignore[misc]
    """400: the DPoP proof is missing or does not hold (RFC 9449, section 5)."""

    error = "invalid_dpop_proof"


class TokenRequest(OAuth2Request):  # type: ignore[misc]
    """A token request with all that had to be waited for, and what it uses up."""

    def __init__(self, form: dict[str, str], assertion: Assertion, found: Client | None, proofs: list[str]):
        # The framework takes plain http for loopback only. TLS may end at a proxy: the operator's public
        # URL is what counts, so the framework is not asked.
        super().__init__("POST", f"https://hub.invalid{TOKEN_PATH}")
        self.payload = BasicOAuth2Payload(form)
        self.assertion, self.found, self.proofs = assertion, found, proofs
        self.thumbprint: str | None = None
        self.uses: list[tuple[Once, OAuth2Error]] = []


class RegisteredClient(ClientMixin):  # type: ignore[misc]
    """A client as the framework wants to see it."""

    def __init__(self, client: Client) -> None:
        self.row = client

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Whether the client may authenticate like this."""
        return method == AUTH_METHOD and endpoint == "token"

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether the client may use the grant."""
        return bool(grant_type == ClientCredentialsGrant.GRANT_TYPE)


class ClientCredentials(ClientCredentialsGrant):  # type: ignore[misc]
    """The grant, with scopes taken literally and tokens bound to a key unless the client has the waiver."""

    TOKEN_ENDPOINT_AUTH_METHODS = [AUTH_METHOD]

    def validate_token_request(self) -> None:
        """Who asks, for what, holding which key; an OAuth2Error otherwise."""
        super().validate_token_request()
        client, request = self.request.client.row, self.request
        if request.proofs:
            self.server.check_proof(request)
        elif not client.bearer:
            raise ProofRefused("This client needs a DPoP proof: it has no waiver for bearer tokens.")

    def validate_requested_scope(self) -> None:
        """Each scope exists and is granted; nothing is narrowed in silence."""
        wanted = (self.request.payload.scope or "").split(" ")
        if not SCOPES.issuperset(wanted):
            raise InvalidScopeError("Name one or more scopes of this server, a single space between them.")
        if missing := sorted(set(wanted) - set(self.request.client.row.scopes)):
            raise InvalidScopeError(f"Not granted to this client: {' '.join(missing)}.")

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Status, body and headers with the token. The framework's own would log it."""
        return 200, self.server.mint(self.request), self.TOKEN_RESPONSE_HEADER


class Server(AuthorizationServer):  # type: ignore[misc]
    """Answers token requests."""

    def __init__(
        self, store: Store, settings: Settings, signing: Signing, clock: Callable[[], float] = time.time
    ) -> None:
        """clock: seconds since 1970."""
        super().__init__(scopes_supported=sorted(SCOPES))
        self._signing, self._clock = signing, clock
        self._issuer = settings.public_url
        self._prover, self._replay = Prover(), Replay(store, clock)
        self._clients: Together[str, Client | None] = Together(
            lambda ids: store.read(lambda conn: find_clients(conn, ids))
        )
        self.register_grant(ClientCredentials)
        self.register_client_auth_method(AUTH_METHOD, self._authenticate)

    async def token(self, request: Request) -> Response:
        """The answer to a token request: a token, or an error of RFC 6749, section 5.2."""
        try:
            call = await self._call(request)
            response: Response = self.create_token_response(call)
            # Used up even when the answer is a no; the token leaves only after the commit.
            await self._use_up(call)
        except OAuth2Error as refused:
            response = self.handle_error_response(None, refused)
        return response

    async def _call(self, request: Request) -> TokenRequest:
        form = await read_form(request)
        if "grant_type" not in form:
            raise InvalidRequestError("The parameter grant_type is missing.")
        text = _assertion_text(form, request.headers.getlist("authorization"))
        try:
            assertion = read_assertion(text, self._issuer, self._clock())
        except BadJws as bad:
            raise ClientRefused(f"The client assertion {bad}.") from None
        if form.get("client_id", assertion.client_id) != assertion.client_id:
            raise ClientRefused("The parameter client_id is not the client that the assertion names.")
        found = await self._clients.ask(assertion.client_id)
        return TokenRequest(form, assertion, found, request.headers.getlist("dpop"))

    async def _use_up(self, call: TokenRequest) -> None:
        if call.uses:
            fresh = await self._replay.first_use(*(once for once, _ in call.uses))
            for is_fresh, (_, refusal) in zip(fresh, call.uses, strict=True):
                if not is_fresh:
                    raise refusal

    def _authenticate(self, _query_client: object, call: TokenRequest) -> RegisteredClient:
        proven = self._prover.proves(call.assertion, call.found)
        if call.found is None or not proven or call.found.suspended:
            raise ClientRefused(NOT_PROVEN)
        assertion = call.assertion
        once = Once(assertion.client_id, assertion.jti, assertion.expires_at_s)
        call.uses.append((once, ClientRefused("The client assertion was used before: make a new one.")))
        return RegisteredClient(call.found)

    def check_proof(self, call: TokenRequest) -> None:
        """Bind the token to the key of the request's DPoP proof; ProofRefused otherwise."""
        url = self._issuer + TOKEN_PATH
        try:
            proof = read_proof(call.proofs, method=call.method, url=url, now_s=self._clock())
        except BadJws as bad:
            raise ProofRefused(f"The DPoP proof {bad}.") from None
        call.thumbprint = proof.thumbprint
        once = Once(proof.issuer, proof.jti, proof.expires_at_s)
        call.uses.append((once, ProofRefused("The DPoP proof was used before: make a new one.")))

    def mint(self, call: TokenRequest) -> dict[str, Any]:
        """A token response for an authenticated request with checked scopes."""
        client, now_s = call.client.row, int(self._clock())
        scope = " ".join(dict.fromkeys(call.payload.scope.split(" ")))
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": self._issuer,
            "sub": client.client_id,
            "client_id": client.client_id,
            "scope": scope,
            "iat": now_s,
            "exp": now_s + TOKEN_LIFETIME_S,
            "jti": secrets.token_urlsafe(16),
            "hub_partner": client.partner,
            "hub_audience": client.audience.value,
        }
        if call.thumbprint is not None:
            claims["cnf"] = {"jkt": call.thumbprint}
        return {
            "access_token": self._signing.sign(TOKEN_TYPE, claims),
            "token_type": "Bearer" if call.thumbprint is None else "DPoP",
            "expires_in": TOKEN_LIFETIME_S,
            "scope": scope,
        }

    def get_token_grant(self, request: TokenRequest) -> Any:
        """The grant asked for. The framework's own refusal would repeat what the client sent."""
        try:
            return super().get_token_grant(request)
        except UnsupportedGrantTypeError:
            only = ClientCredentialsGrant.GRANT_TYPE
            raise OAuth2Error(f"The only grant is {only}.", error="unsupported_grant_type") from None

    def create_oauth2_request(self, request: TokenRequest) -> TokenRequest:
        """The framework's view of the request: it is one already."""
        return request

    def handle_response(self, status: int, body: dict[str, Any], headers: list[tuple[str, str]]) -> Response:
        """The framework's answer as Starlette's; its headers forbid caching."""
        return JSONResponse(body, status, dict(headers))

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Nobody listens to the framework's signals."""


def _assertion_text(form: dict[str, str], authorization: list[str]) -> str:
    """The client assertion, when it is the one and only way in which the client authenticates."""
    ways = len(authorization) + sum(name in form for name in _SECRETS)
    if ways > 1:
        raise InvalidRequestError("Authenticate in one way only.")
    if "client_assertion" not in form:
        basic = bool(authorization) and authorization[0].lower().startswith("basic")
        raise ClientRefused(f"Authenticate with {AUTH_METHOD}: a client_assertion in the body.", basic=basic)
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise InvalidRequestError(f"The client_assertion_type must be {ASSERTION_TYPE}.")
    return form["client_assertion"]
