"""How long a firm's data are kept: as long as something is under way, and some years after the last of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time

from hub.domain.consents import Consent
from hub.domain.diagnoses import Diagnosis
from hub.domain.erasures import FIRM, Erasure
from hub.domain.firms import Registration
from hub.domain.record import KeyState
from hub.domain.referrals import OPEN_STATES, Referral
from hub.domain.roadmaps import Roadmap
from hub.domain.visits import Visit


def quiet_since(state: KeyState, at: datetime) -> datetime | None:
    """Since when nothing is under way for a firm; None while there is, for nothing, and once it is erased.

    Under way: an open referral, a live consent, a roadmap that has not ended.
    """
    if state.get(Erasure, FIRM) or any(one.state in OPEN_STATES for one in state.all(Referral)):
        return None
    if any(one.is_live(at) for one in state.all(Consent)):
        return None
    last = max(_moments(state), default=None)
    return last if last is not None and last <= at else None


def is_due(state: KeyState, at: datetime, years: int) -> bool:
    """Whether the firm has been quiet for that many years, and is to be erased."""
    since = quiet_since(state, at)
    return since is not None and _years_later(since, years) <= at


def _moments(state: KeyState) -> Iterator[datetime]:
    for registration in state.all(Registration):
        yield registration.updated_at
    for referral in state.all(Referral):
        yield referral.updated_at
    for consent in state.all(Consent):
        yield min(one for one in (consent.withdrawn_at, consent.expires_at) if one)
    for diagnosis in state.all(Diagnosis):
        yield diagnosis.submitted_at
    for day in (*(one.on for one in state.all(Visit)), *(one.current.ends_on for one in state.all(Roadmap))):
        yield _end_of(day)


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time.max, UTC)


def _years_later(at: datetime, years: int) -> datetime:
    # The 29th of February has no day of its own in most years.
    return at.replace(year=at.year + years, day=28 if (at.month, at.day) == (2, 29) else at.day)
