"""The other side: a partner's system that gets tokens and sends them, with a proof where it must."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from joserfc.jwk import ECKey, OKPKey, RSAKey

from hub.auth.proofs.assertions import ASSERTION_TYPE
from hub.auth.proofs.dpop import PROOF_TYPE, normalised, token_hash
from hub.auth.proofs.jws import Key, sign
from hub.auth.proofs.nonces import HEADER as NONCE_HEADER

ASSERTION_LIFETIME_S = 60
RENEW_BEFORE_S = 30
"""A token this close to its end is replaced: it could expire on the way."""

_SIGNERS: dict[str, tuple[type[ECKey] | type[RSAKey] | type[OKPKey], str]] = {
    "EC": (ECKey, "ES256"),
    "RSA": (RSAKey, "PS256"),
    "OKP": (OKPKey, "Ed25519"),
}


class TokenRefused(Exception):
    """The authorization server gave no token. status: of HTTP; error: code of RFC 6749, section 5.2."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.status, self.error, self.description = status, error, description


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    scheme: str
    renew_at_s: float


class TokenClient:
    """Headers for the requests of one client; a token is kept until shortly before its end."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        row: Mapping[str, Any],
        *,
        issuer: str,
        token_endpoint: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """row: one of `clients` in credentials.json; issuer, token_endpoint: of the same file.

        clock: seconds since 1970.
        """
        self._http, self._clock = http, clock
        self._issuer, self._token_endpoint = issuer, token_endpoint
        self._client_id, self._scopes = str(row["client_id"]), tuple(row["scopes"])
        jwk = row["private_key_jwk"]
        self._key, self._alg = _signer(jwk)
        self._kid = jwk["kid"]
        self._proof_key = ECKey.generate_key("P-256") if row["dpop"] else None
        self._tokens: dict[frozenset[str], _Token] = {}
        self._nonce: str | None = None
        self._asking = asyncio.Lock()

    async def headers(self, method: str, url: str, scopes: Iterable[str] | None = None) -> dict[str, str]:
        """Authorization, and a fresh DPoP proof where the client needs one, for one request.

        scopes: of the token, all granted ones unless said. TokenRefused when there is none to be had;
        httpx.HTTPError when the server cannot be reached.
        """
        token = await self._token(frozenset(self._scopes if scopes is None else scopes))
        headers = {"Authorization": f"{token.scheme} {token.text}"}
        if self._proof_key is not None:
            headers["DPoP"] = self._proof(method, url, token.text)
        return headers

    def heard(self, answer: httpx.Response) -> bool:
        """Keep the nonce of an answer for the next proof; whether the request is to be sent again with it."""
        self._nonce = answer.headers.get(NONCE_HEADER, self._nonce)
        challenge = answer.headers.get("WWW-Authenticate", "")
        return answer.status_code == 401 and 'error="use_dpop_nonce"' in challenge

    async def _token(self, scopes: frozenset[str]) -> _Token:
        async with self._asking:
            token = self._tokens.get(scopes)
            if token is None or token.renew_at_s <= self._clock():
                token = self._tokens[scopes] = await self._ask(scopes)
            return token

    async def _ask(self, scopes: frozenset[str]) -> _Token:
        asked_at_s = self._clock()
        answer = await self._post(scopes)
        if _error(answer) == "use_dpop_nonce":
            answer = await self._post(scopes)
        if answer.status_code != 200:
            raise _refused(answer)
        body = answer.json()
        renew_at_s = asked_at_s + body["expires_in"] - RENEW_BEFORE_S
        return _Token(body["access_token"], body["token_type"], renew_at_s)

    async def _post(self, scopes: frozenset[str]) -> httpx.Response:
        form = {
            "grant_type": "client_credentials",
            "scope": " ".join(sorted(scopes)),
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self._assertion(),
        }
        headers = {}
        if self._proof_key is not None:
            headers["DPoP"] = self._proof("POST", self._token_endpoint)
        answer = await self._http.post(self._token_endpoint, data=form, headers=headers)
        self.heard(answer)
        return answer

    def _assertion(self) -> str:
        now_s = int(self._clock())
        claims = {
            "iss": self._client_id,
            "sub": self._client_id,
            "aud": self._issuer,
            "iat": now_s,
            "exp": now_s + ASSERTION_LIFETIME_S,
            "jti": secrets.token_urlsafe(16),
        }
        return sign({"alg": self._alg, "kid": self._kid}, claims, self._key)

    def _proof(self, method: str, url: str, token: str | None = None) -> str:
        assert self._proof_key is not None
        claims = {
            "jti": secrets.token_urlsafe(16),
            "htm": method,
            "htu": normalised(url),
            "iat": int(self._clock()),
        }
        if token is not None:
            claims["ath"] = token_hash(token)
        if self._nonce is not None:
            claims["nonce"] = self._nonce
        header = {"typ": PROOF_TYPE, "alg": "ES256", "jwk": self._proof_key.as_dict(private=False)}
        return sign(header, claims, self._proof_key)


def generate_key() -> dict[str, Any]:
    """A new private P-256 JWK; its `kid` is the RFC 7638 thumbprint."""
    return dict(ECKey.generate_key("P-256", auto_kid=True).as_dict(private=True))


def _signer(jwk: Mapping[str, Any]) -> tuple[Key, str]:
    kind, alg = _SIGNERS[jwk["kty"]]
    members = {name: value for name, value in jwk.items() if name not in ("alg", "use", "key_ops", "kid")}
    return kind.import_key(members), alg


def _error(answer: httpx.Response) -> str | None:
    """The code of an OAuth error; None when it is none."""
    try:
        body = answer.json()
    except ValueError:
        return None
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, str) else None


def _refused(answer: httpx.Response) -> TokenRefused:
    error = _error(answer)
    if error is None:
        return TokenRefused(answer.status_code, "no_oauth_answer", "the token endpoint sent no OAuth error")
    return TokenRefused(answer.status_code, error, str(answer.json().get("error_description", "")))
