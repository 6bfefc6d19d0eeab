"""hub ledger: check the public ledger from outside, trusting nothing but its key."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from hub.cli.options import Json
from hub.cli.terminal import print_json, refuse, talk
from hub.domain.refusal import Refusal
from hub.ledger import merkle, tree
from hub.ledger.checkpoint import Checkpoint
from hub.ledger.checkpoint import verify as verify_note
from hub.ledger.tiles import TilePath, decode_entries, format_path
from hub.settings import Settings

TIMEOUT_S = 30.0
app = typer.Typer(no_args_is_help=True, help="The ledger.")


class Unsound(Exception):
    """The ledger does not hold what it must."""


@app.command("verify")
def verify(
    url: Annotated[str | None, typer.Argument(help="Address of the hub; HUB_PUBLIC_URL if absent.")] = None,
    since: Annotated[
        Path | None, typer.Option(help="Checkpoint file seen earlier; it is replaced by the new one.")
    ] = None,
    json_: Json = False,
) -> None:
    """Fetch key, checkpoint and every entry; recompute the root; check that an earlier state is extended."""
    base = (url or Settings().public_url).rstrip("/")
    try:
        note, vkey, storage, checkpoint = asyncio.run(_fetch(base))
        if since and since.exists():
            _check_extends(since.read_text(), vkey, storage, checkpoint)
        if since:
            since.write_text(note)
        report: dict[str, Any] = {
            "size": checkpoint.size,
            "root_hash": base64.b64encode(checkpoint.root).decode(),
            "ok": True,
        }
    except Unsound as error:
        talk.print(f"[bold red]unsound[/]: {error}")
        report = {"size": 0, "root_hash": "", "ok": False}
    except httpx.HTTPError as error:
        refuse(Refusal("hub.unavailable", f"{base} did not answer: {error}", "Is the hub running there?"))
    if json_:
        print_json(report)
    elif report["ok"]:
        talk.print(f"[green]sound[/]: {report['size']} entries, root {report['root_hash']}")
    if not report["ok"]:
        raise typer.Exit(1)


async def _fetch(base: str) -> tuple[str, str, _Memory, Checkpoint]:
    """Note, key, recomputed tree and signed head; Unsound unless they agree."""
    async with httpx.AsyncClient(base_url=base, timeout=TIMEOUT_S) as http:
        vkey = (await _get(http, "/ledger/key")).text.strip()
        note = (await _get(http, "/ledger/checkpoint")).text
        head = verify_note(note, vkey)
        if head is None:
            raise Unsound("the checkpoint is not signed by the ledger's key")
        storage = _Memory()
        size = 0
        for first in range(0, head.size, tree.TILE_WIDTH):
            width = min(tree.TILE_WIDTH, head.size - first)
            path = format_path(TilePath(None, first // tree.TILE_WIDTH, width))
            found = decode_entries((await _get(http, f"/ledger/{path}")).content)
            if found is None or len(found) != width:
                raise Unsound(f"{path} is not a bundle of {width} entries")
            size = tree.append(storage, size, [merkle.leaf_hash(one) for one in found])
    if tree.root(storage, size) != head.root:
        raise Unsound("the entries do not add up to the signed root")
    return note, vkey, storage, head


def _check_extends(note: str, vkey: str, storage: _Memory, head: Checkpoint) -> None:
    earlier = verify_note(note, vkey)
    if earlier is None:
        raise Unsound("the earlier checkpoint is not signed by the key that the ledger has now")
    if earlier.size > head.size or tree.root(storage, earlier.size) != earlier.root:
        raise Unsound(f"the earlier ledger of {earlier.size} entries is not part of the present one")


class _Memory:
    """Tiles of the recomputed tree."""

    def __init__(self) -> None:
        self._tiles: dict[tuple[int, int], bytes] = {}

    def get(self, level: int, position: int) -> bytes | None:
        """A tile, if there is one."""
        return self._tiles.get((level, position))

    def put(self, level: int, position: int, hashes: bytes) -> None:
        """Keep a tile."""
        self._tiles[level, position] = hashes


async def _get(http: httpx.AsyncClient, path: str) -> httpx.Response:
    answer = await http.get(path)
    if answer.status_code == 404:
        raise Unsound(f"{path} is missing")
    return answer.raise_for_status()
