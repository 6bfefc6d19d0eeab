"""What the tidy tests read: the files of the checkout, and the tables of its documents."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENDORED = ROOT / "hub" / "web" / "static" / "graphiql" / "vendor"

_OTHERS = {"var", "node_modules", "dist", "site", "build", "__pycache__"}
_OURS_THOUGH_HIDDEN = {".ci", ".gitignore"}
_PYTHON_FOLDERS = ("hub", "tests", "benchmarks", "chaos", "deploy")


@cache
def text_files() -> tuple[Path, ...]:
    """Every text file that belongs to the project, but for what others wrote (VENDORED)."""
    found = []
    for path in _walk(ROOT):
        try:
            path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found.append(path)
    return tuple(found)


@cache
def python_files() -> tuple[Path, ...]:
    """The Python files of the folders that we write."""
    return tuple(
        path
        for path in text_files()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in _PYTHON_FOLDERS
    )


def hub_files() -> tuple[Path, ...]:
    """The Python files of the product."""
    return tuple(path for path in python_files() if path.is_relative_to(ROOT / "hub"))


@cache
def tree(path: Path) -> ast.Module:
    """The parsed file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def where(path: Path, line: int = 0) -> str:
    """How a finding is named: the path in the checkout, and the line."""
    name = path.relative_to(ROOT).as_posix()
    return f"{name}:{line}" if line else name


def table(document: str) -> dict[str, list[str]]:
    """Rows of the Markdown tables of docs/<document>, by the code in back-quotes of their first cell."""
    rows = {}
    for line in (ROOT / "docs" / document).read_text(encoding="utf-8").splitlines():
        match = re.match(r"\|\s*`([^`]+)`\s*\|(.*)\|\s*$", line)
        if match:
            assert match[1] not in rows, f"docs/{document} explains {match[1]} twice"
            rows[match[1]] = [cell.strip() for cell in match[2].split("|")]
    return rows


def _walk(folder: Path) -> list[Path]:
    found: list[Path] = []
    for path in sorted(folder.iterdir()):
        hidden = path.name.startswith(".") and path.name not in _OURS_THOUGH_HIDDEN
        if hidden or path.name in _OTHERS or path == VENDORED:
            continue
        found.extend(_walk(path) if path.is_dir() else [path])
    return found
