"""Partnering opportunities after the Enterprise Europe Network. One opportunity is one key."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal, Self
from uuid import NAMESPACE_URL, uuid5

from pydantic import Field, model_validator

from hub.domain.marks import Personal
from hub.domain.record import Accepted, Changes, KeyState, Record
from hub.domain.refusal import Refusal
from hub.domain.services import content_hash
from hub.domain.values import (
    ITEMS_MAX,
    CasePayload,
    Country,
    Date,
    LocalizedText,
    MemberError,
    Name,
    NetworkSlug,
    Payload,
    Sector,
    Text,
    Url,
    Uuid,
)

VALID_DAYS_MAX = 365
EXTENSION_WINDOW_DAYS = 30

OpportunityType = Literal[
    "business-offer", "business-request", "technology-offer", "technology-request", "research-request"
]


def opportunity_id(partner: str, reference: str) -> str:
    """Id of a partner's opportunity, from the partner's slug and the profile's reference."""
    return str(uuid5(NAMESPACE_URL, f"urn:hub:opportunity:{partner}:{reference}"))


def interest_referral_id(opportunity: str, firm_wire_id: str) -> str:
    """Id of the referral that an expression of interest opens."""
    return str(uuid5(NAMESPACE_URL, f"urn:hub:interest:{opportunity}:{firm_wire_id}"))


class OpportunityPublished(Payload):
    """hub.opportunity.published.v1: replaces the whole profile, valid for 365 days at most."""

    reference: Name
    opportunity_type: OpportunityType
    title: LocalizedText
    summary: LocalizedText
    description: LocalizedText | None = None
    country: Country
    target_countries: Annotated[list[Country], Field(max_length=ITEMS_MAX)] = Field(default_factory=list)
    sectors: Annotated[list[Sector], Field(max_length=ITEMS_MAX)] = Field(default_factory=list)
    published_on: Date
    expires_on: Date | None = None
    deadline: Date | None = None
    open_for_interest: bool = True
    url: Url | None = None

    @model_validator(mode="after")
    def _valid_for_a_year(self) -> Self:
        if self.expires_on and self.expires_on < self.published_on:
            raise MemberError("expires_on", "is before published_on")
        if self.expires_on and self.expires_on > self.published_on + timedelta(days=VALID_DAYS_MAX):
            raise MemberError("expires_on", f"is more than {VALID_DAYS_MAX} days after published_on")
        return self


class OpportunityExtended(Payload):
    """hub.opportunity.extended.v1: once, from 30 days before expiry."""

    expires_on: Date


class OpportunityWithdrawn(Payload):
    """hub.opportunity.withdrawn.v1."""

    reason: LocalizedText | None = None


class InterestExpressed(CasePayload):
    """hub.opportunity.interest-expressed.v1: a case of the firm; opens a referral to the publisher."""

    network: NetworkSlug
    consent_id: Uuid
    note: Personal[Text] | None = None


class Opportunity(Record):
    """A profile as the catalogue has it; feed and content_hash as in Service."""

    kind: ClassVar[str] = "opportunity"
    partner: str
    data: OpportunityPublished
    expires_on: date
    extended: bool = False
    withdrawn: bool = False
    feed: str
    content_hash: str
    updated_at: datetime


def fold_opportunity(state: KeyState, event: Accepted[Any]) -> Changes | Refusal:
    """Next state of an opportunity; intake has made sure that the sender is its publisher."""
    data = event.data
    before = state.get(Opportunity, event.subject)
    if isinstance(data, OpportunityPublished):
        return _publish(before, event, data)
    if before is None or before.withdrawn:
        return Refusal(
            "rule.violated",
            f"Opportunity {event.subject} is withdrawn.",
            "Publish it again with hub.opportunity.published.v1 first.",
        )
    if isinstance(data, OpportunityWithdrawn):
        return (before.model_copy(update={"withdrawn": True, "updated_at": event.at}),)
    refusal = _why_not_extend(before, event, data.expires_on)
    if refusal:
        return refusal
    change = {"expires_on": data.expires_on, "extended": True, "updated_at": event.at}
    return (before.model_copy(update=change),)


def _publish(before: Opportunity | None, event: Accepted[Any], data: OpportunityPublished) -> Changes:
    same_run = before is not None and before.data.published_on == data.published_on
    extended = bool(before and same_run and before.extended)
    after = Opportunity(
        id=event.subject,
        partner=event.sender,
        data=data,
        # An extension outlives corrections of the profile; a new date of publication starts a new run.
        expires_on=before.expires_on
        if before and extended
        else data.expires_on or data.published_on + timedelta(days=VALID_DAYS_MAX),
        extended=extended,
        feed=event.source,
        content_hash=content_hash(event.raw),
        updated_at=event.at,
    )
    if before and before == after.model_copy(update={"updated_at": before.updated_at}):
        return ()
    return (after,)


def _why_not_extend(before: Opportunity, event: Accepted[Any], expires_on: date) -> Refusal | None:
    if before.extended:
        return Refusal(
            "rule.violated",
            f"Opportunity {event.subject} has been extended once already.",
            "Publish a new profile when this one has expired.",
        )
    opens_on = before.expires_on - timedelta(days=EXTENSION_WINDOW_DAYS)
    if event.at.date() < opens_on:
        return Refusal(
            "rule.violated",
            f"Opportunity {event.subject} expires on {before.expires_on}.",
            f"Extend it from {opens_on} on.",
        )
    latest = before.expires_on + timedelta(days=VALID_DAYS_MAX)
    if not before.expires_on < expires_on <= latest:
        return Refusal(
            "rule.violated",
            f"expires_on {expires_on} is not within {VALID_DAYS_MAX} days after {before.expires_on}.",
            f"Choose a date from {before.expires_on + timedelta(days=1)} to {latest}.",
        )
    return None
