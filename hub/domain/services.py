"""Services: what a partner offers to firms. One service is one key."""

from __future__ import annotations

import hashlib
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, Self
from uuid import NAMESPACE_URL, uuid5

from pydantic import Field, model_validator

from hub.domain.canonical import canonical
from hub.domain.eligibility import Eligibility
from hub.domain.record import Accepted, Changes, KeyState, Record
from hub.domain.refusal import Refusal
from hub.domain.values import (
    ITEMS_MAX,
    Area,
    Country,
    Currency,
    Date,
    DecimalText,
    Duration,
    Email,
    Experience,
    HsCode,
    Language,
    LocalizedText,
    MemberError,
    Name,
    Payload,
    Sector,
    Size,
    Slug,
    Time,
    Url,
    Value,
)

ServiceType = Literal[
    "workshop",
    "trade-mission",
    "trade-fair",
    "fund",
    "grant",
    "insurance",
    "matchmaking",
    "online-tool",
    "training",
    "coaching",
    "consultancy",
    "hotline",
    "mentoring",
    "student-project",
    "consortium-support",
    "diagnosis",
    "recruiting",
    "first-line-advice",
    "foreign-branch-planning",
    "peer-exchange",
    "other",
]
ServiceStatus = Literal["active", "inactive", "defunct", "temporarily-closed"]
PathwayStep = Literal["diagnosis", "training", "market-selection", "business-plan", "follow-up"]
CapacityStatus = Literal["capacity", "no-capacity", "waitlist", "additional-assessment-required"]
Count = Annotated[int, Field(ge=0, le=1_000_000)]


def service_id(partner: str, own_id: str) -> str:
    """Id of a partner's service, from the partner's slug and the partner's own id for it."""
    return str(uuid5(NAMESPACE_URL, f"urn:hub:service:{partner}:{own_id}"))


def content_hash(data: dict[str, Any]) -> str:
    """Lower-case hex SHA-256 of the RFC 8785 form of an event's data."""
    return hashlib.sha256(canonical(data)).hexdigest()


class OrganizationIdentifier(Value):
    """A register number of an organisation; scheme of org-id.guide."""

    identifier_scheme: Name
    identifier: Name


class Organization(Value):
    """The body behind a service, when it is not the partner itself."""

    name: Name
    identifiers: Annotated[list[OrganizationIdentifier], Field(max_length=20)] = Field(default_factory=list)


class TargetAudience(Value):
    """Firms that a service is meant for; an absent list restricts nothing."""

    sizes: Annotated[list[Size], Field(max_length=ITEMS_MAX)] = Field(default_factory=list)
    experience: Annotated[list[Experience], Field(max_length=ITEMS_MAX)] = Field(default_factory=list)


class CostOption(Value):
    """A price; one single option of amount 0 means free of charge."""

    option: LocalizedText
    amount: DecimalText
    currency: Currency


class RequiredDocument(Value):
    """A document that an application asks for."""

    document: LocalizedText
    uri: Url | None = None


class Capacity(Value):
    """Places left, as HSDS has it."""

    status: CapacityStatus
    available: Count | None = None
    maximum: Count | None = None
    updated: Time | None = None


class FundingTerm(Value):
    """One claimed figure of a fund; contradicting claims stand side by side, each with source and date."""

    term: Slug
    value: DecimalText
    unit: Name
    source: Url
    date: Date


class ServicePublished(Payload):
    """hub.service.published.v1: replaces the whole record. Source: HSDS 3.0 names where it has them."""

    own_id: Name
    name: LocalizedText
    description: LocalizedText
    service_type: ServiceType
    status: ServiceStatus = "active"
    organization: Organization | None = None
    pathway_step: PathwayStep | None = None
    delivery: Literal["digital", "physical", "both"] | None = None
    reach: Literal["european", "international", "both"] | None = None
    trade: Annotated[list[Literal["export", "import"]], Field(max_length=2)] = Field(default_factory=list)
    sectors: Annotated[list[Sector], Field(max_length=ITEMS_MAX)] = Field(default_factory=list)
    products: Annotated[list[HsCode], Field(max_length=ITEMS_MAX)] = Field(default_factory=list)
    target_countries: Annotated[list[Country], Field(max_length=ITEMS_MAX)] = Field(default_factory=list)
    service_areas: Annotated[list[Area], Field(max_length=ITEMS_MAX)] = Field(default_factory=list)
    languages: Annotated[list[Language], Field(max_length=ITEMS_MAX)] = Field(default_factory=list)
    audience: TargetAudience = Field(default_factory=TargetAudience)  # Copying one takes longer.
    channels: Annotated[list[Slug], Field(max_length=20)] = Field(default_factory=list)
    url: Url | None = None
    application_url: Url | None = None
    email: Email | None = None
    cost_options: Annotated[list[CostOption], Field(max_length=50)] | None = None
    required_documents: Annotated[list[RequiredDocument], Field(max_length=100)] = Field(default_factory=list)
    processing_time: Duration | None = None
    capacity: Capacity | None = None
    eligibility: Eligibility | None = None
    funding_terms: Annotated[list[FundingTerm], Field(max_length=100)] = Field(default_factory=list)
    programme: Name | None = None
    policy_tags: Annotated[list[Slug], Field(max_length=100)] = Field(default_factory=list)
    valid_from: Date | None = None
    valid_to: Date | None = None
    assured_date: Date | None = None
    assurer_email: Email | None = None

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise MemberError("valid_to", "is before valid_from")
        return self

    @property
    def free(self) -> bool | None:
        """True when there is no charge, None when the publisher did not say."""
        if not self.cost_options:
            return None
        return all(Decimal(option.amount) == 0 for option in self.cost_options)


class ServiceWithdrawn(Payload):
    """hub.service.withdrawn.v1."""

    reason: LocalizedText | None = None


class ServiceAssured(Payload):
    """hub.service.assured.v1: somebody checked that the record still holds."""

    assured_date: Date
    assurer_email: Email | None = None


class ServiceCapacityChanged(Payload):
    """hub.service.capacity-changed.v1."""

    capacity: Capacity


class Origin(Value):
    """Which event a value comes from."""

    event_id: str
    at: Time


class Service(Record):
    """A service as the catalogue has it.

    feed: source of the last publication; content_hash: of its data. capacity_from, assured_from: where
    those members come from when a later event than the publication set them.
    """

    kind: ClassVar[str] = "service"
    partner: str
    data: ServicePublished
    withdrawn: bool = False
    feed: str
    content_hash: str
    published: Origin
    capacity_from: Origin | None = None
    assured_from: Origin | None = None
    updated_at: datetime


def fold_service(state: KeyState, event: Accepted[Any]) -> Changes | Refusal:
    """Next state of a service; intake has made sure that the sender is its publisher."""
    data, now = event.data, Origin(event_id=event.event_id, at=event.at)
    before = state.get(Service, event.subject)
    if isinstance(data, ServicePublished):
        hash_ = content_hash(event.raw)
        same = before and (before.data, before.feed, before.content_hash) == (data, event.source, hash_)
        if before and same and not before.withdrawn:
            return ()
        return (
            Service(
                id=event.subject,
                partner=event.sender,
                data=data,
                feed=event.source,
                content_hash=hash_,
                published=now,
                updated_at=event.at,
            ),
        )
    if before is None or before.withdrawn:
        return Refusal(
            "rule.violated",
            f"Service {event.subject} is withdrawn.",
            "Publish it again with hub.service.published.v1 first.",
        )
    change: dict[str, Any]
    if isinstance(data, ServiceWithdrawn):
        change = {"withdrawn": True}
    elif isinstance(data, ServiceAssured):
        update = {"assured_date": data.assured_date, "assurer_email": data.assurer_email}
        change = {"data": before.data.model_copy(update=update), "assured_from": now}
    else:
        update = {"capacity": data.capacity}
        change = {"data": before.data.model_copy(update=update), "capacity_from": now}
    return (before.model_copy(update={**change, "updated_at": event.at}),)
