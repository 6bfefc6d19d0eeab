"""POST /events over HTTP: modes, limits, rights, and problem details for all that is wrong."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.messages import EEN, KENT, Message, body, partner, service
from tests.support.serving import Served, Session
from tests.support.waiting import PATIENCE_S

KENTS = partner(KENT)
BATCH = {"Content-Type": "application/cloudevents-batch+json"}
STRUCTURED = {"Content-Type": "application/cloudevents+json"}


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a problem document that is whole."""
    document: dict[str, Any] = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    members = {"type", "title", "status", "detail", "code", "remedy", "errors"}
    assert document.keys() == members
    assert document["status"] == answer.status_code
    assert all(one.keys() == {"index", "field", "message"} for one in document["errors"])
    assert "Traceback" not in answer.text
    return answer.status_code, document["code"]


def binary(message: Message) -> dict[str, str]:
    named = {f"ce-{name}": str(value) for name, value in message.items() if name != "data"}
    return {"Content-Type": "application/json", **named}


async def test_the_binary_form_is_the_duplicate_of_the_structured_one(served: Served) -> None:
    message = service(KENTS, "binary", name={"fr": "Atelier d\u2019export"})
    first = (await served.post(KENT, message)).json()["receipts"][0]
    answer = await served.post(KENT, body(message["data"]), headers=binary(message))
    assert answer.json()["receipts"] == [{**first, "duplicate": True}]


async def test_a_batch_gets_receipts_in_its_order(served: Served) -> None:
    batch = [service(KENTS, f"batch-{n}") for n in range(3)]
    answer = await served.post(KENT, body(batch), headers={**BATCH, "Prefer": "wait=5"})
    assert answer.status_code == 200
    assert [(one["id"], one["status"]) for one in answer.json()["receipts"]] == [
        (message["id"], "applied") for message in batch
    ]


async def test_a_client_with_proofs_of_its_key_is_accepted(served: Served) -> None:
    assert served.rows[EEN]["dpop"]
    assert (await served.post(EEN, service(partner(EEN)))).status_code == 202


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"id": ""}, (400, "event.missing_attribute")),
        ({"time": "now"}, (400, "event.malformed")),
        ({"type": "hub.service.x.v1"}, (422, "event.unknown_type")),
        ({"source": "/partners/other/crm"}, (403, "event.foreign_source")),
        ({"subject": str(uuid4())}, (422, "payload.subject_mismatch")),
        ({"type": "hub.partner.joined.v1", "subject": KENT, "data": {}}, (403, "scope.missing")),
    ],
)
async def test_a_wrong_event_is_a_problem(
    served: Served, changes: Message, expected: tuple[int, str]
) -> None:
    assert problem(await served.post(KENT, {**service(KENTS, "wrong"), **changes})) == expected


@pytest.mark.parametrize(
    ("content", "headers", "expected"),
    [
        (b"{", {}, (400, "event.malformed")),
        (b"\xff", {}, (400, "event.malformed")),
        (b"{}", {"Content-Type": "text/plain"}, (415, "event.unsupported_media_type")),
        (
            b"{}",
            {"Content-Type": "application/cloudevents+json; charset=utf-16"},
            (415, "event.unsupported_media_type"),
        ),
        (b" " * (256 * 1024 + 1), {}, (413, "event.too_large")),
        (b" " * (4 * 1024 * 1024 + 1), BATCH, (413, "event.too_large")),
        (b"[]", BATCH, (400, "event.malformed")),
        (b"[" * 100_000, BATCH, (400, "event.malformed")),
    ],
)
async def test_wrong_bytes_are_a_problem(
    served: Served, content: bytes, headers: dict[str, str], expected: tuple[int, str]
) -> None:
    assert problem(await served.post(KENT, content, headers=headers)) == expected


async def test_a_body_that_does_not_say_its_length_is_read_no_further_than_the_limit(served: Served) -> None:
    async def endless() -> Any:
        for _ in range(100):
            yield b" " * 100_000

    async with Session(served) as session:
        token = await session.headers(KENT)
        kind = {"Content-Type": "application/cloudevents+json"}
        answer = await session.http.post("/events", content=endless(), headers={**token, **kind})
    assert problem(answer) == (413, "event.too_large")


async def test_the_bad_event_of_a_batch_is_named_and_none_is_taken(served: Served) -> None:
    good = service(KENTS, "all-or-nothing")
    bad = {**service(KENTS, "x"), "data": {"own_id": "x", "nmae": {"en": "x"}}}
    answer = await served.post(KENT, body([good, bad]), headers=BATCH)
    assert problem(answer) == (422, "payload.unknown_field")
    assert {one["index"] for one in answer.json()["errors"]} == {1}
    assert not (await served.post(KENT, good)).json()["receipts"][0]["duplicate"]


async def test_without_a_token_nothing_is_read(served: Served) -> None:
    async with httpx.AsyncClient(base_url=served.base_url, timeout=PATIENCE_S) as http:
        kind = {"Content-Type": "application/cloudevents+json"}
        answer = await http.post("/events", content=json.dumps(service(KENTS)), headers=kind)
        assert problem(answer) == (401, "token.missing")
        assert "WWW-Authenticate" in answer.headers
        answer = await http.post("/events", content=b"{}", headers={**kind, "Authorization": "Bearer x"})
        assert problem(answer) == (401, "token.invalid")


async def test_another_method_is_told_which_one_to_use(served: Served) -> None:
    async with httpx.AsyncClient(base_url=served.base_url, timeout=PATIENCE_S) as http:
        answer = await http.get("/events")
        both = await http.delete("/graphql")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.json()["detail"] == "This address takes POST."
    assert (both.status_code, both.headers["allow"]) == (405, "GET, HEAD, POST")


async def test_head_is_answered_like_get_without_the_body(served: Served) -> None:
    async with httpx.AsyncClient(base_url=served.base_url, timeout=PATIENCE_S) as http:
        for path in ("/ledger/key", "/healthz", "/nothing"):
            get, head = await http.get(path), await http.head(path)
            assert head.status_code == get.status_code
            assert head.content == b""
            assert head.headers["content-length"] == str(len(get.content))
        assert (await http.head("/events")).status_code == 405


async def test_the_prefix_itself_is_a_source(served: Served) -> None:
    message = {**service(KENTS, "bare-prefix"), "source": KENTS.source_prefix}
    assert (await served.post(KENT, message)).status_code == 202


@pytest.mark.parametrize("prefer", ["wait=5", 'wait="5"', "respond-async, wait = 99999"])
async def test_waiting_is_preferred_in_every_form_that_the_standard_has(served: Served, prefer: str) -> None:
    message = service(KENTS, f"waited-{prefer}")
    answer = await served.post(KENT, body(message), headers={**STRUCTURED, "Prefer": prefer})
    assert (answer.status_code, answer.json()["receipts"][0]["status"]) == (200, "applied")
