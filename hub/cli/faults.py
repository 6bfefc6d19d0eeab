"""What a command says of faults that somebody outside can mend."""

from __future__ import annotations

from pydantic import ValidationError

from hub.cli.terminal import talk
from hub.events.unfit import Unfit
from hub.store.engine import StoreUnavailable


def explain(error: Exception) -> int:
    """Say what is wrong and what to do: the exit code. Raises any other error again."""
    if isinstance(error, Unfit):
        talk.print(f"[bold red]{error.refusal.code}[/]: {error.refusal.message}")
        talk.print(f"[dim]{error.refusal.remedy}[/]")
        return 1
    if isinstance(error, StoreUnavailable):
        talk.print(f"[bold red]hub.unavailable[/]: {error}")
        talk.print("[dim]Start the database and Kafka, or check HUB_DATABASE_URL and HUB_KAFKA_BOOTSTRAP.[/]")
        return 1
    if isinstance(error, ValidationError):
        for one in error.errors():
            name = f"HUB_{str(one['loc'][0]).upper()}" if one["loc"] else error.title
            talk.print(f"[bold red]{name}[/] is {one['input']!r}: {one['msg']}.")
        talk.print("[dim]hub doctor lists the settings; docs/settings.md says what each may be.[/]")
        return 2
    raise error
