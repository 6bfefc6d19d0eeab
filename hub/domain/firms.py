"""Firms, as each partner registered them, and who may read which registration.

What several partners registered on one firm stands apart by partner. A firm is one key; its id here is a
random surrogate, never the wire id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import NAMESPACE_URL, uuid5

from pydantic import Field

from hub.domain.breakglass import opened_partners
from hub.domain.codes import is_org_scheme
from hub.domain.consents import Consent
from hub.domain.marks import Personal, Sealed, sealed
from hub.domain.record import Accepted, Changes, KeyState, Record
from hub.domain.referrals import Referral
from hub.domain.refusal import Refusal
from hub.domain.values import (
    ITEMS_MAX,
    Area,
    CasePayload,
    Country,
    Email,
    Experience,
    Language,
    Money,
    Name,
    Sector,
    Size,
    Value,
    checked,
)


def firm_wire_id(scheme: str, number: str) -> str:
    """Wire id of a firm with a register number; scheme of org-id.guide."""
    plain = "".join(char for char in number.upper() if char.isascii() and char.isalnum())
    return str(uuid5(NAMESPACE_URL, f"urn:hub:sme:{scheme}:{plain}"))


class RegisterNumber(Value):
    """A number in a company register."""

    scheme: Annotated[
        str, checked(is_org_scheme, "is not a register scheme of org-id.guide, such as GB-COH or FR-RCS")
    ]
    number: Annotated[str, Field(min_length=1, max_length=50, pattern=r"[A-Za-z0-9]")]


class Contact(Value):
    """A person at a firm."""

    name: Name
    email: Email | None = None
    phone: Annotated[str, Field(min_length=3, max_length=40)] | None = None
    role: Name | None = None


class SmeRegistered(CasePayload):
    """hub.sme.registered.v1: replaces the sender's registration of the firm."""

    identifier: Personal[RegisterNumber] | None = None
    name: Personal[Name]
    country: Country
    size: Size | None = None
    experience: Experience | None = None
    sectors: Annotated[list[Sector], Field(max_length=ITEMS_MAX)] = Field(default_factory=list)
    area: Area | None = None
    languages: Annotated[list[Language], Field(max_length=50)] = Field(default_factory=list)
    employees: Annotated[int, Field(ge=0, le=10_000_000)] | None = None
    turnover: Money | None = None
    own_product_line: bool | None = None
    markets_current: Annotated[list[Country], Field(max_length=ITEMS_MAX)] = Field(default_factory=list)
    markets_target: Annotated[list[Country], Field(max_length=ITEMS_MAX)] = Field(default_factory=list)
    contacts: Personal[Annotated[list[Contact], Field(max_length=50)]] | None = None


class Registration(Record):
    """A firm as one partner knows it; the id is the partner's slug, networks its own at that moment."""

    kind: ClassVar[str] = "registration"
    identifier: Sealed | None
    name: Sealed | None
    country: str
    size: Size | None
    experience: Experience | None
    sectors: list[Sector]
    area: str | None
    languages: list[str]
    employees: int | None
    turnover: Money | None
    own_product_line: bool | None
    markets_current: list[str]
    markets_target: list[str]
    contacts: Sealed | None
    networks: list[str] = Field(default_factory=list)
    updated_at: datetime


def fold_registration(state: KeyState, event: Accepted[Any]) -> Changes:
    """The sender's registration, replaced as a whole."""
    data: SmeRegistered = event.data
    plain = data.model_dump(exclude={"sme_id", "extensions", "identifier", "name", "contacts"})
    after = Registration.model_validate(
        {
            **plain,
            "id": event.sender,
            "identifier": sealed(data.identifier),
            "name": sealed(data.name),
            "contacts": sealed(data.contacts),
            "networks": event.resolved.networks.get(event.sender, []),
            "updated_at": event.at,
        }
    )
    before = state.get(Registration, event.sender)
    if before == after.model_copy(update={"updated_at": before.updated_at if before else None}):
        return ()
    return (after,)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who wants to read a firm's data: a partner with its networks, or a manager of networks.

    manages: "*" for all. partner is None for a manager. breaks_glass: the name of a manager that may use its
    emergency accesses now; None where they stay closed.
    """

    partner: str | None
    networks: frozenset[str]
    manages: frozenset[str] = frozenset()
    breaks_glass: str | None = None

    def is_party(self, referral: Referral) -> bool:
        """Whether this reader asks, owns or oversees the referral; an offer in a pool is not enough."""
        if self.partner:
            return bool(referral.roles(self.partner))
        return referral.network in self.manages or "*" in self.manages

    def is_recipient(self, consent: Consent) -> bool:
        """Whether the consent names this reader, or a network that it belongs to or manages."""
        for recipient in consent.recipients:
            network = recipient.removeprefix("network:")
            if network == recipient:
                if recipient == self.partner:
                    return True
            elif network in self.networks or network in self.manages or "*" in self.manages:
                return True
        return False


Category = Literal["identity", "contact", "diagnosis", "roadmap"]
_PURPOSES: dict[Category, frozenset[str]] = {
    "identity": frozenset({"referral", "contact"}),
    "contact": frozenset({"contact"}),
    "diagnosis": frozenset({"referral"}),
    "roadmap": frozenset({"referral"}),
}


def readable_partners(
    state: KeyState,
    reader: Reader,
    category: Category,
    at: datetime,
    networks_of: Mapping[str, frozenset[str]],
) -> list[str]:
    """Partners whose data on the firm the reader may read, its own first.

    First what an emergency access opens. Beside that and its own a reader needs a case of the firm that it is
    a party to, and a live consent that carries the case or comes from its requester. A consent opens only
    what its sender registered or may itself read, so it is followed from sender to sender.
    networks_of: current memberships by partner.
    """
    found = [reader.partner] if reader.partner else []
    if reader.breaks_glass and category in ("identity", "contact"):
        manages = None if "*" in reader.manages else reader.manages
        found += opened_partners(state, reader.breaks_glass, manages, at)
    seen = set(found)
    waiting = list(_senders(state, reader, category, at))
    while waiting:
        sender = waiting.pop(0)
        if sender in seen:
            continue
        seen.add(sender)
        found.append(sender)
        next_reader = Reader(sender, networks_of.get(sender, frozenset()))
        waiting.extend(_senders(state, next_reader, category, at))
    return found


def _senders(state: KeyState, reader: Reader, category: Category, at: datetime) -> Iterator[str]:
    cases = [referral for referral in state.all(Referral) if reader.is_party(referral)]
    carrying = {referral.consent for referral in cases}
    requesters = {referral.requester for referral in cases}
    # In the order of acceptance: what somebody else records later never takes the place of the first.
    for consent in sorted(state.all(Consent), key=lambda one: one.recorded_at):
        if not consent.is_live(at) or category not in consent.categories:
            continue
        if consent.id not in carrying and consent.partner not in requesters:
            continue  # Of one who has no part in any case of the reader.
        if _PURPOSES[category] & set(consent.purposes) and reader.is_recipient(consent):
            yield consent.partner


def readable_registration(
    state: KeyState,
    reader: Reader,
    category: Category,
    at: datetime,
    networks_of: Mapping[str, frozenset[str]],
) -> Registration | None:
    """The registration that the reader sees: its own, else the first that a live consent opens."""
    for partner in readable_partners(state, reader, category, at, networks_of):
        registration = state.get(Registration, partner)
        if registration:
            return registration
    return None


def may_work_on(state: KeyState, event: Accepted[Any]) -> Refusal | None:
    """Why the sender may not record anything on the firm: neither registered by it nor opened to it.

    Unknown firms and firms that the sender may not see get the same answer.
    """
    networks = {slug: frozenset(of) for slug, of in event.resolved.networks.items()}
    reader = Reader(event.sender, networks.get(event.sender, frozenset()))
    if readable_registration(state, reader, "identity", event.at, networks):
        return None
    return Refusal(
        "consent.missing",
        "The firm is not registered by you, and no live consent opens it to you.",
        "Register it with hub.sme.registered.v1, or ask the partner that did for a consent that names you.",
    )
