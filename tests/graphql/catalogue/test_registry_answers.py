"""Networks, partners, vocabulary and me."""

from __future__ import annotations

from datetime import date
from typing import get_args

import pytest

from hub.domain.opportunities import OpportunityType
from hub.domain.partners import Membership
from hub.domain.principal import ANYONE, Principal
from hub.domain.referrals import ReasonCode, ReferralState
from hub.domain.services import CapacityStatus, PathwayStep, ServiceStatus, ServiceType
from hub.domain.values import Experience, Need, OutcomeKind, Size
from hub.graphql.labels import LABELS
from hub.graphql.vocabulary import NAMES
from hub.store.vault import save_subjects, seal
from tests.graphql.catalogue.world import (
    KENT,
    MANAGER,
    NORMANDY,
    NOW,
    PARTNER,
    PORTAL,
    World,
    network,
    partner,
    service,
)

MANAGED = "{ networks { slug manager { name from until } } }"


@pytest.fixture
async def filled(world: World) -> World:
    """Two networks; Normandy in both, once with an ended role; Kent took the place of an older body."""
    normandy = partner(NORMANDY, "normandy", country="FR").model_copy(
        update={
            "name": {"fr": "Équipe", "en": "Team"},
            "memberships": [
                Membership(network="normandy", role="founder", from_=date(2018, 9, 17)),
                Membership(
                    network="south-east", role="associate", from_=date(2016, 4, 1), to=date(2021, 3, 31)
                ),
            ],
        }
    )
    person, row = world.vault.make("person")
    await world.store.intake(lambda conn: save_subjects(conn, [row]))
    sealed = seal(person, "A. Manager")
    await world.project(
        network("south-east", lead=KENT, manager_name=sealed, manager_from=date(2026, 1, 1)),
        network("normandy", lead="not-yet-known"),
        partner(KENT, "south-east", successor_of="old-kent"),
        partner("old-kent", status="left"),
        normandy,
        service("one"),
    )
    return world


async def test_networks_lead_to_their_members_with_roles_and_dates(filled: World) -> None:
    data = await filled.data(
        "{ networks { slug name lead { slug } "
        "members { partner { slug } network { slug } role from until } } }"
    )
    assert data["networks"] == [
        {
            "slug": "normandy",
            "name": "NORMANDY",
            "lead": {"slug": "not-yet-known"},
            "members": [
                {
                    "partner": {"slug": NORMANDY},
                    "network": {"slug": "normandy"},
                    "role": "founder",
                    "from": "2018-09-17",
                    "until": None,
                }
            ],
        },
        {
            "slug": "south-east",
            "name": "SOUTH-EAST",
            "lead": {"slug": KENT},
            "members": [
                {
                    "partner": {"slug": NORMANDY},
                    "network": {"slug": "south-east"},
                    "role": "associate",
                    "from": "2016-04-01",
                    "until": "2021-03-31",
                },
                {
                    "partner": {"slug": KENT},
                    "network": {"slug": "south-east"},
                    "role": "member",
                    "from": "2020-01-01",
                    "until": None,
                },
            ],
        },
    ]


async def test_partners_of_a_network_are_its_members_of_today(filled: World) -> None:
    for given, slugs in (
        ("", [KENT, "old-kent", NORMANDY]),
        ('(network: "south-east")', [KENT]),
        ('(network: "nowhere")', []),
    ):
        data = await filled.data(f"{{ partners{given} {{ slug }} }}")
        assert [one["slug"] for one in data["partners"]] == slugs


async def test_a_partner_tells_its_name_status_roles_and_successor(filled: World) -> None:
    document = """query P($slug: String!) { partner(slug: $slug) {
      slug name(language: "fr") country status serviceCount
      memberships { network { slug } role } successor { slug }
    } }"""
    assert (await filled.data(document, {"slug": NORMANDY}))["partner"] == {
        "slug": NORMANDY,
        "name": "Équipe",
        "country": "FR",
        "status": "ACTIVE",
        "serviceCount": 0,
        "memberships": [
            {"network": {"slug": "south-east"}, "role": "associate"},
            {"network": {"slug": "normandy"}, "role": "founder"},
        ],
        "successor": None,
    }
    old = (await filled.data(document, {"slug": "old-kent"}))["partner"]
    assert old["status"] == "LEFT"
    assert old["successor"] == {"slug": KENT}
    assert (await filled.data(document, {"slug": "nobody"}))["partner"] is None


@pytest.mark.parametrize(
    ("by", "name"),
    [(ANYONE, None), (PORTAL, None), (PARTNER, "A. Manager"), (MANAGER, "A. Manager")],
    ids=lambda value: value.audience.value if isinstance(value, Principal) else "",
)
async def test_a_managers_name_is_for_partners_and_managers(
    filled: World, by: Principal, name: str | None
) -> None:
    assert (await filled.data(MANAGED, by=by))["networks"] == [
        {"slug": "normandy", "manager": None},
        {"slug": "south-east", "manager": {"name": name, "from": "2026-01-01", "until": None}},
    ]


LISTS = {
    "service-types": ServiceType,
    "service-status": ServiceStatus,
    "pathway-steps": PathwayStep,
    "experience": Experience,
    "sizes": Size,
    "capacity-status": CapacityStatus,
    "needs": Need,
    "outcome-kinds": OutcomeKind,
    "reason-codes": ReasonCode,
    "referral-states": ReferralState,
    "opportunity-types": OpportunityType,
}


@pytest.mark.parametrize("name", LISTS)
def test_closed_lists_hold_the_codes_of_the_payloads(name: str) -> None:
    assert list(LABELS[name]) == list(get_args(LISTS[name]))


@pytest.mark.parametrize("name", LABELS)
def test_labels_are_given_in_four_languages_and_differ_within_a_list(name: str) -> None:
    for at in range(4):
        labels = [row[at] for row in LABELS[name].values()]
        assert all(labels)
        assert len(set(labels)) == len(labels)


@pytest.mark.parametrize("name", NAMES)
async def test_every_vocabulary_can_be_fetched(world: World, name: str) -> None:
    document = "query V($name: String!) { vocabulary(name: $name) { scheme code label } }"
    found = (await world.data(document, {"name": name}))["vocabulary"]
    assert len(found) >= 3
    assert len({one["code"] for one in found}) == len(found)
    assert all(one["label"] and one["scheme"] for one in found)


@pytest.mark.parametrize(
    ("name", "code", "language", "label"),
    [
        ("countries", "DE", "fr", "Allemagne"),
        ("languages", "nl", "en", "Dutch"),
        ("currencies", "EUR", "nl", "Euro"),
        ("nace-2.1", "62.10", "en", "Computer programming activities"),
        ("service-types", "trade-mission", "nl-BE", "Handelsmissie"),
        ("service-types", "trade-mission", "cs", "Trade mission"),
        ("referral-states", "on-hold", "es", "En espera"),
    ],
)
async def test_codes_are_named_in_the_language(
    world: World, name: str, code: str, language: str, label: str
) -> None:
    document = f'{{ vocabulary(name: "{name}") {{ code label(language: "{language}") }} }}'
    assert {"code": code, "label": label} in (await world.data(document))["vocabulary"]


async def test_nace_is_whole(world: World) -> None:
    found = (await world.data('{ vocabulary(name: "nace-2.1") { code } }'))["vocabulary"]
    levels = [len(one["code"].replace(".", "")) for one in found if one["code"][0].isdigit()]
    # NACE Rev. 2.1 has 87 divisions, 287 groups, 651 classes: Delegated Regulation (EU) 2023/137.
    assert [levels.count(length) for length in (2, 3, 4)] == [87, 287, 651]


async def test_an_unknown_vocabulary_is_refused_with_the_nearest(world: World) -> None:
    answer = await world.ask('{ vocabulary(name: "contries") { code } }')
    assert "countries" in answer["errors"][0]["message"]
    assert answer["errors"][0]["extensions"]["code"] == "payload.invalid"


@pytest.mark.parametrize(
    ("by", "audience", "slug", "name"),
    [
        (ANYONE, "public", None, None),
        (PORTAL, "portal", None, "sme-portal"),
        (PARTNER, "partner", KENT, "Kent-International-Business"),
        (MANAGER, "manager", None, "network-manager"),
    ],
    ids=lambda value: value.audience.value if isinstance(value, Principal) else "",
)
async def test_me_tells_who_asks(
    filled: World, by: Principal, audience: str, slug: str | None, name: str | None
) -> None:
    me = (await filled.data("{ me { audience partner { slug } name scopes } }", by=by))["me"]
    assert me == {
        "audience": audience,
        "partner": {"slug": slug} if slug else None,
        "name": name,
        "scopes": sorted(by.scopes),
    }
    assert filled.now == NOW
