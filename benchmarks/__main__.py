"""Run every benchmark, or those that are named; print the table and write var/bench.json.

`python -m benchmarks [intake] [merkle]`, or `make bench ARGS=intake`. Figures are those of this machine at
this moment: compare ratios, not absolutes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import intake, merkle

BENCHMARKS = {"intake": intake.measure, "merkle": merkle.measure}
WIDTH = 150
REPORT = Path("var") / "bench.json"


def main(names: list[str]) -> int:
    """Exit code: 0 when everything was measured, 2 for a name that is no benchmark."""
    talk = Console(stderr=True)
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        talk.print(f"There is no benchmark {unknown[0]}: choose from {', '.join(BENCHMARKS)}.")
        return 2
    rows: list[dict[str, Any]] = []
    for name in names or BENCHMARKS:
        with talk.status(f"measuring {name}"):
            rows += BENCHMARKS[name]()
    # A pipe has no width of its own; a table that is cut off is of no use in a log.
    Console(width=max(Console().width, WIDTH)).print(_table(rows))
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    talk.print(f"Written to {REPORT}.")
    return 0


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table("what", "value", "unit", "beside", "ratio", "target", "met")
    for row in rows:
        met = {True: "yes", False: "no", None: ""}[row["met"]]
        shown = [f"{row['value']:,}", row["unit"], row["peer"] or "", row["ratio"], row["target"], met]
        table.add_row(row["name"], *("" if cell is None else str(cell) for cell in shown))
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
