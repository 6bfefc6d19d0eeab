"""Hubs that must not be, each under its own fault: checks that miss one of them are worth nothing."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from chaos.campaign import PAUSE_S
from chaos.checks import Findings, check_ledger, ledger, settle
from chaos.load import Load
from chaos.messages import made_lines
from chaos.poison import hub_id_of
from chaos.topics import check_log, read_log
from chaos.variants import AFTER_ANSWER, AFTER_CURSOR, AFTER_POSITION
from chaos.world import PARTITIONS, running_world
from deploy.local import LocalKafka, LocalPostgres

LINES = 6
COUNTDOWN = 4
BURNS_S_MAX = 60.0
SETTLE_S_MAX = 12.0
"""A projector that left something out never catches up: no longer than a sound one needs."""


@dataclass(frozen=True, slots=True)
class Control:
    """One of the hub's processes as a variant, which dies at that point. sign: what must be found then."""

    role: str
    variant: str
    point: str
    sign: str


CONTROLS: dict[str, Control] = {
    "the intake answers before the commit": Control(
        "serve", "hasty-intake", AFTER_ANSWER, "acknowledged events are lost"
    ),
    "the relay moves its cursor before the acknowledgement": Control(
        "work", "hasty-relay", AFTER_CURSOR, "leaves are not in the log"
    ),
    "the projector moves its positions before the rows": Control(
        "work", "hasty-projector", AFTER_POSITION, "entries have no verdict"
    ),
}


async def run_control(
    name: str, folder: Path, postgres: LocalPostgres, kafka: LocalKafka, tell: Callable[[str], None]
) -> Findings:
    """What is found of that hub, after it died once and its own part was sound from then on."""
    control, findings, begun_s = CONTROLS[name], Findings(), time.monotonic()
    variants = {control.role: control.variant}
    async with running_world(folder, postgres, kafka, servers=1, workers=1, variants=variants) as world:
        hub = await world.open_hub()
        try:
            before = len(await ledger(hub))
            load = Load(0, world.urls, world.urls[0], world.rows, made_lines(LINES), PAUSE_S)
            posting = asyncio.create_task(load.run())
            world.fuse.light(control.point, COUNTDOWN)
            async with asyncio.timeout(BURNS_S_MAX):
                while world.fuse.burnt_by() is None:  # noqa: ASYNC110  # A file of another process.
                    await asyncio.sleep(0.02)
            load.ending.set()
            await posting
            await settle(hub, SETTLE_S_MAX)
            entries = await ledger(hub)
            check_ledger(entries, load, load.lines, before, findings)
            log = await asyncio.to_thread(read_log, kafka.bootstrap, PARTITIONS, hub_id_of(hub))
            check_log(log, entries, PARTITIONS, findings)
        finally:
            with contextlib.suppress(UnboundLocalError):
                posting.cancel()
            await hub.store.close()
    verdict = "caught" if is_caught(name, findings) else "NOT CAUGHT"
    tell(f"control: {name}: {verdict} after {time.monotonic() - begun_s:.0f} s: {'; '.join(findings.texts)}")
    return findings


def is_caught(name: str, findings: Findings) -> bool:
    """Whether the checks have noticed what that hub does wrong."""
    return any(CONTROLS[name].sign in text for text in findings.texts)
