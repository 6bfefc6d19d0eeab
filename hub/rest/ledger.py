"""The public face of the ledger: C2SP tlog-tiles, signed checkpoints, RFC 9162 proofs.

Size, leaf indexes and leaf hashes are public; entries are salted commitments, which say nothing.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, PlainTextResponse
from sqlalchemy import Connection
from starlette.responses import Response

from hub.auth.access import OPEN
from hub.ledger import merkle, tree
from hub.ledger.tiles import encode_entries, parse_path, width_at
from hub.ledger.tree import TILE_WIDTH
from hub.rest.problems import found
from hub.store.engine import Store
from hub.store.ledger import SqlTiles, entries, newest_head

INDEX_MAX = 2**53
_TILE: dict[int | str, dict[str, Any]] = {200: {"content": {"application/octet-stream": {}}}}
FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
FRESH = {"Cache-Control": "no-cache"}


def build_router(store: Store, verifier_key: str) -> APIRouter:
    """Addresses under /ledger."""
    router = APIRouter(prefix="/ledger", tags=["ledger"], dependencies=[OPEN])

    @router.get("/key", response_class=PlainTextResponse)
    async def key() -> Response:
        """The note verifier key of the checkpoints."""
        return PlainTextResponse(verifier_key + "\n", headers=FRESH)

    @router.get("/checkpoint", response_class=PlainTextResponse)
    async def checkpoint() -> Response:
        """The newest signed checkpoint."""
        head = await store.read(newest_head)
        return PlainTextResponse(found(head, "checkpoint yet").note, headers=FRESH)

    @router.get("/tile/{path:path}", response_class=Response, responses=_TILE)
    async def tile(path: str) -> Response:
        """A tile of hashes, or a bundle of entries."""
        content = await store.inspect(lambda conn: _tile(conn, path))
        return Response(found(content, "such tile"), media_type="application/octet-stream", headers=FOREVER)

    @router.get("/proof")
    async def proof(
        leaf: int = Query(ge=0, le=INDEX_MAX), size: int | None = Query(None, ge=1, le=INDEX_MAX)
    ) -> Response:
        """Inclusion of a leaf in the tree of that size, the newest if none is given."""
        return await _proven(
            store, lambda conn: _inclusion(conn, leaf, size), "such leaf in a tree of that size"
        )

    @router.get("/consistency")
    async def consistency(
        from_: int = Query(ge=1, le=INDEX_MAX, alias="from"), to: int | None = Query(None, ge=1, le=INDEX_MAX)
    ) -> Response:
        """Proof that the larger tree extends the smaller."""
        return await _proven(store, lambda conn: _consistency(conn, from_, to), "such pair of tree sizes")

    return router


async def _proven(store: Store, prove: Callable[[Connection], dict[str, Any] | None], what: str) -> Response:
    return JSONResponse(found(await store.inspect(prove), what), headers=FRESH)


def _tile(conn: Connection, path: str) -> bytes | None:
    wanted, head = parse_path(f"tile/{path}"), newest_head(conn)
    if wanted is None or head is None or width_at(wanted, head.size) < wanted.width:
        return None
    if wanted.level is None:
        return encode_entries(entries(conn, wanted.position * TILE_WIDTH, wanted.width))
    hashes = SqlTiles(conn).get(wanted.level, wanted.position)
    return hashes[: wanted.width * 32] if hashes else None


def _inclusion(conn: Connection, leaf: int, size: int | None) -> dict[str, Any] | None:
    head = newest_head(conn)
    size = size or (head.size if head else 0)
    if head is None or size > head.size or leaf >= size:
        return None
    tiles = SqlTiles(conn)
    return {
        "leaf_index": leaf,
        "tree_size": size,
        "leaf_hash": _text(merkle.leaf_hash(entries(conn, leaf, 1)[0])),
        "root_hash": _text(tree.root(tiles, size)),
        "hashes": [_text(one) for one in tree.inclusion_proof(tiles, leaf, size)],
    }


def _consistency(conn: Connection, from_: int, to: int | None) -> dict[str, Any] | None:
    head = newest_head(conn)
    to = to or (head.size if head else 0)
    if head is None or not from_ <= to <= head.size:
        return None
    tiles = SqlTiles(conn)
    return {
        "from": from_,
        "to": to,
        "from_root": _text(tree.root(tiles, from_)),
        "to_root": _text(tree.root(tiles, to)),
        "hashes": [_text(one) for one in tree.consistency_proof(tiles, from_, to)],
    }


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
