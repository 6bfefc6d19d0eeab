"""A hub with two networks, partners of one, of both and of none, and managers of one and of all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hub.auth.client import generate_key
from hub.cli.operator import NewClient, add_client, event, post
from hub.cli.partners import add_partner
from hub.domain.refusal import Refusal
from hub.domain.scopes import Audience
from hub.events.spine import Hub, open_hub
from hub.settings import Settings
from tests.onboarding.hands import public
from tests.support.serving import Served, serving

NORTH, SOUTH = "north", "south"
ONE, BOTH, NONE = "one", "both", "none"
MANAGER, NORTHERN, SOUTHERN = "manager", "northern-manager", "southern-manager"
MANAGERS = {MANAGER: None, NORTHERN: frozenset({NORTH}), SOUTHERN: frozenset({SOUTH})}
MEMBERSHIPS = {ONE: (NORTH,), BOTH: (NORTH, SOUTH), NONE: ()}
NARROW = ["events:publish", "partners:self"]
"""Scopes that the partners hold."""


@pytest.fixture
def networks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Such a hub, for one test."""
    with serving(tmp_path_factory.mktemp("networks"), enrol_networks, trusted_proxies="127.0.0.1") as served:
        yield served


async def enrol_networks(settings: Settings) -> dict[str, dict[str, Any]]:
    hub = open_hub(settings)
    try:
        return {name: await _partner(hub, name, of) for name, of in MEMBERSHIPS.items()} | {
            name: await _manager(hub, name, of) for name, of in MANAGERS.items()
        }
    finally:
        await hub.store.close()


async def _partner(hub: Hub, slug: str, networks: tuple[str, ...]) -> dict[str, Any]:
    key, first = generate_key(), next(iter(networks), None)
    row = await add_partner(hub, slug, slug, "GB", first, "member", NARROW, public(key), bearer=True)
    for network in networks[1:]:
        await _join(hub, slug, network)
    return _with_key(row, key)


async def _join(hub: Hub, slug: str, network: str) -> None:
    joined = {"name": {"en": slug}, "country": "GB", "role": "member", "from": "2026-01-01"}
    assert await post(hub, event("hub.network.configured.v1", network, {"name": {"en": network}})) is None
    assert await post(hub, event("hub.partner.joined.v1", slug, {**joined, "network": network})) is None


async def _manager(hub: Hub, name: str, networks: frozenset[str] | None) -> dict[str, Any]:
    key = generate_key()
    new = NewClient(name, Audience.MANAGER, None, [], networks, public(key), bearer=True)
    return _with_key(await add_client(hub, new), key)


def _with_key(row: dict[str, Any] | Refusal, key: dict[str, Any]) -> dict[str, Any]:
    assert not isinstance(row, Refusal), row
    return {**row, "private_key_jwk": key}
