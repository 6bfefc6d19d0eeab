"""How commands speak: data to stdout, talk to stderr, refusals with exit code 1."""

from __future__ import annotations

import json
import sys
from typing import Any, NoReturn

import typer
from rich.console import Console

from hub.domain.refusal import Refusal

talk = Console(stderr=True, highlight=False)
data = Console(highlight=False)


def print_json(value: Any) -> None:
    """One line of JSON, flushed."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def tell(done: dict[str, Any], words: str, *, json_: bool) -> None:
    """What a command has done: as JSON on stdout, or in words."""
    if json_:
        print_json(done)
    else:
        talk.print(words)


def refuse(refusal: Refusal) -> NoReturn:
    """Say why not and what to do, and end with exit code 1."""
    talk.print(f"[bold red]{refusal.code}[/]: {refusal.message}")
    talk.print(f"[dim]{refusal.remedy}[/]")
    raise typer.Exit(1)
