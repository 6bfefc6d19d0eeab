"""Rules on dates: roadmaps, opportunities, memberships; and eligibility with what is unknown."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from hub.domain.eligibility import Eligibility, Node, assess
from hub.domain.partners import Partner
from hub.domain.roadmaps import RoadmapAgreed
from tests.support.folding import FIRM, MANAGER, Case, opened
from tests.support.messages import EEN, KENT, NETWORK, NORMANDY, uuid_of


def roadmap(starts_on: str, ends_on: str, version: int = 1) -> dict[str, Any]:
    return {
        "sme_id": FIRM, "network": NETWORK, "agreed_on": "2026-11-22", "starts_on": starts_on,
        "ends_on": ends_on, "agreed_with": [NORMANDY], "version": version, "actions": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "good"),
    [
        ("2026-12-01", "2027-06-01", True),
        ("2026-12-01", "2027-05-31", False),
        ("2026-12-01", "2028-12-01", True),
        ("2026-12-01", "2028-12-02", False),
        ("2026-08-31", "2027-02-28", True),
        ("2026-08-31", "2027-02-27", False),
        ("2027-08-31", "2028-02-28", False),
        ("2027-08-31", "2028-02-29", True),
        ("2028-02-29", "2030-02-28", True),
        ("2028-02-29", "2030-03-01", False),
    ],
)
def test_a_roadmap_covers_6_to_24_months(starts_on: str, ends_on: str, good: bool) -> None:
    if good:
        assert RoadmapAgreed.model_validate(roadmap(starts_on, ends_on))
    else:
        with pytest.raises(ValidationError, match="6 to 24 months"):
            RoadmapAgreed.model_validate(roadmap(starts_on, ends_on))


def test_versions_of_a_roadmap_follow_each_other() -> None:
    case, id_ = opened(), uuid_of("roadmap")
    first = roadmap("2026-12-01", "2027-12-01")
    assert case.post("roadmap.reviewed", KENT, id_, **first) == "rule.violated"
    assert case.post("roadmap.agreed", KENT, id_, **{**first, "version": 2}) == "rule.violated"
    assert case.post("roadmap.agreed", KENT, id_, **first) == "applied"
    assert case.post("roadmap.agreed", KENT, id_, **first) == "rule.violated"
    assert case.post("roadmap.reviewed", KENT, id_, **{**first, "version": 3}) == "rule.violated"
    case.registered(EEN, NORMANDY)
    assert case.post("roadmap.reviewed", EEN, id_, **{**first, "version": 2}) == "rule.violated"
    # To have agreed is not enough without a consent that opens the firm.
    assert case.post("roadmap.reviewed", NORMANDY, id_, **{**first, "version": 2}) == "rule.violated"
    assert case.post("roadmap.reviewed", KENT, id_, **{**first, "version": 2}) == "applied"


PROFILE: dict[str, Any] = {
    "reference": "r", "opportunity_type": "business-offer", "title": {"en": "x"}, "summary": {"en": "x"},
    "country": "FR", "published_on": "2026-01-01",
}  # fmt: skip
OFFER = uuid_of("offer")


@pytest.mark.parametrize(
    ("now", "expires_on", "answer"),
    [
        ("2026-12-01", "2027-06-01", "rule.violated"),
        ("2026-12-02", "2027-06-01", "applied"),
        ("2026-12-02", "2027-01-01", "rule.violated"),
        ("2026-12-02", "2028-01-01", "applied"),
        ("2026-12-02", "2028-01-02", "rule.violated"),
    ],
)
def test_an_opportunity_of_365_days_is_extended_from_30_days_before(
    now: str, expires_on: str, answer: str
) -> None:
    case = Case()
    assert case.post("opportunity.published", EEN, OFFER, **PROFILE) == "applied"
    case.now = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert case.post("opportunity.extended", EEN, OFFER, expires_on=expires_on) == answer
    if answer == "applied":
        assert case.post("opportunity.extended", EEN, OFFER, expires_on=expires_on) == "rule.violated"


def test_an_opportunity_is_not_published_for_more_than_365_days() -> None:
    with pytest.raises(ValidationError, match="365 days"):
        Case().post("opportunity.published", EEN, OFFER, **PROFILE, expires_on="2027-01-02")
    assert Case().post("opportunity.published", EEN, OFFER, **PROFILE, expires_on="2027-01-01") == "applied"


def test_a_membership_holds_from_its_first_to_its_last_day() -> None:
    case = Case()
    joined = {"name": {"en": "x"}, "country": "GB", "network": NETWORK, "role": "member"}
    dates = {"from": "2026-01-01", "to": "2026-12-31"}
    assert case.post("partner.joined", MANAGER, EEN, **joined, **dates) == "applied"
    found = case.state.get(Partner, EEN)
    assert found
    days = ["2025-12-31", "2026-01-01", "2026-12-31", "2027-01-01"]
    assert [found.networks_on(date.fromisoformat(day)) for day in days] == [[], [NETWORK], [NETWORK], []]
    assert case.post("partner.suspended", MANAGER, EEN, network=NETWORK, on="2026-06-01") == "applied"
    suspended = case.state.get(Partner, EEN)
    assert suspended
    assert suspended.networks_on(date(2026, 7, 1)) == []


YES, NO, UNKNOWN = (
    {"fact": "size", "in": ["micro"]}, {"fact": "size", "in": ["large"]}, {"fact": "country", "in": ["FR"]}
)  # fmt: skip


@pytest.mark.parametrize(
    ("tree", "verdict"),
    [
        (YES, "eligible"),
        (NO, "not-eligible"),
        (UNKNOWN, "unknown"),
        ({"not": YES}, "not-eligible"),
        ({"not": NO}, "eligible"),
        ({"not": UNKNOWN}, "unknown"),
        ({"all": [YES, YES]}, "eligible"),
        ({"all": [YES, UNKNOWN]}, "unknown"),
        ({"all": [NO, UNKNOWN]}, "not-eligible"),
        ({"any": [NO, NO]}, "not-eligible"),
        ({"any": [NO, UNKNOWN]}, "unknown"),
        ({"any": [YES, UNKNOWN]}, "eligible"),
    ],
)
def test_eligibility_knows_what_is_unknown(tree: dict[str, Any], verdict: str) -> None:
    assert assess(Node.model_validate(tree), {"size": "micro"})[0] == verdict


def test_a_tree_has_at_most_64_clauses_and_8_levels() -> None:
    assert Eligibility.model_validate({"all": [YES] * 64})
    with pytest.raises(ValidationError, match="65 clauses"):
        Eligibility.model_validate({"all": [YES] * 65})
    tree: dict[str, Any] = YES
    for _ in range(7):
        tree = {"not": tree}
    assert Eligibility.model_validate(tree)
    with pytest.raises(ValidationError, match="9 levels"):
        Eligibility.model_validate({"not": tree})
