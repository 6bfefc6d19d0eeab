"""Run the hub under faults, and say whether anything was lost, doubled or put out of order.

`python -m chaos --seed 1 2 3 --faults 50`, or `make chaos ARGS=…`; `--controls`: the hubs that must not be.
Writes var/chaos.json. Exit code: 0 when everything holds, 1 when something does not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import random
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from chaos.campaign import Outcome, drawn_faults, run_seed
from chaos.controls import CONTROLS, is_caught, run_control
from chaos.faults import FAULTS
from deploy.local import LocalKafka, LocalPostgres

FOLDER = Path("var") / "chaos"
REPORT = Path("var") / "chaos.json"
SEEDS, COUNT = (1, 2, 3), 50


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 when all promises hold, 1 otherwise."""
    chosen = _arguments(arguments)
    logging.disable(logging.ERROR)  # Clients of parts that are gone would fill the report.
    shutil.rmtree(FOLDER, ignore_errors=True)
    if chosen.controls:
        return 0 if asyncio.run(_all_caught()) else 1
    outcomes = [asyncio.run(_live_through(seed, chosen)) for seed in chosen.seed]
    REPORT.write_text(json.dumps(report(outcomes)) + "\n", encoding="utf-8")
    tell(f"{json.dumps(report(outcomes))}\nWritten to {REPORT}.")
    return 1 if any(one.findings.texts for one in outcomes) else 0


def report(outcomes: Sequence[Outcome]) -> dict[str, object]:
    """What var/chaos.json holds."""
    return {
        "seeds": [one.seed for one in outcomes],
        "faults": sum(one.faults for one in outcomes),
        "acknowledged": sum(one.acknowledged for one in outcomes),
        "lost": sum(one.findings.lost for one in outcomes),
        "duplicated": sum(one.findings.duplicated for one in outcomes),
        "reordered": sum(one.findings.reordered for one in outcomes),
        "parked": sum(one.parked for one in outcomes),
    }


def tell(line: str) -> None:
    """One line of progress."""
    print(line, flush=True)  # noqa: T201


async def _all_caught() -> bool:
    folder = FOLDER.absolute() / "controls"
    caught = []
    with LocalPostgres(folder / "postgres", durable=True) as postgres, LocalKafka(folder / "kafka") as kafka:
        for number, name in enumerate(CONTROLS):
            findings = await run_control(name, folder / f"world-{number}", postgres, kafka, tell)
            caught.append(is_caught(name, findings))
    tell(f"{sum(caught)} of {len(caught)} controls are caught")
    return all(caught)


async def _live_through(seed: int, chosen: argparse.Namespace) -> Outcome:
    brokers = chosen.brokers or (3 if seed % 2 == 0 else 1)
    names = drawn_faults(random.Random(f"{seed} deck"), chosen.faults) if not chosen.only else chosen.only  # noqa: S311
    folder, begun_s = FOLDER.absolute() / f"seed-{seed}", time.monotonic()
    tell(f"seed {seed}: {len(names)} faults, {brokers} broker{'s' if brokers > 1 else ''}")
    with (
        LocalPostgres(folder / "postgres", durable=True) as postgres,
        LocalKafka(folder / "kafka", brokers=brokers) as kafka,
    ):
        outcome = await run_seed(seed, names, folder / "world", postgres, kafka, tell, quick=chosen.quick)
    for note in outcome.notes:
        tell(f"seed {seed}  {note}")
    for text in outcome.findings.texts:
        tell(f"seed {seed}  VIOLATION  {text}")
    held = "everything holds" if not outcome.findings.texts else f"{len(outcome.findings.texts)} violations"
    tell(f"seed {seed}  {held}: {outcome.acknowledged} acknowledged, {time.monotonic() - begun_s:.0f} s")
    return outcome


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chaos", description="The hub under load and faults.")
    parser.add_argument("--seed", type=int, nargs="+", default=list(SEEDS), help="default: 1 2 3")
    parser.add_argument("--faults", type=int, default=COUNT, help="faults a seed, default 50")
    parser.add_argument("--brokers", type=int, choices=(1, 3), help="default: 3 for even seeds, else 1")
    parser.add_argument(
        "--only", nargs="+", choices=list(FAULTS), metavar="FAULT", help="these, in this order"
    )
    parser.add_argument("--quick", action="store_true", help="short holds, as in the tests")
    parser.add_argument("--controls", action="store_true", help="run the hubs that must be caught instead")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
