"""The catalogue of partnering opportunities; one that has expired is no longer listed, only fetched by id."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, not_, select

from hub.domain.opportunities import Opportunity
from hub.domain.refusal import Refusal
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
from hub.store.partners import visible_offers
from hub.store.records import get_records
from hub.store.search import (
    UNRESTRICTED,
    Tags,
    fold,
    holds_words,
    rank,
    rewritten,
    search_words,
    searchable,
    sector_tags,
    tagged,
)
from hub.store.tables import opportunity_row, tag

DEADLINE = "deadline"


@dataclass(frozen=True, slots=True)
class OpportunityCriteria:
    """What opportunities are filtered by: members are AND, values of one member OR.

    None and an empty collection restrict nothing. country: of the firm behind the profile. open: takes
    expressions of interest, and its deadline has not passed.
    """

    partner: Collection[str] | None = None
    opportunity_type: Collection[str] | None = None
    country: Collection[str] | None = None
    sector: Collection[str] | None = None
    open: bool | None = None


def find_opportunities(
    conn: Connection,
    viewer: Viewer,
    *,
    search: str | None = None,
    criteria: OpportunityCriteria | None = None,
    first: int = 20,
    after: str | None = None,
    counted: bool = False,
) -> Page[tuple[Opportunity, int]] | Refusal:
    """One page of the opportunities that hold every word of the search and meet the criteria.

    Nodes: opportunity and version, the latest published first; with a search, words in a title count
    more than words elsewhere. Refused as in `find_services`.
    """
    words = search_words(search)
    if isinstance(words, Refusal):
        return words
    if refusal := first_refusal(first) or (criteria and criteria_refusal(criteria)):
        return refusal
    sort = "RELEVANCE" if words else "NEWEST"
    order = _order(words)
    key = decode_cursor(after, sort, order) if after is not None else None
    if isinstance(key, Refusal):
        return key
    today = viewer.at.date().isoformat()
    conditions = [
        visible_offers(conn, viewer, opportunity_row.c.partner),
        opportunity_row.c.expires_on >= today,
        *_conditions(criteria or OpportunityCriteria(), today),
        *holds_words(opportunity_row.c.search, words),
    ]
    rows = conn.execute(
        select(opportunity_row.c.id, *(one.column for one in order[:-1]))
        .where(*conditions, *([beyond(order, key)] if key else []))
        .order_by(*order_by(order))
        .limit(first + 1)
    ).all()
    found = get_records(conn, Opportunity, [row[0] for row in rows[:first]])
    return Page(
        nodes=[found[row[0]] for row in rows[:first]],
        cursors=[encode_cursor(sort, [*row[1:], row[0]]) for row in rows[:first]],
        has_next=len(rows) > first,
        has_previous=key is not None,
        total=count_of(conn, select(opportunity_row.c.id).where(*conditions)) if counted else None,
        version=projection_version(conn),
    )


def get_opportunities(
    conn: Connection, viewer: Viewer, ids: Iterable[str]
) -> dict[str, tuple[Opportunity, int]]:
    """Opportunities by id, each with its version; expired ones too, withdrawn ones not."""
    shown = conn.execute(
        select(opportunity_row.c.id).where(
            opportunity_row.c.id.in_(set(ids)), visible_offers(conn, viewer, opportunity_row.c.partner)
        )
    ).scalars()
    return get_records(conn, Opportunity, list(shown))


def index_opportunities(changed: Sequence[Opportunity]) -> Changes:
    """New rows and tags of changed opportunities; withdrawn ones have none."""
    listed = [opportunity for opportunity in changed if not opportunity.withdrawn]
    return rewritten(
        opportunity_row,
        [opportunity.id for opportunity in changed],
        [_row(opportunity) for opportunity in listed],
        {opportunity.id: _tags(opportunity) for opportunity in listed},
    )


def _row(opportunity: Opportunity) -> dict[str, object]:
    data = opportunity.data
    others = [*data.summary.values(), *(data.description or {}).values(), data.reference]
    return {
        "id": opportunity.id,
        "partner": opportunity.partner,
        "opportunity_type": data.opportunity_type,
        "country": data.country,
        "title": fold(data.title.get("en") or next(iter(data.title.values()))),
        "search": searchable(data.title.values(), others),
        "open_for_interest": data.open_for_interest,
        "published_on": data.published_on.isoformat(),
        "expires_on": opportunity.expires_on.isoformat(),
    }


def _tags(opportunity: Opportunity) -> Tags:
    tags: Tags = {"sector": sector_tags(opportunity.data.sectors) or {UNRESTRICTED}}
    if opportunity.data.deadline:
        tags[DEADLINE] = {opportunity.data.deadline.isoformat()}
    return tags


def _conditions(criteria: OpportunityCriteria, today: str) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    for name in ("partner", "opportunity_type", "country"):
        if values := getattr(criteria, name):
            conditions.append(opportunity_row.c[name].in_(set(values)))
    if criteria.sector:
        conditions.append(tagged(opportunity_row.c.id, "sector", criteria.sector))
    if criteria.open is not None:
        closed = select(tag.c.item).where(tag.c.name == DEADLINE, tag.c.value < today)
        is_open = and_(opportunity_row.c.open_for_interest.is_(True), opportunity_row.c.id.not_in(closed))
        conditions.append(is_open if criteria.open else not_(is_open))
    return conditions


def _order(words: Sequence[str]) -> list[Order]:
    newest = [
        Order(opportunity_row.c.published_on, str, descending=True),
        Order(opportunity_row.c.id, str),
    ]
    return [Order(rank(opportunity_row.c.search, words), int), *newest] if words else newest
