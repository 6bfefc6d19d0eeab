"""Referrals: which event leads from which state to which, and whose it is to post."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from hub.domain.referrals import Referral
from tests.support.folding import MANAGER, Case, opened
from tests.support.messages import EEN, KENT, NETWORK, NORMANDY, uuid_of

TABLE = json.loads((Path(__file__).parent / "transitions.json").read_text(encoding="utf-8"))
STATES: list[str] = TABLE["states"]
LEGAL = {(before, after) for before, list_ in TABLE["legal"].items() for after in list_}
ID = uuid_of("case")
REASON = {"reason": {"code": "other", "party": "provider"}}
DONE: dict[str, Any] = {
    "performed": [{"service_id": uuid_of("s"), "on": "2026-12-01"}],
    "outcome": {"kind": "new-market"},
}
OWNER, REQUESTER, STRANGER = NORMANDY, KENT, EEN
# Event, data, who may; every event that leads to a state of the table.
TO: dict[str, list[tuple[str, dict[str, Any], tuple[str, ...]]]] = {
    "draft": [("drafted", {}, (REQUESTER,))],
    "requested": [("requested", {}, (REQUESTER,))],
    "accepted": [("accepted", {}, (OWNER,))],
    "rejected": [("rejected", REASON, (OWNER,))],
    "in-progress": [("started", {}, (OWNER,)), ("resumed", {}, (OWNER,))],
    "on-hold": [("held", {**REASON, "resume_on": "2026-12-24"}, (OWNER,))],
    "failed": [("failed", REASON, (OWNER,))],
    "completed": [("completed", DONE, (OWNER,))],
    "cancelled": [("cancelled", REASON, (OWNER, REQUESTER))],
    "entered-in-error": [("annulled", {}, (REQUESTER,))],
}
FEED = {"started": "accepted", "resumed": "on-hold"}
PATHS: dict[str, tuple[str, ...]] = {
    "requested": (),
    "accepted": ("accepted",),
    "in-progress": ("accepted", "started"),
    "on-hold": ("accepted", "held"),
    "rejected": ("rejected",),
    "failed": ("accepted", "failed"),
    "completed": ("accepted", "completed"),
    "cancelled": ("cancelled",),
    "entered-in-error": ("annulled",),
}
EVENTS = {what: (data, who) for events in TO.values() for what, data, who in events}


def case_in(state: str) -> Case:
    """A referral from REQUESTER to OWNER that came to that state by real events."""
    case = opened()
    if state == "draft":
        assert case.request(what="referral.drafted") == "applied"
    else:
        assert case.request() == "applied"
        for what in PATHS[state]:
            data, who = EVENTS[what]
            assert case.post(f"referral.{what}", who[-1], ID, **data) == "applied"
    assert state_of(case) == state
    return case


def state_of(case: Case) -> str:
    referral = case.state.get(Referral, ID)
    assert referral
    return referral.state


def move(case: Case, what: str, data: dict[str, Any], sender: str) -> str:
    if what in ("drafted", "requested"):
        return case.request(sender, what=f"referral.{what}")
    return case.post(f"referral.{what}", sender, ID, **data)


def test_the_table_has_26_legal_moves() -> None:
    assert len(LEGAL) == 26
    assert len(STATES) == 10


@pytest.mark.parametrize(("before", "after"), list(product(STATES, STATES)))
def test_exactly_the_legal_moves_lead_from_state_to_state(before: str, after: str) -> None:
    moved = []
    for what, data, who in TO[after]:
        for sender in who:
            case = case_in(before)
            answer = move(case, what, data, sender)
            if answer == "applied":
                assert state_of(case) == after
                moved.append((what, sender))
            else:
                assert answer in ("referral.illegal_move", "referral.not_found")
                assert state_of(case) == before
    if (before, after) not in LEGAL:
        assert moved == []
    elif after == "in-progress":
        assert moved == [("started" if before == "accepted" else "resumed", OWNER)]
    elif before == "draft":
        assert [sender for _, sender in moved] == [REQUESTER]
    else:
        assert moved == [(what, sender) for what, _, who in TO[after] for sender in who]


@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("what", list(EVENTS))
@pytest.mark.parametrize("sender", [OWNER, REQUESTER, STRANGER, MANAGER])
def test_nobody_posts_what_is_another_s(before: str, what: str, sender: str) -> None:
    data, who = EVENTS[what]
    if sender in who:
        return
    case = case_in(before)
    answer = move(case, what, data, sender)
    party = sender in (REQUESTER, MANAGER) or (sender == OWNER and before != "draft")
    if what in ("drafted", "requested") and not (party and sender == OWNER):
        assert answer == "consent.missing"  # Such a sender does not even know the firm.
    elif not party:
        assert answer == "referral.not_found"
    else:
        assert answer == "referral.illegal_move"
    assert state_of(case) == before


def test_one_who_names_nothing_gets_the_answer_of_one_who_is_no_party() -> None:
    case = case_in("requested")
    no_party = case.fold("referral.accepted", STRANGER, ID)
    nothing = case.fold("referral.accepted", STRANGER, uuid_of("nothing"))
    assert str(no_party).replace(ID, "?") == str(nothing).replace(uuid_of("nothing"), "?")


def test_received_is_a_note_of_the_owner_and_changes_nothing() -> None:
    case = case_in("requested")
    assert case.fold("referral.received", OWNER, ID) == ()
    assert case.post("referral.received", REQUESTER, ID) == "referral.illegal_move"
    assert case_in("accepted").post("referral.received", OWNER, ID) == "referral.illegal_move"


def test_a_manager_reassigns_a_request_within_the_consent() -> None:
    case = case_in("requested")
    assert case.post("referral.reassigned", OWNER, ID, to=EEN, **REASON) == "referral.illegal_move"
    assert case.post("referral.reassigned", MANAGER, ID, to=EEN, **REASON) == "applied"
    assert case.post("referral.accepted", OWNER, ID) == "referral.not_found"
    assert case.post("referral.accepted", EEN, ID) == "applied"
    assert case.post("referral.reassigned", MANAGER, ID, to=OWNER, **REASON) == "referral.illegal_move"


def test_a_request_is_not_reassigned_to_one_whom_the_consent_does_not_name() -> None:
    case = opened(NORMANDY)
    assert case.request() == "applied"
    assert case.post("referral.reassigned", MANAGER, ID, to=EEN, **REASON) == "consent.missing"


def test_the_open_pool_is_claimed_once_by_another_member() -> None:
    case = opened()
    assert case.request(to=None) == "applied"
    assert case.post("referral.accepted", EEN, ID) == "referral.illegal_move"
    assert case.post("referral.claimed", KENT, ID) == "referral.illegal_move"
    case.networks["outsider"] = ["elsewhere"]
    assert case.post("referral.claimed", "outsider", ID) == "referral.not_found"
    assert case.post("referral.claimed", EEN, ID) == "applied"
    assert state_of(case) == "requested"
    assert case.post("referral.claimed", NORMANDY, ID) == "referral.not_found"
    assert case.post("referral.accepted", EEN, ID) == "applied"


def test_an_open_pool_needs_the_consent_to_name_the_network() -> None:
    assert opened(NORMANDY, EEN).request(to=None) == "consent.missing"
    assert opened(f"network:{NETWORK}").request(to=None) == "applied"


def test_a_draft_is_known_to_its_requester_alone() -> None:
    case = case_in("draft")
    case.registered(OWNER)
    assert case.consent(OWNER, REQUESTER, id_="of the owner") == "applied"
    mine = {"to": REQUESTER, "consent_id": uuid_of("of the owner")}
    assert case.request(OWNER, **mine) == "referral.not_found"
    assert case.request(what="referral.drafted") == "referral.illegal_move"
    assert case.request() == "applied"
    assert state_of(case) == "requested"
