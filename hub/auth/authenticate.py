"""Who sends this request: the access token is checked strictly, the client's standing is read now."""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, NoReturn
from urllib.parse import quote

from starlette.requests import HTTPConnection

from hub.auth.denied import Denied
from hub.auth.dpop import LEEWAY_S, read_proof
from hub.auth.jws import ALGORITHMS, BadJws, check_started, read, text_claim, time_claim
from hub.auth.replay import Once, Replay
from hub.auth.server import TOKEN_PATH, TOKEN_TYPE
from hub.auth.signing import ALGORITHM, Signing
from hub.domain.principal import ANYONE, Principal
from hub.domain.refusal import Refusal
from hub.settings import Settings
from hub.store.clients import Client, find_clients
from hub.store.engine import Store
from hub.store.together import Together

REMEMBERED_TOKENS_MAX = 4_096
"""Tokens whose signature is not checked again; some 2 KB each."""

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


def missing_scope(*scopes: str) -> Denied:
    """403 for a caller without these scopes; all of them are named as needed."""
    names = " ".join(scopes)
    refusal = Refusal(
        "scope.missing",
        f"this needs the scope {names}",
        "Ask for a token with that scope; when it is not granted to you, ask the network manager for it.",
    )
    challenge = f'{_BEARER}, error="insufficient_scope", scope="{names}"'
    return Denied(403, refusal, {"WWW-Authenticate": challenge})


class Authenticator:
    """Turns the Authorization header of a request into a Principal.

    Suspension, retired grants and changed networks act on tokens already issued: only the verification of a
    signature is remembered, never the client's row.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        signing: Signing,
        clock: Callable[[], float] = time.time,
        *,
        remembered_max: int = REMEMBERED_TOKENS_MAX,
    ) -> None:
        """clock: seconds since 1970. remembered_max: tokens whose signature is not checked again."""
        self._signing, self._clock = signing, clock
        self._issuer, self._remembered_max = settings.public_url, remembered_max
        self._replay = Replay(store, clock)
        self._verified: OrderedDict[bytes, dict[str, Any]] = OrderedDict()
        self._clients: Together[str, Client | None] = Together(
            lambda ids: store.read(lambda conn: find_clients(conn, ids))
        )

    async def principal(self, request: HTTPConnection) -> Principal:
        """The caller; ANYONE without an Authorization header. Denied when there is one that does not hold.

        Tokens in the query or the body are never read.
        """
        headers = request.headers.getlist("authorization")
        if not headers:
            return ANYONE
        if len(headers) > 1:
            self._deny("several Authorization headers came with the request")
        given = _AUTHORIZATION.fullmatch(headers[0])
        if not given:
            self._deny("the header Authorization is neither Bearer nor DPoP with a token")
        return await self.holder(
            given[1],
            given[2],
            method=request.scope.get("method", "GET"),
            path=_raw_path(request),
            proofs=request.headers.getlist("dpop"),
        )

    async def holder(
        self, scheme: str, token: str, *, method: str, path: str, proofs: Sequence[str]
    ) -> Principal:
        """The caller that presents this token under the scheme (Bearer or DPoP, any case); else Denied.

        path: of the request, percent-encoded, without query. proofs: values of its DPoP headers.
        """
        try:
            claims = self._claims(token)
        except BadJws as bad:
            self._deny(f"the access token {bad}")
        client = await self._client(claims)
        bound_to = _thumbprint(claims)
        if bound_to is None and not client.bearer:
            self._deny("the client has no waiver for tokens that are not bound to a key")
        if (bound_to is not None) != (scheme.lower() == "dpop"):
            wanted = "Bearer: it is bound to no key" if bound_to is None else "DPoP, with a proof of its key"
            self._deny(f"the access token must be sent as {wanted}")
        if bound_to is not None:
            await self._check_proof(proofs, bound_to, token, method, path)
        if client.suspended:
            raise _suspended(client)
        return Principal(
            client_id=client.client_id,
            audience=client.audience,
            partner=client.partner,
            scopes=frozenset(claims["scope"].split(" ")).intersection(client.scopes),
            networks=client.networks,
            source_prefix=client.source_prefix,
        )

    def _claims(self, token: str) -> dict[str, Any]:
        digest, now_s = sha256(token.encode()).digest(), self._clock()
        claims = self._verified.get(digest)
        if claims is None:
            claims = self._checked(token, now_s)
            self._verified[digest] = claims
            if len(self._verified) > self._remembered_max:
                self._verified.popitem(last=False)
        if claims["exp"] <= now_s:
            del self._verified[digest]
            raise BadJws("has expired")
        return claims

    def _checked(self, token: str, now_s: float) -> dict[str, Any]:
        """Claims of a token that this hub signed for itself, its end not yet looked at; BadJws otherwise."""
        statement = read(
            token, types=frozenset({TOKEN_TYPE}), headers=frozenset({"kid"}), algorithms=(ALGORITHM,)
        )
        if not self._signing.signed(statement):
            raise BadJws("was not signed by this hub")
        claims = statement.claims
        if claims.get("iss") != self._issuer or claims.get("aud") != self._issuer:
            raise BadJws("was not issued by this hub for this hub alone")
        for name in ("sub", "client_id", "jti", "hub_audience"):
            text_claim(claims, name)
        text_claim(claims, "scope", chars_max=2_048)
        if claims["sub"] != claims["client_id"] or "hub_partner" not in claims:
            raise BadJws("does not say whom it speaks for")
        if "cnf" in claims and _thumbprint(claims) is None:
            raise BadJws("is bound to something else than a DPoP key")
        time_claim(claims, "exp")
        time_claim(claims, "iat")
        check_started(claims, now_s, LEEWAY_S)
        return claims

    async def _client(self, claims: Mapping[str, Any]) -> Client:
        client_id = claims["client_id"]
        client = await self._clients.ask(client_id)
        if client is None:
            self._deny("the access token belongs to a client that is gone")
        if claims["hub_partner"] != client.partner or claims["hub_audience"] != client.audience:
            self._deny("the access token was issued when the client spoke for someone else")
        return client

    async def _check_proof(
        self, proofs: Sequence[str], bound_to: str, token: str, method: str, path: str
    ) -> None:
        try:
            url, now_s = self._issuer + path, self._clock()
            proof = read_proof(proofs, method=method, url=url, now_s=now_s, access_token=token)
            if proof.thumbprint != bound_to:
                raise BadJws("is signed with another key than the token is bound to")
            if not all(await self._replay.first_use(Once(proof.issuer, proof.jti, proof.expires_at_s))):
                raise BadJws("was used before: make a new one for each request")
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


def _thumbprint(claims: Mapping[str, Any]) -> str | None:
    confirmation = claims.get("cnf")
    jkt = confirmation.get("jkt") if isinstance(confirmation, dict) else None
    return jkt if isinstance(jkt, str) else None


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
