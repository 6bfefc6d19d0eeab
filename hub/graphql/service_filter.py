"""What services are filtered and sorted by, and the code lists behind it."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

import strawberry

from hub.graphql.eligibility import ExportExperience, FirmSize
from hub.store.services import ServiceCriteria


@strawberry.enum
class ServiceType(Enum):
    """What kind of help a service is."""

    WORKSHOP = "workshop"
    TRADE_MISSION = "trade-mission"
    TRADE_FAIR = "trade-fair"
    FUND = "fund"
    GRANT = "grant"
    INSURANCE = "insurance"
    MATCHMAKING = "matchmaking"
    ONLINE_TOOL = "online-tool"
    TRAINING = "training"
    COACHING = "coaching"
    CONSULTANCY = "consultancy"
    HOTLINE = "hotline"
    MENTORING = "mentoring"
    STUDENT_PROJECT = "student-project"
    CONSORTIUM_SUPPORT = "consortium-support"
    DIAGNOSIS = "diagnosis"
    RECRUITING = "recruiting"
    FIRST_LINE_ADVICE = "first-line-advice"
    FOREIGN_BRANCH_PLANNING = "foreign-branch-planning"
    PEER_EXCHANGE = "peer-exchange"
    OTHER = "other"


@strawberry.enum
class ServiceStatus(Enum):
    """As in HSDS."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    DEFUNCT = "defunct"
    TEMPORARILY_CLOSED = "temporarily-closed"


@strawberry.enum
class PathwayStep(Enum):
    """Step of the export pathway that a service belongs to."""

    DIAGNOSIS = "diagnosis"
    TRAINING = "training"
    MARKET_SELECTION = "market-selection"
    BUSINESS_PLAN = "business-plan"
    FOLLOW_UP = "follow-up"


@strawberry.enum
class Delivery(Enum):
    """How a service is delivered."""

    DIGITAL = "digital"
    PHYSICAL = "physical"
    BOTH = "both"


@strawberry.enum
class Reach(Enum):
    """Trade within Europe, or beyond."""

    EUROPEAN = "european"
    INTERNATIONAL = "international"
    BOTH = "both"


@strawberry.enum
class CapacityStatus(Enum):
    """As in HSDS."""

    CAPACITY = "capacity"
    NO_CAPACITY = "no-capacity"
    WAITLIST = "waitlist"
    ADDITIONAL_ASSESSMENT_REQUIRED = "additional-assessment-required"


@strawberry.enum
class ServiceSort(Enum):
    """RELEVANCE: words in names first. FRESHNESS: last change first. DEADLINE: end of validity, none last."""

    RELEVANCE = "RELEVANCE"
    NAME = "NAME"
    FRESHNESS = "FRESHNESS"
    DEADLINE = "DEADLINE"


@strawberry.input
class ServiceFilter:
    """Members are AND, values of one member OR; an empty list restricts nothing.

    A service that leaves out a list (sectors, countries, sizes, …) is open to all of it and is found.
    """

    partner: list[str] | None = strawberry.UNSET
    network: list[str] | None = strawberry.UNSET
    service_type: list[ServiceType] | None = strawberry.UNSET
    status: list[ServiceStatus] | None = strawberry.UNSET
    pathway_step: list[PathwayStep] | None = strawberry.UNSET
    sector: list[str] | None = strawberry.UNSET
    product: list[str] | None = strawberry.UNSET
    country: list[str] | None = strawberry.UNSET
    area: list[str] | None = strawberry.UNSET
    language: list[str] | None = strawberry.UNSET
    channel: list[str] | None = strawberry.UNSET
    delivery: list[Delivery] | None = strawberry.UNSET
    reach: list[Reach] | None = strawberry.UNSET
    experience: list[ExportExperience] | None = strawberry.UNSET
    size: list[FirmSize] | None = strawberry.UNSET
    capacity: list[CapacityStatus] | None = strawberry.UNSET
    free: bool | None = strawberry.UNSET
    updated_after: datetime | None = strawberry.UNSET

    def criteria(self) -> ServiceCriteria:
        """The filter as the store takes it."""
        given = {name: value for name, value in vars(self).items() if value is not strawberry.UNSET}
        for name, value in given.items():
            if isinstance(value, list):
                given[name] = [one.value if isinstance(one, Enum) else one for one in value]
        return ServiceCriteria(**given)
