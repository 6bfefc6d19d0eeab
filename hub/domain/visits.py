"""Visits and talks with a firm; a signpost in one drafts referrals to other partners."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, ClassVar, Literal
from uuid import NAMESPACE_URL, uuid5

from pydantic import Field

from hub.domain.marks import Personal, Sealed, sealed
from hub.domain.record import Accepted, Changes, KeyState, Record
from hub.domain.referrals import Referral
from hub.domain.refusal import Refusal
from hub.domain.values import CasePayload, Date, Need, NetworkSlug, PartnerSlug, Text


def signpost_referral_id(visit: str, partner: str) -> str:
    """Id of the draft that a signpost makes."""
    return str(uuid5(NAMESPACE_URL, f"urn:hub:signpost:{visit}:{partner}"))


class VisitRecorded(CasePayload):
    """hub.visit.recorded.v1."""

    on: Date
    kind: Literal["first-contact", "site-visit", "review"]
    network: NetworkSlug
    direction: Literal["export", "import"] | None = None
    topics: Annotated[list[Need], Field(max_length=5)] = Field(default_factory=list)
    note: Personal[Text] | None = None
    signposted_to: Annotated[list[PartnerSlug], Field(max_length=20)] = Field(default_factory=list)


class Visit(Record):
    """A visit as recorded."""

    kind: ClassVar[str] = "visit"
    partner: str
    network: str
    on: date
    visit_kind: Literal["first-contact", "site-visit", "review"]
    direction: Literal["export", "import"] | None
    topics: list[Need]
    note: Sealed | None
    signposted_to: list[str]


def fold_visit(state: KeyState, event: Accepted[Any]) -> Changes | Refusal:
    """Record a visit and draft its signposts; the caller has made sure that the sender knows the firm."""
    data: VisitRecorded = event.data
    if event.resolved.taken or state.get(Visit, event.subject):
        return Refusal(
            "rule.violated",
            f"Visit {event.subject} exists already.",
            "Record another visit under a new UUID.",
        )
    visit = Visit(
        id=event.subject,
        partner=event.sender,
        network=data.network,
        on=data.on,
        visit_kind=data.kind,
        direction=data.direction,
        topics=list(data.topics),
        note=sealed(data.note),
        signposted_to=list(data.signposted_to),
    )
    drafts = [
        Referral(
            id=signpost_referral_id(event.subject, partner),
            state="draft",
            network=data.network,
            requester=event.sender,
            owner=partner,
            needs=list(data.topics),
            created_at=event.at,
            updated_at=event.at,
        )
        for partner in dict.fromkeys(data.signposted_to)
    ]
    return (visit, *(one for one in drafts if not state.get(Referral, one.id)))
