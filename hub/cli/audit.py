"""hub audit: the audit log, for who runs commands on the hub's machine."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Column, Table
from sqlalchemy import Connection

from hub.cli.operator import OPERATOR
from hub.cli.options import Json
from hub.cli.session import run
from hub.cli.terminal import data, print_json
from hub.domain.audit import ACTS
from hub.domain.refusal import Refusal
from hub.domain.values import parse_time
from hub.domain.viewer import Viewer
from hub.events.spine import Hub
from hub.store.audit import AuditFilter, AuditView, find_audit
from hub.store.pages import PAGE_NODES_MAX

_COLUMNS = ("seq", "at", "act", "actor", "on", "outcome")
Acts = Annotated[list[str] | None, typer.Option("--act", help="Only these acts, such as right.refused.")]
Actors = Annotated[list[str] | None, typer.Option("--actor", help="Only of client:ID or person:ID.")]
Since = Annotated[str | None, typer.Option(help="From this time on (RFC 3339).")]
Until = Annotated[str | None, typer.Option(help="Before this time (RFC 3339).")]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="At most so many, the newest ones.")]


def audit(
    act: Acts = None,
    actor: Actors = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
    json_: Json = False,
) -> None:
    """Print who did what, and which rights were refused, newest first."""
    unknown = sorted(set(act or ()) - set(ACTS))
    if unknown:
        raise typer.BadParameter(f"{unknown[0]} is no act; docs/audit.md lists them", param_hint="--act")
    criteria = AuditFilter(act, None, actor, _time(since, "--since"), _time(until, "--until"))
    found: list[AuditView] = run(
        lambda hub: hub.store.inspect(lambda conn: _found(conn, hub, criteria, limit))
    )
    if json_:
        print_json([_row(one) for one in found])
        return
    table = Table(*(Column(one, no_wrap=one == "act", overflow="fold") for one in _COLUMNS))
    for one in found:
        table.add_row(str(one.seq), one.accepted_at, one.data.act, one.data.actor.name, _on(one), _what(one))
    data.print(table)


def _on(view: AuditView) -> str:
    """What was acted on, or where it was refused."""
    about = view.data.about
    return f"{about.kind} {about.id}" if about else view.data.where or view.data.referral or ""


def _what(view: AuditView) -> str:
    """What came of it, and how often."""
    outcome = view.code or view.outcome
    return outcome if view.data.count == 1 else f"{outcome}, {view.data.count} times"


def _time(given: str | None, option: str) -> datetime | None:
    try:
        return None if given is None else parse_time(given)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def _found(conn: Connection, hub: Hub, criteria: AuditFilter, limit: int) -> list[AuditView] | Refusal:
    # The operator reads as an auditor of all networks does.
    viewer = Viewer(replace(OPERATOR, scopes=frozenset({"ledger:audit"})), datetime.now(UTC))
    found: list[AuditView] = []
    after: str | None = None
    while len(found) < limit:
        first = min(PAGE_NODES_MAX, limit - len(found))
        page = find_audit(conn, viewer, hub.vault, filter=criteria, first=first, after=after)
        if isinstance(page, Refusal):
            return page
        found += page.nodes
        if not page.has_next:
            break
        after = page.cursors[-1]
    return found


def _row(view: AuditView) -> dict[str, Any]:
    """A record without what is sealed."""
    plain = view.data.model_dump(
        mode="json", by_alias=True, exclude_none=True, exclude={"reason", "sme_id", "outcome", "code"}
    )
    return {
        "seq": view.seq,
        "accepted_at": view.accepted_at,
        "subject": view.subject,
        "outcome": view.outcome,
        "code": view.code,
        **plain,
    }
