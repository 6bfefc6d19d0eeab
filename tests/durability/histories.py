"""Histories: events of several partners on a few firms and services, legal and illegal, some twice."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from hub.domain.principal import Principal
from tests.support.messages import (
    EEN,
    KENT,
    NETWORK,
    NORMANDY,
    PARTNERS,
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

Step = tuple[Principal, Message]
KENTS = partner(KENT)
OFFERED = service(KENTS, "offered")["subject"]
REASON = {"code": "other", "party": "provider", "text": "because"}
DONE = {"performed": [{"service_id": OFFERED, "on": "2026-12-01"}], "outcome": {"kind": "new-market"}}
ANSWERS = [{"question": f"q{number}", "answer": number % 5} for number in range(1, 13)]
MOVES: dict[str, dict[str, Any]] = {
    "received": {},
    "claimed": {},
    "accepted": {"note": "We call"},
    "started": {},
    "resumed": {},
    "annulled": {},
    "rejected": {"reason": REASON, "suggested_to": EEN},
    "held": {"reason": REASON, "resume_on": "2026-12-24"},
    "failed": {"reason": REASON},
    "cancelled": {"reason": REASON},
    "completed": DONE,
}


def beginning() -> list[Step]:
    """What every history begins with, so that what follows has something to act on."""
    steps: list[Step] = [(KENTS, service(KENTS, "offered"))]
    for number in ("1", "2"):
        recipients = (NORMANDY, f"network:{NETWORK}")
        steps.append((KENTS, firm(KENTS, number)))
        steps.append((KENTS, consent(KENTS, number, *recipients, id_=uuid_of(f"consent-{number}"))))
        steps.append(
            (KENTS, referral(KENTS, number, uuid_of(f"case-1-of-{number}"), uuid_of(f"consent-{number}")))
        )
    return steps


def _case(number: str, place: int) -> str:
    return uuid_of(f"case-{place}-of-{number}")


def _moved(sender: Principal, number: str, place: int, what: str, named: bool) -> Step:
    data = {**MOVES[what], **({"sme_id": firm_id(number)} if named else {})}
    return sender, event(sender, f"referral.{what}", _case(number, place), data)


def _requested(sender: Principal, number: str, place: int, to: str | None, part: bool, offered: bool) -> Step:
    members: dict[str, Any] = {"to": to}
    if part:
        members["part_of"] = _case(number, 1)
    if offered:
        members["service_id"] = OFFERED
    return sender, referral(sender, number, _case(number, place), uuid_of(f"consent-{number}"), **members)


def _judged(sender: Principal, number: str, place: int, what: str) -> Step:
    data = {"kind": "new-market", "confirmed_by": "requester"}
    return sender, event(sender, f"outcome.{what}", _case(number, place), data)


def _reassigned(number: str, place: int, to: str) -> Step:
    manager = network_manager()
    data = {"to": to, "reason": REASON}
    return manager, event(manager, "referral.reassigned", _case(number, place), data)


def _erased(number: str) -> Step:
    manager, id_ = network_manager(), firm_id(number)
    return manager, event(manager, "sme.erased", id_, {"sme_id": id_, "reason": "request"})


def _published(sender: Principal, own_id: str, amount: int) -> Step:
    cost = [{"option": {"en": "x"}, "amount": f"{amount}.50", "currency": "GBP"}]
    tree = {"all": [{"fact": "employees", "at_most": amount}, {"not": {"fact": "country", "in": ["FR"]}}]}
    extensions = {"crm": {"float": amount / 7, "large": 2**60 + amount, "text": "caf\u00e9"}}
    members = {"cost_options": cost, "eligibility": tree, "extensions": extensions, "languages": ["en", "fr"]}
    return sender, service(sender, own_id, **members)


def _firm_events(sender: Principal, number: str, place: int, what: str) -> Step:
    wire: dict[str, Any] = {"sme_id": firm_id(number), "network": NETWORK}
    if what == "visit.recorded":
        data = {**wire, "on": "2026-11-23", "kind": "review", "signposted_to": [EEN], "note": "tea"}
    elif what == "diagnosis.submitted":
        data = {**wire, "questionnaire": "self-diagnosis", "questionnaire_version": 1, "answers": ANSWERS}
    elif what == "sme.registered":
        return sender, firm(sender, number, employees=place, contacts=[{"name": "Ada"}])
    elif what == "consent.withdrawn":
        data = {"sme_id": firm_id(number), "withdrawn_at": "2026-11-23T09:00:00Z"}
        return sender, event(sender, what, uuid_of(f"consent-{number}"), data)
    else:
        return sender, consent(sender, number, EEN, id_=uuid_of(f"consent-{number}-{place}"))
    return sender, event(sender, what, uuid_of(f"{what}-{number}-{place}"), data)


SENDERS = st.sampled_from([partner(slug) for slug in PARTNERS])
NUMBERS, PLACES = st.sampled_from("12"), st.integers(1, 3)
FIRM_EVENTS = (
    "visit.recorded",
    "diagnosis.submitted",
    "sme.registered",
    "consent.withdrawn",
    "consent.given",
)
STEPS = st.one_of(
    st.builds(_moved, SENDERS, NUMBERS, PLACES, st.sampled_from(list(MOVES)), st.booleans()),
    st.builds(_moved, SENDERS, NUMBERS, st.just(1), st.sampled_from(list(MOVES)), st.booleans()),
    st.builds(
        _requested, SENDERS, NUMBERS, PLACES, st.sampled_from([None, *PARTNERS]), st.booleans(), st.booleans()
    ),
    st.builds(_judged, SENDERS, NUMBERS, PLACES, st.sampled_from(["confirmed", "disputed"])),
    st.builds(_reassigned, NUMBERS, PLACES, st.sampled_from(PARTNERS)),
    st.builds(_published, SENDERS, st.sampled_from(["offered", "other"]), st.integers(0, 3)),
    st.builds(_firm_events, SENDERS, NUMBERS, PLACES, st.sampled_from(FIRM_EVENTS)),
    st.builds(_erased, st.just("2")),
)
HISTORIES = st.lists(st.tuples(STEPS, st.booleans()), min_size=5, max_size=40)
"""Steps, and whether each is sent twice."""
