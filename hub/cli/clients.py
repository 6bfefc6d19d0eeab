"""hub client: portals and managers' tools, which belong to no partner."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli.operator import NewClient, add_client, read_public_key, show_row
from hub.cli.options import Bearer, Json, PublicKey, Scope
from hub.cli.session import run
from hub.cli.terminal import refuse
from hub.domain.refusal import Refusal
from hub.domain.scopes import Audience

app = typer.Typer(no_args_is_help=True, help="Clients of portals and network managers.")


@app.command("add")
def add(
    name: str,
    audience: Annotated[str, typer.Option(help="portal or manager.")],
    network: Annotated[list[str], typer.Option(help="Bind it to this network; all unless given.")] = [],  # noqa: B006
    scope: Scope = [],  # noqa: B006
    redirect_uri: Annotated[
        list[str], typer.Option(help="Where people may be sent back to, who let the client act for them.")
    ] = [],  # noqa: B006
    public_key: PublicKey = None,
    bearer: Bearer = False,
    json_: Json = False,
) -> None:
    """Add a client of a portal or of a network manager."""
    if audience not in (Audience.PORTAL, Audience.MANAGER):
        raise typer.BadParameter("is neither portal nor manager", param_hint="--audience")
    key = read_public_key(public_key) if public_key else None
    if isinstance(key, Refusal):
        refuse(key)
    networks = frozenset(network) or None
    new = NewClient(name, Audience(audience), None, scope, networks, key, bearer, redirect_uri)
    show_row(run(lambda hub: add_client(hub, new), make=True), json_)
