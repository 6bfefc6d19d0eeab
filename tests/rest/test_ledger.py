"""The public ledger over HTTP, checked from outside against definitions of our own."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from hub.ledger.checkpoint import verify as verify_note
from hub.ledger.tiles import decode_entries
from tests.ledger.rfc9162 import path, proof, tree_hash
from tests.support.messages import KENT, partner, service
from tests.support.serving import Served, Session
from tests.support.waiting import PATIENCE_S

EVENTS = 270
"""More than one full tile of 256."""


def b64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


@pytest.fixture(scope="module")
def grown(served: Served) -> Iterator[httpx.Client]:
    """The address of a ledger with a full and a partial tile; nobody needs a token for it."""

    async def grow() -> None:
        kent = partner(KENT)
        async with Session(served) as session:
            for part in range(3):
                batch = [service(kent, f"s-{part}-{n}") for n in range(EVENTS // 3)]
                headers = {"Content-Type": "application/cloudevents-batch+json", "Prefer": "wait=20"}
                answer = await session.post(KENT, batch, headers=headers)
                assert answer.status_code == 200, answer.text

    asyncio.run(grow())
    with httpx.Client(base_url=served.base_url, timeout=PATIENCE_S) as http:
        yield http


def signed_size(http: httpx.Client) -> tuple[int, bytes]:
    head = verify_note(http.get("/ledger/checkpoint").text, http.get("/ledger/key").text.strip())
    assert head is not None
    return head.size, head.root


@pytest.fixture(scope="module")
def entries(grown: httpx.Client) -> list[bytes]:
    """All entries, from their bundles."""
    size, _ = signed_size(grown)
    found: list[bytes] = []
    for bundle in ("000", f"001.p/{size - 256}"):
        content = decode_entries(grown.get(f"/ledger/tile/entries/{bundle}").content)
        assert content is not None
        found += content
    return found


def test_the_entries_add_up_to_the_signed_root(grown: httpx.Client, entries: list[bytes]) -> None:
    size, root = signed_size(grown)
    assert size == len(entries) > EVENTS
    assert tree_hash(entries) == root
    assert tree_hash(entries[:-1]) != root


def test_a_checkpoint_with_another_size_is_not_signed(grown: httpx.Client) -> None:
    note, key = grown.get("/ledger/checkpoint").text, grown.get("/ledger/key").text.strip()
    size = verify_note(note, key).size  # type: ignore[union-attr]
    assert verify_note(note.replace(f"\n{size}\n", f"\n{size + 1}\n"), key) is None


def test_tiles_hold_the_leaf_hashes_and_the_roots_above(grown: httpx.Client, entries: list[bytes]) -> None:
    full = grown.get("/ledger/tile/0/000")
    assert full.content == b"".join(tree_hash([entry]) for entry in entries[:256])
    assert "immutable" in full.headers["cache-control"]
    rest = len(entries) - 256
    partial = grown.get(f"/ledger/tile/0/001.p/{rest}").content
    assert partial == b"".join(tree_hash([entry]) for entry in entries[256:])
    assert grown.get("/ledger/tile/1/000.p/1").content == tree_hash(entries[:256])


@pytest.mark.parametrize("leaf", [0, 1, 128, 255, 256, 269])
@pytest.mark.parametrize("size", [None, 270, 271])
def test_inclusion_is_proven(grown: httpx.Client, entries: list[bytes], leaf: int, size: int | None) -> None:
    answer = grown.get("/ledger/proof", params={"leaf": leaf, **({"size": size} if size else {})}).json()
    tree = entries[: size or len(entries)]
    assert answer == {
        "leaf_index": leaf,
        "tree_size": len(tree),
        "leaf_hash": answer["leaf_hash"],
        "root_hash": answer["root_hash"],
        "hashes": answer["hashes"],
    }
    assert b64(answer["leaf_hash"]) == tree_hash([entries[leaf]])
    assert b64(answer["root_hash"]) == tree_hash(tree)
    assert [b64(one) for one in answer["hashes"]] == path(leaf, tree)


@pytest.mark.parametrize(("from_", "to"), [(1, 2), (1, 270), (128, 256), (200, 257), (256, 270), (270, 270)])
def test_consistency_is_proven(grown: httpx.Client, entries: list[bytes], from_: int, to: int) -> None:
    answer = grown.get("/ledger/consistency", params={"from": from_, "to": to}).json()
    assert (answer["from"], answer["to"]) == (from_, to)
    assert b64(answer["from_root"]) == tree_hash(entries[:from_])
    assert b64(answer["to_root"]) == tree_hash(entries[:to])
    assert [b64(one) for one in answer["hashes"]] == proof(from_, entries[:to])


@pytest.mark.parametrize(
    ("path_", "status"),
    [
        ("/ledger/proof", 422),
        ("/ledger/proof?leaf=-1", 422),
        ("/ledger/proof?leaf=x", 422),
        ("/ledger/proof?leaf=1e3", 422),
        ("/ledger/proof?leaf=99999999999999999999", 422),
        ("/ledger/proof?leaf=0&size=0", 422),
        ("/ledger/proof?leaf=5&size=5", 404),
        ("/ledger/proof?leaf=0&size=100000", 404),
        ("/ledger/proof?leaf=100000", 404),
        ("/ledger/consistency?to=5", 422),
        ("/ledger/consistency?from=0&to=5", 422),
        ("/ledger/consistency?from=6&to=5", 404),
        ("/ledger/consistency?from=1&to=100000", 404),
        ("/ledger/tile/0/001", 404),
        ("/ledger/tile/0/001.p/255", 404),
        ("/ledger/tile/0/1", 404),
        ("/ledger/tile/7/000", 404),
        ("/ledger/tile/-1/000", 404),
        ("/ledger/tile/x/000", 404),
        ("/ledger/tile/entries/x000/000.p/0", 404),
        ("/ledger/tile/", 404),
    ],
)
def test_what_cannot_be_proven_is_a_problem(grown: httpx.Client, path_: str, status: int) -> None:
    request = grown.build_request("GET", "/")
    answer = grown.send(httpx.Request("GET", str(request.url.join("/")).rstrip("/") + path_))
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["code"] == ("payload.invalid" if status == 422 else "resource.not_found")
    assert document["status"] == status
    assert document["remedy"]
