"""Run the benchmarks, or those that are named; print the table and write var/bench.json.

`python -m benchmarks [NAME…]`, or `make bench ARGS=NAME`. Figures are those of this machine at this moment:
compare ratios, not absolutes. `growth` and `lists` take long and run only when they are named.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import (
    authorization,
    broker_down,
    catch_up,
    growth,
    intake,
    kafka_latency,
    lists,
    merkle,
    postgres_intake,
    row_security,
)
from benchmarks.rows import Row

BENCHMARKS: dict[str, Callable[[], list[Row]]] = {
    "merkle": merkle.measure,
    "intake": intake.measure,
    "postgres_intake": postgres_intake.measure,
    "authorization": authorization.measure,
    "row_security": row_security.measure,
    "kafka_latency": kafka_latency.measure,
    "catch_up": catch_up.measure,
    "broker_down": broker_down.measure,
}
NAMED = ("growth", "lists")
WIDTH = 190
REPORT = Path("var") / "bench.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when everything was measured."""
    talk = Console(stderr=True)
    chosen = _arguments(arguments)
    rows: list[Row] = []
    for name in chosen.names or BENCHMARKS:
        with talk.status(f"measuring {name}") as status:
            grow = partial(
                growth.measure,
                chosen.events,
                lambda text, name=name: status.update(f"measuring {name}: {text}"),  # type: ignore[misc]
            )
            secure = partial(row_security.measure, chosen.referrals)
            asked = {"growth": grow, "lists": lists.measure, "row_security": secure}
            rows += (BENCHMARKS | asked)[name]()
    # A pipe has no width of its own; a table that is cut off is of no use in a log.
    Console(width=max(Console().width, WIDTH)).print(_table(rows))
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    talk.print(f"Written to {REPORT}.")
    return 0


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join([*BENCHMARKS, *NAMED]))
    parser.add_argument(
        "--events", nargs="+", type=int, default=growth.STEPS, help="steps of growth, numbers of events"
    )
    parser.add_argument(
        "--referrals", type=int, default=row_security.REFERRALS, help="of row_security, how many there are"
    )
    chosen = parser.parse_args(arguments)
    if unknown := sorted(set(chosen.names) - {*BENCHMARKS, *NAMED}):
        parser.error(f"there is no benchmark {unknown[0]}: choose from {', '.join([*BENCHMARKS, *NAMED])}")
    return chosen


def _table(rows: Sequence[Row]) -> Table:
    table = Table("what", "value", "unit", "beside", "ratio", "target", "met")
    for row in rows:
        met = {True: "yes", False: "no", None: ""}[row["met"]]
        shown = [f"{row['value']:,}", row["unit"], row["peer"] or "", row["ratio"], row["target"], met]
        table.add_row(row["name"], *("" if cell is None else str(cell) for cell in shown))
    return table


if __name__ == "__main__":
    sys.exit(main())
