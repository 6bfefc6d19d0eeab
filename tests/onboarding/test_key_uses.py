"""When a key was last used: told to its client, kept rarely, lost by no fault of the database."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.auth.oauth.key_uses import KeyUses
from hub.domain.scopes import Audience
from hub.store.clients import Client, add_client
from hub.store.engine import Store, StoreUnavailable
from hub.store.onboarding import key_standings, last_uses
from tests.onboarding.hands import generate_key, hands, public
from tests.support.messages import KENT
from tests.support.serving import Served, serving

AT = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)


class Gone:
    """A store that is away."""

    async def write(self, _work: object) -> None:
        raise StoreUnavailable("gone")


async def test_the_latest_use_of_each_key_is_kept(store: Store) -> None:
    keys = [public(generate_key()) for _ in range(2)]
    client = Client(
        "kent", "kent", Audience.PARTNER, "/partners/kent/", None, ("events:read",), True, keys=tuple(keys)
    )
    await store.intake(lambda conn: add_client(conn, client, AT))
    now = [AT]
    uses = KeyUses(store, lambda: now[0])
    for later in range(3):
        now[0] = AT + timedelta(minutes=later)
        uses.note("kent", keys[0]["kid"])
        await uses.keep()
    standings = await store.inspect(lambda conn: key_standings(conn, ["kent"]))
    assert standings["kent", keys[0]["kid"]].last_used_at == "2026-11-01T09:02:00.000Z"
    assert standings["kent", keys[1]["kid"]].last_used_at is None
    assert await store.inspect(lambda conn: last_uses(conn, ["kent"])) == {"kent": "2026-11-01T09:02:00.000Z"}


async def test_what_cannot_be_kept_now_is_kept_later(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    uses = KeyUses(store, lambda: AT)
    with monkeypatch.context() as away:
        away.setattr(uses, "_store", Gone())
        uses.note("kent", "k1")
        await uses.keep()
    await uses.keep()
    assert await store.inspect(lambda conn: last_uses(conn, ["kent"])) == {"kent": "2026-11-01T09:00:00.000Z"}


def test_uses_are_kept_at_the_latest_when_the_hub_stops(tmp_path: Path) -> None:
    begun_at = datetime.now(UTC)
    with serving(tmp_path / "hub") as served:
        assert asyncio.run(own_client(served))["last_used_at"] is None

    async def as_before(_settings: object) -> dict[str, dict[str, Any]]:
        return served.rows

    with serving(tmp_path / "hub", as_before) as again:
        me = asyncio.run(own_client(again))
    used_at = datetime.fromisoformat(me["last_used_at"])
    assert begun_at - timedelta(seconds=1) < used_at < datetime.now(UTC)
    assert me["keys"][0]["last_used_at"] == me["last_used_at"]


async def own_client(served: Served) -> dict[str, Any]:
    async with hands(served, KENT) as kent:
        answer: dict[str, Any] = (await kent.ask("GET", "/clients/me")).json()
        return answer
