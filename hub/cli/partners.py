"""hub partner: who belongs to the network, and with which keys."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.table import Table
from sqlalchemy import Connection

from hub.cli import admissions, partner_kafka
from hub.cli.operator import (
    OPERATOR,
    NewClient,
    add_client,
    event,
    network_exists,
    no_client,
    post,
    read_public_key,
    show_row,
)
from hub.cli.options import Bearer, Json, PublicKey, Scope
from hub.cli.session import run
from hub.cli.terminal import data, print_json, refuse, talk, tell
from hub.domain.refusal import Refusal
from hub.domain.scopes import Audience
from hub.events.audit import Acted
from hub.events.spine import Hub
from hub.store import clients
from hub.store.engine import StoreUnavailable
from hub.store.onboarding import is_known_key, key_standings, last_uses
from hub.store.thumbprint import thumbprint

if TYPE_CHECKING:
    from hub.events.kafka.access import Access

app = typer.Typer(no_args_is_help=True, help="Partners, their clients and keys.")
keys = typer.Typer(no_args_is_help=True, help="Keys of a client; two may be live at a time.")
app.add_typer(keys, name="key")
app.command("kafka")(partner_kafka.kafka)
app.command("grant")(admissions.grant)
app.command("requests")(admissions.requests)
app.command("applications")(admissions.list_applications)
app.command("approve")(admissions.approve)
app.command("refuse")(admissions.refuse_)

Reason = Annotated[str, typer.Option(help="Told to the network.")]


@app.command("add")
def add(
    slug: str,
    name: Annotated[str, typer.Option(help="Name of the organisation.")],
    country: Annotated[str, typer.Option(help="ISO 3166-1 alpha-2.")],
    network: Annotated[str | None, typer.Option(help="Network that it joins; made if it is new.")] = None,
    role: Annotated[str, typer.Option(help="lead, founder, member, associate or sponsor.")] = "member",
    scope: Scope = [],  # noqa: B006
    public_key: PublicKey = None,
    bearer: Bearer = False,
    json_: Json = False,
) -> None:
    """Add a partner with a client of the same name; it acts at once, beside a running server too."""
    key = read_public_key(public_key) if public_key else None
    if isinstance(key, Refusal):
        refuse(key)
    row = run(lambda hub: add_partner(hub, slug, name, country, network, role, scope, key, bearer), make=True)
    show_row(row, json_)


async def add_partner(
    hub: Hub,
    slug: str,
    name: str,
    country: str,
    network: str | None,
    role: str,
    scopes: list[str],
    public_jwk: dict[str, Any] | None,
    bearer: bool,
) -> dict[str, Any] | Refusal:
    """A partner's client, and the events that make it known: its network, if new, and its joining."""
    events = []
    if network and not await network_exists(hub, network):
        events.append(event("hub.network.configured.v1", network, {"name": {"en": network}}))
    joined = {"name": {"en": name}, "country": country, "role": role, "from": str(datetime.now(UTC).date())}
    events.append(event("hub.partner.joined.v1", slug, joined | ({"network": network} if network else {})))
    new = NewClient(slug, Audience.PARTNER, slug, scopes, None, public_jwk, bearer)
    return await add_client(hub, new, events)


@app.command("list")
def list_(json_: Json = False) -> None:
    """List every client."""
    found = run(lambda hub: hub.store.inspect(clients.list_clients))
    rows = [_public(client) for client in found]
    if json_:
        print_json(rows)
        return
    table = Table("client", "audience", "suspended", "dpop", "keys", "scopes")
    for row in rows:
        dpop, suspended = ("yes" if row[name] else "no" for name in ("dpop", "suspended"))
        table.add_row(
            row["client_id"], row["audience"], suspended, dpop, str(len(row["kids"])), str(len(row["scopes"]))
        )
    data.print(table)


@app.command("show")
def show(slug: str, json_: Json = False) -> None:
    """Show one client: grant, keys, standing, and when it last got a token."""
    row = run(lambda hub: hub.store.inspect(lambda conn: _found(conn, slug)))
    if json_:
        print_json(row)
        return
    for name, value in row.items():
        data.print(f"[bold]{name}[/]: {value}")


def _found(conn: Connection, slug: str) -> dict[str, Any] | Refusal:
    client = clients.find_client(conn, slug)
    if client is None:
        return no_client(slug)
    standings = key_standings(conn, [slug])
    keys = [
        {"kid": kid, "added_at": one.added_at, "last_used_at": one.last_used_at}
        for (_, kid), one in sorted(standings.items())
    ]
    return {**_public(client), "last_used_at": last_uses(conn, [slug]).get(slug), "keys": keys}


@app.command("suspend")
def suspend(slug: str, reason: Reason = "operator", json_: Json = False) -> None:
    """Shut a partner out, at once."""
    _change_status(slug, "suspended", reason, json_)


@app.command("resume")
def resume(slug: str, reason: Reason = "operator", json_: Json = False) -> None:
    """Let a suspended partner in again."""
    _change_status(slug, "resumed", reason, json_)


def _change_status(slug: str, happened: Literal["suspended", "resumed"], reason: str, json_: bool) -> None:
    payload = {"on": str(datetime.now(UTC).date()), "reason": reason}

    async def change(hub: Hub) -> Refusal | None:
        refusal = await post(hub, event(f"hub.partner.{happened}.v1", slug, payload))
        if refusal is None and hub.kafka:
            # Close or open the topic. The intake refuses what a suspended partner writes in any case.
            await _tell_kafka(hub.kafka.access, slug, happened)
        return refusal

    refusal = run(change)
    if refusal:
        refuse(refusal)
    tell({"partner": slug, "suspended": happened == "suspended"}, f"{slug} is {happened}.", json_=json_)


async def _tell_kafka(access: Access, slug: str, happened: Literal["suspended", "resumed"]) -> None:
    change = access.withdraw if happened == "suspended" else access.give_back
    try:
        await change(slug)
    except StoreUnavailable as error:
        talk.print(f"[bold yellow]Kafka was not told[/], its rights there are as before: {error}")


@keys.command("list")
def key_list(slug: str, json_: Json = False) -> None:
    """List the live keys of a client, and when each was last used."""
    rows = run(lambda hub: hub.store.inspect(lambda conn: _found(conn, slug)))["keys"]
    if json_:
        print_json(rows)
        return
    table = Table("kid", "added", "last used")
    for row in rows:
        table.add_row(row["kid"], row["added_at"], row["last_used_at"] or "never")
    data.print(table)


@keys.command("add")
def key_add(
    slug: str, public_key: Annotated[Path, typer.Option(help="JWK file.")], json_: Json = False
) -> None:
    """Add a public key, before the old one is retired."""
    key = read_public_key(public_key)
    if isinstance(key, Refusal):
        refuse(key)

    def add(conn: Connection) -> Refusal | bool:
        known = is_known_key(conn, thumbprint(key))
        try:
            clients.add_key(conn, slug, key, datetime.now(UTC))
        except ValueError as error:
            return Refusal("key.refused", str(error), "hub partner key list shows the client's keys.")
        return known

    acted = Acted(("key", str(key["kid"])), slug)
    if run(lambda hub: hub.auditor.act_with(OPERATOR, "key.added", acted, add)):
        talk.print("[bold yellow]This key was seen before[/]: who steals it from one may act as the other.")
    kid = key["kid"]
    tell({"client_id": slug, "kid": kid, "live": True}, f"{slug}: key {kid} is live.", json_=json_)


# One key of 64 has a name that begins with a hyphen, and is no option.
@keys.command("retire", context_settings={"ignore_unknown_options": True})
def key_retire(slug: str, kid: str, json_: Json = False) -> None:
    """Retire a key, at once."""

    def retire(conn: Connection) -> Refusal | bool:
        if not clients.retire_key(conn, slug, kid, datetime.now(UTC)):
            return Refusal(
                "key.unknown", f"{slug} has no live key {kid}.", "hub partner key list shows them."
            )
        client = clients.find_client(conn, slug)
        return client is not None and not client.keys

    acted = Acted(("key", kid), slug)
    if run(lambda hub: hub.auditor.act_with(OPERATOR, "key.retired", acted, retire)):
        talk.print(f"[bold yellow]It was the last one[/]: {slug} gets no token until you add another.")
    tell({"client_id": slug, "kid": kid, "live": False}, f"{slug}: key {kid} is retired.", json_=json_)


def _public(client: clients.Client) -> dict[str, Any]:
    return {
        "client_id": client.client_id,
        "partner": client.partner,
        "audience": str(client.audience),
        "scopes": list(client.scopes),
        "networks": sorted(client.networks) if client.networks is not None else None,
        "source_prefix": client.source_prefix,
        "dpop": not client.bearer,
        "suspended": client.suspended,
        "kids": [key["kid"] for key in client.keys],
    }
