"""Two servers of one hub on PostgreSQL: what one is told acts at the other at once, keys within a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection

from hub.auth.oauth.signing import LOOK_AGAIN_S, rotate
from hub.settings import Settings
from hub.store.clients import retire_key, set_grant, set_suspended
from hub.store.opening import on_truth
from tests.auth.must_fail.partner import Partner
from tests.support.messages import KENT
from tests.support.serving import Served, serving
from tests.support.waiting import PATIENCE_S

ISSUER = "https://hub.example"
ROUNDS = 20


@pytest.fixture
def servers(database_url: str, tmp_path: Path) -> Iterator[tuple[Served, Served]]:
    """Two that share database and keys, and have nothing else in common."""
    shared: dict[str, Any] = {
        "database_url": database_url,
        "keys_dir": tmp_path / "keys",
        "public_url": ISSUER,
        "ledger_origin": "hub.example/ledger",
    }
    with serving(tmp_path / "one", **shared) as one:
        yield from _second(tmp_path, shared, one)


def _second(tmp_path: Path, shared: dict[str, Any], one: Served) -> Iterator[tuple[Served, Served]]:
    async def nobody(_settings: Settings) -> dict[str, Any]:
        return one.rows

    with serving(tmp_path / "two", nobody, **shared) as two:
        yield one, two


class At(Partner):
    """The partner at one of the servers: it knows the hub by its public address alone."""

    def claims(self, **claims: Any) -> dict[str, Any]:
        """Of a good assertion."""
        return super().claims(**{"aud": ISSUER, **claims})


def at(served: Served) -> At:
    address = f"http://127.0.0.1:{served.settings.port}"
    return At(Served(address, served.settings, served.rows), KENT)


def change(served: Served, work: Callable[[Connection], Any]) -> None:
    """As a command of a third process does it."""
    on_truth(Path(), served.settings.database_url, work)


def test_what_changes_a_clients_rights_acts_in_every_process_from_its_commit_on(
    servers: tuple[Served, Served],
) -> None:
    one, two = (at(served) for served in servers)
    token = one.token(scope="events:publish catalogue:read")
    introspected = {"token": token, "scope": None, "grant_type": None}
    for number in range(ROUNDS):
        suspended = number % 2 == 0
        change(servers[0], lambda conn, to=suspended: set_suspended(conn, KENT, to))  # type: ignore[misc]
        for server in (two, one):
            assert server.me(f"Bearer {token}").status_code == (403 if suspended else 200), number
    for number in range(ROUNDS):
        scopes = ["catalogue:read"] if number % 2 == 0 else ["events:publish"]
        change(servers[0], lambda conn, to=scopes: set_grant(conn, KENT, to))  # type: ignore[misc]
        for server in (two, one):
            told = server.ask("/oauth/introspect", **introspected).json()
            assert told["scope"] == scopes[0], number


def test_a_token_that_one_revokes_opens_nothing_at_the_other(servers: tuple[Served, Served]) -> None:
    one, two = (at(served) for served in servers)
    for _ in range(ROUNDS):
        token = one.token()
        assert two.me(f"Bearer {token}").status_code == 200
        assert one.ask("/oauth/revoke", token=token).status_code == 200
        assert two.me(f"Bearer {token}").status_code == 401


def test_an_assertion_used_at_one_and_a_key_retired_at_one_are_worth_nothing_at_the_other(
    servers: tuple[Served, Served],
) -> None:
    one, two = (at(served) for served in servers)
    assertion = one.assertion()
    assert [server.ask(client_assertion=assertion).status_code for server in (one, two)] == [200, 401]
    kid = servers[0].rows[KENT]["private_key_jwk"]["kid"]
    change(servers[0], lambda conn: retire_key(conn, KENT, kid, datetime.now(UTC)))
    assert [server.ask().status_code for server in (two, one)] == [401, 401]


def test_a_nonce_of_one_is_good_at_the_other(servers: tuple[Served, Served]) -> None:
    one, two = (at(served) for served in servers)
    url = f"{ISSUER}/oauth/token"
    nonce = one.ask(headers={"DPoP": one.proof(htu=url)}).headers["dpop-nonce"]
    assert two.ask(headers={"DPoP": two.proof(htu=url, nonce=nonce)}).status_code == 200


def test_both_follow_a_rotation_and_the_end_of_a_compromised_key(servers: tuple[Served, Served]) -> None:
    one, two = (at(served) for served in servers)
    token = one.token()
    rotate(servers[0].settings.keys_dir, int(time.time()))
    time.sleep(LOOK_AGAIN_S)
    sets = [
        httpx.get(f"{server.served.base_url}/oauth/jwks", timeout=PATIENCE_S).json() for server in (one, two)
    ]
    assert sets[0] == sets[1]
    assert len(sets[0]["keys"]) == 2
    assert [server.me(f"Bearer {token}").status_code for server in (one, two)] == [200, 200]

    rotate(servers[0].settings.keys_dir, int(time.time()), compromised=True)
    time.sleep(LOOK_AGAIN_S)
    assert [server.me(f"Bearer {token}").status_code for server in (one, two)] == [401, 401]
    fresh = two.token()
    assert [server.me(f"Bearer {fresh}").status_code for server in (one, two)] == [200, 200]
