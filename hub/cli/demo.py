"""hub demo: the whole system in one command, driven through its public interfaces."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
import uvicorn
from rich.panel import Panel
from rich.table import Table

from hub.auth.oauth.server import TOKEN_PATH
from hub.cli import demo_story
from hub.cli.demo_clients import Network
from hub.cli.demo_parts import real_parts
from hub.cli.demo_story import Member
from hub.cli.imports import ProgressBar, show_report
from hub.cli.operator import NewClient, add_client
from hub.cli.options import Json
from hub.cli.partners import add_partner
from hub.cli.serve import HOST, LOCK_FILE, hold, is_free, server
from hub.cli.terminal import data, print_json, refuse, talk
from hub.connectors import CONNECTORS
from hub.connectors.importer import import_feed
from hub.domain.refusal import Refusal
from hub.domain.scopes import Audience
from hub.events.spine import open_hub
from hub.settings import Settings

DEFAULT_DIR = Path("var/demo")
START_S_MAX = 30.0
PORTS_TRIED = 100
MARKER = ".demo"
SAMPLES = Path(__file__).parent.parent / "connectors" / "samples"


PARTNERS = (
    Member(
        "kent-international-business",
        "Kent International Business",
        "GB",
        "lead",
        "open_referral",
        "kent-international-business.json",
    ),
    Member(
        "team-france-export-normandy",
        "Team France Export Normandie",
        "FR",
        "member",
        "spreadsheet",
        "team-france-export-normandy.csv",
    ),
    Member(
        "enterprise-europe-network",
        "Enterprise Europe Network",
        "BE",
        "associate",
        "een",
        "enterprise-europe-network.json",
    ),
)


def demo(
    data_dir: Annotated[Path, typer.Option("--data", help="Folder of the demo, wiped first.")] = DEFAULT_DIR,
    once: Annotated[bool, typer.Option("--once", help="Stop instead of serving on.")] = False,
    kafka: Annotated[bool, typer.Option("--kafka", help="On a real Apache Kafka, started for it.")] = False,
    postgres: Annotated[
        bool, typer.Option("--postgres", help="On a real PostgreSQL, started for it.")
    ] = False,
    json_: Json = False,
) -> None:
    """Three partners, their feeds, one referral from request to confirmed outcome, and the proof of it."""
    _check_folder(data_dir)
    with hold(data_dir):
        _wipe(data_dir)
        with real_parts(kafka=kafka, postgres=postgres) as parts:
            asyncio.run(_demo(_settings(data_dir, parts), once, json_))


def _check_folder(folder: Path) -> None:
    """Refuse a folder that holds anything but an earlier demo: it is going to be wiped."""
    if folder.exists() and any(folder.iterdir()) and not (folder / MARKER).exists():
        message = f"{folder} holds something else than a demo: nothing was touched."
        refuse(Refusal("demo.folder", message, "Name another folder with --data."))


def _wipe(folder: Path) -> None:
    (folder / MARKER).touch()
    for path in folder.iterdir():
        if path.name not in (MARKER, LOCK_FILE):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _settings(folder: Path, parts: dict[str, Any]) -> Settings:
    """Settings of the demo: its own folder, and the first port that is free from the usual one on."""
    wanted = Settings().port
    port = next((one for one in range(wanted, wanted + PORTS_TRIED) if is_free(one)), None)
    if port is None:
        refuse(Refusal("demo.port", f"No port from {wanted} on is free.", "Set HUB_PORT."))
    if port != wanted:
        talk.print(f"[yellow]Port {wanted} is taken: the demo serves on {port}.[/]")
    return Settings(data_dir=folder, port=port, public_url=f"http://{HOST}:{port}", **parts)


async def _demo(settings: Settings, once: bool, json_: bool) -> None:
    web = server(settings)
    serving = asyncio.create_task(web.serve())
    try:
        await _started(web, serving)
        credentials = await _onboard(settings)
        async with httpx.AsyncClient(base_url=settings.public_url, timeout=30.0) as http:
            network = Network(http, credentials)
            talk.rule("[bold]1 · The network")
            talk.print("Three partners have keys; the manager configures the network, and they join it.")
            await demo_story.found(network, PARTNERS)
            talk.rule("[bold]2 · The catalogue")
            talk.print("Each partner publishes its own feed, in its own format and language.")
            await _import_feeds(network)
            talk.rule("[bold]3 · A referral")
            talk.print("A firm in Kent consents, is diagnosed, and is referred to Normandy for a grant.")
            story = await demo_story.refer(network)
            talk.rule("[bold]4 · What everybody can see")
            summary = await demo_story.summarise(network, story)
        report = {
            **summary.counts,
            "base_url": settings.public_url,
            "credentials": str(settings.data_dir / "credentials.json"),
        }
        if json_:
            print_json(report)
        else:
            _show(summary, report, settings)
        if once:
            web.should_exit = True
        elif not json_:
            talk.print("Serving on; Ctrl+C stops.")
        await serving
    finally:
        web.should_exit = True
        await asyncio.wait([serving])


async def _started(web: uvicorn.Server, serving: asyncio.Task[None]) -> None:
    """Wait until the server listens; its own error when it cannot."""
    deadline = asyncio.get_running_loop().time() + START_S_MAX
    while not web.started:
        if serving.done():
            await serving
            refuse(Refusal("demo.start", "The server ended before it listened.", "See the lines above."))
        if asyncio.get_running_loop().time() > deadline:
            refuse(Refusal("demo.start", "The server does not start.", "See the lines above."))
        await asyncio.sleep(0.02)


async def _onboard(settings: Settings) -> dict[str, Any]:
    """Clients as `hub partner add` and `hub client add` make them, and their credentials.json."""
    operator = open_hub(settings)
    try:
        rows = [
            await add_partner(operator, one.slug, one.name, one.country, None, one.role, [], None, True)
            for one in PARTNERS
        ]
        for name, audience in (("network-manager", Audience.MANAGER), ("sme-portal", Audience.PORTAL)):
            rows.append(await add_client(operator, NewClient(name, audience, None, [], None, None, True)))
    finally:
        await operator.store.close()
    for row in rows:
        if isinstance(row, Refusal):
            refuse(row)
    credentials = {
        "issuer": settings.public_url,
        "token_endpoint": settings.public_url + TOKEN_PATH,
        "clients": rows,
    }
    path = settings.data_dir / "credentials.json"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(credentials, file, indent=2)
    return credentials


async def _import_feeds(network: Network) -> None:
    connectors = {one.name: one for one in CONNECTORS}
    for partner in PARTNERS:
        with ProgressBar(partner.name, quiet=False) as tell:
            report = await import_feed(
                connectors[partner.connector], SAMPLES / partner.feed, network.session(partner.slug), tell
            )
        show_report(f"{partner.slug}, {partner.connector}", report)


def _show(summary: demo_story.Summary, report: dict[str, Any], settings: Settings) -> None:
    table = Table("partner", "type", "service or opportunity", title="Catalogue, as a firm finds it")
    for row in summary.catalogue:
        table.add_row(*row)
    data.print(table)
    table = Table("seq", "partner", "event", "verdict", "leaf", title="Ledger of the referral")
    for entry in summary.timeline:
        table.add_row(*entry)
    data.print(table)
    verified = "[bold green]verified[/]" if report["proof_verified"] else "[bold red]NOT verified[/]"
    data.print(
        Panel(
            f"{report['services']} services and {report['opportunities']} opportunities of "
            f"{report['partners']} partners; {report['referrals']} referral, outcome confirmed.\n"
            f"{report['ledger_size']} entries in the ledger, root {report['root_hash']}\n"
            f"Inclusion of the confirmation, from its receipt and the signed checkpoint: {verified}",
            title="What the ledger proves",
        )
    )
    base = settings.public_url
    later = "It cannot be gone on with: its real parts run for the demo alone."
    if not (settings.database_url or settings.kafka_bootstrap):
        command = f"HUB_DATA_DIR={settings.data_dir} HUB_PORT={settings.port} .venv/bin/hub serve"
        later = f"Later, on the same data:\n{command}"
    data.print(
        Panel(
            f"GraphiQL with examples   {base}/graphiql\n"
            f"GraphQL                  {base}/graphql\n"
            f"Signed checkpoint        {base}/ledger/checkpoint\n"
            f"OpenAPI                  {base}/openapi.json\n"
            f"Keys of all clients      {report['credentials']} (mode 0600)\n\n{later}",
            title="Where to look next",
        )
    )
