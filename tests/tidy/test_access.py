"""Every route of the application declares what it asks of its caller."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from graphql import GraphQLObjectType

from hub.app import build_app
from hub.auth.access import SCHEME, declared
from hub.domain.scopes import SCOPES, Audience
from hub.graphql.declared import declared_by_field
from hub.graphql.schema import BACKREF, AudienceSchema
from hub.settings import Settings
from tests.tidy.sources import ROOT

NOT_OURS = {"/openapi.json"}
"""Made by FastAPI: it tells everybody the same."""
NEEDS = {
    "POST /events": "events:publish",
    "GET /receipts/{seq}": "events:read",
    "GET /receipts/in/{partition}/{offset}": "events:read",
    "GET /graphql": "anyone",
    "POST /graphql": "anyone",
    "POST /oauth/token": "by itself",
    "GET /ledger/checkpoint": "open",
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """The whole application."""
    return build_app(Settings(data_dir=tmp_path_factory.mktemp("access")))


def _routes(app: FastAPI) -> Iterator[tuple[str, APIRoute]]:
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, APIRoute):
            yield from ((f"{method} {context.path}", route) for method in route.methods)


def test_every_route_declares_what_it_asks_of_its_caller(app: FastAPI) -> None:
    undeclared = [name for name, route in _routes(app) if declared(route) is None]
    assert not undeclared, "take `needs(…)`, or declare OPEN or BY_ITSELF: hub/auth/access.py"
    contexts = list(iter_route_contexts(app.routes))
    assert {one.path for one in contexts if not isinstance(one.original_route, APIRoute)} == NOT_OURS


def test_routes_ask_for_scopes_that_exist(app: FastAPI) -> None:
    words = {"anyone", "known", "open", "by itself"}
    asked = {one for _, route in _routes(app) if (one := declared(route)) and one not in words}
    assert {scope for one in asked for scope in one.split()} <= SCOPES


def test_routes_of_the_contract_ask_for_what_it_says(app: FastAPI) -> None:
    found = {name: declared(route) for name, route in _routes(app)}
    assert {name: found[name] for name in NEEDS} == NEEDS


def test_the_description_of_the_interface_tells_what_each_operation_asks(app: FastAPI) -> None:
    document = app.openapi()
    scheme = document["components"]["securitySchemes"][SCHEME]
    assert {name: set(flow["scopes"]) for name, flow in scheme["flows"].items()} == {
        "clientCredentials": SCOPES,
        "authorizationCode": SCOPES,
    }
    paths = document["paths"]
    assert paths["/events"]["post"]["security"] == [{SCHEME: ["events:publish"]}]
    assert paths["/receipts/{seq}"]["get"]["security"] == [{SCHEME: ["events:read"]}]
    assert paths["/graphql"]["post"]["security"] == [{SCHEME: []}, {}]
    assert "security" not in paths["/ledger/checkpoint"]["get"]


def _documented(kind: str) -> dict[str, set[str]]:
    """The scopes that docs/scopes.md names for each route or field; what follows a semicolon opens more."""
    found = {}
    for line in (ROOT / "docs" / "scopes.md").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"| {kind} "):
            what, _, needed = (cell.strip() for cell in line.strip("|").split("|"))
            names = re.findall(r"`([^`]+)`", what)
            scopes = set(re.findall(r"`([a-z]+:[a-z]+)`", needed.partition(";")[0]))
            for name in names:
                whole = name if kind == "route" or "." in name else f"{names[0].split('.')[0]}.{name}"
                found[whole] = scopes
    return found


def test_routes_that_need_a_scope_are_documented(app: FastAPI) -> None:
    found = {name: one for name, route in _routes(app) if (one := declared(route)) and ":" in one}
    assert _documented("route") == {name: set(one.split()) for name, one in found.items()}


def test_fields_that_declare_something_themselves_are_documented() -> None:
    schema = AudienceSchema(frozenset(Audience))._schema
    found = {}
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType) and BACKREF in kind.extensions:
            for name, field in kind.fields.items():
                asked = declared_by_field(field.extensions[BACKREF])
                if asked:
                    found[f"{kind.name}.{name}"] = set(asked.scopes)
    assert _documented("field") == found
