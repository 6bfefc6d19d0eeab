"""Roadmaps: what a firm and its advisers agreed to do, version by version, over 6 to 24 months."""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from hub.domain.diagnoses import Diagnosis
from hub.domain.firms import Reader, readable_partners
from hub.domain.marks import Personal, Sealed, sealed
from hub.domain.record import Accepted, Changes, KeyState, Record
from hub.domain.refusal import Refusal
from hub.domain.services import ServiceType
from hub.domain.values import (
    CasePayload,
    Date,
    LocalizedText,
    MemberError,
    NetworkSlug,
    PartnerSlug,
    ServiceId,
    Text,
    Uuid,
    Value,
)

MONTHS_MIN, MONTHS_MAX = 6, 24


class RoadmapAction(Value):
    """One step; `partner` helps with it, through `service_id` if one is named."""

    id: Uuid
    title: LocalizedText
    service_type: ServiceType
    service_id: ServiceId | None = None
    partner: PartnerSlug | None = None
    due_on: Date | None = None
    state: Literal["planned", "active", "done", "dropped"]


class RoadmapAgreed(CasePayload):
    """hub.roadmap.agreed.v1 and .reviewed.v1: one version, whole."""

    network: NetworkSlug
    diagnosis_id: Uuid | None = None
    agreed_on: Date
    starts_on: Date
    ends_on: Date
    agreed_with: Annotated[list[PartnerSlug], Field(max_length=50)]
    version: Annotated[int, Field(ge=1, le=10_000)]
    note: Personal[Text] | None = None
    actions: Annotated[list[RoadmapAction], Field(max_length=200)]

    @model_validator(mode="after")
    def _horizon(self) -> Self:
        if (
            not plus_months(self.starts_on, MONTHS_MIN)
            <= self.ends_on
            <= plus_months(self.starts_on, MONTHS_MAX)
        ):
            raise MemberError("ends_on", f"must be {MONTHS_MIN} to {MONTHS_MAX} months after starts_on")
        ids = [action.id for action in self.actions]
        if len(set(ids)) < len(ids):
            raise MemberError("actions", "holds the same id twice")
        return self


class RoadmapVersion(Value):
    """One agreed version."""

    version: int
    agreed_on: Date
    starts_on: Date
    ends_on: Date
    agreed_with: list[str]
    note: Sealed | None
    actions: list[RoadmapAction]


class Roadmap(Record):
    """A roadmap with all its versions, oldest first."""

    kind: ClassVar[str] = "roadmap"
    partner: str
    network: str
    diagnosis: str | None
    versions: list[RoadmapVersion]

    @property
    def current(self) -> RoadmapVersion:
        """The version in force."""
        return self.versions[-1]

    def is_shared_with(self, partner: str) -> bool:
        """Whether the partner wrote it or agreed to it."""
        return partner == self.partner or partner in self.current.agreed_with


def plus_months(day: date, months: int) -> date:
    """The same day some months later, or the last day of that month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def fold_roadmap(state: KeyState, event: Accepted[Any]) -> Changes | Refusal:
    """Agree a roadmap or review it; the caller has made sure that the sender knows the firm."""
    data: RoadmapAgreed = event.data
    before = state.get(Roadmap, event.subject)
    if event.type == "hub.roadmap.agreed.v1":
        if before:
            return _violated(
                f"Roadmap {event.subject} exists already.", "Post hub.roadmap.reviewed.v1 to change it."
            )
        if data.version != 1:
            return _violated("The first version of a roadmap is 1.", "Set version to 1.")
    elif before is None or not _may_review(state, before, event):
        return _violated(
            f"There is no roadmap {event.subject} that you agreed to.", "Post hub.roadmap.agreed.v1 first."
        )
    elif data.version != before.current.version + 1:
        return _violated(
            f"Roadmap {event.subject} is at version {before.current.version}.",
            f"Set version to {before.current.version + 1}.",
        )
    if data.diagnosis_id and not state.get(Diagnosis, data.diagnosis_id):
        return _violated(f"The firm has no diagnosis {data.diagnosis_id}.", "Submit the diagnosis first.")
    version = RoadmapVersion(
        version=data.version,
        agreed_on=data.agreed_on,
        starts_on=data.starts_on,
        ends_on=data.ends_on,
        agreed_with=list(data.agreed_with),
        note=sealed(data.note),
        actions=data.actions,
    )
    if before:
        return (before.model_copy(update={"versions": [*before.versions, version]}),)
    return (
        Roadmap(
            id=event.subject,
            partner=event.sender,
            network=data.network,
            diagnosis=data.diagnosis_id,
            versions=[version],
        ),
    )


def _may_review(state: KeyState, roadmap: Roadmap, event: Accepted[Any]) -> bool:
    """Its writer, and those that agreed to it, while a live consent opens the writer's firm to them."""
    if event.sender == roadmap.partner:
        return True
    networks = {slug: frozenset(of) for slug, of in event.resolved.networks.items()}
    reader = Reader(event.sender, networks.get(event.sender, frozenset()))
    readable = readable_partners(state, reader, "identity", event.at, networks)
    return roadmap.is_shared_with(event.sender) and roadmap.partner in readable


def _violated(message: str, remedy: str) -> Refusal:
    return Refusal("rule.violated", message, remedy)
