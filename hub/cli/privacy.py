"""hub privacy: copies of what is held on somebody, erasure, and whose data have been kept long enough."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table
from sqlalchemy import Connection

from hub.cli.operator import OPERATOR, event
from hub.cli.options import AlreadyJson, Json
from hub.cli.session import run
from hub.cli.terminal import data, print_json, refuse, talk
from hub.domain.audit import Act
from hub.domain.references import ACCOUNT_PREFIX, PERSON_PREFIX
from hub.domain.refusal import Refusal
from hub.domain.values import is_uuid, rfc3339
from hub.events.accept import Receipt, accept
from hub.events.audit import Acted, record
from hub.events.check import check
from hub.events.exporting import as_json
from hub.events.spine import Hub
from hub.store.exports import export_firm, export_person
from hub.store.projection import statuses
from hub.store.retention import DueFirm, due_firms
from hub.store.viewers import viewer_of

app = typer.Typer(no_args_is_help=True, help="Copies of what is held on a firm or person, and erasure.")
VERDICT_S = 10.0
ERASER = replace(OPERATOR, scopes=OPERATOR.scopes | {"privacy:erase"})
Person = Annotated[bool, typer.Option("--person", help="ID is a person's, not a firm's.")]
Years = Annotated[int | None, typer.Option(min=1, help="Years of quiet; HUB_RETENTION_YEARS unless given.")]


@app.command("export")
def export(
    id_: Annotated[str, typer.Argument(metavar="ID")], person: Person = False, _json: AlreadyJson = False
) -> None:
    """Print all that is held on a firm (its sme_id) or a person, as one JSON object."""
    run(lambda hub: _export(hub, id_, person))


@app.command("erase")
def erase(
    id_: Annotated[str | None, typer.Argument(metavar="[ID]")] = None,
    person: Person = False,
    due: Annotated[bool, typer.Option("--due", help="Every firm that `hub privacy due` lists.")] = False,
    years: Years = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: it cannot be taken back.")] = False,
    json_: Json = False,
) -> None:
    """Erase a firm (its sme_id), a person, or every firm that is due; the ledger keeps that it was done."""
    if due == (id_ is not None):
        raise typer.BadParameter("give either an ID or --due")
    if id_ is not None and not is_uuid(id_):
        raise typer.BadParameter("an ID is a UUID in its lower-case form")
    ids: list[str] = [id_] if id_ is not None else [one.sme_id for one in run(lambda hub: _due(hub, years))]
    if ids and not yes:
        typer.confirm(f"Erase {len(ids)} for good?", abort=True, err=True)
    rows: list[dict[str, Any]] = run(lambda hub: _erase(hub, ids, person, "retention" if due else "request"))
    refused = [row for row in rows if row["status"] == "refused"]
    if json_:
        print_json(rows)
    else:
        for row in rows:
            talk.print(f"{row['id']}: {row['status']} {row['code'] or ''}", markup=False)
        if any(row["status"] == "pending" for row in rows):
            talk.print("What is pending is carried out as soon as the hub runs.")
    if refused:
        raise typer.Exit(1)


@app.command("due")
def due(years: Years = None, json_: Json = False) -> None:
    """List firms without an open referral, a live consent or a running roadmap for years."""
    found: list[DueFirm] = run(lambda hub: _due(hub, years))
    rows = [{"sme_id": one.sme_id, "quiet_since": rfc3339(one.quiet_since)} for one in found]
    if json_:
        print_json(rows)
        return
    table = Table("sme_id", "quiet since")
    for row in rows:
        table.add_row(row["sme_id"], row["quiet_since"])
    data.print(table)


async def _export(hub: Hub, id_: str, is_person: bool) -> Refusal | None:
    find = export_person if is_person else export_firm
    now = datetime.now(UTC)
    found = await hub.store.inspect(lambda conn: find(conn, viewer_of(conn, OPERATOR, now), hub.vault, id_))
    if found is None:
        kind = "person" if is_person else "firm"
        message = f"Nothing is held on a {kind} {id_}, or it was erased."
        return Refusal("privacy.unknown", message, "Check the id.")
    act: Act = "person.exported" if is_person else "firm.exported"
    about = Acted(about=("person", id_)) if is_person else Acted(sme_id=id_)
    await hub.store.intake(lambda conn: record(conn, hub.vault, OPERATOR, act, about, at=now))
    async for part in as_json(hub.store, found):
        sys.stdout.write(part)
    sys.stdout.flush()
    return None


async def _due(hub: Hub, years: int | None) -> list[DueFirm]:
    now, found = datetime.now(UTC), list[DueFirm]()
    wanted = years or hub.settings.retention_years
    after: str | None = ""
    while after is not None:
        begin = after
        page, after = await hub.store.inspect(
            lambda conn, begin=begin: due_firms(conn, hub.vault, now, wanted, begin)  # type: ignore[misc]
        )
        found += page
    return found


async def _erase(hub: Hub, ids: list[str], is_person: bool, reason: str) -> list[dict[str, Any]]:
    """Post an erasure for each, in a commit of its own; what became of them."""
    rows = []
    for id_ in ids:
        if not await hub.store.inspect(lambda conn, id_=id_: _is_held(conn, hub, id_, is_person)):  # type: ignore[misc]
            refuse(Refusal("privacy.unknown", f"Nothing is held on {id_}.", "Check the id."))
        (receipt,) = await hub.store.intake(
            lambda conn, id_=id_: _accept(conn, hub, id_, is_person, reason)  # type: ignore[misc]
        )
        rows.append((id_, receipt.seq))
    await hub.progress.reached([seq for _, seq in rows], VERDICT_S)
    verdicts = await hub.store.inspect(lambda conn: statuses(conn, [seq for _, seq in rows]))
    told = [(id_, seq, *verdicts.get(seq, ("pending", None))) for id_, seq in rows]
    return [{"id": id_, "seq": seq, "status": status, "code": code} for id_, seq, status, code in told]


def _is_held(conn: Connection, hub: Hub, id_: str, is_person: bool) -> bool:
    wire_ids = [PERSON_PREFIX + id_, ACCOUNT_PREFIX + id_] if is_person else [id_]
    return bool(hub.vault.subjects(conn, wire_ids))


def _accept(conn: Connection, hub: Hub, id_: str, is_person: bool, reason: str) -> list[Receipt]:
    type_, member = ("hub.person.erased.v1", "person_id") if is_person else ("hub.sme.erased.v1", "sme_id")
    envelope = event(type_, id_, {member: id_, "reason": reason})
    (answer,) = accept(conn, hub.vault, [check(ERASER, [envelope])], datetime.now(UTC))
    if isinstance(answer, Exception):
        raise answer
    return answer
