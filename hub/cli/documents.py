"""hub schema, openapi: the documents of the interfaces."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hub.app import build_app
from hub.cli.terminal import data, print_json
from hub.graphql.schema import full_schema
from hub.settings import Settings


def schema() -> None:
    """Print the whole GraphQL schema (SDL)."""
    data.out(full_schema().rstrip(), highlight=False)


def openapi() -> None:
    """Print the OpenAPI document."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), database_url="", kafka_bootstrap="")
        print_json(build_app(settings).openapi())
