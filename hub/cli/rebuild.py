"""hub rebuild: fold every event again beside the live read model, and compare."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import typer
from rich.progress import Progress as Bar
from sqlalchemy import Connection, select

from hub.cli.partners import run
from hub.cli.serve import Json
from hub.cli.terminal import print_json, talk
from hub.events.backbone import EmbeddedBackbone
from hub.events.progress import Progress
from hub.events.projector import STREAM, Projector
from hub.events.spine import Hub
from hub.store.engine import SqliteStore
from hub.store.projection import offset_of
from hub.store.schema import prepare_read_model
from hub.store.tables import read

READ_FILE = "read-rebuilt.db"


def rebuild(json_: Json = False) -> None:
    """Fold the inbox into a second read model and compare it with the live one, hash by hash."""
    report = run(rebuild_beside)
    if json_:
        print_json(report)
    else:
        same = "[green]equal[/]" if report["equal"] else "[bold red]different[/]"
        talk.print(f"{report['events']} events folded again; live and rebuilt read model are {same}.")
        if not report["equal"]:
            talk.print("Stop the hub, delete read.db, and start it: the read model is folded again.")
    if not report["equal"]:
        raise typer.Exit(1)


async def rebuild_beside(hub: Hub) -> dict[str, Any]:
    """events, live_hash, rebuilt_hash, equal; as of one moment of the live model, which may go on."""
    await hub.prepare()
    offset, live_hash = await hub.store.read(lambda conn: (offset_of(conn, STREAM), model_hash(conn)))
    folder = hub.settings.data_dir
    for file in folder.glob(f"{READ_FILE}*"):
        file.unlink()
    beside = SqliteStore(folder, read_file=READ_FILE)
    try:
        await prepare_read_model(beside)
        projector = Projector(beside, EmbeddedBackbone(beside, asyncio.Event()), Progress())
        with Bar(console=talk, transient=True) as bar:
            task = bar.add_task("folding", total=offset)
            while await projector.step(until=offset):
                bar.update(task, completed=await beside.read(lambda conn: offset_of(conn, STREAM)))
        rebuilt_hash = await beside.read(model_hash)
    finally:
        await beside.close()
        for file in folder.glob(f"{READ_FILE}*"):
            file.unlink()
    return {
        "events": offset,
        "live_hash": live_hash,
        "rebuilt_hash": rebuilt_hash,
        "equal": live_hash == rebuilt_hash,
    }


def model_hash(conn: Connection) -> str:
    """Hex SHA-256 over every row of every table of the read model, in the order of their keys."""
    digest = hashlib.sha256()
    for table in read.sorted_tables:
        for row in conn.execute(select(table).order_by(*table.primary_key.columns)):
            digest.update(repr((table.name, *row)).encode())
    return digest.hexdigest()
