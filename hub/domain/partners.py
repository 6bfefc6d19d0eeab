"""Partner organisations and their membership of networks. One partner is one key."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from hub.domain.record import Accepted, Changes, KeyState, Record
from hub.domain.refusal import Refusal
from hub.domain.values import (
    Country,
    Date,
    LocalizedText,
    MemberError,
    NetworkSlug,
    PartnerSlug,
    Payload,
    Text,
    Value,
)

Role = Literal["lead", "founder", "member", "associate", "sponsor"]


class PartnerJoined(Payload):
    """hub.partner.joined.v1: names the partner, and its role in a network if one is given."""

    name: LocalizedText
    country: Country
    network: NetworkSlug | None = None
    role: Role
    from_: Annotated[Date, Field(alias="from")]
    to: Date | None = None
    memorandum_on: Date | None = None
    successor_of: PartnerSlug | None = None

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.to and self.to < self.from_:
            raise MemberError("to", "is before from")
        return self


class PartnerChanged(Payload):
    """hub.partner.left.v1, .suspended.v1, .resumed.v1: of one network, or as a whole."""

    network: NetworkSlug | None = None
    on: Date
    reason: Text | None = None


class Membership(Value):
    """A role in a network, with its dates."""

    network: str
    role: Role
    from_: date
    to: date | None = None
    memorandum_on: date | None = None
    suspended: bool = False

    def holds_on(self, day: date) -> bool:
        """Whether the partner acts under this membership that day."""
        return self.from_ <= day and (self.to is None or day <= self.to) and not self.suspended


class Partner(Record):
    """A partner as the registry has it."""

    kind: ClassVar[str] = "partner"
    name: dict[str, str]
    country: str
    status: Literal["active", "suspended", "left"] = "active"
    memberships: list[Membership] = []
    successor_of: str | None = None

    def networks_on(self, day: date) -> list[str]:
        """Slugs of the networks that the partner is a member of that day, sorted."""
        if self.status != "active":
            return []
        return sorted({one.network for one in self.memberships if one.holds_on(day)})


def fold_partner(state: KeyState, event: Accepted[Any]) -> Changes | Refusal:
    """Next state of a partner."""
    data = event.data
    before = state.get(Partner, event.subject)
    if isinstance(data, PartnerJoined):
        return (_join(before, event.subject, data),)
    if before is None:
        return Refusal(
            "rule.violated", f"Partner {event.subject} never joined.", "Post hub.partner.joined.v1 first."
        )
    what = event.type.split(".")[2]
    if data.network is None:
        status = {"left": "left", "suspended": "suspended", "resumed": "active"}[what]
        memberships = [_end(one, data.on) if what == "left" else one for one in before.memberships]
        return (before.model_copy(update={"status": status, "memberships": memberships}),)
    if data.network not in {one.network for one in before.memberships}:
        return Refusal(
            "rule.violated",
            f"Partner {event.subject} is no member of {data.network}.",
            "Name a network that it belongs to, or none.",
        )
    memberships = [
        _change(one, what, data.on) if one.network == data.network else one for one in before.memberships
    ]
    return (before.model_copy(update={"memberships": memberships}),)


def _join(before: Partner | None, slug: str, data: PartnerJoined) -> Partner:
    memberships = list(before.memberships) if before else []
    if data.network:
        new = Membership(
            network=data.network,
            role=data.role,
            from_=data.from_,
            to=data.to,
            memorandum_on=data.memorandum_on,
        )
        # A role is recorded once: joining again in the same role corrects its dates.
        memberships = [one for one in memberships if (one.network, one.role) != (new.network, new.role)]
        memberships.append(new)
    return Partner(
        id=slug,
        name=data.name,
        country=data.country,
        # Joining brings back one who left, but lifts no suspension.
        status="suspended" if before and before.status == "suspended" else "active",
        memberships=memberships,
        successor_of=data.successor_of or (before.successor_of if before else None),
    )


def _end(membership: Membership, day: date) -> Membership:
    if membership.to is not None and membership.to <= day:
        return membership
    return membership.model_copy(update={"to": day})


def _change(membership: Membership, what: str, day: date) -> Membership:
    if what == "left":
        return _end(membership, day)
    return membership.model_copy(update={"suspended": what == "suspended"})
