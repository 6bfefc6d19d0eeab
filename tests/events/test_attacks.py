"""Ways in that were tried against the hub and are closed, one test each."""

from __future__ import annotations

import pytest

from hub.domain.matches import match_id
from hub.domain.opportunities import interest_referral_id, opportunity_id
from hub.domain.principal import HUB, Principal
from hub.domain.referrals import Referral
from hub.domain.scopes import Audience
from hub.domain.services import service_id
from hub.domain.visits import signpost_referral_id
from hub.events.rejection import Rejected
from hub.store.records import all_records
from tests.support.messages import (
    EEN,
    KENT,
    NETWORK,
    NORMANDY,
    Message,
    consent,
    event,
    firm,
    firm_id,
    network_manager,
    partner,
    referral,
    service,
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


SOUTH = "south"
SOUTHERN = "southern-chamber"
BOUND = network_manager(SOUTH)


def joined(slug: str, sender: Principal = BOUND, **members: object) -> Message:
    """A membership in the south, as the manager of the south records it."""
    data = {"name": {"en": "New"}, "country": "FR", "network": SOUTH, "role": "member", "from": "2026-01-01"}
    return event(sender, "partner.joined", slug, data | members)


async def second_network(spine: Spine) -> None:
    """The partners of the story, and a network without any member."""
    await spine.set_up_network()
    manager = network_manager()
    configured = event(manager, "network.configured", SOUTH, {"name": {"en": "South"}})
    assert await spine.outcome(manager, configured) == "applied"


async def refused_field(spine: Spine, message: Message, sender: Principal = BOUND) -> str:
    """The member for whose sake the event is refused as one that names what it may not."""
    with pytest.raises(Rejected) as refusal:
        await spine.post(sender, message)
    assert (refusal.value.status, refusal.value.code) == (422, "payload.unknown_reference")
    return refusal.value.errors[0].field


async def test_a_manager_of_one_network_takes_no_partner_of_another_into_its_own(spine: Spine) -> None:
    await second_network(spine)
    assert await refused_field(spine, joined(KENT)) == "/subject"
    assert await refused_field(spine, joined(SOUTHERN, successor_of=KENT)) == "/data/successor_of"
    everywhere = network_manager()
    assert await spine.outcome(everywhere, joined(KENT, everywhere)) == "applied"
    assert await refused_field(spine, joined(KENT, role="lead")) == "/subject", "it takes part elsewhere, too"


async def test_who_left_a_network_stays_beyond_other_networks_managers(spine: Spine) -> None:
    await second_network(spine)
    everywhere = network_manager()
    left = event(everywhere, "partner.left", KENT, {"network": NETWORK, "on": "2026-11-01"})
    assert await spine.outcome(everywhere, left) == "applied"
    assert await refused_field(spine, joined(KENT)) == "/subject"


async def test_a_manager_of_one_network_brings_back_nobody_who_left_the_hub(spine: Spine) -> None:
    await second_network(spine)
    everywhere = network_manager()
    assert await spine.outcome(BOUND, joined(SOUTHERN)) == "applied"
    left = event(everywhere, "partner.left", SOUTHERN, {"on": "2026-11-01"})
    assert await spine.outcome(everywhere, left) == "applied"
    assert await refused_field(spine, joined(SOUTHERN)) == "/subject"


async def test_a_manager_of_one_network_admits_newcomers_and_corrects_its_own(spine: Spine) -> None:
    await second_network(spine)
    batch = joined(SOUTHERN), joined(SOUTHERN, role="lead"), joined("heir", successor_of=SOUTHERN)
    assert await spine.verdicts(await spine.post(BOUND, *batch)) == ["applied"] * 3


async def test_a_manager_of_one_network_merges_no_services_of_another(spine: Spine) -> None:
    await second_network(spine)
    await spine.post(KENTS, service(KENTS, "a"), service(KENTS, "b"))
    left, right = (service_id(KENT, own_id) for own_id in "ab")
    pair = {"left": left, "right": right, "shown": left}
    for what in ("match.merged", "match.dismissed"):
        assert await refused_field(spine, event(BOUND, what, match_id(left, right), pair)) == "/data/left"
    theirs = network_manager(NETWORK)
    assert (
        await spine.outcome(theirs, event(theirs, "match.merged", match_id(left, right), pair)) == "applied"
    )


async def test_no_partner_takes_the_hub_s_own_name(spine: Spine) -> None:
    await spine.set_up_network()
    manager = network_manager()
    with pytest.raises(Rejected) as refusal:
        await spine.post(manager, joined(HUB, manager, network=NETWORK))
    assert refusal.value.code == "payload.subject_mismatch"


OFFER = opportunity_id(NORMANDY, "offer")


async def offered(spine: Spine) -> None:
    """An opportunity of Normandy's, and a firm of Kent's with a consent to it."""
    await spine.set_up_network()
    data = {
        "reference": "offer",
        "opportunity_type": "business-offer",
        "title": {"en": "x"},
        "summary": {"en": "x"},
        "country": "FR",
        "published_on": "2026-11-01",
    }
    assert await spine.outcome(NORMANDS, event(NORMANDS, "opportunity.published", OFFER, data)) == "applied"
    await spine.post(KENTS, firm(KENTS, "1"), consent(KENTS, "1", NORMANDY, EEN, id_=uuid_of("c")))


def interest(sender: Principal, consent_id: str = uuid_of("c")) -> Message:
    data = {"sme_id": firm_id("1"), "network": NETWORK, "consent_id": consent_id}
    return event(sender, "opportunity.interest-expressed", OFFER, data)


async def referrals(spine: Spine) -> dict[str, Referral]:
    """Every referral of the hub by id."""
    found = await spine.hub.store.inspect(lambda conn: all_records(conn, Referral))
    return {id_: one for id_, (one, _) in found.items()}


@pytest.mark.parametrize("ended", [False, True], ids=["open", "ended"])
async def test_interest_shown_again_replaces_no_referral(spine: Spine, *, ended: bool) -> None:
    await offered(spine)
    assert await spine.outcome(KENTS, interest(KENTS)) == "applied"
    id_ = interest_referral_id(OFFER, firm_id("1"))
    done = {"performed": [{"opportunity_id": OFFER, "on": "2026-11-02"}], "outcome": {"kind": "new-market"}}
    if ended:
        for what, data in (("accepted", {}), ("completed", done)):
            assert await spine.outcome(NORMANDS, event(NORMANDS, f"referral.{what}", id_, data)) == "applied"
    before = (await referrals(spine))[id_]
    answer = "refused referral.illegal_move" if ended else "refused referral.duplicate"
    own = uuid_of("own consent")
    await spine.post(NORMANDS, firm(NORMANDS, "1"), consent(NORMANDS, "1", NORMANDY, id_=own))
    await spine.post(EENS, firm(EENS, "1"), consent(EENS, "1", NORMANDY, id_=uuid_of("stranger")))
    assert await spine.outcome(KENTS, interest(KENTS)) == answer
    assert await spine.outcome(NORMANDS, interest(NORMANDS, own)) == answer, "the owner evicts no requester"
    strange = interest(EENS, uuid_of("stranger"))
    assert await spine.outcome(EENS, strange) == "refused referral.not_found"
    assert (await referrals(spine))[id_] == before


async def test_interest_of_a_stranger_takes_no_draft_from_its_requester(spine: Spine) -> None:
    await offered(spine)
    id_ = interest_referral_id(OFFER, firm_id("1"))
    drafted = referral(KENTS, "1", id_, uuid_of("c"), opportunity_id=OFFER)
    drafted["type"] = "hub.referral.drafted.v1"
    assert await spine.outcome(KENTS, drafted) == "applied"
    await spine.post(EENS, firm(EENS, "1"), consent(EENS, "1", NORMANDY, id_=uuid_of("stranger")))
    strange = interest(EENS, uuid_of("stranger"))
    assert await spine.outcome(EENS, strange) == "refused referral.not_found"
    requested = referral(KENTS, "1", id_, uuid_of("c"), opportunity_id=OFFER)
    assert await spine.outcome(KENTS, requested) == "applied"


def visited(sender: Principal, number: str, **members: object) -> Message:
    data = {"sme_id": firm_id(number), "on": "2026-11-02", "kind": "review", "network": NETWORK}
    return event(sender, "visit.recorded", uuid_of("visit"), data | members)


@pytest.mark.parametrize("signposts", [[NORMANDY], []])
async def test_a_visit_s_id_used_again_takes_no_signpost_from_its_requester(
    spine: Spine, signposts: list[str]
) -> None:
    await spine.set_up_network()
    await spine.post(KENTS, firm(KENTS, "1"), consent(KENTS, "1", NORMANDY, id_=uuid_of("c")))
    assert await spine.outcome(KENTS, visited(KENTS, "1", signposted_to=[NORMANDY])) == "applied"
    await spine.post(EENS, firm(EENS, "2"))
    again = visited(EENS, "2", signposted_to=signposts)
    assert await spine.outcome(EENS, again) == "refused rule.violated", "whatever it signposts"
    id_ = signpost_referral_id(uuid_of("visit"), NORMANDY)
    assert await spine.outcome(KENTS, referral(KENTS, "1", id_, uuid_of("c"))) == "applied"
    assert await spine.outcome(NORMANDS, event(NORMANDS, "referral.accepted", id_, {})) == "applied"


async def test_a_visit_that_was_refused_may_be_recorded_again(spine: Spine) -> None:
    await spine.set_up_network()
    visit = visited(KENTS, "1", signposted_to=[NORMANDY])
    assert await spine.outcome(KENTS, visit) == "refused consent.missing"
    await spine.post(KENTS, firm(KENTS, "1"))
    assert await spine.outcome(KENTS, visited(KENTS, "1", signposted_to=[NORMANDY])) == "applied"
