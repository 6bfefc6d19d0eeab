"""Ways in that were tried against the hub and are closed, one test each."""

from __future__ import annotations

import pytest

from hub.domain.scopes import Audience
from hub.events.rejection import Rejected
from tests.support.messages import (
    EEN,
    KENT,
    NETWORK,
    NORMANDY,
    consent,
    event,
    firm,
    network_manager,
    partner,
    referral,
    uuid_of,
)
from tests.support.spine import Spine

KENTS, NORMANDS, EENS = partner(KENT), partner(NORMANDY), partner(EEN)
POOL = f"network:{NETWORK}"


async def pool_referral(spine: Spine) -> str:
    """A case of Kent's in the open pool; its id."""
    await spine.set_up_network()
    id_, consent_id = uuid_of("offer"), uuid_of("pool consent")
    messages = firm(KENTS, "1"), consent(KENTS, "1", POOL, id_=consent_id)
    asked = referral(KENTS, "1", id_, consent_id)
    asked["data"].pop("to", None)
    assert await spine.verdicts(await spine.post(KENTS, *messages, asked)) == ["applied"] * 3
    return id_


@pytest.mark.parametrize("number", ["1", "2"])
async def test_who_is_offered_a_case_gets_one_answer_for_every_firm_it_guesses(
    spine: Spine, number: str
) -> None:
    offer, own_consent = await pool_referral(spine), uuid_of("guess")
    await spine.post(EENS, firm(EENS, number), consent(EENS, number, NORMANDY, id_=own_consent))
    guess = firm(EENS, number)["data"]["sme_id"]
    received = event(EENS, "referral.received", offer, {"sme_id": guess})
    assert await spine.outcome(EENS, received) == "refused referral.illegal_move"
    drafted = referral(EENS, number, offer, own_consent)
    assert await spine.outcome(EENS, drafted) == "refused referral.not_found"
    part = referral(EENS, number, uuid_of("part"), own_consent, part_of=offer)
    assert await spine.outcome(EENS, part) == "refused referral.not_found"


async def test_an_owner_reaches_its_case_whatever_its_requester_posts_under_the_id(spine: Spine) -> None:
    await spine.set_up_network()
    id_, consent_id = uuid_of("case"), uuid_of("c")
    told = firm(KENTS, "1"), consent(KENTS, "1", NORMANDY, id_=consent_id)
    await spine.post(KENTS, *told, referral(KENTS, "1", id_, consent_id), firm(KENTS, "2"))
    again = referral(KENTS, "2", id_, consent_id)
    assert (await spine.outcome(KENTS, again)).startswith("refused")
    assert await spine.outcome(NORMANDS, event(NORMANDS, "referral.accepted", id_, {})) == "applied"


async def test_a_manager_of_one_network_suspends_no_partner(spine: Spine) -> None:
    await spine.set_up_network()
    bound = network_manager("elsewhere")
    assert bound.audience is Audience.MANAGER
    for what in ("partner.suspended", "partner.left"):
        with pytest.raises(Rejected) as refusal:
            await spine.post(bound, event(bound, what, KENT, {"on": "2026-11-01"}))
        assert refusal.value.code == "payload.unknown_reference"
