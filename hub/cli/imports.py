"""hub import: a partner's feed into the hub, over HTTP, as that partner."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from hub.auth.client import TokenClient, TokenRefused
from hub.cli.options import Json
from hub.cli.terminal import print_json, refuse, talk
from hub.connectors import CONNECTORS
from hub.connectors.base import Connector
from hub.connectors.importer import Report, import_feed
from hub.connectors.session import HubSession
from hub.domain.refusal import Refusal
from hub.settings import Settings

TIMEOUT_S = 60.0


def import_(
    connector: Annotated[str, typer.Argument(help="open_referral, spreadsheet or een.")],
    path: Annotated[Path, typer.Argument(help="File of the feed.")],
    credentials: Annotated[Path, typer.Option(help="credentials.json, or the file of one client.")],
    client: Annotated[str | None, typer.Option(help="Client; the only partner if absent.")] = None,
    url: Annotated[str | None, typer.Option(help="Address of the hub; the issuer's if absent.")] = None,
    json_: Json = False,
) -> None:
    """Import a feed: what is new or changed is published, what is gone is withdrawn."""
    chosen = next((one for one in CONNECTORS if one.name == connector), None)
    if chosen is None:
        names = ", ".join(one.name for one in CONNECTORS)
        raise typer.BadParameter(f"is none of {names}", param_hint="CONNECTOR")
    try:
        file = read_credentials(credentials, url)
        row = choose_client(file, client)
        with ProgressBar(connector, quiet=json_) as on_progress:
            report = asyncio.run(_import(file, row, url, chosen, path, on_progress))
    except (OSError, ValueError, KeyError) as error:
        refuse(Refusal("import.unreadable", str(error), "Check the paths and the credentials file."))
    except (httpx.HTTPError, TokenRefused) as error:
        refuse(Refusal("hub.unavailable", f"The hub did not answer: {error}", "Is it running at that URL?"))
    if json_:
        print_json(report.as_json())
    else:
        show_report(connector, report)
    if report.rejected and not (report.new or report.changed or report.unchanged or report.withdrawn):
        raise typer.Exit(1)


def read_credentials(path: Path, url: str | None) -> dict[str, Any]:
    """A credentials.json; the file of one client, as `hub partner add --json` prints it, does as well."""
    file: dict[str, Any] = json.loads(path.read_text())
    if "client_id" in file:
        base = (url or Settings().public_url).rstrip("/")
        return {"issuer": base, "token_endpoint": f"{base}/oauth/token", "clients": [file]}
    return file


def choose_client(file: dict[str, Any], client_id: str | None) -> dict[str, Any]:
    """A client's row of credentials.json; ValueError when there is not exactly one to choose."""
    rows = [
        row
        for row in file["clients"]
        if row["client_id"] == client_id or (client_id is None and row["partner"])
    ]
    if len(rows) != 1:
        names = ", ".join(row["client_id"] for row in file["clients"])
        raise ValueError(f"choose one client with --client: {names}")
    row: dict[str, Any] = rows[0]
    return row


async def _import(
    file: dict[str, Any], row: dict[str, Any], url: str | None, connector: Connector, path: Path, tell: Any
) -> Report:
    async with httpx.AsyncClient(timeout=TIMEOUT_S) as http:
        tokens = TokenClient(http, row, issuer=file["issuer"], token_endpoint=file["token_endpoint"])
        session = HubSession(http, url or file["issuer"], tokens, row["source_prefix"])
        return await import_feed(connector, path, session, tell)


class ProgressBar:
    """A bar on stderr; `with` gives the function that moves it, None when quiet."""

    def __init__(self, title: str, *, quiet: bool) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self._title, self._quiet = title, quiet
        self._progress = Progress(*columns, console=talk, transient=True)

    def __enter__(self) -> Any:
        if self._quiet:
            return None
        self._progress.start()
        task = self._progress.add_task(self._title, total=None)
        return lambda done, total: self._progress.update(task, completed=done, total=total)

    def __exit__(self, *_error: object) -> None:
        self._progress.stop()


def show_report(title: str, report: Report) -> None:
    """Counts, and every row that was not taken with what to do about it."""
    talk.print(
        f"  [bold]{title}[/]: {report.new} new, {report.changed} changed, "
        f"{report.unchanged} unchanged, {report.withdrawn} withdrawn, {len(report.rejected)} rejected"
    )
    if report.rejected:
        table = Table("row", "field", "what is wrong", "what to do")
        for one in report.rejected:
            table.add_row(str(one.row), one.field, one.message, one.remedy)
        talk.print(table)
