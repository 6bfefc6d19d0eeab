"""Firms: whose registration a partner reads, and which consents open it."""

from __future__ import annotations

import pytest

from hub.domain.firms import Category, Reader, readable_partners
from tests.support.folding import AT, ENDS, Case, opened
from tests.support.messages import EEN, KENT, NETWORK, NORMANDY


def seen_by(case: Case, partner: str, category: Category = "identity") -> list[str]:
    """Partners whose data on the firm that partner reads, beside its own."""
    networks = {slug: frozenset(of) for slug, of in case.networks.items()}
    reader = Reader(partner, networks.get(partner, frozenset()))
    found = readable_partners(case.state, reader, category, case.now, networks)
    return [one for one in found if one != partner]


def test_a_consent_opens_the_firm_to_its_recipient_once_there_is_a_case() -> None:
    case = opened(NORMANDY)
    assert seen_by(case, NORMANDY) == []
    assert case.request() == "applied"
    assert seen_by(case, NORMANDY) == [KENT]
    assert seen_by(case, EEN) == []
    case.now = ENDS
    assert seen_by(case, NORMANDY) == []


@pytest.mark.parametrize(
    ("purposes", "categories", "opened_ones"),
    [
        (["referral", "contact"], ["identity", "contact"], {"identity", "contact"}),
        (["referral"], ["identity", "contact"], {"identity"}),
        (["referral"], ["diagnosis"], {"diagnosis"}),
        (["referral", "reporting"], ["roadmap"], {"roadmap"}),
    ],
)
def test_a_consent_opens_its_categories_for_its_purposes(
    purposes: list[str], categories: list[str], opened_ones: set[str]
) -> None:
    case = Case().registered(KENT)
    assert case.consent(KENT, NORMANDY, purposes=purposes, categories=categories) == "applied"
    assert case.request() == "applied"
    kinds: tuple[Category, ...] = ("identity", "contact", "diagnosis", "roadmap")
    assert {kind for kind in kinds if seen_by(case, NORMANDY, kind)} == opened_ones


def test_an_offer_in_the_pool_opens_nothing_until_it_is_claimed() -> None:
    case = opened(f"network:{NETWORK}")
    assert case.request(to=None) == "applied"
    assert seen_by(case, EEN) == []


def test_a_chain_of_consents_is_followed_from_sender_to_sender() -> None:
    case = opened(NORMANDY)
    assert case.request() == "applied"
    assert case.consent(NORMANDY, EEN, id_="onward") == "applied"
    onward = {"consent_id": case.consent_id("onward")}
    assert case.request(NORMANDY, EEN, "onward", **onward) == "applied"
    assert seen_by(case, EEN) == [NORMANDY, KENT]
    case.withdraw(KENT, "consent")
    assert seen_by(case, EEN) == [NORMANDY]


def test_a_recipient_s_own_consent_opens_nothing_to_itself() -> None:
    case = Case().registered(KENT, EEN)
    assert case.consent(EEN, EEN, NORMANDY, id_="own") == "applied"
    assert case.request(EEN, NORMANDY, "mine", consent_id=case.consent_id("own")) == "applied"
    assert case.now == AT
    assert seen_by(case, EEN) == []
    assert seen_by(case, NORMANDY) == [EEN]


def test_a_firm_that_is_unknown_and_one_that_is_unseen_get_one_answer() -> None:
    unknown = Case().fold("visit.recorded", EEN, case_id(), **visit())
    unseen = opened(NORMANDY).fold("visit.recorded", EEN, case_id(), **visit())
    assert unknown == unseen


def case_id() -> str:
    return Case.consent_id("visit")


def visit() -> dict[str, str]:
    return {"sme_id": Case.consent_id("firm"), "on": "2026-11-23", "kind": "review", "network": NETWORK}
