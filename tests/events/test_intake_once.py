"""Intake: one event once, whatever is sent again, and batches whole or not at all."""

from __future__ import annotations

import asyncio
import copy

import pytest

from hub.domain.principal import Principal
from hub.events.envelope import parse
from hub.events.rejection import Rejected
from tests.support.messages import (
    EEN,
    KENT,
    NORMANDY,
    Message,
    body,
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


@pytest.fixture
async def kent(spine: Spine) -> Principal:
    """A partner of a network that is set up."""
    await spine.set_up_network()
    return partner(KENT)


async def rejected(spine: Spine, sender: Principal, *messages: Message) -> Rejected:
    """Why nothing of this was taken."""
    with pytest.raises(Rejected) as caught:
        await spine.post(sender, *messages)
    return caught.value


async def test_the_same_event_again_is_a_duplicate_with_the_first_seq(spine: Spine, kent: Principal) -> None:
    message = service(kent)
    (first,) = await spine.post(kent, message)
    before = await spine.counts()
    (again,) = await spine.post(kent, dict(reversed(message.items())))
    assert (first.duplicate, again.duplicate) == (False, True)
    assert (again.seq, again.id, again.source) == (first.seq, message["id"], message["source"])
    assert await spine.counts() == before


async def test_the_binary_form_of_a_structured_event_is_its_duplicate(spine: Spine, kent: Principal) -> None:
    message = service(kent, time="2026-11-22T09:00:00Z")
    message["time"] = "2026-11-22T09:00:00Z"
    del message["data"]["time"]
    (first,) = await spine.post(kent, message)
    headers = [(f"ce-{name}", str(value).encode()) for name, value in message.items() if name != "data"]
    (again,) = await spine.hub.intake.submit(kent, parse("application/json", headers, body(message["data"])))
    assert (again.seq, again.duplicate) == (first.seq, True)


@pytest.mark.parametrize(
    "change",
    [{"time": "2026-11-22T09:00:01Z"}, {"type": "hub.service.withdrawn.v1", "data": {}}, {"trace": "x"}],
)
async def test_the_same_identity_with_other_content_is_a_conflict(
    spine: Spine, kent: Principal, change: Message
) -> None:
    message = service(kent)
    await spine.post(kent, message)
    before = await spine.counts()
    error = await rejected(spine, kent, {**message, **change})
    assert (error.status, error.code) == (409, "event.conflict")
    assert await spine.counts() == before


async def test_the_same_id_from_another_source_or_partner_is_another_event(
    spine: Spine, kent: Principal
) -> None:
    een = partner(EEN)
    first, other_source, other_partner = service(kent), service(kent), service(een)
    other_source |= {"id": first["id"], "source": f"{kent.source_prefix}website"}
    other_partner["id"] = first["id"]
    receipts = [(await spine.post(kent, one))[0] for one in (first, other_source)]
    receipts += await spine.post(een, other_partner)
    assert len({one.seq for one in receipts}) == 3


async def test_one_batch_may_hold_an_event_twice(spine: Spine, kent: Principal) -> None:
    message = service(kent)
    first, again, other = await spine.post(kent, message, copy.deepcopy(message), service(kent, "other"))
    assert (first.duplicate, again.duplicate, other.duplicate) == (False, True, False)
    assert first.seq == again.seq == other.seq - 1


async def test_a_batch_with_a_conflict_in_itself_leaves_nothing(spine: Spine, kent: Principal) -> None:
    before = await spine.counts()
    message = service(kent)
    error = await rejected(spine, kent, message, {**message, "trace": "x"})
    assert (error.status, error.code, error.errors[0].index) == (409, "event.conflict", 1)
    assert await spine.counts() == before


@pytest.mark.parametrize("at", [0, 1, 2])
async def test_a_batch_with_one_bad_event_leaves_nothing(spine: Spine, kent: Principal, at: int) -> None:
    before = await spine.counts()
    id_, consent_id = uuid_of("r"), uuid_of("c")
    messages = [
        firm(kent, "1"),
        consent(kent, "1", NORMANDY, id_=consent_id),
        referral(kent, "1", id_, consent_id),
    ]
    messages.insert(at, event(kent, "service.withdrawn", uuid_of("unknown"), {}))
    error = await rejected(spine, kent, *messages)
    assert (error.status, error.code, error.errors[0].index) == (422, "payload.unknown_reference", at)
    assert await spine.counts() == before
    # Neither the references nor the keys of the batch are known to what comes next.
    late = event(kent, "referral.accepted", id_, {})
    assert await spine.outcome(kent, late) == "refused referral.not_found"
    (again,) = await spine.post(kent, messages[0 if at else 1])
    assert not again.duplicate


async def test_a_rejected_batch_does_not_harm_those_committed_with_it(spine: Spine, kent: Principal) -> None:
    good = [firm(kent, str(number)) for number in range(20)]
    bad = [firm(kent, "20"), event(kent, "service.withdrawn", uuid_of("unknown"), {})]
    posts = [spine.post(kent, one) for one in good[:10]] + [spine.post(kent, *bad)]
    posts += [spine.post(kent, one) for one in good[10:]]
    answers = await asyncio.gather(*posts, return_exceptions=True)
    assert isinstance(answers.pop(10), Rejected)
    receipts = [one for answer in answers if isinstance(answer, list) for one in answer]
    assert len({one.seq for one in receipts}) == 20
    assert set(await spine.verdicts(receipts)) == {"applied"}


async def test_an_event_may_name_what_the_same_batch_brought_about(spine: Spine, kent: Principal) -> None:
    consent_id, published = uuid_of("c"), service(kent)
    receipts = await spine.post(
        kent,
        published,
        firm(kent, "1"),
        consent(kent, "1", NORMANDY, id_=consent_id),
        referral(kent, "1", uuid_of("r"), consent_id, service_id=published["subject"]),
        event(kent, "referral.annulled", uuid_of("r"), {"sme_id": firm_id("1")}),
    )
    assert await spine.verdicts(receipts) == ["applied"] * 5


async def test_a_batch_names_nothing_that_comes_later_in_it(spine: Spine, kent: Principal) -> None:
    published = service(kent)
    error = await rejected(spine, kent, event(kent, "service.withdrawn", published["subject"], {}), published)
    assert (error.code, error.errors[0].index) == ("payload.unknown_reference", 0)


async def test_events_of_one_sender_are_numbered_in_the_order_of_their_answers(
    spine: Spine, kent: Principal
) -> None:
    receipts = [(await spine.post(kent, service(kent, f"s-{number}")))[0] for number in range(5)]
    assert [one.seq - receipts[0].seq for one in receipts] == list(range(5))


async def test_a_suspended_partner_is_known_as_such_from_the_same_commit_on(
    spine: Spine, kent: Principal
) -> None:
    manager = network_manager()
    changed = {"on": "2026-11-22"}
    await spine.post(manager, event(manager, "partner.suspended", NORMANDY, changed))
    error = await rejected(spine, kent, consent(kent, "1", NORMANDY, id_=uuid_of("c")))
    assert (error.code, error.errors[0].field) == ("payload.unknown_reference", "/data/recipients/0")
    await spine.post(manager, event(manager, "partner.resumed", NORMANDY, changed))
    assert await spine.post(kent, consent(kent, "1", NORMANDY, id_=uuid_of("c")))
