"""The documented program works as printed, and no command takes a secret where everybody can read it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hub.cli.main import COMMANDS, load
from tests.support.messages import KENT
from tests.support.serving import Served
from tests.tidy.sources import ROOT

SECRET = re.compile(r"password|secret|token|private|passphrase|credential|assertion", re.IGNORECASE)
FILES = {"credentials"}
"""Options that name a file, which only its owner can read."""


def test_the_documented_rotation_changes_the_key(served: Served, tmp_path: Path) -> None:
    document = (ROOT / "docs" / "onboarding.md").read_text(encoding="utf-8")
    [program] = re.findall(r"```python\n(.*?)```", document, re.S)
    credentials = tmp_path / "kent.json"
    credentials.write_text(json.dumps(served.rows[KENT]))
    (tmp_path / "rotate_key.py").write_text(program.replace("http://127.0.0.1:8000", served.base_url))
    done = subprocess.run(
        [sys.executable, "rotate_key.py", credentials.name],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    added, retired = done.stdout.splitlines()
    assert (added[:3], retired[:3]) == ("201", "200"), done.stdout
    [left] = json.loads(retired[4:])["keys"]
    assert left["kid"] == json.loads(credentials.read_text())["private_key_jwk"]["kid"]
    assert left["kid"] != served.rows[KENT]["private_key_jwk"]["kid"]


def test_no_command_takes_a_secret_as_a_value() -> None:
    """Command lines stand in the list of processes and in the history of shells."""
    commands = [found for name in COMMANDS for found in _commands(load(name), f"hub {name}")]
    assert len(commands) > 30, "hardly any command was found: the test looks in the wrong place"
    names = {
        f"{path} {name}"
        for path, command in commands
        for parameter in command.params
        for name in (parameter.name or "", *parameter.opts)
        if SECRET.search(name) and name.lstrip("-") not in FILES
    }
    assert not names


def _commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from _commands(inner, f"{path} {name}")
