"""GraphQL over HTTP: status codes, media types, and requests that are none."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from graphql import GraphQLError

from hub.domain.principal import Principal
from hub.graphql import build_router
from hub.graphql.router import TOOL_HEADER, masked, only_queries
from hub.graphql.transport import BODY_BYTES_MAX, answer_type
from tests.graphql.catalogue.world import World

NEWER, OLDER = "application/graphql-response+json", "application/json"
QUERY = "{ me { audience } }"
DATA = {"data": {"me": {"audience": "public"}}}


async def _post(world: World, body: Any, accept: str = OLDER, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {"content-type": OLDER, "accept": accept, **headers}
    return await world.http.post("/graphql", content=content, headers=named)


@pytest.mark.parametrize("accept", [NEWER, OLDER])
async def test_an_answer_comes_in_the_media_type_that_was_asked_for(world: World, accept: str) -> None:
    for response in (
        await _post(world, {"query": QUERY}, accept),
        await world.http.get("/graphql", params={"query": QUERY}, headers={"accept": accept}),
    ):
        assert response.status_code == 200
        assert response.headers["content-type"] == f"{accept}; charset=utf-8"
        assert response.json() == DATA


@pytest.mark.parametrize(
    ("accept", "given"),
    [
        (None, OLDER),
        ("", OLDER),
        ("*/*", OLDER),
        ("application/*", OLDER),
        (NEWER, NEWER),
        (f"{NEWER}, {OLDER}", NEWER),
        (f"{OLDER}, {NEWER}", OLDER),
        (f"{OLDER};q=0.9, {NEWER}", NEWER),
        (f"{OLDER}; charset=utf-8 ; q=0.9, {NEWER};q=0.1", OLDER),
        (f"text/html, {NEWER.upper()};q=0.5", NEWER),
        ("text/html, */*;q=0.1", OLDER),
        (f"{OLDER};q=0", None),
        (f"{OLDER};q=x", None),
        ("text/html", None),
    ],
)
def test_media_type_follows_the_accept_header(accept: str | None, given: str | None) -> None:
    assert answer_type(accept) == given


async def test_a_client_that_takes_neither_media_type_gets_406(world: World) -> None:
    response = await _post(world, {"query": QUERY}, "text/html")
    assert response.status_code == 406
    assert NEWER in response.json()["errors"][0]["message"]


REQUEST_ERRORS: list[dict[str, Any]] = [
    {"query": "{"},
    {"query": "{ nothing }"},
    {"query": "query Q($n: Int!) { services(first: $n) { totalCount } }"},
    {"query": "query Q($n: Int!) { services(first: $n) { totalCount } }", "variables": {"n": "1"}},
    {"query": "query A { me { audience } } query B { me { name } }"},
    {"query": "query A { me { audience } }", "operationName": "B"},
    {"query": "mutation { me { audience } }"},
    {"query": "subscription { me { audience } }"},
    {"query": "{ " + " ".join(f"a{n}: __typename" for n in range(61)) + " }"},
]


@pytest.mark.parametrize("body", REQUEST_ERRORS, ids=lambda body: body["query"][:40])
async def test_a_request_that_cannot_be_executed_has_no_data(world: World, body: dict[str, Any]) -> None:
    newer, older = await _post(world, body, NEWER), await _post(world, body, OLDER)
    assert (newer.status_code, older.status_code) == (400, 200)
    for response in (newer, older):
        assert list(response.json()) == ["errors"]
        assert response.json()["errors"][0]["message"]


async def test_a_field_that_fails_leaves_the_rest_and_the_status(world: World) -> None:
    body = {"query": '{ me { audience } service(id: "x") { id } }'}
    assert (await _post(world, body, NEWER)).json() == {"data": {**DATA["data"], "service": None}}
    failed = await _post(world, {"query": '{ vocabulary(name: "x") { code } }'}, NEWER)
    assert failed.status_code == 200
    assert failed.json()["data"] is None
    assert failed.json()["errors"][0]["path"] == ["vocabulary"]


@pytest.mark.parametrize("accept", [NEWER, OLDER])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b'[{"query": "{ me { audience } }"}]',
        b'{"query": "{ me { audience } }", "query": "{ me { name } }"}',
        b'{"query": "{ me { audience } }", "variables": {"n": NaN}}',
        b'{"query": "{ me { audience } }", "variables": {"n": ' + b"9" * 5_000 + b"}}",
        b'{"query": "{ me { audience } }", "variables": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
        b'{"query": "{ me { audience } }", "variables": {"n": "\\ud800"}}',
        b'{"query": "\xff"}',
        b"{}",
        b'{"query": ""}',
        b'{"query": null}',
        b'{"query": 1}',
        b'{"query": ["{ me { audience } }"]}',
        b'{"query": "{ me { audience } }", "operationName": 1}',
        b'{"query": "{ me { audience } }", "variables": "{}"}',
        b'{"query": "{ me { audience } }", "variables": [1]}',
        b'{"query": "{ me { audience } }", "extensions": 1}',
    ],
    ids=lambda body: body[:60].decode(errors="replace"),
)
async def test_a_malformed_request_is_a_400(world: World, body: bytes, accept: str) -> None:
    response = await _post(world, body, accept)
    assert response.status_code in ((400, 413) if len(body) > BODY_BYTES_MAX else (400,))
    assert response.json()["errors"][0]["extensions"]["code"] == "payload.invalid"


async def test_members_that_are_null_or_unknown_do_not_matter(world: World) -> None:
    body = {"query": QUERY, "variables": None, "operationName": None, "extensions": {"a": 1}, "id": "x"}
    assert (await _post(world, body)).json() == DATA


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/graphql",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin-1",
    ],
)
async def test_another_content_type_is_a_415(world: World, content_type: str) -> None:
    response = await _post(world, {"query": QUERY}, **{"content-type": content_type})
    assert response.status_code == 415


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=UTF-8", 'Application/JSON;charset="utf-8"']
)
async def test_json_in_utf_8_is_read_however_it_is_called(world: World, content_type: str) -> None:
    body = {"query": 'query Q { services(search: "é") { totalCount } }'}
    content = json.dumps(body, ensure_ascii=False).encode()
    response = await _post(world, content, **{"content-type": content_type})
    assert response.json() == {"data": {"services": {"totalCount": 0}}}


async def test_a_body_beyond_the_limit_is_not_read_to_its_end(world: World) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 64 * BODY_BYTES_MAX:
            sent += 65_536
            yield b" " * 65_536

    response = await world.http.post("/graphql", content=endless(), headers={"content-type": OLDER})
    assert response.status_code == 413
    assert sent <= 2 * BODY_BYTES_MAX


async def test_a_get_takes_every_parameter(world: World) -> None:
    params = {
        "query": "query A($n: Int!) { services(first: $n) { totalCount } } query B { me { audience } }",
        "operationName": "A",
        "variables": '{"n": 1}',
        "extensions": "{}",
    }
    assert (await world.http.get("/graphql", params=params)).json() == {
        "data": {"services": {"totalCount": 0}}
    }


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"query": ""},
        {"query": QUERY, "variables": "{"},
        {"query": QUERY, "variables": "1"},
        {"query": QUERY, "extensions": "[]"},
        {"query": [QUERY, QUERY]},
    ],
)
async def test_a_malformed_get_is_a_400(world: World, params: dict[str, Any]) -> None:
    assert (await world.http.get("/graphql", params=params)).status_code == 400


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_other_methods_are_a_405(world: World, method: str) -> None:
    assert (await world.http.request(method, "/graphql")).status_code == 405


async def test_answers_are_not_kept_by_caches_nor_shared_between_callers(world: World) -> None:
    headers = (await _post(world, {"query": QUERY})).headers
    assert headers["cache-control"] == "no-store"
    assert headers["vary"] == "Accept, Authorization, Cookie"


class NotLetIn(Exception):
    """What an authenticator raises."""


async def test_a_caller_that_is_not_let_in_is_answered_by_the_application(world: World) -> None:
    async def nobody(_request: Request) -> Principal:
        raise NotLetIn

    app = FastAPI()
    app.include_router(build_router(world.store, world.vault, nobody))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as client:
        with pytest.raises(NotLetIn):
            await client.post("/graphql", json={"query": "{"})


async def test_a_fault_of_our_own_keeps_its_text_from_clients(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await world.store.own(lambda conn: conn.exec_driver_sql("DROP TABLE read.service_row"))
    with caplog.at_level(logging.ERROR):
        response = await _post(world, {"query": "{ me { audience } services { totalCount } }"}, NEWER)
    assert response.status_code == 200
    (error,) = response.json()["errors"]
    assert error["message"] == "internal error"
    assert error["path"] == ["services"]
    assert error["extensions"]["fault"] in caplog.text
    assert "service_row" in caplog.text
    assert "service_row" not in response.text


def test_errors_that_are_meant_for_clients_stay_as_they_are() -> None:
    meant = GraphQLError("no", path=["a"], original_error=GraphQLError("no"))
    about_the_request = GraphQLError("bad variable", original_error=ValueError("bad variable"))
    assert masked([meant, about_the_request]) == [meant, about_the_request]


def test_graphiql_sends_queries_alone_unless_mutations_are_switched_on() -> None:
    def status(method: str, *, from_graphiql: bool, switched_on: bool) -> int | None:
        headers = [(TOOL_HEADER.encode(), b"1")] if from_graphiql else []
        request = Request({"type": "http", "method": method, "headers": headers})
        refused = only_queries(request, switched_on)
        return refused.status if refused else None

    assert status("POST", from_graphiql=True, switched_on=False) == 403
    assert status("POST", from_graphiql=True, switched_on=True) is None
    assert status("POST", from_graphiql=False, switched_on=False) is None
    assert status("GET", from_graphiql=True, switched_on=True) == 405
