"""hub partner grant, requests, applications, approve, refuse: a manager's decisions, by the operator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table
from sqlalchemy import Connection

from hub.auth.onboarding import admissions, applications
from hub.cli.operator import OPERATOR, no_client
from hub.cli.options import Json, Scope
from hub.cli.session import run
from hub.cli.terminal import data, print_json, tell
from hub.domain.audit import Act
from hub.domain.refusal import Refusal
from hub.events.audit import Acted
from hub.events.spine import Hub
from hub.store import clients, onboarding

SHOWN_MAX = 200
Reason = Annotated[str, typer.Option(help="Told to who asked.")]
Decide = Callable[[Connection, Hub, datetime], Any]


def grant(slug: str, scope: Scope, json_: Json = False) -> None:
    """Replace the grant of a client; it acts at once, also on tokens that are out."""

    scopes = list(dict.fromkeys(scope))

    def change(conn: Connection) -> Refusal | None:
        try:
            known = clients.set_grant(conn, slug, tuple(scopes))
        except ValueError as error:
            return Refusal("client.unknown_scope", str(error), "docs/scopes.md lists them.")
        return None if known else no_client(slug)

    if not scope:
        raise typer.BadParameter("names every scope that the client shall hold", param_hint="--scope")
    run(lambda hub: hub.auditor.act_with(OPERATOR, "grant.changed", Acted(("client", slug)), change))
    tell({"client_id": slug, "scopes": scopes}, f"{slug} now holds {len(scopes)} scopes.", json_=json_)


def requests(json_: Json = False) -> None:
    """List requests for scopes that wait for an answer."""

    async def read(hub: Hub) -> list[dict[str, Any]]:
        found = await hub.store.inspect(
            lambda conn: onboarding.scope_requests(conn, state="open", most=SHOWN_MAX)
        )
        return [
            {
                "id": one.id,
                "client_id": one.client_id,
                "scopes": list(one.scopes),
                "reason": admissions.reason_of(hub.vault, one),
                "made_at": one.made_at,
            }
            for one in found
        ]

    _show(run(read), ("id", "client_id", "scopes", "reason"), json_)


def list_applications(json_: Json = False) -> None:
    """List applications of those who want to become partners; they are kept for 30 days."""

    async def read(hub: Hub) -> list[dict[str, Any]]:
        since_s = _since_s(datetime.now(UTC))
        found = await hub.store.inspect(
            lambda conn: onboarding.applications(conn, networks=None, since_s=since_s, most=SHOWN_MAX)
        )
        return [
            {
                "id": one.id,
                "state": one.state,
                **applications.shown(applications.applicant_of(hub.vault, one)),
            }
            for one in found
        ]

    _show(run(read), ("id", "state", "slug", "name", "network", "email", "scopes"), json_)


def approve(id_: Annotated[str, typer.Argument(metavar="ID")], json_: Json = False) -> None:
    """Grant what a request asks for, or make an applicant a partner; effective at once."""

    def of_request(conn: Connection, hub: Hub, at: datetime) -> Any:
        return admissions.decide_request(conn, hub.vault, OPERATOR, id_, "approved", None, at)

    def of_application(conn: Connection, hub: Hub, at: datetime) -> Any:
        found = onboarding.find_application(
            conn, id_=id_, since_s=onboarding.kept_since_s(int(at.timestamp()))
        )
        return found and applications.approve(conn, hub.vault, OPERATOR, found, None, "member", at)

    _decide(id_, ("grant.changed", of_request), ("application.approved", of_application))
    tell({"id": id_, "state": "approved"}, f"{id_} is approved.", json_=json_)


def refuse_(id_: Annotated[str, typer.Argument(metavar="ID")], reason: Reason, json_: Json = False) -> None:
    """Say no to a request or an application, and why."""

    def of_request(conn: Connection, hub: Hub, at: datetime) -> Any:
        return admissions.decide_request(conn, hub.vault, OPERATOR, id_, "refused", reason, at)

    def of_application(conn: Connection, hub: Hub, at: datetime) -> Any:
        found = onboarding.find_application(
            conn, id_=id_, since_s=onboarding.kept_since_s(int(at.timestamp()))
        )
        return found and (applications.refuse(conn, hub.vault, found, reason) or found)

    _decide(id_, ("grant.refused", of_request), ("application.refused", of_application))
    tell({"id": id_, "state": "refused"}, f"{id_} is refused.", json_=json_)


def _decide(id_: str, of_request: tuple[Act, Decide], of_application: tuple[Act, Decide]) -> None:
    """Decide on the request or, where there is none of that id, on the application."""
    unknown = Refusal(
        "decision.unknown",
        f"There is nothing to decide under {id_}.",
        "hub partner requests lists what waits.",
    )

    async def decide(hub: Hub) -> Any:
        is_request = await hub.store.inspect(
            lambda conn: onboarding.find_scope_request(conn, id_) is not None
        )
        (act, work), kind = (of_request, "scope-request") if is_request else (of_application, "application")
        at = datetime.now(UTC)
        return await hub.auditor.act_with(
            OPERATOR, act, Acted((kind, id_[:100])), lambda conn: work(conn, hub, at) or unknown
        )

    run(decide)


def _show(rows: Sequence[dict[str, Any]], columns: Sequence[str], json_: bool) -> None:
    if json_:
        print_json(list(rows))
        return
    table = Table(*columns)
    for row in rows:
        table.add_row(
            *(" ".join(cell) if isinstance(cell := row[name], list) else str(cell) for name in columns)
        )
    data.print(table)


def _since_s(at: datetime) -> int:
    """Applications made before are forgotten."""
    return onboarding.kept_since_s(int(at.timestamp()))
