"""An authorization server and a resource in one application, and the partner's side of the conversation."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

import httpx
from fastapi import FastAPI, Request
from joserfc.jwk import ECKey, OKPKey, RSAKey
from starlette.responses import JSONResponse, Response

from hub.auth.addresses import Addresses
from hub.auth.authenticate import Authenticator
from hub.auth.denied import Denied
from hub.auth.oauth.key_uses import KeyUses
from hub.auth.oauth.signing import Signing
from hub.auth.oauth.tokens import Tokens
from hub.auth.people.sessions import Sessions
from hub.auth.proofs.assertions import ASSERTION_TYPE
from hub.auth.proofs.jws import sign
from hub.auth.proofs.nonces import OfferNonce, open_nonces
from hub.auth.routes import build_router
from hub.domain.scopes import Audience
from hub.events.audit import Auditor
from hub.events.intake import Intake
from hub.events.quotas import Quotas
from hub.settings import Settings
from hub.store.clients import Client, add_client
from hub.store.engine import Store
from hub.store.vault import Vault

ISSUER = "http://127.0.0.1:8000"
TOKEN_URL = f"{ISSUER}/oauth/token"
WHO_URL = f"{ISSUER}/who"
SCOPES = ("catalogue:read", "events:publish", "events:read")
AT = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
NOW_S = 1_800_000_000
"""When every world begins: its time stands still between the steps of a test, however long these take."""
KID = "first"
KEYS: dict[str, ECKey | RSAKey | OKPKey] = {
    "ES256": ECKey.generate_key("P-256"),
    "PS256": RSAKey.generate_key(2048),
    "Ed25519": OKPKey.generate_key("Ed25519"),
}
KEYS["EdDSA"] = KEYS["Ed25519"]
STRANGER = ECKey.generate_key("P-256")
HOLDER = ECKey.generate_key("P-256")


@dataclass
class World:
    """One hub on a store of its own; its time moves only when a test sets `ahead_s`."""

    store: Store
    settings: Settings
    signing: Signing
    ahead_s: float = 0
    http: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        app = FastAPI()
        nonces = open_nonces(self.settings, self.clock)
        app.add_middleware(OfferNonce, nonces=nonces)
        tokens = Tokens(self.store, self.settings, self.signing, self.clock)
        addresses, uses = Addresses(self.settings.proxies), KeyUses(self.store)
        parts = self.store, self.settings, self.signing, tokens, nonces, addresses, uses
        app.include_router(build_router(*parts, clock=self.clock))
        vault = Vault(self.settings.keys_dir)
        auditor = Auditor(vault, Intake(self.store, vault, Quotas()))
        sessions = Sessions(self.store, self.settings, auditor, self.clock)
        self.authenticator = Authenticator(self.store, self.settings, tokens, nonces, sessions, self.clock)

        @app.api_route("/who", methods=["GET", "POST"])
        async def who(request: Request) -> Response:
            try:
                principal = await self.authenticator.principal(request)
            except Denied as denied:
                body = {"code": denied.refusal.code, "message": denied.refusal.message}
                return JSONResponse(body, denied.status, denied.headers)
            networks = None if principal.networks is None else sorted(principal.networks)
            return JSONResponse(
                {
                    "client_id": principal.client_id,
                    "audience": principal.audience,
                    "partner": principal.partner,
                    "scopes": sorted(principal.scopes),
                    "networks": networks,
                    "source_prefix": principal.source_prefix,
                }
            )

        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ISSUER)

    def clock(self) -> float:
        return NOW_S + self.ahead_s

    async def enrol(self, client_id: str = "kent", *, alg: str = "ES256", **members: Any) -> Client:
        """A partner's client with the waiver and one key, unless told otherwise."""
        jwk = {**KEYS[alg].as_dict(private=False), "kid": KID}
        client = Client(
            **{
                "client_id": client_id,
                "partner": client_id,
                "audience": Audience.PARTNER,
                "source_prefix": f"/partners/{client_id}/",
                "networks": None,
                "scopes": SCOPES,
                "bearer": True,
                "keys": (jwk,),
                **members,
            }
        )
        await self.store.intake(lambda conn: add_client(conn, client, AT))
        return client

    def assertion(
        self,
        client_id: str = "kent",
        *,
        alg: str = "ES256",
        key: ECKey | RSAKey | OKPKey | None = None,
        header: dict[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """A good assertion, but for the members given; None takes one away."""
        full_header = without_none({"alg": alg, "kid": KID, **(header or {})})
        return sign(full_header, self.assertion_claims(client_id, **claims), key or KEYS[alg])

    def assertion_claims(self, client_id: str = "kent", **claims: Any) -> dict[str, Any]:
        now_s = int(self.clock())
        good = {"iss": client_id, "sub": client_id, "aud": ISSUER, "exp": now_s + 60, "jti": str(uuid4())}
        return without_none({**good, **claims})

    def form(self, **fields: Any) -> dict[str, str]:
        """A good token request, but for the fields given; None takes one away."""
        good = {
            "grant_type": "client_credentials",
            "scope": "events:publish",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": None,
        }
        if "client_assertion" not in fields:
            good["client_assertion"] = self.assertion()
        return without_none({**good, **fields})

    async def ask(self, *, headers: dict[str, str] | None = None, **fields: Any) -> httpx.Response:
        """The answer to a token request."""
        return await self.http.post("/oauth/token", data=self.form(**fields), headers=headers)

    async def token(self, **fields: Any) -> str:
        """A bearer token of the client `kent`."""
        answer = await self.ask(**fields)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    async def bound_token(self) -> str:
        """A token of the client `kent`, bound to the key HOLDER."""
        answer = await self.ask(headers={"DPoP": self.proof()})
        assert answer.json()["token_type"] == "DPoP", answer.text
        return str(answer.json()["access_token"])

    async def who(
        self, token: str, scheme: str = "Bearer", *, method: str = "GET", proof: str | None = None
    ) -> httpx.Response:
        """What the resource answers to this token."""
        headers = {"Authorization": f"{scheme} {token}", **({} if proof is None else {"DPoP": proof})}
        return await self.http.request(method, "/who", headers=headers)

    def proof(
        self,
        *,
        token: str | None = None,
        alg: str = "ES256",
        key: ECKey | RSAKey | OKPKey = HOLDER,
        header: dict[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """A good DPoP proof, for the token endpoint or, with a token, for GET /who; None takes away."""
        place = ("POST", TOKEN_URL) if token is None else ("GET", WHO_URL)
        good = {"jti": str(uuid4()), "htm": place[0], "htu": place[1], "iat": int(self.clock())}
        if token is not None:
            good["ath"] = base64url(sha256(token.encode()).digest())
        full_header = {"typ": "dpop+jwt", "alg": alg, "jwk": key.as_dict(private=False), **(header or {})}
        return sign(without_none(full_header), without_none({**good, **claims}), key)

    def access_claims(self, **claims: Any) -> dict[str, Any]:
        """Claims of a good access token of `kent`, but for those given; None takes one away."""
        now_s = int(self.clock())
        good = {
            "iss": ISSUER,
            "aud": ISSUER,
            "sub": "kent",
            "client_id": "kent",
            "scope": "events:publish",
            "iat": now_s,
            "exp": now_s + 300,
            "jti": str(uuid4()),
            "hub_partner": "kent",
            "hub_audience": "partner",
        }
        return without_none({**good, **claims})


def without_none(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def base64url(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().rstrip("=")


Part = str | dict[str, Any]


def signed_by_hand(header: Part, claims: Part, signature: bytes = b"x") -> str:
    """A compact JWS of anything, for what no library would sign; text stands as it is."""
    texts = [part if isinstance(part, str) else json.dumps(part) for part in (header, claims)]
    return ".".join(base64url(part) for part in (*(text.encode() for text in texts), signature))
