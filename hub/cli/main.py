"""The commands, a file a group."""

from __future__ import annotations

import typer
from pydantic import ValidationError

from hub.cli import (
    admissions,
    audit,
    clients,
    demo,
    documents,
    imports,
    keys,
    ledger,
    parked,
    partner_kafka,
    partners,
    people,
    privacy,
    rebuild,
    serve,
)
from hub.cli.terminal import talk
from hub.events.unfit import Unfit
from hub.store.engine import StoreUnavailable

app = typer.Typer(
    name="hub",
    help="The partner network hub: one catalogue and one referral ledger for a network of export helpers.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo.demo)
app.command("serve")(serve.serve)
app.command("work")(serve.work)
app.command("migrate")(serve.migrate)
app.command("doctor")(serve.doctor)
app.command("import")(imports.import_)
app.command("rebuild")(rebuild.rebuild)
app.command("audit")(audit.audit)
app.command("schema")(documents.schema)
app.command("openapi")(documents.openapi)
partners.app.command("kafka")(partner_kafka.kafka)
for name, command in (
    ("grant", admissions.grant),
    ("requests", admissions.requests),
    ("applications", admissions.list_applications),
    ("approve", admissions.approve),
    ("refuse", admissions.refuse_),
):
    partners.app.command(name)(command)
app.add_typer(partners.app, name="partner")
app.add_typer(clients.app, name="client")
app.add_typer(keys.app, name="keys")
app.add_typer(people.app, name="person")
app.add_typer(ledger.app, name="ledger")
app.add_typer(parked.app, name="parked")
app.add_typer(privacy.app, name="privacy")


def main() -> None:
    """Run the command line."""
    try:
        app()
    except Unfit as error:
        talk.print(f"[bold red]{error.refusal.code}[/]: {error.refusal.message}")
        talk.print(f"[dim]{error.refusal.remedy}[/]")
        raise SystemExit(1) from None
    except StoreUnavailable as error:
        talk.print(f"[bold red]hub.unavailable[/]: {error}")
        talk.print("[dim]Start the database and Kafka, or check HUB_DATABASE_URL and HUB_KAFKA_BOOTSTRAP.[/]")
        raise SystemExit(1) from None
    except ValidationError as error:
        for one in error.errors():
            name = f"HUB_{str(one['loc'][0]).upper()}" if one["loc"] else error.title
            talk.print(f"[bold red]{name}[/] is {one['input']!r}: {one['msg']}.")
        talk.print("[dim]hub doctor lists the settings; docs/settings.md says what each may be.[/]")
        raise SystemExit(2) from None
