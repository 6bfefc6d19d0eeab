"""Imports a feed into the hub over HTTP: posts what is new or changed, withdraws what is gone.

Sameness is decided by content: the hub tells the hash of each record as last published. The same file
twice changes nothing; a file that goes back to an earlier state is a change like any other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from hub.connectors.base import OPPORTUNITY_PUBLISHED, SERVICE_PUBLISHED, Connector, Rejected, Row
from hub.connectors.session import BATCH_EVENTS_MAX, HubSession, NotAccepted, Receipt
from hub.domain.opportunities import VALID_DAYS_MAX
from hub.domain.refusal import Refusal
from hub.domain.services import content_hash

PAGE = 100
PAGES_MAX = 1_000

Progress = Callable[[int, int], None]
"""Told how many events are through, and how many there are."""

_WITHDRAWALS: Mapping[str, str] = {
    SERVICE_PUBLISHED: "hub.service.withdrawn.v1",
    OPPORTUNITY_PUBLISHED: "hub.opportunity.withdrawn.v1",
}
# Every status is named, so that a service that the file calls inactive is not taken for a new one.
_SERVICES = """
query Imported($partner: [String!], $after: String) {
  listed: services(
    filter: {partner: $partner, status: [ACTIVE, INACTIVE, DEFUNCT, TEMPORARILY_CLOSED]}
    first: 100
    after: $after
  ) { nodes { id key: ownId contentHash feed } pageInfo { hasNextPage endCursor } }
}"""
_OPPORTUNITIES = """
query Imported($partner: [String!], $after: String) {
  listed: opportunities(filter: {partner: $partner}, first: 100, after: $after) {
    nodes { id key: reference contentHash feed } pageInfo { hasNextPage endCursor }
  }
}"""

# Expired profiles are not listed any more, but a file may still hold them.
_OPPORTUNITY = """
query Imported($id: ID!) {
  listed: opportunity(id: $id) { id key: reference contentHash feed }
}"""


@dataclass(frozen=True, slots=True)
class Listed:
    """A record that the hub has. type: of the event that publishes it; feed: source of the last one."""

    subject: str
    key: str
    type: str
    content_hash: str
    feed: str


@dataclass(slots=True)
class Report:
    """What an import did: counts of records, and every row that was not taken."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    withdrawn: int = 0
    rejected: list[Rejected] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The report of `hub import --json`."""
        rejected = [
            {"row": entry.row, "field": entry.field, "message": entry.message, "remedy": entry.remedy}
            for entry in self.rejected
        ]
        counts = {"new": self.new, "changed": self.changed, "unchanged": self.unchanged}
        return {**counts, "withdrawn": self.withdrawn, "rejected": rejected}


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import has to do. kept: number of records that would be withdrawn if the file were whole."""

    new: tuple[Row, ...]
    changed: tuple[Row, ...]
    unchanged: int
    withdrawn: tuple[Listed, ...]
    kept: int


async def import_feed(
    connector: Connector, path: Path, session: HubSession, on_progress: Progress | None = None
) -> Report:
    """Bring the hub's records of this feed to the state of the file.

    Raises OSError when the file cannot be opened, httpx.TransportError when the hub cannot be reached:
    then some rows may be posted already, and the next import goes on from there.
    """
    read = await asyncio.to_thread(lambda: list(connector.read(path, session.partner)))
    rows = [entry for entry in read if isinstance(entry, Row)]
    report = Report(rejected=[entry for entry in read if isinstance(entry, Rejected)])
    if not rows:
        report.rejected.append(_nothing_readable())
        return report
    listed = await _listed(session, expired(rows, datetime.now(UTC).date()))
    if isinstance(listed, Refusal):
        report.rejected.append(Rejected(0, "", listed.message, listed.remedy))
        return report
    feed = f"{session.source}import/{connector.name}"
    plan = plan_import(rows, report.rejected, listed, feed)
    report.unchanged = plan.unchanged
    if plan.kept:
        report.rejected.append(_kept(plan.kept))
    await _carry_out(plan, feed, session, report, on_progress)
    return report


def plan_import(
    rows: Iterable[Row], rejected: Iterable[Rejected], listed: Iterable[Listed], feed: str
) -> Plan:
    """Compare the file with what the hub has.

    rows, rejected: of the file. listed: every record of the partner, of any feed; withdrawn ones are not
    in it, so a row that comes back is new. feed: event source of this import; other feeds' records stay.
    """
    rows, rejected = list(rows), list(rejected)
    had = {record.subject: record for record in listed}
    new = tuple(row for row in rows if row.subject not in had)
    known = [row for row in rows if row.subject in had]
    changed = tuple(row for row in known if content_hash(row.data) != had[row.subject].content_hash)
    in_file = {row.subject for row in rows} | {entry.subject for entry in rejected if entry.subject}
    gone = tuple(record for record in had.values() if record.feed == feed and record.subject not in in_file)
    is_whole = bool(rows) and not any(entry.unread for entry in rejected)
    return Plan(
        new,
        changed,
        unchanged=len(known) - len(changed),
        withdrawn=gone if is_whole else (),
        kept=0 if is_whole else len(gone),
    )


def expired(rows: Iterable[Row], today: date) -> tuple[str, ...]:
    """Subjects of the profiles that no longer hold by what the file says."""
    return tuple(
        row.subject for row in rows if row.type == OPPORTUNITY_PUBLISHED and _expires_on(row.data) < today
    )


def _expires_on(profile: Mapping[str, Any]) -> date:
    if "expires_on" in profile:
        return date.fromisoformat(profile["expires_on"])
    return date.fromisoformat(profile["published_on"]) + timedelta(days=VALID_DAYS_MAX)


async def _listed(session: HubSession, expired_subjects: Iterable[str]) -> list[Listed] | Refusal:
    """Every record of the partner that the catalogue lists, and these profiles, if the hub has them."""
    found: list[Listed] = []
    for type_, query in ((SERVICE_PUBLISHED, _SERVICES), (OPPORTUNITY_PUBLISHED, _OPPORTUNITIES)):
        after: str | None = None
        for _page in range(PAGES_MAX):
            data = await session.graphql(query, {"partner": [session.partner], "after": after})
            if isinstance(data, Refusal):
                return data
            page = data["listed"]
            found.extend(_from_node(node, type_) for node in page["nodes"])
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = page["pageInfo"]["endCursor"]
        else:
            return Refusal(
                "quota.exceeded",
                f"The hub holds more than {PAGE * PAGES_MAX} records of {session.partner}.",
                "Split the partner's catalogue.",
            )
    for subject in set(expired_subjects) - {record.subject for record in found}:
        data = await session.graphql(_OPPORTUNITY, {"id": subject})
        if isinstance(data, Refusal):
            return data
        if data["listed"]:
            found.append(_from_node(data["listed"], OPPORTUNITY_PUBLISHED))
    return found


def _from_node(node: Mapping[str, Any], type_: str) -> Listed:
    return Listed(node["id"], node["key"], type_, node["contentHash"], node["feed"])


async def _carry_out(
    plan: Plan, feed: str, session: HubSession, report: Report, on_progress: Progress | None
) -> None:
    """Post the events of the plan, and count what became of each."""
    work: list[tuple[str, Row | Listed]] = [
        *(("new", row) for row in plan.new),
        *(("changed", row) for row in plan.changed),
        *(("withdrawn", record) for record in plan.withdrawn),
    ]
    for start in range(0, len(work), BATCH_EVENTS_MAX):
        part = work[start : start + BATCH_EVENTS_MAX]
        answers = await session.post_events([_event(about, feed) for _, about in part])
        for (count, about), answer in zip(part, answers, strict=True):
            rejected = _rejected(about, answer)
            if rejected:
                report.rejected.append(rejected)
            else:
                setattr(report, count, getattr(report, count) + 1)
        if on_progress:
            on_progress(start + len(part), len(work))


def _event(about: Row | Listed, feed: str) -> dict[str, Any]:
    """The CloudEvent that publishes a row, or withdraws a record."""
    if isinstance(about, Row):
        type_, data = about.type, about.data
    else:
        type_, data = _WITHDRAWALS[about.type], {"reason": {"en": "No longer in the publisher's feed."}}
    return {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": feed,
        "type": type_,
        "subject": about.subject,
        "time": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": data,
    }


def _rejected(about: Row | Listed, answer: Receipt | NotAccepted) -> Rejected | None:
    """Why the hub did not take the event, in its own words; None when it did."""
    number = about.number if isinstance(about, Row) else 0
    if isinstance(answer, NotAccepted):
        refusal, where = answer.refusal, answer.field
    elif answer.refusal:
        refusal, where = answer.refusal, ""
    elif answer.status == "parked":
        refusal = Refusal(
            "hub.unavailable", "The hub could not project the event.", "Tell the network manager."
        )
        where = ""
    else:
        return None
    field_name = where if isinstance(about, Row) else about.key
    return Rejected(number, field_name, refusal.message, refusal.remedy, subject=about.subject)


def _nothing_readable() -> Rejected:
    message = "The file holds no readable row; nothing was posted and nothing withdrawn."
    remedy = "Check path and format. To withdraw everything, post the withdrawals themselves."
    return Rejected(0, "", message, remedy)


def _kept(count: int) -> Rejected:
    message = f"{count} records of the hub are not among the readable rows; they were not withdrawn."
    return Rejected(
        0, "", message, "Correct the other rows and import again; what is gone is withdrawn then."
    )
