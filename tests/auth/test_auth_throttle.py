"""Limits of the authorization server: nobody is let in more often, and nobody can shut out another."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from hub.auth.oauth import calls, throttle
from hub.auth.oauth.signing import open_signing
from hub.auth.oauth.throttle import Throttle, TooOften
from hub.settings import Settings
from hub.store.engine import Store
from tests.auth.world import ISSUER, STRANGER, World

BURST = 10
ELSEWHERE, THERE = "203.0.113.9", "198.51.100.7"


@pytest.fixture
async def slow(tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """A hub that takes one request a second, and its clients `kent` and `normandy`.

    Its time stands still: however long the requests of a test take, nothing comes back meanwhile.
    """
    monkeypatch.setattr(calls, "Throttle", partial(Throttle, clock=lambda: 0.0))
    settings = Settings(
        data_dir=tmp_path,
        public_url=ISSUER,
        quota_tokens_per_s=1,
        quota_failures_per_s=1,
        trusted_proxies="127.0.0.1",
    )
    hub = World(store, settings, open_signing(settings))
    for client in ("kent", "normandy"):
        await hub.enrol(client)
    yield hub
    await hub.http.aclose()


def ask_from(address: str) -> dict[str, str]:
    """Headers that the trusted proxy adds."""
    return {"X-Forwarded-For": address}


def too_often(answer: httpx.Response) -> bool:
    if answer.status_code != 429:
        return False
    assert answer.json()["error"] == "temporarily_unavailable"
    assert 1 <= int(answer.headers["retry-after"]) <= 2
    assert answer.headers["cache-control"] == "no-store"
    return True


async def test_a_client_that_asks_too_often_waits_and_others_do_not(slow: World) -> None:
    answers = [await slow.ask() for _ in range(BURST + 5)]
    refused = [too_often(answer) for answer in answers]
    assert not any(refused[:BURST])
    assert all(refused[BURST:])
    assert (await slow.ask(client_assertion=slow.assertion("normandy"))).status_code == 200


async def test_nobody_uses_up_the_quota_of_a_client_that_he_only_names(slow: World) -> None:
    for number in range(2 * BURST):
        address = f"203.0.113.{number}"
        answer = await slow.ask(
            client_assertion=slow.assertion("kent", key=STRANGER), headers=ask_from(address)
        )
        assert answer.status_code == 401
    assert (await slow.ask()).status_code == 200


async def test_a_used_assertion_uses_up_nothing_of_its_client(slow: World) -> None:
    used = slow.assertion()
    assert (await slow.ask(client_assertion=used)).status_code == 200
    for number in range(2 * BURST):
        replayed = await slow.ask(client_assertion=used, headers=ask_from(f"203.0.113.{number}"))
        assert replayed.status_code == 401
    assert (await slow.ask()).status_code == 200
    # Who replays pays itself.
    for _ in range(BURST + 5):
        answer = await slow.ask(client_assertion=used, headers=ask_from(ELSEWHERE))
    assert too_often(answer)


@pytest.mark.parametrize("name", ["kent", "nobody"])
async def test_an_address_that_fails_too_often_waits_whomever_it_names(slow: World, name: str) -> None:
    answers = [
        await slow.ask(client_assertion=slow.assertion(name, key=STRANGER), headers=ask_from(ELSEWHERE))
        for _ in range(BURST + 5)
    ]
    refused = [too_often(answer) for answer in answers]
    assert not any(refused[:BURST])
    assert all(refused[BURST:])
    assert too_often(await slow.ask(headers=ask_from(ELSEWHERE)))
    assert (await slow.ask(headers=ask_from(THERE))).status_code == 200


async def test_an_address_that_a_sender_makes_up_counts_for_nothing(slow: World) -> None:
    for number in range(BURST + 5):
        forged = ask_from(f"192.0.2.{number}, {ELSEWHERE}")
        answer = await slow.ask(client_assertion=slow.assertion(key=STRANGER), headers=forged)
    assert too_often(answer)


async def test_an_address_behind_which_a_proxy_hides_everybody_has_no_limit(slow: World) -> None:
    for _ in range(2 * BURST):
        assert (await slow.ask(client_assertion=slow.assertion(key=STRANGER))).status_code == 401


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "BUCKETS_MAX", 3)
    limits = Throttle(1, 1, clock=lambda: 0.0)
    for address in ("203.0.113.1", "2001:db8::/64", "unknown", "203.0.113.4"):
        for _ in range(BURST):
            limits.failed(address)
    limits.check("203.0.113.1", None)  # Forgotten.
    for address in ("2001:db8::/64", "unknown", "203.0.113.4"):
        with pytest.raises(TooOften):
            limits.check(address, None)


def test_what_was_used_up_comes_back() -> None:
    times = [0.0]
    limits = Throttle(0, 1, clock=lambda: times[-1])
    for _ in range(BURST + 3):
        limits.failed(ELSEWHERE)
    with pytest.raises(TooOften) as often:
        limits.check(ELSEWHERE, None)
    times.append(float(often.value.retry_after_s))
    limits.check(ELSEWHERE, None)
