"""Intake: what is not taken, with the code, the place and a way out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from hub.domain.principal import Principal
from hub.domain.scopes import DEFAULT_SCOPES, SCOPES, Audience
from hub.events.rejection import Rejected
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
from tests.support.spine import OpenHub, Spine, running_spine

KENTS = partner(KENT)


@pytest.fixture(scope="module", params=["embedded", "kafka"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A backbone, and the one data folder that these tests share: none of them stores anything."""
    return request.param, tmp_path_factory.mktemp("hub")


@pytest.fixture
async def network(folder: tuple[str, Path], backbones: Callable[[str], OpenHub]) -> AsyncIterator[Spine]:
    """A network that is set up, on that folder."""
    async with running_spine(backbones(folder[0]), folder[1]) as spine:
        if not (await spine.counts())["inbox"]:
            await spine.set_up_network()
        yield spine


async def refusal(spine: Spine, message: Message, sender: Principal = KENTS) -> Rejected:
    """Why the event was not taken; nothing of it is stored."""
    before = await spine.counts()
    with pytest.raises(Rejected) as caught:
        await spine.post(sender, message)
    assert await spine.counts() == before
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize(
    "source",
    [
        f"/partners/{EEN}/crm",
        f"/partners/{KENT}",
        f"/partners/{KENT}-2/crm",
        f"/partners/{KENT}/../{EEN}/crm",
        f"/partners/{KENT}/crm/..",
        f"/partners/{KENT}/./crm",
        f"https://hub.example/partners/{KENT}/crm",
        "/hub/cli",
        "crm",
    ],
)
async def test_a_source_outside_the_sender_s_own_is_foreign(network: Spine, source: str) -> None:
    error = await refusal(network, {**service(KENTS), "source": source})
    assert (error.status, error.code) == (403, "event.foreign_source")
    assert f"/partners/{KENT}/" in error.remedy


@pytest.mark.parametrize(
    ("what", "needs"),
    [
        ("service.published", "catalogue:publish"),
        ("sme.registered", "referrals:create"),
        ("consent.given", "consents:write"),
        ("diagnosis.submitted", "diagnosis:run"),
        ("referral.accepted", "referrals:act"),
        ("network.configured", "partners:admin"),
        ("service.published", "events:publish"),
    ],
)
async def test_a_missing_scope_is_named(network: Spine, what: str, needs: str) -> None:
    sender = partner(KENT, scopes=SCOPES - {needs})
    error = await refusal(network, event(sender, what, uuid_of("x"), {}), sender)
    assert (error.status, error.code) == (403, "scope.missing")
    assert needs in error.message


async def test_another_partner_s_contribution_is_the_network_manager_s_to_record(network: Spine) -> None:
    term = {"from": "2026-01-01", "to": "2026-12-31"}
    given = {"network": NETWORK, "partner": EEN, "kind": "fte", "fte": "1", **term}
    sender = partner(KENT, scopes=SCOPES - {"partners:admin"})
    error = await refusal(network, event(sender, "contribution.recorded", uuid_of("given"), given), sender)
    assert (error.status, error.code, error.errors[0].field) == (403, "scope.missing", "/data/partner")


@pytest.mark.parametrize("what", ["partner.joined", "referral.reassigned", "match.merged"])
async def test_a_partner_with_default_scopes_does_not_manage(network: Spine, what: str) -> None:
    assert (await refusal(network, event(KENTS, what, uuid_of("x"), {}))).code == "scope.missing"


async def test_nobody_but_the_hub_records_a_missed_deadline(network: Spine) -> None:
    everything = partner(KENT, scopes=SCOPES)
    data = {"kind": "roadmap", "due_at": "2026-11-22T09:00:00Z"}
    error = await refusal(network, event(everything, "deadline.missed", uuid_of("x"), data), everything)
    assert error.code == "scope.missing"


async def test_an_unknown_type_is_refused_with_the_nearest_one(network: Spine) -> None:
    error = await refusal(network, {**service(KENTS), "type": "hub.service.publisched.v1"})
    assert (error.status, error.code) == (422, "event.unknown_type")
    assert "hub.service.published.v1" in error.remedy


async def test_an_unknown_field_is_refused_with_the_nearest_one(network: Spine) -> None:
    error = await refusal(network, service(KENTS, servce_areas=["UKJ4"]))
    assert (error.status, error.code, error.errors[0].field) == (
        422,
        "payload.unknown_field",
        "/data/servce_areas",
    )
    assert "service_areas" in error.errors[0].message


async def test_an_unknown_field_deep_inside_is_pointed_at(network: Spine) -> None:
    error = await refusal(
        network, service(KENTS, cost_options=[{"option": {"en": "x"}, "amount": "0", "curency": "GBP"}])
    )
    assert error.code == "payload.unknown_field"
    assert error.errors[0].field == "/data/cost_options/0/curency"
    assert "currency" in error.errors[0].message


def given(**members: Any) -> Message:
    return service(KENTS, **members)


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (given(name={"english": "x"}), "/data/name/english"),
        (given(name={}), "/data/name"),
        (given(name={"en": ""}), "/data/name/en"),
        (given(service_type="seminar"), "/data/service_type"),
        (given(languages=["e n"]), "/data/languages/0"),
        (given(target_countries=["FR", "XX"]), "/data/target_countries/1"),
        (given(target_countries=["fr"]), "/data/target_countries/0"),
        (given(sectors=[{"scheme": "nace-2.1", "code": "00.99"}]), "/data/sectors/0/code"),
        (given(sectors=[{"scheme": "nace-3", "code": "62.10"}]), "/data/sectors/0/scheme"),
        (given(products=["000000"]), "/data/products/0"),
        (given(service_areas=["XX999"]), "/data/service_areas/0"),
        (given(valid_from="2026-02-29"), "/data/valid_from"),
        (given(valid_from="29.02.2026"), "/data/valid_from"),
        (given(valid_from="2026-12-31", valid_to="2026-01-01"), "/data/valid_to"),
        (given(processing_time="10 days"), "/data/processing_time"),
        (
            given(cost_options=[{"option": {"en": "x"}, "amount": 5, "currency": "GBP"}]),
            "/data/cost_options/0/amount",
        ),
        (
            given(cost_options=[{"option": {"en": "x"}, "amount": "-5", "currency": "GBP"}]),
            "/data/cost_options/0/amount",
        ),
        (
            given(cost_options=[{"option": {"en": "x"}, "amount": "5", "currency": "ZZZ"}]),
            "/data/cost_options/0/currency",
        ),
        (given(url="javascript:alert(1)"), "/data/url"),
        (given(email="nobody"), "/data/email"),
        (given(capacity={"status": "capacity", "available": True}), "/data/capacity/available"),
        (given(capacity={"status": "capacity", "available": "12"}), "/data/capacity/available"),
        (given(policy_tags=["Selep"]), "/data/policy_tags/0"),
        (given(eligibility={"all": []}), "/data/eligibility/all"),
        (firm(KENTS, "1", country="England"), "/data/country"),
        (firm(KENTS, "1", identifier={"scheme": "COMPANIES", "number": "1"}), "/data/identifier/scheme"),
        (consent(KENTS, "1", "Not A Slug", id_=uuid_of("c")), "/data/recipients/0"),
        (consent(KENTS, "1", EEN, id_=uuid_of("c"), expires_at="2025-01-01T09:00:00Z"), "/data/expires_at"),
        (consent(KENTS, "1", EEN, id_=uuid_of("c"), given_at="2026-01-01T09:00:00"), "/data/given_at"),
        (referral(KENTS, "1", uuid_of("r"), "not-a-uuid"), "/data/consent_id"),
        (referral(KENTS, "1", uuid_of("r"), uuid_of("c").upper()), "/data/consent_id"),
        (referral(KENTS, "1", uuid_of("r"), uuid_of("c"), needs=["money"]), "/data/needs/0"),
    ],
)
async def test_an_invalid_member_is_pointed_at(network: Spine, message: Message, field: str) -> None:
    error = await refusal(network, message)
    assert (error.status, error.code) == (422, "payload.invalid")
    assert field in [one.field for one in error.errors]


@pytest.mark.parametrize(
    "message",
    [
        {**service(KENTS), "subject": uuid_of("other")},
        {**firm(KENTS, "1"), "subject": firm_id("2")},
        event(KENTS, "sme.registered", firm_id("1"), {"sme_id": firm_id("1"), "name": "x", "country": "GB"}),
        referral(KENTS, "1", "r-1", uuid_of("c")),
        referral(KENTS, "1", uuid_of("r").upper(), uuid_of("c")),
        event(
            KENTS,
            "contribution.recorded",
            "c-1",
            {"network": NETWORK, "kind": "fte", "fte": "1", "from": "2026-01-01", "to": "2026-12-31"},
        ),
    ],
)
async def test_a_subject_that_does_not_follow_is_a_mismatch(network: Spine, message: Message) -> None:
    error = await refusal(network, message)
    assert (error.status, error.code) == (422, "payload.subject_mismatch")
    assert error.errors[0].field == "/subject"


async def test_another_partner_s_service_is_not_one_s_own_to_publish(network: Spine) -> None:
    een = partner(EEN)
    error = await refusal(network, {**service(KENTS), "source": f"{een.source_prefix}crm"}, een)
    assert error.code == "payload.subject_mismatch"


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (referral(KENTS, "1", uuid_of("r"), uuid_of("c"), network="nowhere"), "/data/network"),
        (referral(KENTS, "1", uuid_of("r"), uuid_of("c"), to="nobody"), "/data/to"),
        (referral(KENTS, "1", uuid_of("r"), uuid_of("c"), service_id=uuid_of("s")), "/data/service_id"),
        (
            referral(KENTS, "1", uuid_of("r"), uuid_of("c"), opportunity_id=uuid_of("s")),
            "/data/opportunity_id",
        ),
        (consent(KENTS, "1", NORMANDY, "network:nowhere", id_=uuid_of("c")), "/data/recipients/1"),
        (event(KENTS, "service.withdrawn", uuid_of("s"), {}), "/subject"),
        (event(KENTS, "opportunity.withdrawn", uuid_of("s"), {}), "/subject"),
    ],
)
async def test_a_reference_to_nothing_is_pointed_at(network: Spine, message: Message, field: str) -> None:
    error = await refusal(network, message)
    assert (error.status, error.code) == (422, "payload.unknown_reference")
    assert [one.field for one in error.errors] == [field]


async def test_a_manager_acts_within_its_networks_only(network: Spine) -> None:
    manager = network_manager("elsewhere")
    error = await refusal(
        network, event(manager, "network.configured", NETWORK, {"name": {"en": "x"}}), manager
    )
    assert (error.code, error.errors[0].field) == ("payload.unknown_reference", "/subject")
    joined = {
        "name": {"en": "x"},
        "country": "GB",
        "role": "member",
        "from": "2026-01-01",
        "network": NETWORK,
    }
    error = await refusal(network, event(manager, "partner.joined", EEN, joined), manager)
    assert (error.code, error.errors[0].field) == ("payload.unknown_reference", "/data/network")


async def test_nobody_but_the_firm_s_own_link_speaks_for_the_firm(network: Spine) -> None:
    data = {"kind": "new-market", "confirmed_by": "sme"}
    error = await refusal(network, event(KENTS, "outcome.confirmed", uuid_of("r"), data))
    assert (error.code, error.errors[0].field) == ("payload.invalid", "/data/confirmed_by")


async def test_a_portal_with_default_scopes_posts_no_events(network: Spine) -> None:
    scopes = frozenset(DEFAULT_SCOPES[Audience.PORTAL])
    portal = Principal("sme-portal", Audience.PORTAL, None, scopes, None, "/hub/clients/sme-portal/")
    assert (
        await refusal(network, event(portal, "diagnosis.submitted", uuid_of("d"), {}), portal)
    ).status == 403


async def test_every_error_of_a_batch_is_told_with_its_index(network: Spine) -> None:
    with pytest.raises(Rejected) as caught:
        await network.post(KENTS, given(name={}), service(KENTS), given(url="x"))
    assert [(one.index, one.field) for one in caught.value.errors] == [(0, "/data/name"), (2, "/data/url")]
