"""What the store keeps of clients: grants, standing, at most two live keys, and identifiers used once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hub.domain.scopes import Audience
from hub.store.clients import (
    Client,
    add_client,
    add_key,
    find_client,
    forget_jtis,
    list_clients,
    retire_key,
    set_grant,
    set_suspended,
    use_jtis,
)
from hub.store.engine import Store

AT = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def client(client_id: str = "kent", **members: Any) -> Client:
    good: dict[str, Any] = {
        "client_id": client_id,
        "partner": client_id,
        "audience": Audience.PARTNER,
        "source_prefix": f"/partners/{client_id}/",
        "networks": frozenset({"a", "b"}),
        "scopes": ("events:read", "catalogue:read"),
        "bearer": False,
        "keys": (key("k1"),),
    }
    return Client(**{**good, **members})


def key(kid: str) -> dict[str, Any]:
    return {"kty": "EC", "crv": "P-256", "x": "x", "y": "y", "kid": kid}


async def test_a_client_comes_back_as_it_was_added(store: Store) -> None:
    clients = [
        client("b", networks=None, bearer=True),
        client("a", suspended=True, keys=(key("1"), key("2"))),
    ]
    for one in clients:
        await store.intake(lambda conn, one=one: add_client(conn, one, AT))
    assert await store.inspect(list_clients) == [clients[1], clients[0]]
    assert await store.inspect(lambda conn: find_client(conn, "b")) == clients[0]
    assert await store.inspect(lambda conn: find_client(conn, "c")) is None


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"client_id": "a b"}, "client id"),
        ({"client_id": ""}, "client id"),
        ({"client_id": "dpop:x"}, "client id"),
        ({"source_prefix": "/partners/kent"}, "slash"),
        ({"scopes": ("*",)}, "no scope"),
        ({"partner": None}, "speaks for a partner"),
        ({"audience": Audience.MANAGER}, "speaks for a partner"),
        ({"audience": Audience.PUBLIC}, "public needs no client"),
        ({"keys": ({**key("k"), "d": "secret"},)}, "private"),
        ({"keys": ({"kty": "oct", "k": "secret", "kid": "k"},)}, "secret"),
        ({"keys": ({"kty": "EC"},)}, "kid"),
        ({"keys": (key("1"), key("2"), key("3"))}, "two live keys|2 live keys"),
    ],
)
async def test_what_cannot_be_a_client_leaves_nothing_behind(
    store: Store, members: dict[str, Any], why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        await store.intake(lambda conn: add_client(conn, client(**members), AT))
    assert await store.inspect(list_clients) == []


async def test_a_client_is_added_once(store: Store) -> None:
    await store.intake(lambda conn: add_client(conn, client(), AT))
    with pytest.raises(ValueError, match="exists already"):
        await store.intake(lambda conn: add_client(conn, client(bearer=True), AT))
    assert (await store.inspect(list_clients))[0].bearer is False


async def test_a_third_live_key_is_refused_until_one_is_retired(store: Store) -> None:
    await store.intake(lambda conn: add_client(conn, client(), AT))
    await store.intake(lambda conn: add_key(conn, "kent", key("k2"), LATER))
    with pytest.raises(ValueError, match=r"2 live keys \(k1, k2\): retire one"):
        await store.intake(lambda conn: add_key(conn, "kent", key("k3"), LATER))
    assert await store.intake(lambda conn: retire_key(conn, "kent", "k1", LATER))
    await store.intake(lambda conn: add_key(conn, "kent", key("k3"), LATER))
    found = await store.inspect(lambda conn: find_client(conn, "kent"))
    assert found
    assert [jwk["kid"] for jwk in found.keys] == ["k2", "k3"]


async def test_a_kid_is_never_used_again(store: Store) -> None:
    await store.intake(lambda conn: add_client(conn, client(), AT))
    await store.intake(lambda conn: retire_key(conn, "kent", "k1", LATER))
    with pytest.raises(ValueError, match="had a key k1 before"):
        await store.intake(lambda conn: add_key(conn, "kent", key("k1"), LATER))


async def test_a_key_needs_its_client(store: Store) -> None:
    with pytest.raises(ValueError, match="no client kent"):
        await store.intake(lambda conn: add_key(conn, "kent", key("k1"), AT))


async def test_retiring_what_does_not_live_says_so(store: Store) -> None:
    await store.intake(lambda conn: add_client(conn, client(), AT))
    assert not await store.intake(lambda conn: retire_key(conn, "kent", "k9", LATER))
    assert not await store.intake(lambda conn: retire_key(conn, "other", "k1", LATER))
    assert await store.intake(lambda conn: retire_key(conn, "kent", "k1", LATER))
    assert not await store.intake(lambda conn: retire_key(conn, "kent", "k1", LATER))


async def test_suspending_a_partner_suspends_all_its_clients_and_no_other(store: Store) -> None:
    for one in (client("kent"), client("kent-crm", partner="kent"), client("normandy")):
        await store.intake(lambda conn, one=one: add_client(conn, one, AT))
    assert await store.intake(lambda conn: set_suspended(conn, "kent", True))
    assert [one.suspended for one in await store.inspect(list_clients)] == [True, True, False]
    assert not await store.intake(lambda conn: set_suspended(conn, "kent-crm", False))
    assert [one.suspended for one in await store.inspect(list_clients)] == [True, True, False]
    assert not await store.intake(lambda conn: set_suspended(conn, "nobody", True))


async def test_a_grant_is_replaced_by_known_scopes_only(store: Store) -> None:
    await store.intake(lambda conn: add_client(conn, client(), AT))
    assert await store.intake(lambda conn: set_grant(conn, "kent", ["ops:read"]))
    assert not await store.intake(lambda conn: set_grant(conn, "nobody", ["ops:read"]))
    with pytest.raises(ValueError, match="no scope ops:write"):
        await store.intake(lambda conn: set_grant(conn, "kent", ["ops:write"]))
    assert (await store.inspect(list_clients))[0].scopes == ("ops:read",)


async def test_an_identifier_is_used_once_by_each_issuer(store: Store) -> None:
    uses = [("a", "bc"), ("a", "bc"), ("ab", "c"), ("a", "\ud800")]
    results = await store.write(lambda conn: use_jtis(conn, [(*one, 100) for one in uses]))
    assert results == [True, False, True, True]


async def test_only_expired_identifiers_are_forgotten(store: Store) -> None:
    await store.write(lambda conn: use_jtis(conn, [("a", str(at_s), at_s) for at_s in (98, 99, 100, 101)]))
    assert await store.intake(lambda conn: forget_jtis(conn, 100)) == 2
    again = await store.write(lambda conn: use_jtis(conn, [("a", str(at_s), at_s) for at_s in (99, 100)]))
    assert again == [True, False]


async def test_times_without_a_zone_are_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="no zone"):
        await store.intake(lambda conn: add_client(conn, client(), datetime(2026, 11, 1)))  # noqa: DTZ001
