"""Every event type that the hub accepts: its payload, its key, its scopes and its fold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from hub.domain import cases
from hub.domain.audit import AuditRecorded
from hub.domain.consents import ConsentGiven, ConsentWithdrawn
from hub.domain.deadlines import DeadlineMissed
from hub.domain.diagnoses import DiagnosisSubmitted
from hub.domain.erasures import PersonErased, SmeErased, fold_person_erased, names_nobody_erased
from hub.domain.firms import SmeRegistered
from hub.domain.groups import (
    CarouselProjectMoved,
    CarouselProjectStarted,
    ConsortiumClosed,
    ConsortiumFormed,
    ConsortiumPlanAdopted,
    fold_carousel_project,
    fold_consortium,
)
from hub.domain.matches import MatchDecided, fold_match
from hub.domain.networks import (
    ClaimRecorded,
    ContributionRecorded,
    NetworkConfigured,
    ResponsibilityAssigned,
    fold_network,
)
from hub.domain.opportunities import (
    InterestExpressed,
    OpportunityExtended,
    OpportunityPublished,
    OpportunityWithdrawn,
    fold_opportunity,
)
from hub.domain.partners import PartnerChanged, PartnerJoined, fold_partner
from hub.domain.record import Fold
from hub.domain.referrals import (
    OutcomeJudged,
    ReferralCompleted,
    ReferralDrafted,
    ReferralEnded,
    ReferralHeld,
    ReferralNoted,
    ReferralReassigned,
    ReferralRejected,
    ReferralRequested,
)
from hub.domain.roadmaps import RoadmapAgreed
from hub.domain.services import (
    ServiceAssured,
    ServiceCapacityChanged,
    ServicePublished,
    ServiceWithdrawn,
    fold_service,
)
from hub.domain.visits import VisitRecorded

CATALOGUE, CASES, NETWORK = "hub.catalogue.v1", "hub.cases.v1", "hub.network.v1"
KeyRule = Literal["subject", "firm", "network"]


@dataclass(frozen=True, slots=True)
class EventSpec:
    """One event type.

    scopes: the client needs events:publish and any one of these; none: the hub itself.
    key: what orders the events: their subject, the firm that they are about, or the network they name.
    about_firm: the same type where its payload names a firm: in the order of that firm's case.
    """

    payload: type[BaseModel]
    topic: str
    key: KeyRule
    scopes: tuple[str, ...]
    fold: Fold
    about_firm: EventSpec | None = None


def _catalogue(payload: type[BaseModel], fold: Fold) -> EventSpec:
    return EventSpec(payload, CATALOGUE, "subject", ("catalogue:publish",), fold)


def _case(type_: str, payload: type[BaseModel], *scopes: str) -> tuple[str, EventSpec]:
    return type_, EventSpec(payload, CASES, "firm", scopes, cases.FOLDS[type_])


def _group(payload: type[BaseModel], fold: Fold) -> EventSpec:
    return EventSpec(payload, CASES, "subject", ("referrals:create",), names_nobody_erased(fold))


def _admin(payload: type[BaseModel], key: KeyRule, fold: Fold, *more: str) -> EventSpec:
    return EventSpec(payload, NETWORK, key, ("partners:admin", *more), fold)


CREATE, ACT = "referrals:create", "referrals:act"

EVENTS: dict[str, EventSpec] = {
    "hub.service.published.v1": _catalogue(ServicePublished, fold_service),
    "hub.service.withdrawn.v1": _catalogue(ServiceWithdrawn, fold_service),
    "hub.service.assured.v1": _catalogue(ServiceAssured, fold_service),
    "hub.service.capacity-changed.v1": _catalogue(ServiceCapacityChanged, fold_service),
    "hub.opportunity.published.v1": _catalogue(OpportunityPublished, fold_opportunity),
    "hub.opportunity.extended.v1": _catalogue(OpportunityExtended, fold_opportunity),
    "hub.opportunity.withdrawn.v1": _catalogue(OpportunityWithdrawn, fold_opportunity),
    **dict(
        [
            _case("hub.opportunity.interest-expressed.v1", InterestExpressed, CREATE),
            _case("hub.sme.registered.v1", SmeRegistered, CREATE),
            _case("hub.sme.erased.v1", SmeErased, "privacy:erase"),
            _case("hub.consent.given.v1", ConsentGiven, "consents:write"),
            _case("hub.consent.withdrawn.v1", ConsentWithdrawn, "consents:write"),
            _case("hub.visit.recorded.v1", VisitRecorded, CREATE),
            _case("hub.diagnosis.submitted.v1", DiagnosisSubmitted, "diagnosis:run"),
            _case("hub.roadmap.agreed.v1", RoadmapAgreed, "diagnosis:run"),
            _case("hub.roadmap.reviewed.v1", RoadmapAgreed, "diagnosis:run"),
            _case("hub.referral.drafted.v1", ReferralDrafted, CREATE),
            _case("hub.referral.requested.v1", ReferralRequested, CREATE),
            _case("hub.referral.received.v1", ReferralNoted, ACT),
            _case("hub.referral.claimed.v1", ReferralNoted, ACT),
            _case("hub.referral.accepted.v1", ReferralNoted, ACT),
            _case("hub.referral.rejected.v1", ReferralRejected, ACT),
            _case("hub.referral.started.v1", ReferralNoted, ACT),
            _case("hub.referral.held.v1", ReferralHeld, ACT),
            _case("hub.referral.resumed.v1", ReferralNoted, ACT),
            _case("hub.referral.completed.v1", ReferralCompleted, ACT),
            _case("hub.referral.failed.v1", ReferralEnded, ACT),
            _case("hub.referral.cancelled.v1", ReferralEnded, CREATE, ACT),
            _case("hub.referral.annulled.v1", ReferralNoted, CREATE),
            _case("hub.referral.reassigned.v1", ReferralReassigned, "partners:admin"),
            _case("hub.outcome.confirmed.v1", OutcomeJudged, CREATE),
            _case("hub.outcome.disputed.v1", OutcomeJudged, CREATE),
            _case("hub.deadline.missed.v1", DeadlineMissed),
        ]
    ),
    "hub.consortium.formed.v1": _group(ConsortiumFormed, fold_consortium),
    "hub.consortium.plan-adopted.v1": _group(ConsortiumPlanAdopted, fold_consortium),
    "hub.consortium.closed.v1": _group(ConsortiumClosed, fold_consortium),
    "hub.carousel-project.started.v1": _group(CarouselProjectStarted, fold_carousel_project),
    "hub.carousel-project.evaluated.v1": _group(CarouselProjectMoved, fold_carousel_project),
    "hub.carousel-project.concluded.v1": _group(CarouselProjectMoved, fold_carousel_project),
    "hub.carousel-project.stopped.v1": _group(CarouselProjectMoved, fold_carousel_project),
    "hub.person.erased.v1": EventSpec(PersonErased, NETWORK, "subject", (), fold_person_erased),
    "hub.network.configured.v1": _admin(NetworkConfigured, "subject", names_nobody_erased(fold_network)),
    "hub.partner.joined.v1": _admin(PartnerJoined, "subject", fold_partner),
    "hub.partner.left.v1": _admin(PartnerChanged, "subject", fold_partner),
    "hub.partner.suspended.v1": _admin(PartnerChanged, "subject", fold_partner),
    "hub.partner.resumed.v1": _admin(PartnerChanged, "subject", fold_partner),
    "hub.responsibility.assigned.v1": _admin(
        ResponsibilityAssigned, "network", names_nobody_erased(fold_network)
    ),
    "hub.contribution.recorded.v1": _admin(ContributionRecorded, "network", fold_network, "partners:self"),
    "hub.claim.recorded.v1": _admin(ClaimRecorded, "network", fold_network, "partners:self"),
    "hub.match.merged.v1": _admin(MatchDecided, "subject", fold_match),
    "hub.match.dismissed.v1": _admin(MatchDecided, "subject", fold_match),
    "hub.audit.recorded.v1": EventSpec(
        AuditRecorded,
        NETWORK,
        "subject",
        (),
        cases.fold_act,
        EventSpec(AuditRecorded, CASES, "firm", (), cases.fold_act),
    ),
}
