"""A technical contact's tools: requests as a client, and statements that are signed as documented."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from joserfc.jwk import ECKey

from hub.auth.client import TokenClient, generate_key
from hub.auth.proofs.jws import sign
from hub.store.thumbprint import thumbprint
from tests.support.serving import Served
from tests.support.waiting import PATIENCE_S


def public(jwk: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in jwk.items() if name != "d"}


def statement(signer: dict[str, Any], *, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A statement on a key; a header member of None is taken away."""
    full = {"typ": "hub-key+jwt", "alg": "ES256", "kid": signer["kid"], **(header or {})}
    key = ECKey.import_key({name: signer[name] for name in ("kty", "crv", "x", "y", "d")})
    return sign({name: value for name, value in full.items() if value is not None}, claims, key)


class Hands:
    """One client of a served hub."""

    def __init__(self, served: Served, http: httpx.AsyncClient, row: dict[str, Any]) -> None:
        self.served, self.http, self.row = served, http, row
        self.id, self.key = row["client_id"], row["private_key_jwk"]
        endpoint = f"{served.base_url}/oauth/token"
        self.tokens = TokenClient(http, row, issuer=served.base_url, token_endpoint=endpoint)

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        scopes: Iterable[str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """One request as this client. scopes: of the token, all granted unless told."""
        token = await self.tokens.headers(method, self.served.base_url + path.partition("?")[0], scopes)
        if isinstance(body, bytes):
            kind = {"Content-Type": "application/json"}
            return await self.http.request(
                method, path, content=body, headers={**kind, **token, **(headers or {})}
            )
        return await self.http.request(method, path, json=body, headers={**token, **(headers or {})})

    async def challenge(self) -> str:
        answer = await self.ask("POST", f"/clients/{self.id}/keys/challenge")
        assert answer.status_code == 200, answer.text
        return str(answer.json()["challenge"])

    def claims(self, challenge: str, jwk: dict[str, Any], act: str = "add", **more: Any) -> dict[str, Any]:
        return {
            "aud": self.served.base_url,
            "sub": self.id,
            "act": act,
            "jkt": thumbprint(jwk),
            "nonce": challenge,
            **more,
        }

    async def new_key(self, new: dict[str, Any], challenge: str | None = None) -> dict[str, Any]:
        """Body of the request that adds the key."""
        claims = self.claims(challenge or await self.challenge(), new)
        return {
            "jwk": public(new),
            "proof": statement(new, **claims),
            "approval": statement(self.key, **claims),
        }

    async def add(self, new: dict[str, Any], challenge: str | None = None) -> httpx.Response:
        return await self.ask("POST", f"/clients/{self.id}/keys", await self.new_key(new, challenge))

    async def retire(
        self, leaving: dict[str, Any], by: dict[str, Any], challenge: str | None = None
    ) -> httpx.Response:
        claims = self.claims(challenge or await self.challenge(), leaving, "retire")
        return await self.ask(
            "DELETE",
            f"/clients/{self.id}/keys/{leaving['kid']}",
            headers={"Key-Approval": statement(by, **claims)},
        )

    async def kids(self) -> set[str]:
        answer = await self.ask("GET", "/clients/me")
        return {key["kid"] for key in answer.json()["keys"]}

    def with_key(self, key: dict[str, Any], **row: Any) -> Hands:
        """The same client with another key."""
        return Hands(self.served, self.http, {**self.row, "private_key_jwk": key, **row})


@asynccontextmanager
async def hands(served: Served, client: str) -> AsyncIterator[Hands]:
    async with httpx.AsyncClient(base_url=served.base_url, timeout=PATIENCE_S) as http:
        yield Hands(served, http, served.rows[client])


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal, which says what to do, and can be kept by nobody."""
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert body["detail"]
    assert body["remedy"]
    return answer.status_code, body["code"]


__all__ = ["Hands", "generate_key", "hands", "problem", "public", "statement"]
