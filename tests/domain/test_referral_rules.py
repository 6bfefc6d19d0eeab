"""Referrals: consents, parts, duplicates and outcomes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.domain.referrals import Referral
from tests.support.folding import FIRM, Case, opened
from tests.support.messages import EEN, KENT, NETWORK, NORMANDY, uuid_of

ID, SERVICE = uuid_of("case"), uuid_of("service")
REASON = {"reason": {"code": "other", "party": "client"}}
DONE: dict[str, Any] = {
    "performed": [{"service_id": SERVICE, "on": "2026-12-01"}],
    "outcome": {"kind": "new-market", "value": {"amount": "10.00", "currency": "EUR"}},
}
ENDS = datetime(2028, 1, 1, tzinfo=UTC)


GUESS = {"other_firm": True}
"""What is resolved of an event that names another firm than the referral's."""


def withdrawn(case: Case) -> None:
    data = {"sme_id": FIRM, "withdrawn_at": "2026-11-22T09:00:00Z"}
    assert case.post("consent.withdrawn", KENT, uuid_of("consent"), **data) == "applied"


@pytest.mark.parametrize("how", ["withdrawn", "expired"])
def test_without_a_live_consent_nothing_is_requested_or_taken_on_but_all_can_be_closed(how: str) -> None:
    case = opened()
    for id_ in ("case", "pool", "open"):
        assert case.request(to=None if id_ == "pool" else NORMANDY, id_=id_) == "applied"
    assert case.post("referral.accepted", NORMANDY, uuid_of("open")) == "applied"
    if how == "withdrawn":
        withdrawn(case)
    else:
        case.now = ENDS
    assert case.request(id_="late") == "consent.missing"
    assert case.post("referral.accepted", NORMANDY, ID) == "consent.missing"
    assert case.post("referral.claimed", EEN, uuid_of("pool")) == "consent.missing"
    assert case.post("referral.rejected", NORMANDY, ID, **REASON) == "applied"
    assert case.post("referral.completed", NORMANDY, uuid_of("open"), **DONE) == "applied"


def test_a_consent_holds_until_the_moment_of_its_end() -> None:
    case = opened()
    case.now = ENDS - timedelta(microseconds=1)
    assert case.request() == "applied"
    case.now = ENDS
    assert case.request(id_="late") == "consent.missing"


@pytest.mark.parametrize(
    ("recipients", "members"),
    [((EEN,), {}), (("network:elsewhere",), {}), ((NORMANDY,), {"purposes": ["contact", "reporting"]})],
)
def test_a_consent_that_does_not_cover_the_recipient_or_the_purpose_is_none(
    recipients: tuple[str, ...], members: dict[str, Any]
) -> None:
    case = Case().registered(KENT)
    assert case.consent(KENT, *recipients, **members) == "applied"
    assert case.request() == "consent.missing"


def test_a_consent_is_withdrawn_by_its_sender_or_a_recipient_and_unknown_to_others() -> None:
    data = {"sme_id": FIRM, "withdrawn_at": "2026-11-22T09:00:00Z"}
    case = opened(NORMANDY)
    assert case.post("consent.withdrawn", EEN, uuid_of("consent"), **data) == "consent.missing"
    assert case.post("consent.withdrawn", NORMANDY, uuid_of("consent"), **data) == "applied"
    assert case.request() == "consent.missing"


def test_a_consent_is_given_once() -> None:
    assert opened().consent(KENT, EEN) == "rule.violated"


def test_a_referral_completes_after_its_parts() -> None:
    case = opened()
    assert case.request() == "applied"
    assert case.request(id_="part", part_of=ID) == "applied"
    assert case.post("referral.accepted", NORMANDY, ID) == "applied"
    assert case.post("referral.completed", NORMANDY, ID, **DONE) == "rule.violated"
    assert case.post("referral.cancelled", KENT, uuid_of("part"), **REASON) == "applied"
    assert case.post("referral.completed", NORMANDY, ID, **DONE) == "applied"
    assert case.request(id_="too-late", part_of=ID) == "rule.violated"


def test_a_part_of_what_one_is_no_party_to_names_nothing() -> None:
    case = opened()
    assert case.request() == "applied"
    assert case.consent(KENT, EEN, id_="other") == "applied"
    case.registered(EEN)
    for member in ("part_of", "based_on"):
        assert case.request(EEN, NORMANDY, "part", **{member: ID}) == "referral.not_found"
    assert case.request(id_="part", part_of=uuid_of("nothing")) == "referral.not_found"


def test_a_referral_is_no_part_of_itself() -> None:
    case = opened()
    assert case.request(what="referral.drafted") == "applied"
    assert case.request(part_of=ID) == "rule.violated"


def test_an_open_twin_that_the_sender_sees_is_a_duplicate() -> None:
    case = opened()
    assert case.request(service_id=SERVICE) == "applied"
    assert case.request(id_="twin", service_id=SERVICE) == "referral.duplicate"
    assert case.request(id_="twin", service_id=uuid_of("other service")) == "applied"
    assert case.request(id_="no-service") == "applied"
    assert case.request(id_="no-service-again") == "applied"


def test_a_closed_twin_is_none() -> None:
    case = opened()
    assert case.request(service_id=SERVICE) == "applied"
    assert case.post("referral.rejected", NORMANDY, ID, **REASON) == "applied"
    assert case.request(id_="again", service_id=SERVICE) == "applied"


def test_a_twin_that_the_sender_may_not_see_is_not_told() -> None:
    case = opened().registered(EEN)
    assert case.request(service_id=SERVICE) == "applied"
    assert case.request(EEN, NORMANDY, "twin", service_id=SERVICE) == "applied"
    assert case.request(NORMANDY, EEN, "third", service_id=SERVICE) == "referral.duplicate"


def test_a_draft_may_become_the_twin_only_while_none_is_open() -> None:
    case = opened()
    assert case.request(what="referral.drafted", id_="draft", service_id=SERVICE) == "applied"
    assert case.request(service_id=SERVICE) == "applied"
    assert case.request(id_="draft", service_id=SERVICE) == "referral.duplicate"


def completed() -> Case:
    case = opened()
    for answer in (
        case.request(),
        case.post("referral.accepted", NORMANDY, ID),
        case.post("referral.completed", NORMANDY, ID, **DONE),
    ):
        assert answer == "applied"
    return case


def outcome_of(case: Case) -> tuple[str, str | None]:
    referral = case.state.get(Referral, ID)
    assert referral
    assert referral.outcome
    return referral.outcome.confirmation, referral.outcome.confirmed_by


def test_the_requester_confirms_or_disputes_what_the_owner_reported() -> None:
    case = completed()
    assert outcome_of(case) == ("pending", None)
    said = {"kind": "new-market", "confirmed_by": "requester"}
    assert case.post("outcome.confirmed", NORMANDY, ID, **said) == "referral.illegal_move"
    assert case.post("outcome.confirmed", EEN, ID, **said) == "referral.not_found"
    assert case.post("outcome.confirmed", KENT, ID, **{**said, "kind": "contract-won"}) == "rule.violated"
    assert case.post("outcome.confirmed", KENT, ID, **said) == "applied"
    assert outcome_of(case) == ("confirmed", "requester")
    assert case.post("outcome.disputed", KENT, ID, **{**said, "kind": "none"}) == "applied"
    assert outcome_of(case) == ("disputed", None)


def test_an_outcome_is_judged_after_completion_only() -> None:
    case = opened()
    assert case.request() == "applied"
    said = {"kind": "new-market", "confirmed_by": "requester"}
    assert case.post("outcome.confirmed", KENT, ID, **said) == "referral.illegal_move"


def test_a_party_that_may_not_read_the_firm_gets_one_answer_for_every_firm_that_it_guesses() -> None:
    hidden = Case().registered(KENT)
    assert hidden.consent(KENT, NORMANDY, categories=["diagnosis"]) == "applied"
    assert hidden.request() == "applied"
    assert hidden.post("referral.received", NORMANDY, ID, resolved=GUESS) == "applied"
    reassigned = {"to": EEN, **REASON}
    for told in ({}, GUESS):
        resolved = {"manages": [NETWORK], **told}
        assert hidden.post("referral.reassigned", "manager", ID, resolved=resolved, **reassigned) == (
            "consent.missing"
        )


def test_who_may_read_the_firm_is_held_to_the_one_that_it_names() -> None:
    case = opened()
    assert case.request() == "applied"
    assert case.post("referral.received", NORMANDY, ID, resolved=GUESS) == "referral.not_found"
    managing = {"manages": [NETWORK], **GUESS}
    moved = {"to": EEN, **REASON}
    assert case.post("referral.reassigned", "manager", ID, resolved=managing, **moved) == "referral.not_found"
    withdrawn(case)
    assert case.post("referral.received", NORMANDY, ID, resolved=GUESS) == "applied"
    assert case.post("referral.annulled", KENT, ID, resolved=GUESS) == "referral.not_found", "its own case"
