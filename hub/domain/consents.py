"""Consents: what a firm allows to be told to whom, until when."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from hub.domain.marks import Personal, Reference
from hub.domain.record import Accepted, Changes, KeyState, Record
from hub.domain.refusal import Refusal
from hub.domain.values import CasePayload, MemberError, Name, Text, Time, Value

Purpose = Literal["referral", "contact", "reporting"]
NETWORK_PREFIX = "network:"


_RECIPIENT = re.compile(r"(network:)?[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)


def _recipient(value: str) -> str:
    if not _RECIPIENT.fullmatch(value):
        raise ValueError("is neither a partner's slug nor network: and a network's slug")
    return value


class Evidence(Value):
    """How the consent was given."""

    kind: Literal["form", "web", "verbal"]
    reference: Personal[Name] | None = None


class ConsentGiven(CasePayload):
    """hub.consent.given.v1; recipients: slugs, or network:<slug>."""

    purposes: Annotated[list[Purpose], Field(min_length=1, max_length=3)]
    recipients: Annotated[
        list[Annotated[str, AfterValidator(_recipient), Reference("recipient")]],
        Field(min_length=1, max_length=100),
    ]
    categories: Annotated[
        list[Literal["identity", "contact", "diagnosis", "roadmap"]], Field(min_length=1, max_length=4)
    ]
    given_at: Time
    expires_at: Time
    evidence: Evidence

    @model_validator(mode="after")
    def _expires_after_it_was_given(self) -> Self:
        if self.expires_at <= self.given_at:
            raise MemberError("expires_at", "is not after given_at")
        return self


class ConsentWithdrawn(CasePayload):
    """hub.consent.withdrawn.v1: acts at once, whatever withdrawn_at says."""

    withdrawn_at: Time
    reason: Personal[Text] | None = None


class Consent(Record):
    """A consent as the hub keeps it; partner: who recorded it."""

    kind: ClassVar[str] = "consent"
    partner: str
    purposes: list[Purpose]
    recipients: list[str]
    categories: list[str]
    given_at: datetime
    expires_at: datetime
    recorded_at: datetime
    withdrawn_at: datetime | None = None

    def is_live(self, at: datetime) -> bool:
        """Whether it holds at that moment."""
        return self.withdrawn_at is None and at < self.expires_at

    def covers(self, partner: str, networks: list[str]) -> bool:
        """Whether it names the partner, or a network that the partner belongs to."""
        return partner in self.recipients or any(NETWORK_PREFIX + one in self.recipients for one in networks)


def fold_consent_given(state: KeyState, event: Accepted[Any]) -> Changes | Refusal:
    """Record a consent; the caller has made sure that the sender knows the firm."""
    data: ConsentGiven = event.data
    if state.get(Consent, event.subject):
        return Refusal(
            "rule.violated",
            f"Consent {event.subject} exists already.",
            "Give a new consent a new UUID; an old one can only be withdrawn.",
        )
    return (
        Consent(
            id=event.subject,
            partner=event.sender,
            purposes=list(data.purposes),
            recipients=list(data.recipients),
            categories=list(data.categories),
            given_at=data.given_at,
            expires_at=data.expires_at,
            recorded_at=event.at,
        ),
    )


def fold_consent_withdrawn(state: KeyState, event: Accepted[Any]) -> Changes | Refusal:
    """Withdraw a consent; its sender and its recipients may, all others learn nothing of it."""
    consent = state.get(Consent, event.subject)
    networks = event.resolved.networks.get(event.sender, [])
    if consent is None or not (consent.partner == event.sender or consent.covers(event.sender, networks)):
        return Refusal(
            "consent.missing",
            f"There is no consent {event.subject} that you gave or that names you.",
            "Check the subject of the event and the firm's sme_id.",
        )
    if consent.withdrawn_at:
        return ()
    return (consent.model_copy(update={"withdrawn_at": event.at}),)
