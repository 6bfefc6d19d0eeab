"""hub keys: the hub's own keys for access tokens."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table
from sqlalchemy import Connection

from hub.auth.oauth.signing import KEY_FILE, Signing, UnderWay, rotate
from hub.cli.operator import OPERATOR
from hub.cli.options import Json
from hub.cli.session import run
from hub.cli.terminal import data, print_json, refuse, talk
from hub.domain.refusal import Refusal
from hub.domain.values import rfc3339
from hub.events.audit import Acted, record
from hub.events.spine import Hub
from hub.settings import Settings
from hub.store.keyfiles import KeyFileBusy

app = typer.Typer(no_args_is_help=True, help="The hub's own keys, which sign access tokens.")

Compromised = Annotated[
    bool, typer.Option("--compromised", help="The key is in wrong hands: end it, and every token, now.")
]


@app.command("list")
def list_(json_: Json = False) -> None:
    """List the keys: the one that signs, the one before it, and the one that comes."""
    _show(_signing(), json_)


@app.command("rotate")
def rotate_(compromised: Compromised = False, json_: Json = False) -> None:
    """Publish a new key, which signs ten minutes later; running processes follow by themselves."""
    _signing()
    run(lambda hub: hub.store.intake(lambda conn: _rotate(conn, hub, compromised=compromised)))
    _show(_signing(), json_)
    if compromised:
        talk.print("Every token that was issued is refused within a second; clients get new ones.")


def _rotate(conn: Connection, hub: Hub, *, compromised: bool) -> Refusal | None:
    """Rotate and record it: where the store does not answer, nothing is rotated."""
    try:
        kid = rotate(hub.settings.keys_dir, int(time.time()), compromised=compromised)
    except UnderWay as waiting:
        message = f"A new key is published already, and signs from {_told(waiting.signs_from_s)}."
        return Refusal("keys.rotating", message, "Wait until then. --compromised replaces every key at once.")
    except KeyFileBusy:
        return Refusal("keys.rotating", "Another process is rotating the keys.", "See hub keys list.")
    record(conn, hub.vault, OPERATOR, "key.rotated", Acted(("signing-key", kid)))
    return None


def _signing() -> Signing:
    file = Settings().keys_dir / KEY_FILE
    if not file.exists():
        message = f"There is no {file.absolute()}: no hub has run on this folder."
        refuse(Refusal("folder.empty", message, "Set HUB_DATA_DIR or HUB_KEYS_DIR as hub serve has it."))
    return Signing(file)


def _show(signing: Signing, json_: bool) -> None:
    rows: list[dict[str, Any]] = [
        {
            "kid": key.kid,
            "state": state,
            "signs_from": _told(key.signs_from_s),
            "verifies_until": None if key.ends_s is None else _told(key.ends_s),
        }
        for key, state in signing.listed()
    ]
    if json_:
        print_json(rows)
        return
    table = Table("key", "state", "signs from", "verifies until")
    for row in rows:
        table.add_row(row["kid"], row["state"], row["signs_from"] or "the start", row["verifies_until"] or "")
    data.print(table)


def _told(at_s: int) -> str | None:
    return rfc3339(datetime.fromtimestamp(at_s, UTC)) if at_s else None
