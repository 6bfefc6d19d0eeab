"""Whose data have been kept long enough."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hub.domain.retention import is_due, quiet_since
from tests.support.folding import AT, ENDS, FIRM, MANAGER, NORMANDY, Case, opened
from tests.support.messages import KENT, NETWORK, uuid_of

YEARS = 10
LATE = datetime(2060, 1, 1, tzinfo=UTC)


def registered() -> Case:
    return Case().registered(KENT)


def test_a_firm_is_due_once_it_has_been_quiet_for_the_years() -> None:
    case = registered()
    assert quiet_since(case.state, AT) == AT
    day = timedelta(days=1)
    due_at = AT.replace(year=AT.year + YEARS)
    assert not is_due(case.state, due_at - day, YEARS)
    assert is_due(case.state, due_at, YEARS)


def test_an_open_referral_keeps_a_firm_for_good() -> None:
    case = opened()
    assert case.request() == "applied"
    assert not is_due(case.state, LATE, YEARS)
    reason = {"code": "other", "party": "client"}
    assert case.post("referral.cancelled", KENT, uuid_of("case"), reason=reason) == "applied"
    assert is_due(case.state, LATE, YEARS)


def test_a_firm_is_quiet_from_the_end_of_its_consent() -> None:
    case = opened(NORMANDY)
    assert quiet_since(case.state, AT) is None
    assert quiet_since(case.state, ENDS) == ENDS
    case.now = AT + timedelta(days=30)
    case.withdraw(KENT, "consent")
    assert quiet_since(case.state, ENDS) == case.now


def test_a_running_roadmap_keeps_a_firm() -> None:
    case = registered()
    dates = {"agreed_on": "2026-11-22", "starts_on": "2026-12-01", "ends_on": "2028-06-01"}
    data = {"sme_id": FIRM, "network": NETWORK, "agreed_with": [], "version": 1, "actions": [], **dates}
    assert case.post("roadmap.agreed", KENT, uuid_of("roadmap"), **data) == "applied"
    assert quiet_since(case.state, datetime(2028, 5, 31, tzinfo=UTC)) is None
    assert quiet_since(case.state, datetime(2028, 6, 2, tzinfo=UTC)) is not None


@pytest.mark.parametrize("erased", [True, False])
def test_nothing_and_an_erased_firm_are_never_due(erased: bool) -> None:
    case = registered() if erased else Case()
    if erased:
        case.post("sme.erased", MANAGER, FIRM, sme_id=FIRM, reason="retention")
    assert not is_due(case.state, LATE, YEARS)


def test_the_29th_of_february_has_an_anniversary() -> None:
    case = registered()
    case.now = datetime(2028, 2, 29, 12, tzinfo=UTC)
    case.post("sme.registered", KENT, FIRM, sme_id=FIRM, name="y", country="FR")
    assert is_due(case.state, datetime(2037, 3, 1, tzinfo=UTC), 9)
