"""A partner's system that does everything right, so that a test can do one thing wrong; over real HTTP."""

from __future__ import annotations

import time
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import uuid4

import httpx
from joserfc.jwk import ECKey

from hub.auth.proofs.assertions import ASSERTION_TYPE
from hub.auth.proofs.jws import sign
from tests.auth.world import base64url, without_none
from tests.support.serving import Served
from tests.support.waiting import PATIENCE_S

HOLDER = ECKey.generate_key("P-256")
STRANGER = ECKey.generate_key("P-256")
SCOPE = "events:publish events:read"
DAY_S = 86_400
"""How far off a time is that is reckoned when tests are collected: the last of them run much later."""


@dataclass(frozen=True, slots=True)
class Partner:
    """One client of a served hub."""

    served: Served
    client_id: str

    @property
    def key(self) -> ECKey:
        """Its private key."""
        return ECKey.import_key(self.served.rows[self.client_id]["private_key_jwk"])

    def claims(self, **claims: Any) -> dict[str, Any]:
        """Of a good assertion, but for those given; None takes one away."""
        name, now_s = self.client_id, int(time.time())
        good = {"iss": name, "sub": name, "aud": self.served.base_url, "exp": now_s + 60, "jti": str(uuid4())}
        return without_none({**good, **claims})

    def assertion(self, header: dict[str, Any] | None = None, key: ECKey | None = None, **claims: Any) -> str:
        """A good assertion, but for the members given."""
        kid = self.served.rows[self.client_id]["private_key_jwk"]["kid"]
        full = without_none({"alg": "ES256", "kid": kid, **(header or {})})
        return sign(full, self.claims(**claims), key or self.key)

    def form(self, **fields: Any) -> dict[str, Any]:
        """A good token request, but for the fields given."""
        good = {
            "grant_type": "client_credentials",
            "scope": SCOPE,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": fields.get("client_assertion") or self.assertion(),
        }
        return without_none({**good, **fields})

    def ask(
        self,
        path: str = "/oauth/token",
        *,
        headers: dict[str, str] | None = None,
        content: bytes | None = None,
        **fields: Any,
    ) -> httpx.Response:
        """The answer to a form, or to bytes in its place."""
        url = f"{self.served.base_url}{path}"
        if content is not None:
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            return httpx.post(url, content=content, headers={**kind, **(headers or {})}, timeout=PATIENCE_S)
        return httpx.post(url, data=self.form(**fields), headers=headers, timeout=PATIENCE_S)

    def proof(
        self,
        path: str = "/oauth/token",
        *,
        method: str = "POST",
        token: str | None = None,
        header: dict[str, Any] | None = None,
        key: ECKey = HOLDER,
        **claims: Any,
    ) -> str:
        """A good proof for that request, but for the members given."""
        url = f"{self.served.base_url}{path}"
        good = {"jti": str(uuid4()), "htm": method, "htu": url, "iat": int(time.time())}
        if token is not None:
            good["ath"] = base64url(sha256(token.encode()).digest())
        full = {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.as_dict(private=False), **(header or {})}
        return sign(without_none(full), without_none({**good, **claims}), key)

    def token(self, *, bound: bool = False, **fields: Any) -> str:
        """An access token, bound to HOLDER or bearer."""
        answer = self.ask(headers={"DPoP": self.proof()} if bound else None, **fields)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def me(self, authorization: str | None, path: str = "/graphql", **headers: str) -> httpx.Response:
        """What GraphQL answers to the question who asks."""
        given = {**headers, **({"Authorization": authorization} if authorization is not None else {})}
        query = {"query": "{ me { partner { slug } } }"}
        return httpx.post(f"{self.served.base_url}{path}", json=query, headers=given, timeout=PATIENCE_S)
