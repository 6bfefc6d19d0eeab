"""hub person: who signs in, and what they may do there."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table
from sqlalchemy import Connection

from hub.auth.people.sign_in import ENROL_PATH, make_link
from hub.cli.operator import OPERATOR
from hub.cli.options import Json, Scope
from hub.cli.session import run
from hub.cli.terminal import data, print_json, talk, tell
from hub.domain.audit import Act
from hub.domain.refusal import Refusal
from hub.domain.scopes import DEFAULT_SCOPES, Audience
from hub.events.audit import Acted, record
from hub.events.spine import Hub
from hub.store import people
from hub.store.people import NewPerson, Person

app = typer.Typer(no_args_is_help=True, help="People who sign in: managers, and advisers at partners.")


@app.command("add")
def add(
    email: str,
    audience: Annotated[str, typer.Option(help="manager, or partner.")],
    name: Annotated[str, typer.Option(help="Name of the person.")] = "",
    partner: Annotated[str | None, typer.Option(help="Slug of the partner where the person works.")] = None,
    network: Annotated[
        list[str], typer.Option(help="Bind a manager to this network; all unless given.")
    ] = [],  # noqa: B006
    scope: Scope = [],  # noqa: B006
    json_: Json = False,
) -> None:
    """Add a person, and print the link by which it chooses password and authenticator: once, for a day."""
    if audience not in (Audience.MANAGER, Audience.PARTNER):
        raise typer.BadParameter("is neither manager nor partner", param_hint="--audience")
    new = NewPerson(
        email=email.strip(),
        name=name,
        audience=Audience(audience),
        partner=partner,
        networks=frozenset(network) or None,
        scopes=tuple(scope) or DEFAULT_SCOPES[Audience(audience)],
    )
    show_link(run(lambda hub: add_person(hub, new), make=True), json_)


async def add_person(hub: Hub, new: NewPerson) -> dict[str, Any] | Refusal:
    """A person with a link of its own: id, link, and the scopes it got."""

    def work(conn: Connection) -> tuple[str, str] | Refusal:
        try:
            id_ = people.add_person(conn, hub.vault, new, datetime.now(UTC))
        except ValueError as error:
            return Refusal("login.refused", str(error), "hub person add --help explains the options.")
        _record(conn, hub, "person.added", id_)
        return id_, make_link(conn, hub.vault, id_, time.time())

    made = await hub.store.intake(work)
    if isinstance(made, Refusal):
        return made
    return {"id": made[0], "link": link(hub, made[1]), "scopes": list(new.scopes)}


def link(hub: Hub, token: str) -> str:
    """The address that a person opens to choose its credentials."""
    return f"{hub.settings.public_url}{ENROL_PATH}/{token}"


@app.command("list")
def list_(json_: Json = False) -> None:
    """List everyone."""

    async def rows(hub: Hub) -> list[dict[str, Any]]:
        return await hub.store.inspect(lambda conn: _rows(conn, hub))

    found = run(rows)
    if json_:
        print_json(found)
        return
    table = Table("e-mail", "audience", "partner", "networks", "standing", "id")
    for row in found:
        networks = "all" if row["networks"] is None else ", ".join(row["networks"])
        table.add_row(
            row["email"] or "(erased)", row["audience"], row["partner"], networks, row["standing"], row["id"]
        )
    data.print(table)


@app.command("suspend")
def suspend(email: str, json_: Json = False) -> None:
    """Shut a person out, at once: sessions and tokens too."""
    row = _change(email, "person.suspended", lambda conn, one: people.set_suspended(conn, one.id, True))
    tell(row, f"{email} is suspended.", json_=json_)


@app.command("resume")
def resume(email: str, json_: Json = False) -> None:
    """Let a suspended person in again."""
    row = _change(email, "person.resumed", lambda conn, one: people.set_suspended(conn, one.id, False))
    tell(row, f"{email} may sign in again.", json_=json_)


@app.command("sign-out")
def sign_out(email: str, json_: Json = False) -> None:
    """End every session and token of a person, at once."""
    row = _change(email, "sessions.ended", lambda conn, one: people.end_everywhere(conn, one.id))
    tell(row, f"{email} is signed out everywhere.", json_=json_)


@app.command("grant")
def grant(email: str, scope: Scope, json_: Json = False) -> None:
    """Replace the scopes of a person, at once."""
    row = _change(email, "grant.changed", lambda conn, one: people.set_grant(conn, one.id, scope))
    tell(row, f"{email} has {len(scope)} scopes.", json_=json_)


@app.command("reset")
def reset(email: str, json_: Json = False) -> None:
    """Take password, authenticator and sessions away, and print a new link."""

    async def again(hub: Hub) -> dict[str, Any] | Refusal:
        def work(conn: Connection) -> tuple[Person, str] | Refusal:
            one = _find(conn, hub, email)
            if isinstance(one, Refusal):
                return one
            people.forget_credentials(conn, one.id)
            _record(conn, hub, "person.reset", one.id)
            return one, make_link(conn, hub.vault, one.id, time.time())

        made = await hub.store.intake(work)
        if isinstance(made, Refusal):
            return made
        return {"id": made[0].id, "link": link(hub, made[1]), "scopes": list(made[0].scopes)}

    show_link(run(again), json_)


def show_link(row: dict[str, Any], json_: bool) -> None:
    """Print a person's link."""
    if json_:
        print_json(row)
        return
    talk.print("Hand this link over on a safe way; it works once, within a day:")
    data.print(row["link"], soft_wrap=True)


def _change(email: str, act: Act, change: Callable[[Connection, Person], object]) -> dict[str, Any]:
    """Change a person, and record it; its row of `hub person list` as it is then."""

    async def do(hub: Hub) -> dict[str, Any] | Refusal:
        def work(conn: Connection) -> dict[str, Any] | Refusal:
            one = _find(conn, hub, email)
            if isinstance(one, Refusal):
                return one
            try:
                change(conn, one)
                _record(conn, hub, act, one.id)
            except ValueError as error:
                return Refusal("login.refused", str(error), "docs/scopes.md lists the scopes.")
            return next(row for row in _rows(conn, hub) if row["id"] == one.id)

        return await hub.store.intake(work)

    row: dict[str, Any] = run(do)
    return row


def _record(conn: Connection, hub: Hub, act: Act, person_id: str) -> None:
    """In the same commit as the act: what cannot be recorded is not done."""
    record(conn, hub.vault, OPERATOR, act, Acted(about=("person", person_id)))


def _find(conn: Connection, hub: Hub, email: str) -> Person | Refusal:
    found = people.find_by_login(conn, people.login_digest(hub.vault, email))
    return found or Refusal(
        "login.unknown", f"Nobody signs in as {email}.", "hub person list shows everyone."
    )


def _rows(conn: Connection, hub: Hub) -> list[dict[str, Any]]:
    everyone = people.list_people(conn)
    named = people.names(conn, hub.vault, [one.id for one in everyone])
    return [
        {
            "id": one.id,
            "email": named[one.id].email if one.id in named else None,
            "name": named[one.id].name if one.id in named else None,
            "audience": one.audience.value,
            "partner": one.partner,
            "networks": None if one.networks is None else sorted(one.networks),
            "scopes": list(one.scopes),
            "standing": _standing(one),
        }
        for one in everyone
    ]


def _standing(one: Person) -> str:
    if one.suspended:
        return "suspended"
    return "active" if one.totp is not None or one.elsewhere else "invited"
