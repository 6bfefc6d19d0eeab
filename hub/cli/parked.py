"""hub parked: messages that nobody could read, and events that could not be folded."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any

import typer
from rich.table import Table
from sqlalchemy import Connection

from hub.cli.options import Json
from hub.cli.session import run
from hub.cli.terminal import data, print_json, talk
from hub.domain.refusal import Refusal
from hub.events.deliveries import unpacked
from hub.events.replay import replay as replay_parked
from hub.events.spine import Hub
from hub.store.deliveries import delivery_at, place_named
from hub.store.engine import StoreUnavailable
from hub.store.parked import Parked, find_parked, parked_events, parked_headings

app = typer.Typer(no_args_is_help=True, help="What was parked: list, look at, replay.")
_SEQ = re.compile(r"seq/(\d{1,18})", re.ASCII)


@app.command("list")
def list_(json_: Json = False) -> None:
    """List what is parked: first what was not replayed, each oldest first."""
    found: list[Parked] = run(
        lambda hub: hub.store.inspect(lambda conn: [*parked_events(conn), *parked_headings(conn)])
    )
    if json_:
        print_json([_heading(one) for one in found])
        return
    table = Table("id", "partner", "error", "parked at", "replayed at")
    for one in found:
        table.add_row(one.id, one.partner or "", one.error, one.parked_at, one.replayed_at or "")
    data.print(table)


@app.command("show")
def show(id_: str, json_: Json = False) -> None:
    """Show one with its content, as text or in hexadecimal digits."""
    row: dict[str, Any] = run(lambda hub: hub.store.inspect(lambda conn: _shown(conn, hub, id_)))
    if json_:
        print_json(row)
        return
    for name, value in row.items():
        if value not in (None, {}):
            data.print(f"[bold]{name}[/]:", end=" ")
            data.print(value, markup=False, soft_wrap=True)


@app.command("replay")
def replay(id_: str, json_: Json = False) -> None:
    """Send one on its way again: a partner's message through the intake, an event's whole key to its fold."""

    async def act(hub: Hub) -> Refusal | None:
        try:
            return await replay_parked(hub, id_)
        except StoreUnavailable as error:
            message = f"The database did not do it: {error}."
            return Refusal("hub.unavailable", message, "Try again; nothing was changed.")

    run(act)
    if json_:
        print_json({"id": id_, "replayed": True})
        return
    talk.print(f"{id_} went its way.", markup=False)


def _heading(one: Parked) -> dict[str, Any]:
    row = asdict(one)
    del row["content"]
    return row


def _shown(conn: Connection, hub: Hub, id_: str) -> dict[str, Any] | Refusal:
    event = _SEQ.fullmatch(id_)
    found = (
        next(iter(parked_events(conn, int(event[1]))), None) if event else find_parked(conn, hub.vault, id_)
    )
    if found is None:
        return Refusal("parked.unknown", f"Nothing is parked as {id_}.", "hub parked list shows what is.")
    place = place_named(id_)
    if place is None:
        return {**_heading(found), "why": None, "headers": {}, **_readable(found.content)}
    delivery = delivery_at(conn, hub.vault, place)
    why = asdict(delivery.refusal) if delivery and delivery.refusal else None
    try:
        message = unpacked(place, found.content)
    except ValueError:
        return {**_heading(found), "why": why, "headers": {}, **_readable(found.content)}
    headers = {name: (value or b"").decode("utf-8", "backslashreplace") for name, value in message.headers}
    return {**_heading(found), "why": why, "headers": headers, **_readable(message.value)}


def _readable(content: bytes) -> dict[str, str | None]:
    """The content as text or, when it is none, in hexadecimal digits."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return {"text": None, "hex": content.hex()}
    return {"text": text, "hex": None} if _is_printable(text) else {"text": None, "hex": content.hex()}


def _is_printable(text: str) -> bool:
    """Whether a terminal may show it: control characters could make it do other things."""
    return all(one.isprintable() or one in "\n\r\t" for one in text)
