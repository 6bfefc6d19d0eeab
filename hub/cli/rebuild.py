"""hub rebuild: fold every event again beside the live read model, compare, and put it in place."""

from __future__ import annotations

import typer
from rich.progress import Progress as Bar

from hub.cli.options import Json
from hub.cli.session import run
from hub.cli.terminal import print_json, talk
from hub.events.rebuild import Rebuilt
from hub.events.rebuild import rebuild as fold_again
from hub.events.spine import Hub


def rebuild(json_: Json = False) -> None:
    """Fold the inbox into a second read model, beside a running hub, and compare it with the live one.

    One that differs is put in the place of the live one; the exit code is 1 then.
    """
    report: Rebuilt = run(_rebuild)
    if json_:
        print_json(
            {
                "events": report.events,
                "live_hash": report.live_hash,
                "rebuilt_hash": report.rebuilt_hash,
                "equal": report.equal,
                "swapped": report.swapped,
            }
        )
    elif report.equal:
        talk.print(f"{report.events} events folded again: live and rebuilt read model are [green]equal[/].")
    else:
        talk.print(f"{report.events} events folded again: the live read model was [bold red]different[/].")
        talk.print("The rebuilt one has taken its place.")
    if not report.equal:
        raise typer.Exit(1)


async def _rebuild(hub: Hub) -> Rebuilt:
    await hub.prepare()
    with Bar(console=talk, transient=True) as bar:
        task = bar.add_task("folding", total=None)
        return await fold_again(
            hub.store,
            by_lanes=hub.kafka is not None,
            tell=lambda done, total: bar.update(task, completed=done, total=total),
        )
