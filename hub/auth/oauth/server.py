"""The authorization server: Authlib's framework, held to what the network allows.

Two grants (client credentials, and the code of `code_grant`), one way to prove who asks (private_key_jwt),
tokens of RFC 9068 for five minutes. Authlib is synchronous: what waits (form, store) is done before and after
it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from authlib.oauth2.rfc6749 import AuthorizationServer
from authlib.oauth2.rfc6749.errors import InvalidScopeError, OAuth2Error, UnsupportedGrantTypeError
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hub.auth.addresses import Addresses
from hub.auth.oauth.calls import AUTH_METHOD, Call, Callers
from hub.auth.oauth.code_grant import GRANT_TYPE, CodeGrant
from hub.auth.oauth.key_uses import KeyUses
from hub.auth.oauth.tokens import Held, Tokens, token_answer
from hub.auth.proofs.jws import BadJws
from hub.auth.proofs.nonces import Nonces
from hub.domain.scopes import SCOPES, Audience
from hub.events.audit import NoteRefusal, unheard
from hub.settings import Settings
from hub.store.clients import Client
from hub.store.engine import Store

TOKEN_PATH = "/oauth/token"  # noqa: S105 (an address, no secret)
REVOKE_PATH, INTROSPECT_PATH = "/oauth/revoke", "/oauth/introspect"
NOT_KEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class ClientCredentials(ClientCredentialsGrant):  # type: ignore[misc]
    """The grant, with scopes taken literally and tokens bound to a key unless the client has the waiver."""

    TOKEN_ENDPOINT_AUTH_METHODS = [AUTH_METHOD]

    def validate_token_request(self) -> None:
        """Who asks, for what, holding which key; an OAuth2Error otherwise."""
        super().validate_token_request()
        self.server.callers.bind_or_waive(self.request)

    def validate_requested_scope(self) -> None:
        """Each scope exists and is granted; nothing is narrowed in silence."""
        wanted = (self.request.payload.scope or "").split(" ")
        if not SCOPES.issuperset(wanted):
            raise InvalidScopeError("Name one or more scopes of this server, a single space between them.")
        if missing := sorted(set(wanted) - set(self.request.client.row.scopes)):
            self.request.not_granted = True
            raise InvalidScopeError(f"Not granted to this client: {' '.join(missing)}.")

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Status, body and headers with the token. The framework's own would log it."""
        return 200, self.server.mint(self.request), self.TOKEN_RESPONSE_HEADER


class Server(AuthorizationServer):  # type: ignore[misc]
    """Answers requests for tokens, and about them."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        tokens: Tokens,
        nonces: Nonces,
        addresses: Addresses,
        uses: KeyUses,
        clock: Callable[[], float] = time.time,
        note_refusal: NoteRefusal = unheard,
    ) -> None:
        """addresses, uses: as Callers needs them. clock: seconds since 1970.

        note_refusal: told of clients that ask for scopes which they do not hold.
        """
        super().__init__(scopes_supported=sorted(SCOPES))
        self._tokens, self._note_refusal = tokens, note_refusal
        self.callers = Callers(store, settings, nonces, addresses, uses, clock)
        self._code_grant = CodeGrant(store, tokens, self.callers, clock)
        self.register_grant(ClientCredentials)
        self.register_client_auth_method(AUTH_METHOD, lambda _query_client, call: self.callers.prove(call))

    async def token(self, request: Request) -> Response:
        """The answer to a token request: a token, or an error of RFC 6749, section 5.2."""
        try:
            call = await self.callers.read(request, required="grant_type")
            if call.values["grant_type"] == GRANT_TYPE:
                return JSONResponse(await self._code_grant.redeem(call), headers=NOT_KEPT)
            response: Response = self.create_token_response(call)
            # Used up even when the answer is a no; the token leaves only after the commit.
            await self.callers.use_up(call)
            # Told only now: an assertion that somebody sends again must not speak in the client's name.
            if call.not_granted:
                self._note_refusal(
                    call.client.row.principal(()), InvalidScopeError.error, f"POST {TOKEN_PATH}"
                )
        except OAuth2Error as refused:
            response = self.handle_error_response(None, refused)
        return response

    async def revoke(self, request: Request) -> Response:
        """End a token of the client that asks (RFC 7009): 200 also for what is no token of it."""
        try:
            client, token = await self._asked_about(request)
        except OAuth2Error as refused:
            return self._refused(refused)
        await self._tokens.revoke(token, client.client_id)
        return Response(status_code=200, headers=NOT_KEPT)

    async def introspect(self, request: Request) -> Response:
        """What a token is worth now (RFC 7662), told to its client and to managers of the whole network."""
        try:
            client, token = await self._asked_about(request)
        except OAuth2Error as refused:
            return self._refused(refused)
        try:
            held = await self._tokens.held(token)
        except BadJws:
            return JSONResponse({"active": False}, headers=NOT_KEPT)
        told = held.client.client_id == client.client_id or _sees_every_token(client)
        active = told and not held.client.suspended and not (held.person and held.person.suspended)
        return JSONResponse(_described(held) if active else {"active": False}, headers=NOT_KEPT)

    async def _asked_about(self, request: Request) -> tuple[Client, str]:
        """The proven client of a request, and the token that it is about."""
        call = await self.callers.read(request, required="token")
        client = self.callers.prove(call).row
        await self.callers.use_up(call)
        return client, call.values["token"]

    def mint(self, call: Call) -> dict[str, Any]:
        """A token response for an authenticated request with checked scopes."""
        scope = " ".join(dict.fromkeys(call.payload.scope.split(" ")))
        token = self._tokens.issue(call.client.row, scope, call.thumbprint)
        return token_answer(token, scope, call.thumbprint)

    def get_token_grant(self, request: Call) -> Any:
        """The grant asked for. The framework's own refusal would repeat what the client sent."""
        try:
            return super().get_token_grant(request)
        except UnsupportedGrantTypeError:
            grants = f"{ClientCredentialsGrant.GRANT_TYPE} and {GRANT_TYPE}"
            raise OAuth2Error(f"The only grants are {grants}.", error="unsupported_grant_type") from None

    def create_oauth2_request(self, request: Call) -> Call:
        """The framework's view of the request: it is one already."""
        return request

    def handle_response(self, status: int, body: dict[str, Any], headers: list[tuple[str, str]]) -> Response:
        """The framework's answer as Starlette's; its headers forbid caching."""
        return JSONResponse(body, status, dict(headers))

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Nobody listens to the framework's signals."""

    def _refused(self, refused: OAuth2Error) -> Response:
        response: Response = self.handle_error_response(None, refused)
        return response


def _sees_every_token(client: Client) -> bool:
    """Whether it runs the network's systems: a manager that is bound to no part of it."""
    return client.audience is Audience.MANAGER and client.networks is None and "ops:read" in client.scopes


def _described(held: Held) -> dict[str, Any]:
    """Claims of an active token as RFC 7662 names them; scopes are those that it is still good for."""
    return {
        **held.claims,
        "active": True,
        "scope": " ".join(sorted(held.scopes)),
        "token_type": "Bearer" if held.bound_to is None else "DPoP",
    }
