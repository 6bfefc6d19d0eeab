"""Faults that were found and mended, one test each."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from pydantic import ValidationError

from hub.cli.partners import add_partner
from hub.domain.eligibility import Node
from hub.domain.refusal import Refusal
from hub.events.rejection import Rejected
from hub.events.sequencer import follow
from tests.domain.test_referral_rules import KENT, NORMANDY, opened
from tests.events.envelopes import binary, headers, refused, structured, with_data
from tests.support.messages import (
    EEN,
    NETWORK,
    consent,
    event,
    firm,
    network_manager,
    partner,
    referral,
    uuid_of,
)
from tests.support.spine import Spine

KENTS = partner(KENT)


async def test_a_generated_key_makes_a_client(spine: Spine) -> None:
    row = await add_partner(spine.hub, "p-q", "P", "GB", None, "member", [], None, True)
    assert not isinstance(row, Refusal)


@pytest.mark.parametrize("turns", range(4))
async def test_a_follower_ends_when_it_is_cancelled_as_it_is_woken(turns: int) -> None:
    wake = asyncio.Event()

    async def idle() -> bool:
        return False

    task = asyncio.create_task(follow(wake, idle, "x"))
    await asyncio.sleep(0.05)
    wake.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=1)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert done, "the cancellation was swallowed"


def test_an_event_of_65_levels_is_refused() -> None:
    assert refused(structured, with_data('{"a": %s}' % ("[" * 63 + "]" * 63))).code == "event.malformed"


def test_no_attribute_is_named_data() -> None:
    assert refused(binary, [*headers(), ("ce-data", b"x")]).code == "event.malformed"


async def test_a_batch_on_a_known_firm_moves_its_new_referral_without_naming_the_firm(spine: Spine) -> None:
    await spine.set_up_network()
    cid, rid = uuid_of("c"), uuid_of("r")
    await spine.post(KENTS, firm(KENTS, "1"), consent(KENTS, "1", NORMANDY, id_=cid))
    receipts = await spine.post(
        KENTS, referral(KENTS, "1", rid, cid), event(KENTS, "referral.annulled", rid, {})
    )
    assert await spine.verdicts(receipts) == ["applied", "applied"]


async def test_a_stranger_does_not_lead_the_owner_astray_by_using_the_same_id(spine: Spine) -> None:
    """The stranger's slug sorts before the requester's, and its own request is even refused."""
    await spine.set_up_network()
    een, normands, cid, rid = partner(EEN), partner(NORMANDY), uuid_of("c"), uuid_of("r")
    assert EEN < KENT
    await spine.post(
        KENTS, firm(KENTS, "1"), consent(KENTS, "1", NORMANDY, id_=cid), referral(KENTS, "1", rid, cid)
    )
    assert await spine.outcome(een, referral(een, "2", rid, cid)) == "refused consent.missing"
    assert await spine.outcome(normands, event(normands, "referral.accepted", rid, {})) == "applied"


@pytest.mark.parametrize("dates", [("9999-12-31", "9999-12-31"), ("9999-06-01", None)])
async def test_dates_at_the_end_of_time_are_judged(spine: Spine, dates: tuple[str, str | None]) -> None:
    from hub.domain.opportunities import opportunity_id

    await spine.set_up_network()
    data = {
        "reference": "r",
        "opportunity_type": "business-offer",
        "title": {"en": "x"},
        "summary": {"en": "x"},
        "country": "FR",
        "published_on": dates[0],
        **({"expires_on": dates[1]} if dates[1] else {}),
    }
    message = event(KENTS, "opportunity.published", opportunity_id(KENT, "r"), data)
    with pytest.raises(Rejected) as refusal:
        await spine.outcome(KENTS, message)
    assert (refusal.value.status, refusal.value.code) == (422, "payload.invalid")


def test_a_number_is_compared_with_a_word_without_a_fault() -> None:
    with pytest.raises(ValidationError, match="compare it with numbers"):
        Node.model_validate({"fact": "employees", "in": ["many"]})


def test_two_drafts_do_not_become_parts_of_each_other() -> None:
    case = opened()
    assert case.request(what="referral.drafted", id_="a") == "applied"
    assert case.request(id_="b", part_of=uuid_of("a")) == "applied"
    assert case.request(id_="a", part_of=uuid_of("b")) == "rule.violated"


async def joined_pool(spine: Spine, *changes: tuple[str, dict]) -> str:
    await spine.set_up_network()
    manager, een = network_manager(), partner(EEN)
    for what, data in changes:
        assert await spine.outcome(manager, event(manager, what, EEN, data)) == "applied"
    cid, rid = uuid_of("c"), uuid_of("r")
    pool = referral(KENTS, "1", rid, cid)
    del pool["data"]["to"]
    await spine.post(KENTS, firm(KENTS, "1"), consent(KENTS, "1", f"network:{NETWORK}", id_=cid), pool)
    return await spine.outcome(een, event(een, "referral.claimed", rid, {}))


async def test_a_membership_that_ends_next_year_still_holds(spine: Spine) -> None:
    left = {"network": NETWORK, "on": "2099-01-01"}
    assert await joined_pool(spine, ("partner.left", left)) == "applied"


async def test_a_membership_that_ended_is_not_revived_by_resuming(spine: Spine) -> None:
    left = {"network": NETWORK, "on": "2026-01-02"}
    answer = await joined_pool(spine, ("partner.left", left), ("partner.resumed", left))
    assert answer == "refused referral.not_found"  # as the read model has it: its `to` is over
