"""What a consent opens, what it never opens, and how fast it closes: in GraphQL, receipts and the ledger."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.domain.principal import Principal
from hub.events.erasing import Eraser
from tests.graphql.cases.world import (
    NORTH,
    World,
    consented,
    event,
    firm_id,
    manager,
    partner,
    registered,
    requested,
    uuid,
    withdrawn,
)

KENT, NORMANDY, FRIESLAND = partner("kent"), partner("normandy"), partner("friesland")
MANAGER = manager(NORTH)
CASE, OWN_CASE = uuid("case"), uuid("own case")
NUMBER = "A"
EVERYTHING = """query($id: ID!, $firm: ID!) {
  referral(id: $id) { state message reason { text } sme { id name contacts { name } } }
  sme(id: $firm) { id name contacts { name email } referrals { id message } }
  smes(first: 100) { totalCount nodes { name } }
  smeSearch: smes(search: "firm", first: 100) { totalCount }
  referrals(filter: {sme: $firm}, first: 100) { totalCount nodes { message sme { name } } }
  ledger(first: 100) { nodes { seq subject } } }"""
KENTS = ("Firm A", "Contact of A", "info@example.com", "Please help A")
"""What Kent registered and wrote: the texts that nobody else may read unless a consent opens them."""


async def opened(world: World) -> list[int]:
    """A firm of Kent's, and its case with Normandy under a live consent."""
    seqs = await world.post(KENT, registered(NUMBER), consented(NUMBER, "normandy"))
    return seqs + await world.post(KENT, requested(NUMBER, CASE, to="normandy"))


async def seen(world: World, caller: Principal, case: str = CASE) -> str:
    """All that GraphQL tells the caller, as one text."""
    return json.dumps(await world.ask(caller, EVERYTHING, id=case, firm=firm_id(NUMBER)))


async def salts(world: World, caller: Principal, seqs: list[int]) -> list[Any]:
    """Salt and subject of each receipt, None for one that is not the caller's to see."""
    answers = [await world.receipt(caller, seq) for seq in seqs]
    return [
        (one.json()["salt"], one.json()["subject"]) if one.status_code == 200 else None for one in answers
    ]


@pytest.mark.parametrize("recipients", [("friesland",), (f"network:{NORTH}",), ("friesland", "kent")])
async def test_a_consent_posted_by_its_own_recipient_opens_nothing_of_others(
    world: World, recipients: tuple[str, ...]
) -> None:
    seqs = await opened(world)
    # It knows the firm's number, registers it too, and says that the firm consented.
    own = registered(NUMBER, name="Own words", contacts=[{"name": "Own contact"}])
    taken = consented(NUMBER, *recipients, id_=uuid("taken"))
    asked = requested(NUMBER, OWN_CASE, to="friesland", consent_id=uuid("taken"), message="Own message")
    await world.post(FRIESLAND, own, taken, asked)
    await world.post(FRIESLAND, event("referral.accepted", OWN_CASE))
    told = await seen(world, FRIESLAND, OWN_CASE)
    assert "Own words" in told
    assert "Own message" in told
    assert not [text for text in KENTS if text in told]
    assert await salts(world, FRIESLAND, seqs) == [None, None, None]
    assert json.loads(await seen(world, FRIESLAND))["referral"] is None


async def test_a_consent_of_a_recipient_for_itself_does_not_outlive_the_one_it_had(world: World) -> None:
    await opened(world)
    assert "Firm A" in await seen(world, NORMANDY)
    await world.post(
        NORMANDY, consented(NUMBER, "normandy", id_=uuid("kept"), expires_at="2099-01-01T00:00:00Z")
    )
    await world.post(KENT, withdrawn(NUMBER))
    assert not [text for text in KENTS if text in await seen(world, NORMANDY)]


async def test_withdrawal_acts_at_once_and_the_case_can_still_be_closed(world: World) -> None:
    seqs = await opened(world)
    for text in KENTS:
        assert text in await seen(world, NORMANDY), text
    # What it asks for itself stays its own, as do receipts of the case it is a party to.
    before = await salts(world, NORMANDY, seqs)
    await world.post(KENT, withdrawn(NUMBER))
    told = await seen(world, NORMANDY)
    assert not [text for text in KENTS if text in told]
    assert firm_id(NUMBER) not in told
    assert await salts(world, NORMANDY, seqs) == before == [None, None, before[2]]
    assert before[2]
    assert before[2][1] == CASE
    for text in KENTS:
        assert text in await seen(world, KENT), text
    reason = {"code": "client-not-interested", "party": "client"}
    (seq,) = await world.post(NORMANDY, event("referral.rejected", CASE, reason=reason))
    assert (await world.receipt(NORMANDY, seq)).json()["status"] == "applied"


async def test_an_erased_firm_is_gone_from_every_answer_and_its_case_is_still_counted(world: World) -> None:
    seqs = await opened(world)
    data = {"sme_id": firm_id(NUMBER), "reason": "request"}
    seqs += await world.post(MANAGER, event("sme.erased", firm_id(NUMBER), **data))
    eraser = Eraser(world.store, world.vault)
    # Before the keys are gone nothing is shown any more: the firm's state says it already.
    for destroyed in (0, 1):
        for caller in (KENT, NORMANDY, MANAGER):
            told = await seen(world, caller)
            assert not [text for text in KENTS if text in told], (caller.client_id, destroyed)
            assert json.loads(told)["referral"] == {
                "state": "REQUESTED",
                "message": None,
                "reason": None,
                "sme": None,
            }
            assert json.loads(told)["sme"] is None
        if not destroyed:
            assert await eraser.step() == 1
    for caller in (KENT, NORMANDY, MANAGER):
        held = await salts(world, caller, seqs)
        assert {one[0] for one in held if one} == {None}
        assert firm_id(NUMBER) not in json.dumps(held)
