"""Erasing a firm: who may, what stays to be counted, and what everybody hears afterwards."""

from __future__ import annotations

import pytest

from hub.domain.consents import Consent
from hub.domain.erasures import FIRM, Erasure
from hub.domain.firms import Registration
from hub.domain.marks import Sealed
from hub.domain.referral_moves import allowed_moves
from hub.domain.referrals import Referral
from hub.domain.visits import Visit
from tests.support.folding import AT, MANAGER, Case, opened
from tests.support.folding import FIRM as FIRM_ID
from tests.support.messages import EEN, KENT, NETWORK, NORMANDY, uuid_of

DATA = {"sme_id": FIRM_ID, "reason": "request"}


def erase(case: Case, sender: str = MANAGER, **resolved: object) -> str:
    return case.post("sme.erased", sender, FIRM_ID, **DATA, resolved=resolved)


def lived() -> Case:
    """A firm with a case that was taken on, a visit, and texts in all of them."""
    case = opened()
    assert case.request(message="Help") == "applied"
    reason = {"code": "no-capacity", "party": "provider", "text": "Ill"}
    held = {"reason": reason, "resume_on": "2026-12-01"}
    assert case.post("referral.accepted", NORMANDY, uuid_of("case")) == "applied"
    assert case.post("referral.held", NORMANDY, uuid_of("case"), **held) == "applied"
    visit = {"sme_id": FIRM_ID, "on": "2026-11-22", "kind": "review", "network": NETWORK, "note": "Tea"}
    assert case.post("visit.recorded", KENT, uuid_of("visit"), **visit) == "applied"
    return case


def test_what_was_said_goes_and_what_is_counted_stays() -> None:
    case = lived()
    assert erase(case) == "applied"
    assert not list(case.state.all(Registration))
    assert not list(case.state.all(Consent))
    (referral,) = case.state.all(Referral)
    assert (referral.state, referral.requester, referral.owner) == ("on-hold", KENT, NORMANDY)
    assert referral.reason
    assert (referral.reason.code, referral.reason.text, referral.message) == ("no-capacity", None, None)
    (visit,) = case.state.all(Visit)
    assert (visit.visit_kind, visit.note) == ("review", None)
    assert case.state.get(Erasure, FIRM) == Erasure(id=FIRM, by=MANAGER, reason="request", erased_at=AT)


def test_nobody_may_move_the_case_of_an_erased_firm_or_is_offered_it() -> None:
    case = opened()
    assert case.request() == "applied"
    assert case.request(to=None, id_="pool", service_id=uuid_of("service")) == "applied"
    before = {one.id: one for one in case.state.all(Referral)}
    assert allowed_moves(before[uuid_of("case")], frozenset({"owner"}))
    assert f"pool:{NETWORK}" in before[uuid_of("pool")].parties()
    erase(case)
    after = {one.id: one for one in case.state.all(Referral)}
    assert after[uuid_of("case")].state == "requested"
    assert not allowed_moves(after[uuid_of("case")], frozenset({"owner", "requester", "manager"}))
    assert f"pool:{NETWORK}" not in after[uuid_of("pool")].parties()


def test_no_record_of_an_erased_firm_holds_anything_sealed() -> None:
    case = lived()
    sealed = [one for one in case.state.records.values() if _sealed(one.model_dump())]
    assert len(sealed) == 3, "the history says nothing personal"
    erase(case)
    assert not [one for one in case.state.records.values() if _sealed(one.model_dump())]


def _sealed(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_sealed, value.values()))
    if isinstance(value, list):
        return any(map(_sealed, value))
    return isinstance(value, Sealed)


@pytest.mark.parametrize("sender", [KENT, NORMANDY, EEN, MANAGER])
def test_whatever_is_said_of_an_erased_firm_is_refused(sender: str) -> None:
    case = lived()
    erase(case)
    assert (
        case.post("sme.registered", sender, FIRM_ID, sme_id=FIRM_ID, name="x", country="GB") == "sme.erased"
    )
    assert case.consent(sender, EEN, id_="another") == "sme.erased"
    assert case.request(sender, id_="another") == "sme.erased"
    assert erase(case, sender) == "sme.erased"


def test_a_party_hears_that_the_firm_was_erased_and_a_stranger_that_there_is_no_such_referral() -> None:
    case = lived()
    case.networks = {**case.networks, "molise": ["south"]}
    before = case.post("referral.started", "molise", uuid_of("case"))
    erase(case)
    assert case.post("referral.resumed", NORMANDY, uuid_of("case")) == "sme.erased"
    assert case.post("referral.annulled", KENT, uuid_of("case")) == "sme.erased"
    assert case.post("referral.started", "molise", uuid_of("case")) == before == "referral.not_found"
    assert case.post("referral.accepted", EEN, uuid_of("unknown")) == "referral.not_found"


def test_a_manager_erases_firms_of_its_networks_and_no_others() -> None:
    assert erase(lived(), manages=["south"]) == "rule.violated"
    assert erase(lived(), manages=[NETWORK]) == "applied"
    assert erase(Case().registered(KENT), manages=[NETWORK]) == "applied", "a member registered it"
    assert erase(Case().registered(KENT), manages=["south"]) == "rule.violated"


def test_what_was_done_for_a_firm_in_one_network_is_no_other_manager_s() -> None:
    case = lived()
    case.networks = {**case.networks, KENT: [NETWORK, "south"]}
    case.registered(KENT)
    assert erase(case, manages=["south"]) == "rule.violated", (
        "its partner is a member there, its cases are not"
    )
    assert erase(case, manages=[NETWORK]) == "applied"


def test_an_unknown_firm_and_one_of_others_get_the_same_answer() -> None:
    unknown = Case().fold("sme.erased", MANAGER, FIRM_ID, **DATA, resolved={"manages": ["south"]})
    unseen = lived().fold("sme.erased", MANAGER, FIRM_ID, **DATA, resolved={"manages": ["south"]})
    assert unknown == unseen


def test_who_manages_all_networks_erases_also_what_was_only_ever_refused() -> None:
    assert erase(Case(), manages=["*"]) == "rule.violated"
    assert erase(Case(), manages=["*"], held=True) == "applied"
    assert erase(Case(), manages=[NETWORK], held=True) == "rule.violated"


def test_no_partner_erases_a_firm_and_its_answer_tells_nothing_of_it() -> None:
    """Anybody may register a number of a public register: to erase it would bar the firm's own partner."""
    histories = [Case(), Case().registered(KENT), Case().registered(KENT, NORMANDY), lived()]
    answers = [one.fold("sme.erased", KENT, FIRM_ID, **DATA) for one in histories]
    assert {getattr(one, "code", None) for one in answers} == {"rule.violated"}
    assert len({repr(one) for one in answers}) == 1


def test_a_guess_at_the_firm_of_an_erased_case_is_answered_like_the_right_one() -> None:
    case = lived()
    erase(case)
    for sender in (KENT, NORMANDY, MANAGER):
        for guess in ({}, {"other_firm": True}):
            answer = case.post("referral.resumed", sender, uuid_of("case"), resolved=guess)
            assert answer == "sme.erased"


@pytest.mark.parametrize("what", ["responsibility.assigned", "network.configured"])
def test_who_was_erased_gets_no_new_task(what: str) -> None:
    person = {"person_id": uuid_of("person"), "from": "2026-01-01"}
    data = {"task": "helpdesk", "partner": KENT, "network": NETWORK, "person": "x", **person}
    if what == "network.configured":
        data = {"name": {"en": "Kent"}, "manager": {**person, "name": "x"}}
    assert Case().post(what, MANAGER, NETWORK, **data, resolved={"names_erased": True}) == "sme.erased"
    assert Case().post(what, MANAGER, NETWORK, **data) == "applied"


def test_a_person_is_erased_once() -> None:
    case, data = Case(), {"person_id": uuid_of("person"), "reason": "request"}
    assert case.post("person.erased", MANAGER, uuid_of("person"), **data) == "applied"
    assert case.post("person.erased", MANAGER, uuid_of("person"), **data) == "rule.violated"
