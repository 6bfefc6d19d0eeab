"""Parts of a service: prices, documents, places left, figures of funds, and where values come from."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import strawberry

from hub.domain.services import CostOption as CostRecord
from hub.domain.services import RequiredDocument as DocumentRecord
from hub.domain.services import Service as ServiceRecord
from hub.graphql.declared import shown
from hub.graphql.registry_types import Partner
from hub.graphql.scalars import Code, Money, pick
from hub.graphql.service_filter import CapacityStatus


@strawberry.type
@shown()
class Organization:
    """The body behind a service, when it is not the partner itself."""

    name: str
    identifiers: list[Code]


@strawberry.type
@shown()
class CostOption:
    """A price."""

    record: strawberry.Private[CostRecord]

    @strawberry.field
    def option(self, language: str | None = strawberry.UNSET) -> str:
        """What the price is for."""
        return pick(self.record.option, language or None)

    @strawberry.field
    def price(self) -> Money:
        """The amount."""
        return Money(amount=Decimal(self.record.amount), currency=self.record.currency)


@strawberry.type
@shown()
class RequiredDocument:
    """A document that an application asks for."""

    record: strawberry.Private[DocumentRecord]

    @strawberry.field
    def document(self, language: str | None = strawberry.UNSET) -> str:
        """Its name."""
        return pick(self.record.document, language or None)

    @strawberry.field
    def uri(self) -> str | None:
        """Where it is found."""
        return self.record.uri


@strawberry.type
@shown()
class Capacity:
    """Places left."""

    status: CapacityStatus
    available: int | None
    maximum: int | None
    updated: datetime | None


@strawberry.type
@shown()
class FundingTerm:
    """A claimed figure of a fund, with its source and date; contradicting claims stand side by side."""

    term: str
    value: Decimal
    unit: str
    source: str
    date: date


@strawberry.type
@shown()
class Provenance:
    """Which event a field's value comes from."""

    field: str
    partner: Partner
    event_id: str
    at: datetime


# Fields of Service by member of the payload, where the name alone does not tell.
_FIELDS = {"audience": ("sizes", "experience"), "assurer_email": ()}


def provenance_of(service: ServiceRecord, partner: Partner) -> list[Provenance]:
    """One entry for each field that has a value, in the order of the payload."""
    origins = {"capacity": service.capacity_from, "assured_date": service.assured_from}
    entries = []
    for member in type(service.data).model_fields:
        value = getattr(service.data, member)
        for name in _FIELDS.get(member, (member,)):
            held = getattr(value, name) if member == "audience" else value
            if held not in (None, [], {}):
                origin = origins.get(member) or service.published
                entries.append(
                    Provenance(field=_camel(name), partner=partner, event_id=origin.event_id, at=origin.at)
                )
    return entries


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
