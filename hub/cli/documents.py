"""hub schema, openapi: the documents of the interfaces."""

from __future__ import annotations

import tempfile
from pathlib import Path

from graphql import build_schema, introspection_from_schema

from hub.app import build_app
from hub.cli.options import AlreadyJson, Json
from hub.cli.terminal import data, print_json
from hub.graphql.schema import full_schema
from hub.settings import Settings


def schema(json_: Json = False) -> None:
    """Print the whole GraphQL schema (SDL)."""
    if json_:
        print_json(introspection_from_schema(build_schema(full_schema())))
        return
    data.out(full_schema().rstrip(), highlight=False)


def openapi(_json: AlreadyJson = False) -> None:
    """Print the OpenAPI document."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), database_url="", kafka_bootstrap="")
        print_json(build_app(settings).openapi())
