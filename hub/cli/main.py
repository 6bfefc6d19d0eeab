"""The commands, each imported when it is called: all together would take seconds, whichever was meant."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup


class Place(NamedTuple):
    """Where a command or a group of commands is found, and what the list of commands says of it."""

    module: str
    name: str
    help: str


COMMANDS = {
    "demo": Place(
        "demo",
        "demo",
        "Three partners, their feeds, one referral from request to confirmed outcome, and the proof of it.",
    ),
    "serve": Place(
        "serve",
        "serve",
        "Serve API and GraphQL until stopped; without Kafka, or on SQLite, with the workers in this process.",
    ),
    "work": Place(
        "serve",
        "work",
        "Sequence, tell the log, project, and take in partners' topics, until stopped; any number may work.",
    ),
    "migrate": Place(
        "migrate",
        "migrate",
        "Bring the database to the shape of this version; make topics that are missing, and configure all.",
    ),
    "doctor": Place("doctor", "doctor", "List every setting, and what it is set to here."),
    "import": Place(
        "imports", "import_", "Import a feed: what is new or changed is published, what is gone is withdrawn."
    ),
    "rebuild": Place(
        "rebuild",
        "rebuild",
        "Fold the inbox into a second read model, beside a running hub, and compare it with the live one.",
    ),
    "audit": Place("audit", "audit", "Print who did what, and which rights were refused, newest first."),
    "schema": Place("documents", "schema", "Print the whole GraphQL schema (SDL)."),
    "openapi": Place("documents", "openapi", "Print the OpenAPI document."),
    "partner": Place("partners", "app", "Partners, their clients and keys."),
    "client": Place("clients", "app", "Clients of portals and network managers."),
    "keys": Place("keys", "app", "The hub's own keys, which sign access tokens."),
    "person": Place("people", "app", "People who sign in: managers, and advisers at partners."),
    "ledger": Place("ledger", "app", "The ledger."),
    "parked": Place("parked", "app", "What was parked: list, look at, replay."),
    "privacy": Place("privacy", "app", "Copies of what is held on a firm or person, and erasure."),
}
"""In the order in which they are listed."""


def load(name: str) -> Any:
    """The command or group of that name, imported."""
    place = COMMANDS[name]
    found: typer.Typer | Callable[..., None] = getattr(import_module(f"hub.cli.{place.module}"), place.name)
    loaded = typer.Typer()
    if isinstance(found, typer.Typer):
        loaded.add_typer(found, name=name)
    else:
        loaded.command(name)(found)
    return typer.main.get_group(loaded).commands[name]


class Commands(TyperGroup):
    """Lists commands without importing them, and imports the one that is called."""

    def __init__(self, **attributes: Any) -> None:
        listed = {name: TyperCommand(name=name, help=place.help) for name, place in COMMANDS.items()}
        super().__init__(**{**attributes, "commands": listed})

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the arguments name, and the arguments for it."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, load(name) if name else command, rest


app = typer.Typer(
    cls=Commands,
    name="hub",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def hub() -> None:
    """The partner network hub: one catalogue and one referral ledger for a network of export helpers."""


def main() -> None:
    """Run the command line."""
    try:
        app()
    except Exception as error:
        # Imported only now: where these errors are defined, databases are.
        from hub.cli.faults import explain

        raise SystemExit(explain(error)) from None
