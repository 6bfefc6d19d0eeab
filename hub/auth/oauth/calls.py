"""Calls of the authorization server's endpoints: a form, and a client that proves who it is by its key."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from authlib.oauth2.rfc6749 import ClientMixin, OAuth2Request
from authlib.oauth2.rfc6749.errors import InvalidClientError, InvalidRequestError, OAuth2Error
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from starlette.requests import Request

from hub.auth.addresses import Addresses
from hub.auth.oauth.form import read_form
from hub.auth.oauth.key_uses import KeyUses
from hub.auth.oauth.throttle import Throttle
from hub.auth.proofs.assertions import ASSERTION_TYPE, Assertion, Prover, read_assertion
from hub.auth.proofs.dpop import NeedsNonce, read_proof
from hub.auth.proofs.jws import BadJws
from hub.auth.proofs.nonces import Nonces
from hub.auth.proofs.replay import Replay, SingleUse
from hub.settings import Settings
from hub.store.clients import Client
from hub.store.engine import Store
from hub.store.standing import clients_with_keys
from hub.store.together import Together

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


class NonceRefused(OAuth2Error):  # type: ignore[misc]
    """400: a new proof with the nonce of the answer makes the request good (RFC 9449, section 8)."""

    error = "use_dpop_nonce"


class Call(OAuth2Request):  # type: ignore[misc]
    """A request with all that had to be waited for, and what it uses up. form: without doubled parameters."""

    def __init__(
        self,
        path: str,
        form: Mapping[str, str],
        assertion: Assertion,
        found: Client | None,
        proofs: list[str],
        address: str,
    ) -> None:
        # The framework takes plain http for loopback only. TLS may end at a proxy: the operator's public
        # URL is what counts, so the framework is not asked.
        super().__init__("POST", f"https://hub.invalid{path}")
        self.payload = BasicOAuth2Payload(form)
        self.path, self.values, self.address = path, form, address
        self.assertion, self.found, self.proofs = assertion, found, proofs
        self.thumbprint: str | None = None
        self.uses: list[tuple[SingleUse, OAuth2Error]] = []
        self.signer: str | None = None
        self.not_granted = False
        """Whether the client, once proven, asked for a scope that it does not hold."""


class RegisteredClient(ClientMixin):  # type: ignore[misc]
    """A client as the framework wants to see it."""

    def __init__(self, client: Client) -> None:
        self.row = client

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        """Whether the client may authenticate like this."""
        return method == AUTH_METHOD

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether the client may use the grant."""
        return bool(grant_type == ClientCredentialsGrant.GRANT_TYPE)


class Callers:
    """Reads calls, and has their clients prove who they are."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        nonces: Nonces,
        addresses: Addresses,
        uses: KeyUses,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """addresses: tells who fails to prove itself. uses: is told which keys were used.

        clock: seconds since 1970.
        """
        self._issuer, self._nonces, self._clock = settings.public_url, nonces, clock
        self._addresses, self._key_uses = addresses, uses
        self._prover, self._replay = Prover(), Replay(store)
        self._throttle = Throttle(settings.quota_tokens_per_s, settings.quota_failures_per_s)
        self._clients: Together[str, Client | None] = Together(lambda ids: clients_with_keys(store, ids))

    async def read(self, request: Request, required: str) -> Call:
        """The call, its client looked up and not proven yet; an OAuth2Error when it cannot be good.

        required: a parameter that must be there.
        """
        form = await read_form(request)
        if required not in form:
            raise InvalidRequestError(f"The parameter {required} is missing.")
        text = _assertion_text(form, request.headers.getlist("authorization"))
        try:
            assertion = read_assertion(text, self._issuer, self._clock())
        except BadJws as bad:
            raise ClientRefused(f"The client assertion {bad}.") from None
        if form.get("client_id", assertion.client_id) != assertion.client_id:
            raise ClientRefused("The parameter client_id is not the client that the assertion names.")
        address = self._addresses.of(request)
        found = await self._clients.ask(assertion.client_id)
        self._throttle.check(address, found)
        return Call(request.scope["path"], form, assertion, found, request.headers.getlist("dpop"), address)

    def prove(self, call: Call) -> RegisteredClient:
        """The client, once its key has proven it; the assertion is then to be used up."""
        call.signer = self._prover.signer(call.assertion, call.found)
        if call.found is None or call.signer is None or call.found.suspended:
            self._throttle.failed(call.address)
            raise ClientRefused(NOT_PROVEN)
        assertion = call.assertion
        single_use = SingleUse(assertion.client_id, assertion.jti, assertion.expires_at_s)
        call.uses.append((single_use, ClientRefused("The client assertion was used before: make a new one.")))
        return RegisteredClient(call.found)

    def bind(self, call: Call) -> None:
        """Take the key of the call's DPoP proof, which is then to be used up; ProofRefused otherwise."""
        try:
            proof = read_proof(
                call.proofs,
                method=call.method,
                url=self._issuer + call.path,
                now_s=self._clock(),
                nonces=self._nonces,
            )
        except NeedsNonce as bad:
            # Nothing is used up: the client sends the same assertion again, with another proof. Whoever got
            # hold of it could, too, and so the address pays.
            call.uses.clear()
            self._throttle.failed(call.address)
            raise NonceRefused(f"The DPoP proof {bad}.") from None
        except BadJws as bad:
            raise ProofRefused(f"The DPoP proof {bad}.") from None
        call.thumbprint = proof.thumbprint
        single_use = SingleUse(proof.issuer, proof.jti, proof.expires_at_s)
        call.uses.append((single_use, ProofRefused("The DPoP proof was used before: make a new one.")))

    def bind_or_waive(self, call: Call) -> None:
        """Take the key of the call's proof; without one, ProofRefused unless the client has the waiver.

        The client must have proven itself.
        """
        if call.proofs:
            self.bind(call)
        elif call.found is None or not call.found.bearer:
            raise ProofRefused("This client needs a DPoP proof: it has no waiver for bearer tokens.")

    async def use_up(self, call: Call) -> None:
        """Use up what counts once; an OAuth2Error when something of it was used before.

        The client pays for an assertion that is used for the first time, and the address for any other.
        """
        if call.uses:
            fresh = await self._replay.first_use(*(single_use for single_use, _ in call.uses))
            if call.found is not None and fresh[0]:
                self._throttle.proven(call.found)
            else:
                self._throttle.failed(call.address)
            for is_fresh, (_, refusal) in zip(fresh, call.uses, strict=True):
                if not is_fresh:
                    raise refusal
        if call.signer is not None:
            self._key_uses.note(call.assertion.client_id, call.signer)


def _assertion_text(form: Mapping[str, str], authorization: list[str]) -> str:
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
