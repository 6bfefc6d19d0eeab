"""A tool that acts for people: what it asks the person's browser for, and how it redeems what it gets."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

import httpx
from joserfc.jwk import ECKey
from sqlalchemy import Connection

from hub.auth.proofs.assertions import ASSERTION_TYPE
from hub.auth.proofs.jws import sign
from hub.domain.scopes import Audience
from hub.store.authorization_codes import add_redirects
from hub.store.clients import Client, add_client
from tests.web.world import AT, HUB, Browser, Guest, World

BACK = "https://tool.example/back?x=1"
LOOPBACK = "http://127.0.0.1/back"
VERIFIER = "v" * 43
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
KEY, PROOF_KEY = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")
SCOPES = ("events:read", "referrals:read", "reports:network")


async def tool(world: World, client_id: str = "tool", **members: Any) -> None:
    """A manager's tool with a waiver for bearer tokens and two places to go back to."""
    jwk = {**KEY.as_dict(private=False), "kid": "first"}
    good = {"partner": None, "audience": Audience.MANAGER, "networks": None, "scopes": SCOPES, "bearer": True}
    client = Client(client_id, source_prefix=f"/hub/clients/{client_id}/", keys=(jwk,), **{**good, **members})

    def add(conn: Connection) -> None:
        add_client(conn, client, AT)
        add_redirects(conn, client_id, [BACK, LOOPBACK])

    await world.store.intake(add)


def query(**changes: str | None) -> dict[str, str]:
    good = {
        "response_type": "code",
        "client_id": "tool",
        "redirect_uri": BACK,
        "scope": "events:read referrals:read",
        "state": "s-1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


async def ask(browser: Browser, **changes: str | None) -> httpx.Response:
    return await browser.get(f"/oauth/authorize?{urlencode(query(**changes))}")


async def allow(browser: Browser, decision: str = "allow", **changes: str | None) -> dict[str, str]:
    """What the client gets to know when the person has decided."""
    page = await ask(browser, **changes)
    assert page.status_code == 200, page.headers
    answer = await browser.post("/oauth/authorize", query=urlencode(query(**changes)), decision=decision)
    return told(answer)


def told(answer: httpx.Response) -> dict[str, str]:
    """Parameters of the answer, which goes where the client asked."""
    assert answer.status_code == 303, answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


async def redeem(
    world: World, code: str, client_id: str = "tool", proof: str | None = None, **changes: str | None
) -> httpx.Response:
    now_s = int(world.clock())
    claims = {"iss": client_id, "sub": client_id, "aud": HUB, "exp": now_s + 60, "jti": str(uuid4())}
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": BACK,
        "code_verifier": VERIFIER,
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": sign({"alg": "ES256", "kid": "first"}, claims, KEY),
        **changes,
    }
    headers = {"DPoP": proof} if proof else {}
    sent = {name: value for name, value in form.items() if value is not None}
    return await world.browser().http.post("/oauth/token", data=sent, headers=headers)


async def token_of(world: World, browser: Browser) -> str:
    answer = await redeem(world, (await allow(browser))["code"])
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


async def who(world: World, token: str) -> httpx.Response:
    return await world.browser().who(Authorization=f"Bearer {token}")


async def ready(world: World) -> tuple[Browser, Guest]:
    await tool(world)
    return await world.member()


def proof(world: World, key: ECKey) -> str:
    claims = {
        "jti": str(uuid4()),
        "htm": "POST",
        "htu": f"{HUB}/oauth/token",
        "iat": int(world.clock()),
    }
    return sign({"typ": "dpop+jwt", "alg": "ES256", "jwk": key.as_dict(private=False)}, claims, key)
