"""Every command prints JSON when it is asked to: data to stdout, talk to stderr."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from hub.auth.client import generate_key
from hub.cli.main import COMMANDS, app, load


def commands(found: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with its name, those of a group one by one."""
    if hasattr(found, "list_commands"):
        context = typer.Context(found)
        for name in found.list_commands(context):
            yield from commands(found.get_command(context, name), *path, name)
    else:
        yield path, found


def test_every_command_knows_json() -> None:
    known = {
        path: any("--json" in one.opts for one in command.params)
        for name in COMMANDS
        for path, command in commands(load(name), name)
    }
    assert known.keys() >= {("demo",), ("serve",), ("partner", "key", "retire"), ("ledger", "verify")}
    assert all(known.values()), [path for path, knows in known.items() if not knows]


@pytest.fixture
def _kent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub with one partner."""
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path / "hub"))
    answer("partner", "add", "kent", "--name", "Kent", "--country", "GB")


def answer(*words: str) -> Any:
    """What a command prints to stdout, as JSON."""
    done = CliRunner().invoke(app, [*words, "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.mark.usefixtures("_kent")
def test_what_was_done_to_a_partner_is_said_in_json(tmp_path: Path) -> None:
    made = (generate_key() for _ in count())
    key = next(one for one in made if one["kid"].startswith("-"))  # As one of 64 does.
    public = {name: value for name, value in key.items() if name != "d"}
    (tmp_path / "key.json").write_text(json.dumps(public))
    added = answer("partner", "key", "add", "kent", "--public-key", str(tmp_path / "key.json"))
    assert added == {"client_id": "kent", "kid": public["kid"], "live": True}
    assert answer("partner", "key", "retire", "kent", public["kid"]) == {**added, "live": False}
    scopes = ["events:publish", "catalogue:publish"]
    granted = answer("partner", "grant", "kent", *(word for scope in scopes for word in ("--scope", scope)))
    assert granted == {"client_id": "kent", "scopes": scopes}
    assert answer("partner", "suspend", "kent") == {"partner": "kent", "suspended": True}
    assert answer("partner", "show", "kent")["suspended"]
    assert answer("partner", "resume", "kent") == {"partner": "kent", "suspended": False}


@pytest.mark.usefixtures("_kent")
def test_what_was_done_to_a_person_is_said_in_json() -> None:
    email = "mel@kent.example"
    id_ = answer("person", "add", email, "--audience", "partner", "--partner", "kent")["id"]
    assert answer("person", "suspend", email) == answer("person", "list")[0]
    assert answer("person", "list")[0]["standing"] == "suspended"
    assert answer("person", "resume", email)["standing"] == "invited"
    assert answer("person", "sign-out", email)["id"] == id_
    assert answer("person", "grant", email, "--scope", "events:read")["scopes"] == ["events:read"]


def test_documents_are_json() -> None:
    assert answer("schema")["__schema"]["queryType"]["name"] == "Query"
    assert answer("openapi")["openapi"].startswith("3.")
