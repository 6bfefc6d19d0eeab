"""The catalogue of services: rows that it is searched by, pages and single services as a viewer sees them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, Connection, func, literal, select

from hub.domain.refusal import Refusal
from hub.domain.services import Service, ServicePublished
from hub.domain.viewer import Viewer
from hub.store.bulk import Changes
from hub.store.pages import (
    Order,
    Page,
    beyond,
    count_of,
    criteria_refusal,
    decode_cursor,
    encode_cursor,
    first_refusal,
    order_by,
    projection_version,
)
from hub.store.partners import members_of, visible_offers
from hub.store.records import get_records
from hub.store.search import (
    UNRESTRICTED,
    Tags,
    area_tags,
    fold,
    holds_words,
    language_tags,
    product_tags,
    rank,
    rewritten,
    search_words,
    searchable,
    sector_tags,
    sortable_time,
    tagged,
)
from hub.store.tables import service_row

ServiceSort = Literal["RELEVANCE", "NAME", "FRESHNESS", "DEADLINE"]
NO_DEADLINE = "9999-12-31"

Words = Collection[str] | None


@dataclass(frozen=True, slots=True)
class ServiceCriteria:
    """What services are filtered by: members are AND, values of one member OR, codes as in the payloads.

    None and an empty collection restrict nothing. network: of partners that are members now.
    free False: known to cost something.
    """

    partner: Words = None
    network: Words = None
    service_type: Words = None
    status: Words = None
    pathway_step: Words = None
    sector: Words = None
    product: Words = None
    country: Words = None
    area: Words = None
    language: Words = None
    channel: Words = None
    delivery: Words = None
    reach: Words = None
    experience: Words = None
    size: Words = None
    capacity: Words = None
    free: bool | None = None
    updated_after: datetime | None = None


_COLUMNS = ("partner", "service_type", "status")
_TAGS = (
    "pathway_step",
    "sector",
    "product",
    "country",
    "area",
    "language",
    "channel",
    "delivery",
    "reach",
    "experience",
    "size",
    "capacity",
)


def find_services(
    conn: Connection,
    viewer: Viewer,
    *,
    search: str | None = None,
    criteria: ServiceCriteria | None = None,
    sort: ServiceSort | None = None,
    first: int = 20,
    after: str | None = None,
    counted: bool = False,
) -> Page[tuple[Service, int]] | Refusal:
    """One page of the services that hold every word of the search and meet the criteria.

    Nodes: service and version. sort: by default RELEVANCE (words in a name count more than words
    elsewhere) when there is a search, else NAME; FRESHNESS is newest first; DEADLINE is the end of
    validity, services without one last. Refused: a cursor of another list or sort, a page or search too long.
    """
    words = search_words(search)
    if isinstance(words, Refusal):
        return words
    if refusal := first_refusal(first) or (criteria and criteria_refusal(criteria)):
        return refusal
    sort = sort or ("RELEVANCE" if words else "NAME")
    order = _order(sort, words)
    key = decode_cursor(after, sort, order) if after is not None else None
    if isinstance(key, Refusal):
        return key
    conditions = [
        visible_offers(conn, viewer, service_row.c.partner),
        *_conditions(viewer, criteria or ServiceCriteria()),
        *holds_words(service_row.c.search, words),
    ]
    rows = conn.execute(
        select(service_row.c.id, *(one.column for one in order[:-1]))
        .where(*conditions, *([beyond(order, key)] if key else []))
        .order_by(*order_by(order))
        .limit(first + 1)
    ).all()
    found = get_records(conn, Service, [row[0] for row in rows[:first]])
    return Page(
        nodes=[found[row[0]] for row in rows[:first]],
        cursors=[encode_cursor(sort, [*row[1:], row[0]]) for row in rows[:first]],
        has_next=len(rows) > first,
        has_previous=key is not None,
        total=count_of(conn, select(service_row.c.id).where(*conditions)) if counted else None,
        version=projection_version(conn),
    )


def get_services(conn: Connection, viewer: Viewer, ids: Iterable[str]) -> dict[str, tuple[Service, int]]:
    """Services by id, each with its version, those that the viewer sees in the catalogue."""
    shown = conn.execute(
        select(service_row.c.id).where(
            service_row.c.id.in_(set(ids)), visible_offers(conn, viewer, service_row.c.partner)
        )
    ).scalars()
    return get_records(conn, Service, list(shown))


def count_services(conn: Connection, viewer: Viewer, partners: Iterable[str]) -> dict[str, int]:
    """Number of services in the catalogue by partner; partners without any are absent."""
    rows = conn.execute(
        select(service_row.c.partner, func.count())
        .where(service_row.c.partner.in_(set(partners)), visible_offers(conn, viewer, service_row.c.partner))
        .group_by(service_row.c.partner)
    )
    return {row[0]: row[1] for row in rows}


def index_services(changed: Sequence[Service]) -> Changes:
    """New rows and tags of changed services; withdrawn ones have none."""
    listed = [service for service in changed if not service.withdrawn]
    return rewritten(
        service_row,
        [service.id for service in changed],
        [_row(service) for service in listed],
        {service.id: _tags(service.data) for service in listed},
    )


def _row(service: Service) -> dict[str, object]:
    data = service.data
    others = [*data.description.values(), data.programme or "", data.own_id]
    if data.organization:
        others.append(data.organization.name)
    return {
        "id": service.id,
        "partner": service.partner,
        "service_type": data.service_type,
        "status": data.status,
        "name": fold(data.name.get("en") or next(iter(data.name.values()))),
        "search": searchable(data.name.values(), others),
        "free": data.free,
        "ends_on": data.valid_to.isoformat() if data.valid_to else None,
        "updated_at": sortable_time(service.updated_at),
    }


def _tags(data: ServicePublished) -> Tags:
    lists: Tags = {
        "sector": sector_tags(data.sectors),
        "product": product_tags(data.products),
        "country": set(data.target_countries),
        "area": area_tags(data.service_areas),
        "language": language_tags(data.languages),
        "channel": set(data.channels),
        "experience": set(data.audience.experience),
        "size": set(data.audience.sizes),
    }
    single = {
        "pathway_step": data.pathway_step,
        "delivery": data.delivery,
        "reach": data.reach,
        "capacity": data.capacity.status if data.capacity else None,
    }
    tags: Tags = {name: values or {UNRESTRICTED} for name, values in lists.items()}
    tags |= {name: {value} for name, value in single.items() if value is not None}
    return tags


def _conditions(viewer: Viewer, criteria: ServiceCriteria) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    for name in _COLUMNS:
        if values := getattr(criteria, name):
            conditions.append(service_row.c[name].in_(set(values)))
    for name in _TAGS:
        if values := getattr(criteria, name):
            spelt = {value.lower() for value in values} if name == "language" else set(values)
            conditions.append(tagged(service_row.c.id, name, spelt))
    if criteria.network:
        conditions.append(service_row.c.partner.in_(members_of(viewer, criteria.network)))
    if criteria.free is not None:
        conditions.append(service_row.c.free.is_(criteria.free))
    if criteria.updated_after:
        conditions.append(service_row.c.updated_at > sortable_time(criteria.updated_after))
    return conditions


def _order(sort: ServiceSort, words: Sequence[str]) -> list[Order]:
    by_name = [Order(service_row.c.name, str), Order(service_row.c.id, str)]
    if sort == "RELEVANCE" and words:
        return [Order(rank(service_row.c.search, words), int), *by_name]
    if sort == "FRESHNESS":
        return [Order(service_row.c.updated_at, str, descending=True), Order(service_row.c.id, str)]
    if sort == "DEADLINE":
        return [Order(func.coalesce(service_row.c.ends_on, literal(NO_DEADLINE)), str), *by_name]
    return by_name
