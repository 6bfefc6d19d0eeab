"""Groups that are a key of their own: export consortiums and student (carousel) projects."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from hub.domain.record import Accepted, Changes, KeyState, Record
from hub.domain.refusal import Refusal
from hub.domain.values import (
    Country,
    Date,
    FirmId,
    LocalizedText,
    MemberError,
    Name,
    NetworkSlug,
    OutcomeKind,
    Payload,
    Slug,
    Text,
    Value,
)


class ConsortiumFormed(Payload):
    """hub.consortium.formed.v1."""

    name: Name
    network: NetworkSlug
    sme_ids: Annotated[list[FirmId], Field(min_length=1, max_length=200)]
    experienced_sme_ids: Annotated[list[FirmId], Field(max_length=200)]
    strands: Annotated[list[Literal["legal", "promotion"]], Field(min_length=1, max_length=2)]
    starts_on: Date
    ends_on: Date

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not set(self.experienced_sme_ids) <= set(self.sme_ids):
            raise MemberError("experienced_sme_ids", "names a firm that is not among sme_ids")
        if self.ends_on <= self.starts_on:
            raise MemberError("ends_on", "is not after starts_on")
        return self


class ConsortiumPlanAdopted(Payload):
    """hub.consortium.plan-adopted.v1."""

    title: LocalizedText
    on: Date
    target_countries: Annotated[list[Country], Field(max_length=250)]


class ConsortiumClosed(Payload):
    """hub.consortium.closed.v1."""

    on: Date
    reason: Text | None = None


class Student(Value):
    """A student of a project, by an id that says nothing of the person."""

    id: Name
    home_country: Country


class CarouselProjectStarted(Payload):
    """hub.carousel-project.started.v1: students explore a market for a firm."""

    sme_id: FirmId
    network: NetworkSlug
    target_country: Country
    institution: Name
    students: Annotated[list[Student], Field(max_length=100)]
    professors: Annotated[int, Field(ge=0, le=1_000)] | None = None
    on: Date


class ProjectOutcome(Value):
    """What came of a project."""

    kind: OutcomeKind


class CarouselProjectMoved(Payload):
    """hub.carousel-project.evaluated.v1, .concluded.v1, .stopped.v1."""

    sme_id: FirmId | None = None
    on: Date
    outcome: ProjectOutcome | None = None
    text: Text | None = None


class Consortium(Record):
    """Firms that export together; firms are surrogates."""

    kind: ClassVar[str] = "consortium"
    partner: str
    name: str
    network: Slug
    firms: list[str]
    experienced_firms: list[str]
    strands: list[str]
    starts_on: date
    ends_on: date
    plan_on: date | None = None
    closed_on: date | None = None


class CarouselProject(Record):
    """A student project for a firm (surrogate)."""

    kind: ClassVar[str] = "carousel-project"
    partner: str
    firm: str
    network: Slug
    state: Literal["started", "evaluated", "concluded", "stopped"]
    data: CarouselProjectStarted
    outcome: OutcomeKind | None = None


def fold_consortium(state: KeyState, event: Accepted[Any]) -> Changes | Refusal:
    """Next state of a consortium; only the partner that formed it changes it."""
    data, before = event.data, state.get(Consortium, event.subject)
    if isinstance(data, ConsortiumFormed):
        if before:
            return _taken("Consortium", event.subject)
        return (
            Consortium(
                id=event.subject,
                partner=event.sender,
                name=data.name,
                network=data.network,
                firms=list(data.sme_ids),
                experienced_firms=list(data.experienced_sme_ids),
                strands=list(data.strands),
                starts_on=data.starts_on,
                ends_on=data.ends_on,
            ),
        )
    if before is None or before.partner != event.sender:
        return _unknown("Consortium", event.subject)
    if before.closed_on:
        return Refusal("rule.violated", f"Consortium {event.subject} is closed.", "Form a new one.")
    field = "plan_on" if isinstance(data, ConsortiumPlanAdopted) else "closed_on"
    return (before.model_copy(update={field: data.on}),)


def fold_carousel_project(state: KeyState, event: Accepted[Any]) -> Changes | Refusal:
    """Next state of a student project; only the partner that started it changes it."""
    data, before = event.data, state.get(CarouselProject, event.subject)
    if isinstance(data, CarouselProjectStarted):
        if before:
            return _taken("Project", event.subject)
        return (
            CarouselProject(
                id=event.subject,
                partner=event.sender,
                firm=data.sme_id,
                network=data.network,
                state="started",
                data=data,
            ),
        )
    if before is None or before.partner != event.sender:
        return _unknown("Project", event.subject)
    what = event.type.split(".")[2]
    legal = {"started": {"evaluated", "concluded", "stopped"}, "evaluated": {"concluded", "stopped"}}
    if what not in legal.get(before.state, set()):
        return Refusal(
            "rule.violated",
            f"Project {event.subject} is {before.state} and cannot become {what}.",
            "Start a new project.",
        )
    outcome = data.outcome.kind if data.outcome else before.outcome
    return (before.model_copy(update={"state": what, "outcome": outcome}),)


def _taken(what: str, id_: str) -> Refusal:
    return Refusal("rule.violated", f"{what} {id_} exists already.", "Choose a new UUID.")


def _unknown(what: str, id_: str) -> Refusal:
    return Refusal(
        "rule.violated", f"There is no {what.lower()} {id_} of yours.", "Check the subject of the event."
    )
