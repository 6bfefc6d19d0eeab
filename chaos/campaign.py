"""One seed: a world, its load, its faults one after the other, and the checks once all is healed."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chaos.checks import Findings, check_ledger, check_rebuilt, ledger, settle
from chaos.faults import FAULTS, PROCESS_FAULTS, Scene
from chaos.load import Load
from chaos.messages import Line, made_lines, made_topic_lines
from chaos.poison import Poison
from chaos.topic_load import TopicLoad
from chaos.topics import check_log, read_log
from chaos.watch import Watch
from chaos.world import PARTITIONS, World, running_world
from deploy.local import LocalKafka, LocalPostgres
from hub.events.spine import Hub

LINES, TOPIC_LINES = 8, 2
PAUSE_S = 0.06
TOGETHER = 0.25
"""How often a fault of a process and one of a part happen at the same time."""
SETTLE_S_MAX = 120.0
RSS_BYTES_MAX = 400 << 20

Tell = Callable[[str], None]


@dataclass
class Outcome:
    """What became of one seed. parked: unreadable records that the hub keeps, as it must."""

    seed: int
    faults: int = 0
    acknowledged: int = 0
    parked: int = 0
    findings: Findings = field(default_factory=Findings)
    notes: list[str] = field(default_factory=list)


async def run_seed(
    seed: int, faults: Sequence[str], folder: Path, postgres: LocalPostgres, kafka: LocalKafka, tell: Tell,
    *, quick: bool = False,
) -> Outcome:  # fmt: skip
    """Live through the faults, in that order, and check. quick: shorter holds and pauses."""
    outcome = Outcome(seed)
    async with running_world(folder, postgres, kafka) as world:
        hub = await world.open_hub()
        try:
            await _live(world, hub, faults, outcome, tell, quick=quick)
        finally:
            await hub.store.close()
    return outcome


def drawn_faults(draws: random.Random, count: int) -> list[str]:
    """Names of faults in a random order: each comes once before any comes again."""
    names: list[str] = []
    while len(names) < count:
        names += draws.sample(list(FAULTS), len(FAULTS))
    return names[:count]


async def _live(
    world: World, hub: Hub, faults: Sequence[str], outcome: Outcome, tell: Tell, *, quick: bool
) -> None:
    seed, begun_s = outcome.seed, time.monotonic()
    before = len(await ledger(hub))
    topic_lines = made_topic_lines(LINES, TOPIC_LINES)
    load = Load(seed, world.urls, world.urls[0], world.rows, made_lines(LINES), PAUSE_S)
    watch = Watch(world.urls, world.processes)
    poison = Poison(world.kafka.bootstrap, PARTITIONS, hub)
    scene = Scene(world, load, poison, random.Random(f"{seed} faults"), quick)  # noqa: S311
    writing = TopicLoad(load, hub, topic_lines, lambda: scene.emptied).run()
    posting, watching = asyncio.gather(load.run(), writing), asyncio.create_task(watch.run())
    try:
        for turn in _turns(faults, scene.draws):
            await asyncio.sleep(scene.draws.uniform(0.2, 0.6 if quick else 1.5))
            at_s = time.monotonic() - begun_s
            effects = await asyncio.gather(*(FAULTS[name](scene) for name in turn), return_exceptions=True)
            for name, effect in zip(turn, effects, strict=True):
                outcome.faults += 1
                broken = [f"{name}: {effect!r}"] if isinstance(effect, BaseException) else []
                outcome.findings.add("faults could not be played", broken)
                also = ", with the one before" if name != turn[0] else ""
                tell(
                    f"seed {seed}  fault {outcome.faults:>3}/{len(faults)}  +{at_s:6.1f} s"
                    f"  {name}{also}: {effect}  [{len(load.acknowledged)} acknowledged]"
                )
        await world.heal()
        await _end_load(load, posting, outcome.findings)
        tell(f"seed {seed}  healed after {time.monotonic() - begun_s:.0f} s, settling")
        await world.ready()
        unsettled = await settle(hub, SETTLE_S_MAX)
        outcome.findings.add("things are unsettled", [unsettled] if unsettled else [])
        await _check(scene, hub, watch, [*load.lines, *topic_lines], before, outcome)
    finally:
        watching.cancel()
        posting.cancel()
        await asyncio.gather(posting, watching, return_exceptions=True)
    outcome.notes.append(", ".join(f"{name} {count}" for name, count in sorted(load.counts.items())))


def _turns(faults: Sequence[str], draws: random.Random) -> Iterator[tuple[str, ...]]:
    """One fault at a time, sometimes two: one of the processes, one of the parts."""
    left = list(faults)
    while left:
        first, *left = left
        pair = left and {first in PROCESS_FAULTS, left[0] in PROCESS_FAULTS} == {True, False}
        if pair and draws.random() < TOGETHER:
            yield first, left.pop(0)
        else:
            yield (first,)


async def _end_load(load: Load, posting: asyncio.Future[Any], findings: Findings) -> None:
    load.ending.set()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(posting), SETTLE_S_MAX)
    findings.add("lines have an event that is never acknowledged", sorted(load.unfinished))


async def _check(
    scene: Scene, hub: Hub, watch: Watch, lines: Sequence[Line], before: int, outcome: Outcome
) -> None:
    world, load, poison = scene.world, scene.load, scene.poison
    findings = outcome.findings
    unparked = await poison.missing()
    parked = await poison.parked()
    findings.add("unreadable records are not parked", sorted(unparked))
    findings.add(
        "records are parked that nobody wrote", sorted(parked - poison.sent - poison.unsure - poison.excused)
    )
    entries = await ledger(hub)
    check_ledger(entries, load, lines, before, findings)
    log = await asyncio.to_thread(read_log, world.kafka.bootstrap, PARTITIONS, poison.hub_id)
    check_log(log, entries, PARTITIONS, findings)
    proofs = await watch.prove(world.urls[0])
    findings.add("complaints of the watch", watch.complaints)
    findings.add("complaints of the clients", load.complaints)
    findings.add(
        "faults of processes", [one for process in world.processes + world.beside for one in process.faults]
    )
    large = [
        f"{one.name} {one.rss_bytes_max >> 20} MB"
        for one in world.processes
        if one.rss_bytes_max > RSS_BYTES_MAX
    ]
    findings.add("processes grew too large", large)
    rebuilt = await check_rebuilt(hub, findings)
    outcome.acknowledged, outcome.parked = len(load.acknowledged), len(poison.sent & parked)
    starts = sum(one.starts for one in world.processes)
    outcome.notes += [
        f"{len(entries)} entries, {rebuilt} folded again, {proofs} proofs of consistency, {starts} starts",
        f"{sum(map(len, log.leaves.values()))} records in the log, {log.repeats} of them repeats",
        "peak memory: " + ", ".join(f"{one.name} {one.rss_bytes_max >> 20} MB" for one in world.processes),
    ]
