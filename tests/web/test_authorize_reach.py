"""Which people a client can be used by, and what is registered as a place to go back to."""

from __future__ import annotations

import pytest

from hub.domain.scopes import Audience
from hub.store.authorization_codes import check_redirect, is_registered
from tests.web.tool import ask, token_of, told, tool, who
from tests.web.world import World


async def test_a_partners_client_is_for_its_own_people(world: World) -> None:
    await world.partner("kent")
    await world.partner("normandy")
    await tool(world, partner="kent", audience=Audience.PARTNER)
    of_kent = {"audience": Audience.PARTNER, "partner": "kent", "scopes": ("events:read",)}
    browser, guest = await world.member(**of_kent)
    caller = (await who(world, await token_of(world, browser))).json()
    assert (caller["person"], caller["partner"], caller["scopes"]) == (guest.id, "kent", ["events:read"])
    stranger, _ = await world.member(email="x@example.org", **{**of_kent, "partner": "normandy"})
    assert told(await ask(stranger))["error"] == "access_denied"


async def test_a_client_bound_to_networks_opens_no_others(world: World) -> None:
    await tool(world, networks=frozenset({"south", "north"}))
    browser, _ = await world.member()
    assert (await who(world, await token_of(world, browser))).json()["networks"] == ["north", "south"]
    bound, _ = await world.member(email="x@example.org", networks=frozenset({"south", "west"}))
    assert (await who(world, await token_of(world, bound))).json()["networks"] == ["south"]


@pytest.mark.parametrize(
    "uri",
    [
        "http://tool.example/back",
        "https://tool.example/back#x",
        "https://a@tool.example/",
        "https://*.example/",
        "https:///back",
        "javascript:alert(1)",
        "com.example.app:/back",
        "http://localhost/back",
        "https://tool.example/a b",
        "https://tool.example\\@evil.example/",
        "https://tool.example:port/",
        "https://tööl.example/",
    ],
)
def test_such_places_cannot_be_registered(uri: str) -> None:
    with pytest.raises(ValueError, match=r"must be|is no address"):
        check_redirect(uri)


@pytest.mark.parametrize(
    ("uri", "registered"),
    [
        ("http://127.0.0.1:50123/back", True),
        ("http://127.0.0.1/back", True),
        ("http://127.0.0.1:50123/back/", False),
        ("http://127.0.0.1:50123/back?x=1", False),
        ("http://127.0.0.1:50123/", False),
        ("http://127.0.0.1:x/back", False),
        ("http://127.0.0.1:1@evil.example/back", False),
        ("https://127.0.0.1:50123/back", False),
        ("http://[::1]/back", False),
        ("HTTP://127.0.0.1/back", False),
        ("http://127.0.0.1?/back", False),
        ("http://127.0.0.1:/back", False),
        ("http://127.0.0.1:65536/back", False),
        ("http://127.0.0.1:8\u0661/back", False),
        ("http://127.0.0.1/back\n", False),
    ],
)
def test_only_the_port_is_free_and_only_on_loopback(uri: str, registered: bool) -> None:
    assert is_registered(uri, ["http://127.0.0.1/back"]) is registered
