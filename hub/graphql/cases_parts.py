"""Parts of referrals and firms in GraphQL that lead to nothing else."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum

import strawberry

from hub.domain.firms import Contact as ContactRecord
from hub.domain.referrals import Outcome as OutcomeRecord
from hub.graphql.declared import MEMBERS, shown
from hub.graphql.scalars import Money


@strawberry.enum
class ReferralState(Enum):
    """States of a referral, after FHIR Task."""

    DRAFT = "draft"
    REQUESTED = "requested"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    IN_PROGRESS = "in-progress"
    ON_HOLD = "on-hold"
    FAILED = "failed"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    ENTERED_IN_ERROR = "entered-in-error"


@strawberry.enum
class Confirmation(Enum):
    """Whether the other side agrees with the outcome that the owner reported."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    DISPUTED = "disputed"


@strawberry.type
@shown(MEMBERS, {"referrals:read"})
class Reason:
    """Why a referral was rejected, held, failed, cancelled or reassigned. party: whose reason it is.

    text: for those that may read the firm.
    """

    code: str
    party: str
    text: str | None


@strawberry.type
@shown(MEMBERS, {"referrals:read"})
class Outcome:
    """What came of a referral. confirmedBy: sme or requester."""

    kind: str
    value: Money | None
    countries: list[str]
    confirmation: Confirmation
    confirmed_by: str | None


@strawberry.type
@shown(MEMBERS, {"referrals:contact", "ledger:breakglass"})
class Contact:
    """A person at a firm."""

    name: str | None
    email: str | None
    phone: str | None
    role: str | None


@strawberry.enum
class ReferralRole(Enum):
    """What a partner is to a referral."""

    REQUESTER = "requester"
    OWNER = "owner"


def outcome_of(record: OutcomeRecord) -> Outcome:
    """An outcome for GraphQL."""
    value = record.value
    return Outcome(
        kind=record.kind,
        value=Money(amount=Decimal(value.amount), currency=value.currency) if value else None,
        countries=record.countries,
        confirmation=Confirmation(record.confirmation),
        confirmed_by=record.confirmed_by,
    )


def contact_of(record: ContactRecord) -> Contact:
    """A contact for GraphQL."""
    return Contact(name=record.name, email=record.email, phone=record.phone, role=record.role)
