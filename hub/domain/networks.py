"""Networks, who answers for what in them, who gave what, and figures as their sources claim them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, ClassVar, Literal, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, model_validator

from hub.domain.marks import PersonalOfPerson, Sealed, sealed
from hub.domain.record import Accepted, Changes, KeyState, Record
from hub.domain.refusal import Refusal
from hub.domain.values import (
    Country,
    Date,
    DecimalText,
    LocalizedText,
    MemberError,
    Money,
    Name,
    NetworkSlug,
    PartnerSlug,
    Payload,
    Slug,
    Text,
    Uuid,
    Value,
)


def _time_zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError("is not a time zone of the IANA database, such as Europe/Paris")
    return value


Day = Annotated[Date, Field(alias="from")]


class Clock(Value):
    """How long something may take."""

    days: Annotated[int, Field(ge=1, le=366)]
    calendar: Literal["calendar", "business"] = "calendar"


class Clocks(Value):
    """Deadlines of a network; what is absent stays at its default."""

    first_answer: Clock | None = None
    first_contact: Clock | None = None
    roadmap: Clock | None = None


class ManagerMandate(Value):
    """The person who manages the network, and for how long."""

    person_id: Uuid
    name: PersonalOfPerson[Name]
    from_: Day
    to: Date | None = None


class NetworkConfigured(Payload):
    """hub.network.configured.v1: replaces the whole record."""

    name: LocalizedText
    lead: PartnerSlug | None = None
    manager: ManagerMandate | None = None
    clocks: Clocks | None = None
    time_zone: Annotated[str, AfterValidator(_time_zone)] | None = None
    country: Country | None = None


class ResponsibilityAssigned(Payload):
    """hub.responsibility.assigned.v1: a task, the institution and the person who answers for it."""

    network: NetworkSlug
    task: Name
    partner: PartnerSlug
    person_id: Uuid
    person: PersonalOfPerson[Name]
    from_: Day
    to: Date | None = None


class ContributionRecorded(Payload):
    """hub.contribution.recorded.v1: money (cash, in-kind) or people (fte) that a partner gives."""

    network: NetworkSlug
    partner: PartnerSlug | None = None
    kind: Literal["cash", "in-kind", "fte"]
    amount: Money | None = None
    fte: DecimalText | None = None
    from_: Day
    to: Date
    note: Text | None = None

    @model_validator(mode="after")
    def _amount_or_fte(self) -> Self:
        wanted, other = ("fte", "amount") if self.kind == "fte" else ("amount", "fte")
        if getattr(self, wanted) is None or getattr(self, other) is not None:
            raise MemberError(wanted, f"is what a contribution of kind {self.kind} has, and no {other}")
        if self.to < self.from_:
            raise MemberError("to", "is before from")
        return self


class ClaimRecorded(Payload):
    """hub.claim.recorded.v1: a published figure, kept as claimed, never repaired."""

    network: NetworkSlug
    figure: Slug
    value: DecimalText
    unit: Name
    period: Name | None = None
    source: Text
    date: Date
    about: Name | None = None


class Network(Record):
    """A network as the registry has it."""

    kind: ClassVar[str] = "network"
    name: dict[str, str]
    lead: str | None = None
    manager_name: Sealed | None = None
    manager_from: date | None = None
    manager_to: date | None = None
    clocks: Clocks = Clocks()
    time_zone: str | None = None
    country: str | None = None


class Responsibility(Record):
    """Who answers for a task."""

    kind: ClassVar[str] = "responsibility"
    network: str
    task: str
    partner: str
    person: Sealed | None
    from_: date
    to: date | None


class Contribution(Record):
    """What a partner gives to a network."""

    kind: ClassVar[str] = "contribution"
    network: str
    partner: str
    data: ContributionRecorded


class Claim(Record):
    """A figure with its source and date."""

    kind: ClassVar[str] = "claim"
    network: str
    partner: str
    data: ClaimRecorded


def fold_network(state: KeyState, event: Accepted[Any]) -> Changes | Refusal:
    """Next state of a network: its own record, or one of what hangs on it."""
    data = event.data
    if isinstance(data, NetworkConfigured):
        manager = data.manager
        return (
            Network(
                id=event.subject,
                name=data.name,
                lead=data.lead,
                manager_name=sealed(manager.name) if manager else None,
                manager_from=manager.from_ if manager else None,
                manager_to=manager.to if manager else None,
                clocks=data.clocks or Clocks(),
                time_zone=data.time_zone,
                country=data.country,
            ),
        )
    if isinstance(data, ResponsibilityAssigned):
        return (
            Responsibility(
                id=event.subject,
                network=data.network,
                task=data.task,
                partner=data.partner,
                person=sealed(data.person),
                from_=data.from_,
                to=data.to,
            ),
        )
    after: Contribution | Claim
    if isinstance(data, ContributionRecorded):
        giver = data.partner or event.sender
        after = Contribution(id=event.subject, network=data.network, partner=giver, data=data)
    else:
        after = Claim(id=event.subject, network=data.network, partner=event.sender, data=data)
    before = state.get(type(after), event.subject)
    if before is not None and before.partner != after.partner:
        return Refusal(
            "rule.violated", f"{after.kind} {event.subject} belongs to somebody else.", "Choose a new UUID."
        )
    return (after,)
