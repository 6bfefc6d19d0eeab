"""The list of commands: what it says of each, and that it is there at once."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from hub.cli.main import COMMANDS, app, load

LISTED = """
import sys
from typer.testing import CliRunner
from hub.cli.main import app
done = CliRunner().invoke(app, ["--help"])
assert done.exit_code == 0 and "rebuild" in done.output, done.output
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_of_a_command_what_the_command_says_of_itself(name: str) -> None:
    assert COMMANDS[name].help == load(name).help.partition("\n")[0]


def test_the_list_is_shown_without_a_database_a_web_server_and_a_schema() -> None:
    done = subprocess.run([sys.executable, "-c", LISTED], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    assert "typer" in loaded
    assert not loaded & {"sqlalchemy", "fastapi", "pydantic", "strawberry", "httpx", "cryptography"}


def test_a_mistyped_command_is_misuse_and_is_told_the_nearest_one() -> None:
    done = CliRunner().invoke(app, ["pardner", "list"])
    assert done.exit_code == 2
    assert "Did you mean 'partner'" in done.output


def test_a_group_lists_its_own_commands() -> None:
    done = CliRunner().invoke(app, ["partner", "--help"])
    assert done.exit_code == 0
    for name in ("add", "suspend", "key", "kafka", "applications"):
        assert name in done.output
