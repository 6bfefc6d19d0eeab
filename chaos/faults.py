"""Faults: each does its harm at once, heals what it broke of the parts, and says what it did.

Processes of the hub that died are started again by their keeper, and nobody waits until they are ready: the
next fault may meet a hub that is still getting up.
"""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import psutil  # type: ignore[import-untyped]
from kafka.errors import KafkaError

from chaos.load import Load
from chaos.points import POINTS
from chaos.poison import Poison
from chaos.processes import Process
from chaos.world import World, delete_topics

POINT_S_MAX = 12.0
CLOCK_DAYS = 5.0
LOADED_BYTES = 110 << 20
"""A process that needs less is still loading its code."""
GROWTH_BYTES_MAX = 40 << 20
"""By which memory may differ after seconds without a broker: caches and allocators, no events."""


@dataclass
class Scene:
    """Where faults happen. quick: holds are short, for a run within a test.

    emptied: how often the log was emptied, counted when that begins and when it has ended.
    """

    world: World
    load: Load
    poison: Poison
    draws: random.Random
    quick: bool = False
    emptied: int = 0

    def hold_s(self, low: float, high: float) -> float:
        """How long a fault lasts."""
        return self.draws.uniform(low, min(high, 2 * low) if self.quick else high)

    def anyone(self) -> Process:
        """One of the processes that are kept running."""
        return self.draws.choice(self.world.processes)


Fault = Callable[[Scene], Awaitable[str]]


async def die_at(scene: Scene, point: str) -> str:
    """A process dies by SIGKILL at a named point."""
    countdown, begun_s = scene.draws.randint(1, 6), time.monotonic()
    pids = {one.pid: one.name for one in (*scene.world.processes, *scene.world.beside)}
    scene.world.fuse.light(point, countdown)
    while (pid := scene.world.fuse.burnt_by()) is None:
        if time.monotonic() - begun_s > POINT_S_MAX:
            scene.world.fuse.put_out()
            return f"nobody passed {countdown} times within {POINT_S_MAX:g} s"
        await asyncio.sleep(0.02)
    after_s = time.monotonic() - begun_s
    return f"{pids.get(pid, 'one just started')} died at pass {countdown}, after {after_s:.1f} s"


async def kill_a_process(scene: Scene) -> str:
    """SIGKILL of any process."""
    victim = scene.anyone()
    await asyncio.to_thread(victim.kill)
    return victim.name


async def kill_all_workers(scene: Scene) -> str:
    """SIGKILL of every worker at once."""
    for worker in scene.world.workers:
        await asyncio.to_thread(worker.kill)
    return "all workers"


async def hold_a_worker(scene: Scene) -> str:
    """SIGSTOP, then SIGCONT: it goes on as one that lost its leadership and its lanes, and does not know."""
    victim, held_s = scene.draws.choice(scene.world.workers), scene.hold_s(1, 15)
    victim.send(signal.SIGSTOP)
    await asyncio.sleep(held_s)
    victim.send(signal.SIGCONT)
    return f"{victim.name} for {held_s:.1f} s"


async def hold_a_server(scene: Scene) -> str:
    """The same with a server, perhaps in the middle of a transaction."""
    victim, held_s = scene.draws.choice(scene.world.servers), scene.hold_s(1, 8)
    victim.send(signal.SIGSTOP)
    await asyncio.sleep(held_s)
    victim.send(signal.SIGCONT)
    return f"{victim.name} for {held_s:.1f} s"


async def restart_a_process(scene: Scene) -> str:
    """SIGTERM and a new start; a worker's lanes go to the other one, and come back."""
    victim = scene.anyone()
    await victim.restart()
    return victim.name


async def third_worker(scene: Scene) -> str:
    """A worker joins, and leaves: by SIGTERM, or by SIGKILL."""
    return await _beside(scene, "")


async def second_relay(scene: Scene) -> str:
    """A worker that sequences and tells the log without being the leader."""
    return await _beside(scene, "unled")


async def _beside(scene: Scene, variant: str) -> str:
    worker = scene.world.beside_worker(len(scene.world.beside) + 1)
    stay_s, killed = scene.hold_s(4, 10), scene.draws.random() < 0.5
    await worker.restart(variant)
    worker.wanted = False
    await asyncio.sleep(stay_s)
    if killed:
        await asyncio.to_thread(worker.kill)
    else:
        await worker.stop()
    return f"{worker.name} for {stay_s:.1f} s, ended by {'SIGKILL' if killed else 'SIGTERM'}"


async def clock_off(scene: Scene) -> str:
    """A process starts with its clock days off, and runs so until it is started again."""
    victim, days = scene.anyone(), scene.draws.choice((-CLOCK_DAYS, CLOCK_DAYS))
    await victim.restart(clock_days=days)
    return f"{victim.name} by {days:+g} days"


async def stop_postgres(scene: Scene) -> str:
    """The database stops as in a crash, and recovers at its next start."""
    scene.world.may_start.clear()
    down_s = scene.hold_s(0.2, 4)
    await asyncio.to_thread(scene.world.postgres.stop, "immediate")
    await asyncio.sleep(down_s)
    await asyncio.to_thread(scene.world.postgres.start)
    scene.world.may_start.set()
    return f"for {down_s:.1f} s"


async def hold_postgres(scene: Scene) -> str:
    """The database answers nobody for 3 s, and hangs up on nobody."""
    held = [psutil.Process(scene.world.postgres.pid)]
    held += held[0].children(recursive=True)
    for number in (signal.SIGSTOP, signal.SIGCONT):
        for one in held:
            try:
                one.send_signal(number)
            except psutil.NoSuchProcess:
                continue
        if number == signal.SIGSTOP:
            await asyncio.sleep(3)
    return "for 3 s"


async def stop_a_broker(scene: Scene) -> str:
    """One broker goes in form, and comes back."""
    return await _broker_away(scene, scene.draws.choice(scene.world.kafka.brokers).stop, 0.5, 5)


async def kill_a_broker(scene: Scene) -> str:
    """One broker goes by SIGKILL, and comes back."""
    return await _broker_away(scene, scene.draws.choice(scene.world.kafka.brokers).kill, 0.2, 5)


async def kill_all_brokers(scene: Scene) -> str:
    """Every broker goes by SIGKILL."""

    def kill() -> None:
        for broker in scene.world.kafka.brokers:
            broker.kill()

    return await _broker_away(scene, kill, 0.2, 3)


async def _broker_away(scene: Scene, go: Callable[[], None], low_s: float, high_s: float) -> str:
    kafka, down_s = scene.world.kafka, scene.hold_s(low_s, high_s)
    await asyncio.to_thread(go)
    numbers = [one.number for one in kafka.brokers if one.pid is None]
    await asyncio.sleep(down_s)
    await asyncio.to_thread(kafka.start)
    return f"broker {numbers} for {down_s:.1f} s"


async def no_broker_for_long(scene: Scene) -> str:
    """No broker at all for seconds under load: the inbox takes it, memory does not grow."""
    down_s, accepted = scene.hold_s(3, 10), len(scene.load.acknowledged)
    sizes = {one: (one.pid, one.sample()) for one in scene.world.processes}
    before = {one: (pid, size) for one, (pid, size) in sizes.items() if size > LOADED_BYTES}
    await asyncio.to_thread(scene.world.kafka.stop)
    await asyncio.sleep(down_s)
    growth = max((one.sample() - size for one, (pid, size) in before.items() if one.pid == pid), default=0)
    accepted = len(scene.load.acknowledged) - accepted
    await asyncio.to_thread(scene.world.kafka.start)
    effect = f"for {down_s:.1f} s: {accepted} acknowledged meanwhile, memory {growth / (1 << 20):+.0f} MB"
    if growth > GROWTH_BYTES_MAX:
        scene.load.complaints.append(f"no broker {effect}")
    return effect


async def empty_the_brokers(scene: Scene) -> str:
    """The brokers come back with nothing in them, as the same cluster or as another one."""
    kafka, anew = scene.world.kafka, scene.draws.random() < 0.5
    await scene.poison.excuse()
    scene.emptied += 1
    await asyncio.to_thread(kafka.stop)
    kafka.wipe(new_cluster_id=anew)
    await asyncio.sleep(scene.hold_s(0.1, 2))
    await asyncio.to_thread(kafka.start)
    scene.emptied += 1
    return f"as {'another' if anew else 'the same'} cluster"


async def delete_the_topics(scene: Scene) -> str:
    """The hub's topics are deleted under it."""
    await scene.poison.excuse()
    scene.emptied += 1
    try:
        return ", ".join(await asyncio.to_thread(delete_topics, scene.world.kafka.bootstrap))
    except KafkaError as error:
        return f"refused: {type(error).__name__}"
    finally:
        scene.emptied += 1


async def write_poison(scene: Scene) -> str:
    """Records that nobody can read."""
    return await scene.poison.write(scene.draws, scene.draws.randint(1, 4))


def _at(point: str) -> Fault:
    return lambda scene: die_at(scene, point)


PROCESS_FAULTS: dict[str, Fault] = {
    **{f"kill -9 at {point}": _at(point) for point in POINTS},
    "kill -9 of a process": kill_a_process,
    "kill -9 of all workers": kill_all_workers,
    "SIGSTOP of a worker": hold_a_worker,
    "SIGSTOP of a server": hold_a_server,
    "SIGTERM and restart": restart_a_process,
    "a third worker": third_worker,
    "a second relay": second_relay,
    "clock off": clock_off,
}
PART_FAULTS: dict[str, Fault] = {
    "PostgreSQL stops": stop_postgres,
    "PostgreSQL hangs": hold_postgres,
    "a broker stops": stop_a_broker,
    "a broker is killed": kill_a_broker,
    "all brokers are killed": kill_all_brokers,
    "no broker for long": no_broker_for_long,
    "the brokers are emptied": empty_the_brokers,
    "topics are deleted": delete_the_topics,
    "poison": write_poison,
}
FAULTS = PROCESS_FAULTS | PART_FAULTS
