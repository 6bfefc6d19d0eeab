"""Nonces of DPoP proofs (RFC 9449, 8 and 9): offered always, checked when they come, required on demand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from hub.auth.client import TokenClient
from hub.auth.oauth.signing import open_signing
from hub.auth.proofs.nonces import PERIOD_S, Nonces, open_nonces
from hub.settings import Settings
from hub.store.engine import Store
from tests.auth.test_auth_client import row
from tests.auth.world import ISSUER, TOKEN_URL, WHO_URL, World

STALE = "AAAAAAAAAAAAAAAAAAAAAAAA"


@pytest.fixture
async def strict(tmp_path: Path, store: Store) -> AsyncIterator[World]:
    """A hub that requires nonces, and its client `kent`, without the waiver."""
    settings = Settings(data_dir=tmp_path, public_url=ISSUER, dpop_nonce="required")
    hub = World(store, settings, open_signing(settings))
    await hub.enrol(bearer=False)
    yield hub
    await hub.http.aclose()


def asked_at_token(answer: httpx.Response) -> str:
    """Asserts that a nonce is asked for, and returns it."""
    assert (answer.status_code, answer.json()["error"]) == (400, "use_dpop_nonce"), answer.text
    assert answer.headers["cache-control"] == "no-store"
    return str(answer.headers["dpop-nonce"])


def asked_at_resource(answer: httpx.Response) -> str:
    """Asserts that a nonce is asked for, and returns it."""
    assert (answer.status_code, answer.json()["code"]) == (401, "token.invalid"), answer.text
    assert 'error="use_dpop_nonce"' in answer.headers["www-authenticate"]
    assert answer.headers["www-authenticate"].startswith("DPoP ")
    return str(answer.headers["dpop-nonce"])


async def test_every_answer_to_a_proof_offers_a_nonce_that_the_next_proof_can_have(kent: World) -> None:
    first = await kent.ask(headers={"DPoP": kent.proof()})
    nonce = first.headers["dpop-nonce"]
    token = first.json()["access_token"]
    answer = await kent.who(token, "DPoP", proof=kent.proof(token=token, nonce=nonce))
    assert (answer.status_code, answer.headers["dpop-nonce"]) == (200, nonce)
    assert answer.headers["cache-control"] == "no-store"
    refused = await kent.ask(headers={"DPoP": "x"})
    assert (refused.status_code, refused.headers["dpop-nonce"]) == (400, nonce)


async def test_who_brings_no_proof_is_offered_no_nonce(kent: World) -> None:
    answer = await kent.ask()
    assert answer.status_code == 200
    assert "dpop-nonce" not in answer.headers
    assert "dpop-nonce" not in (await kent.who(answer.json()["access_token"])).headers


@pytest.mark.parametrize("nonce", [STALE, "", "é", 5, ["x"], {}])
async def test_a_nonce_that_comes_must_be_good_also_where_none_is_required(
    kent: World, nonce: object
) -> None:
    offered = asked_at_token(await kent.ask(headers={"DPoP": kent.proof(nonce=nonce)}))
    token = await kent.bound_token()
    proof = kent.proof(token=token, nonce=nonce)
    assert asked_at_resource(await kent.who(token, "DPoP", proof=proof)) == offered


async def test_where_it_is_required_a_proof_without_a_nonce_is_asked_for_one(strict: World) -> None:
    nonce = asked_at_token(await strict.ask(headers={"DPoP": strict.proof()}))
    answer = await strict.ask(headers={"DPoP": strict.proof(nonce=nonce)})
    assert answer.status_code == 200, answer.text
    token = answer.json()["access_token"]
    nonce = asked_at_resource(await strict.who(token, "DPoP", proof=strict.proof(token=token)))
    proof = strict.proof(token=token, nonce=nonce)
    assert (await strict.who(token, "DPoP", proof=proof)).status_code == 200


async def test_a_request_refused_for_its_nonce_uses_nothing_up(strict: World) -> None:
    assertion = strict.assertion()
    nonce = asked_at_token(await strict.ask(client_assertion=assertion, headers={"DPoP": strict.proof()}))
    again = await strict.ask(client_assertion=assertion, headers={"DPoP": strict.proof(nonce=nonce)})
    assert again.status_code == 200, again.text
    third = await strict.ask(client_assertion=assertion, headers={"DPoP": strict.proof(nonce=nonce)})
    assert third.json()["error"] == "invalid_client"


async def test_a_proof_that_is_wrong_besides_is_told_so_and_not_asked_for_a_nonce(strict: World) -> None:
    answer = await strict.ask(headers={"DPoP": strict.proof(htm="GET")})
    assert answer.json()["error"] == "invalid_dpop_proof"


async def test_the_same_proof_is_not_good_twice_whatever_its_nonce(strict: World) -> None:
    nonce = asked_at_token(await strict.ask(headers={"DPoP": strict.proof()}))
    proof = strict.proof(nonce=nonce)
    assert (await strict.ask(headers={"DPoP": proof})).status_code == 200
    assert (await strict.ask(headers={"DPoP": proof})).json()["error"] == "invalid_dpop_proof"


async def test_the_hubs_own_client_follows_and_keeps_the_newest_nonce(strict: World) -> None:
    strict.ahead_s = 2 * PERIOD_S - 50 - strict.clock() % PERIOD_S  # 50 s before a period ends.
    tokens = TokenClient(
        strict.http, row(dpop=True), issuer=ISSUER, token_endpoint=TOKEN_URL, clock=strict.clock
    )
    headers = await tokens.headers("GET", WHO_URL)
    answer = await strict.http.get("/who", headers=headers)
    assert answer.status_code == 200, answer.text
    assert not tokens.heard(answer)

    strict.ahead_s += PERIOD_S + 100  # Its token still lives, its nonce no more.
    answer = await strict.http.get("/who", headers=await tokens.headers("GET", WHO_URL))
    asked_at_resource(answer)
    assert tokens.heard(answer)
    answer = await strict.http.get("/who", headers=await tokens.headers("GET", WHO_URL))
    assert answer.status_code == 200, answer.text


def test_a_nonce_is_good_for_a_period_after_the_last_time_it_was_offered() -> None:
    now_s = 1_800_000_000.0 // PERIOD_S * PERIOD_S
    times = [now_s]
    nonces = Nonces(b"s" * 32, required=True, clock=lambda: times[-1])
    nonce = nonces.fresh()
    for age_s, good in ((PERIOD_S - 1, True), (2 * PERIOD_S - 1, True), (2 * PERIOD_S, False)):
        times.append(now_s + age_s)
        assert nonces.knows(nonce) is good
    assert nonces.fresh() != nonce


def test_processes_agree_on_nonces_and_hubs_do_not(tmp_path: Path) -> None:
    def process(name: str) -> Nonces:
        return open_nonces(Settings(data_dir=tmp_path / name), lambda: 1_800_000_000.0)

    assert process("one").knows(process("one").fresh())
    assert not process("other").knows(process("one").fresh())
