"""Referrals: one partner asks another to help a firm. Payloads, states and who is a party.

States and moves: HL7 SDOH Clinical Care STU3 (CC0), after FHIR Task.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from hub.domain.marks import Personal, Sealed
from hub.domain.record import Record
from hub.domain.values import (
    CasePayload,
    Country,
    Date,
    MemberError,
    Money,
    MovePayload,
    Need,
    NetworkSlug,
    OpportunityId,
    OutcomeKind,
    PartnerSlug,
    ServiceId,
    Text,
    Uuid,
    Value,
)

ReferralState = Literal[
    "draft",
    "requested",
    "accepted",
    "rejected",
    "in-progress",
    "on-hold",
    "failed",
    "completed",
    "cancelled",
    "entered-in-error",
]
LEGAL_MOVES: dict[ReferralState, tuple[ReferralState, ...]] = {
    "draft": ("requested", "entered-in-error"),
    "requested": ("accepted", "rejected", "cancelled", "entered-in-error"),
    "accepted": ("in-progress", "on-hold", "completed", "failed", "cancelled", "entered-in-error"),
    "in-progress": ("on-hold", "completed", "failed", "cancelled", "entered-in-error"),
    "on-hold": ("in-progress", "completed", "failed", "cancelled", "entered-in-error"),
    "rejected": ("entered-in-error",),
    "failed": ("entered-in-error",),
    "completed": ("entered-in-error",),
    "cancelled": ("entered-in-error",),
    "entered-in-error": (),
}
OPEN_STATES: frozenset[ReferralState] = frozenset({"requested", "accepted", "in-progress", "on-hold"})
TERMINAL_STATES: frozenset[ReferralState] = frozenset(
    {"rejected", "failed", "completed", "cancelled", "entered-in-error"}
)
POOL_PREFIX = "pool:"
"""Labels of those that are offered a case: it opens nothing of the firm."""
ReasonCode = Literal[
    "no-capacity",
    "not-eligible",
    "out-of-area",
    "missing-information",
    "could-not-contact",
    "client-not-interested",
    "duplicate",
    "wrong-service",
    "deadline",
    "cost",
    "rerouted",
    "error",
    "other",
]
ReasonParty = Literal["provider", "client", "system"]


class ReasonGiven(Value):
    """Why, and on whose side the reason lies."""

    code: ReasonCode
    party: ReasonParty
    text: Personal[Text] | None = None


class ReferralRequested(CasePayload):
    """hub.referral.requested.v1; without `to` it goes to the open pool of the network."""

    network: NetworkSlug
    to: PartnerSlug | None = None
    service_id: ServiceId | None = None
    opportunity_id: OpportunityId | None = None
    consent_id: Uuid
    priority: Literal["routine", "urgent"] = "routine"
    needs: Annotated[list[Need], Field(max_length=5)] = Field(default_factory=list)
    message: Personal[Text] | None = None
    part_of: Uuid | None = None
    based_on: Uuid | None = None
    action_id: Uuid | None = None

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if self.service_id and self.opportunity_id:
            raise MemberError("opportunity_id", "stands beside service_id: name one of both")
        return self


class ReferralDrafted(ReferralRequested):
    """hub.referral.drafted.v1: of the partners its requester alone sees it until it is requested."""

    consent_id: Uuid | None = None  # type: ignore[assignment]


class ReferralNoted(MovePayload):
    """hub.referral.received.v1, .claimed.v1, .accepted.v1, .started.v1, .resumed.v1, .annulled.v1."""

    note: Personal[Text] | None = None


class ReferralRejected(MovePayload):
    """hub.referral.rejected.v1."""

    reason: ReasonGiven
    suggested_to: PartnerSlug | None = None


class ReferralHeld(MovePayload):
    """hub.referral.held.v1."""

    reason: ReasonGiven
    resume_on: Date


class ReferralEnded(MovePayload):
    """hub.referral.failed.v1, .cancelled.v1."""

    reason: ReasonGiven


class ReferralReassigned(MovePayload):
    """hub.referral.reassigned.v1: the network manager's."""

    to: PartnerSlug
    reason: ReasonGiven


class Performed(Value):
    """What was done for the firm, and when."""

    service_id: ServiceId | None = None
    opportunity_id: OpportunityId | None = None
    on: Date

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.service_id is None) == (self.opportunity_id is None):
            raise ValueError("must name either service_id or opportunity_id")
        return self


class OutcomeReported(Value):
    """What came of it, as the owner says."""

    kind: OutcomeKind
    value: Money | None = None
    countries: Annotated[list[Country], Field(max_length=250)] = Field(default_factory=list)


class ReferralCompleted(MovePayload):
    """hub.referral.completed.v1."""

    performed: Annotated[list[Performed], Field(min_length=1, max_length=100)]
    outcome: OutcomeReported
    note: Personal[Text] | None = None


class OutcomeJudged(MovePayload):
    """hub.outcome.confirmed.v1, .disputed.v1; "sme" is said through the firm's own link alone."""

    kind: OutcomeKind
    value: Money | None = None
    confirmed_by: Literal["sme", "requester"]
    note: Personal[Text] | None = None


class Reason(Value):
    """A recorded reason; the free text stays sealed."""

    code: ReasonCode
    party: ReasonParty
    text: Sealed | None


class Outcome(Value):
    """What came of a referral, and whether the other side agrees."""

    kind: OutcomeKind
    value: Money | None
    countries: list[str]
    confirmation: Literal["pending", "confirmed", "disputed"] = "pending"
    confirmed_by: Literal["sme", "requester"] | None = None


class Referral(Record):
    """A referral; its key is the firm's surrogate. erased: the firm was, so that nobody moves it any more."""

    kind: ClassVar[str] = "referral"
    state: ReferralState
    network: str
    requester: str
    owner: str | None
    service: str | None = None
    opportunity: str | None = None
    consent: str | None = None
    priority: Literal["routine", "urgent"] = "routine"
    needs: list[Need] = Field(default_factory=list)
    message: Sealed | None = None
    part_of: str | None = None
    based_on: str | None = None
    action: str | None = None
    reason: Reason | None = None
    suggested_to: str | None = None
    resume_on: date | None = None
    performed: list[Performed] = Field(default_factory=list)
    outcome: Outcome | None = None
    erased: bool = False
    created_at: datetime
    updated_at: datetime

    @property
    def is_in_pool(self) -> bool:
        """Whether any member of the network may claim it."""
        return self.state == "requested" and self.owner is None and not self.erased

    def roles(self, partner: str) -> frozenset[str]:
        """What the partner is to this referral: requester, owner, both or neither.

        A draft has no owner yet: no partner but its requester knows of it.
        """
        roles = {"requester"} if partner == self.requester else set()
        if partner == self.owner and self.state != "draft":
            roles.add("owner")
        return frozenset(roles)

    def parties(self) -> frozenset[str]:
        """Labels of all who may see it, compared for equality with `party_labels` of a viewer."""
        labels = {f"manager:{self.network}", "manager:*", partner_label(self.requester)}
        if self.owner and self.state != "draft":
            labels.add(partner_label(self.owner))
        if self.is_in_pool:
            labels.add(f"{POOL_PREFIX}{self.network}")
        return frozenset(labels)


def partner_label(partner: str) -> str:
    """The label of a partner itself (slug)."""
    return f"partner:{partner}"


def party_labels(
    partner: str | None, networks: frozenset[str], manages: frozenset[str] | None
) -> frozenset[str]:
    """What a viewer answers to: itself, the pools of its networks, the networks that it manages.

    manages: None for one who is no manager, {"*"} for all networks.
    """
    labels = {f"manager:{network}" for network in manages or ()}
    if partner:
        labels |= {partner_label(partner)} | {f"{POOL_PREFIX}{network}" for network in networks}
    return frozenset(labels)
