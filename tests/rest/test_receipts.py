"""GET /receipts/{seq} over HTTP: who is answered, and what everybody else gets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.store.engine import Store
from tests.graphql.cases.world import (
    NORTH,
    World,
    consented,
    event,
    manager,
    partner,
    registered,
    requested,
    salted,
    uuid,
)

KENT, NORMANDY, FRIESLAND, MOLISE = (partner(slug) for slug in ("kent", "normandy", "friesland", "molise"))
MEMBERS = {"seq", "status", "refusal", "accepted_at", "leaf_index", "leaf_hash", "salt", "subject"}


@pytest.fixture
async def world(tmp_path: Path, store: Store) -> AsyncIterator[World]:
    """A hub with networks and partners, and no case."""
    hub = World(tmp_path, store)
    await hub.open()
    yield hub
    await hub.close()


async def opened(world: World, *, to: str | None = "normandy") -> int:
    """Seq of a request that Kent makes."""
    given = consented("A", "normandy", f"network:{NORTH}")
    *_, seq = await world.post(KENT, registered("A"), given, requested("A", uuid("case"), to=to))
    return seq


async def test_sender_and_parties_get_the_whole_receipt(world: World) -> None:
    seq = await opened(world)
    for caller in (KENT, NORMANDY, manager(NORTH)):
        answer = await world.receipt(caller, seq)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        receipt = answer.json()
        assert set(receipt) == MEMBERS
        assert (receipt["seq"], receipt["status"], receipt["refusal"]) == (seq, "applied", None)
        assert (receipt["subject"], receipt["leaf_index"]) == (uuid("case"), seq - 1)
        assert (len(salted(receipt["salt"])), len(salted(receipt["leaf_hash"]))) == (32, 32)
        assert receipt["accepted_at"].endswith("Z")


async def test_receipt_tells_why_an_event_was_refused(world: World) -> None:
    await opened(world)
    (seq,) = await world.post(KENT, event("referral.accepted", uuid("case")))
    receipt = (await world.receipt(KENT, seq)).json()
    assert receipt["status"] == "refused"
    assert set(receipt["refusal"]) == {"code", "message", "remedy"}
    assert receipt["refusal"]["code"] == "referral.illegal_move"


async def test_receipt_of_an_event_that_waits_is_pending(world: World) -> None:
    (seq,) = await world.accept(KENT, registered("A"))
    receipt = (await world.receipt(KENT, seq)).json()
    assert (receipt["status"], receipt["leaf_index"], receipt["refusal"]) == ("pending", None, None)
    assert len(salted(receipt["salt"])) == 32


async def test_offered_member_gets_a_receipt_without_salt(world: World) -> None:
    seq = await opened(world, to=None)
    receipt = (await world.receipt(FRIESLAND, seq)).json()
    assert (receipt["status"], receipt["salt"], receipt["subject"]) == ("applied", None, uuid("case"))
    await world.post(NORMANDY, event("referral.claimed", uuid("case")))
    assert (await world.receipt(FRIESLAND, seq)).status_code == 404
    assert (await world.receipt(NORMANDY, seq)).json()["salt"]


@pytest.mark.parametrize(
    "number", ["0", "-1", "01", "abc", "1.0", "9999", "9223372036854775807", "9" * 19, "9" * 400, "%31%30%30"]
)
async def test_number_without_receipt_is_answered_like_a_receipt_of_others(world: World, number: str) -> None:
    seq = await opened(world)
    of_others = await world.receipt(MOLISE, seq)
    assert (of_others.status_code, of_others.json()["code"]) == (404, "resource.not_found")
    absent = await world.receipt(MOLISE, number)
    assert absent.status_code == 404
    assert absent.json() == of_others.json()
    assert absent.headers == of_others.headers


async def test_caller_without_token_or_scope_is_told_so(world: World) -> None:
    seq = await opened(world)
    nobody = await world.receipt(None, seq)
    assert (nobody.status_code, nobody.json()["code"]) == (401, "token.missing")
    assert "www-authenticate" in nobody.headers
    limited = await world.receipt(partner("kent", "events:read"), seq)
    assert (limited.status_code, limited.json()["code"]) == (403, "scope.missing")


async def test_clients_of_one_partner_share_receipts_and_managers_do_not(world: World) -> None:
    reason = {"code": "rerouted", "party": "system"}
    await opened(world)
    first, second = manager(NORTH, without=("ledger:audit",)), manager(without=("ledger:audit",))
    (seq,) = await world.post(first, event("network.configured", NORTH, name={"en": "North"}))
    assert (await world.receipt(first, seq)).status_code == 200
    assert (await world.receipt(second, seq)).status_code == 404
    moved = event("referral.reassigned", uuid("case"), to="normandy", reason=reason)
    (seq,) = await world.post(first, moved)
    assert (await world.receipt(second, seq)).status_code == 200
