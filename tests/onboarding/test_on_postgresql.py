"""The same on PostgreSQL, where each part of the hub has a role with no more rights than it needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.onboarding.conftest import NORTHERN, ONE, enrol_networks
from tests.onboarding.hands import generate_key, hands
from tests.onboarding.test_applications import apply
from tests.support.serving import Served, serving


@pytest.fixture
def on_postgresql(tmp_path: Path, database_url: str) -> Iterator[Served]:
    with serving(tmp_path, enrol_networks, database_url=database_url) as served:
        yield served


async def test_keys_requests_and_applications(on_postgresql: Served) -> None:
    new = generate_key()
    async with hands(on_postgresql, ONE) as one, hands(on_postgresql, NORTHERN) as manager:
        assert (await one.add(new)).status_code == 201
        assert (await one.retire(new, by=one.key)).status_code == 200
        body = {"scopes": ["events:read"], "reason": "To follow what became of it."}
        id_ = (await one.ask("POST", f"/clients/{ONE}/scope-requests", body)).json()["id"]
        [waiting] = (await manager.ask("GET", "/scope-requests")).json()["scope_requests"]
        assert waiting["id"] == id_
        assert (await manager.ask("POST", f"/scope-requests/{id_}/approve")).status_code == 200
        assert "events:read" in (await one.ask("GET", "/clients/me")).json()["scopes"]
        applied = (await apply(manager.http, generate_key())).json()
        approved = await manager.ask("POST", f"/applications/{applied['id']}/approve", {})
        assert approved.status_code == 200, approved.text
        assert (await manager.http.get(applied["status_url"])).json()["state"] == "approved"
