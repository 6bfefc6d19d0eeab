"""Memory of `hub serve` and `hub work` while the broker is stopped and events keep coming.

Peer in the same run: a producer of kafka-python that is given the same bytes at the same rate, and keeps
them in memory until the broker takes them.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import perf_counter

import psutil
import uvloop

from benchmarks.bare import make_topic
from benchmarks.load import closed_loop, open_loop, post_requests, published
from benchmarks.rows import Row, figure
from benchmarks.serving import Place, authorization, caught_up, enrol, place, real_parts, running, scratch
from deploy.local import LocalKafka
from deploy.local.child import Child

RATE_PER_S = 300
RUN_S, WARM_S, SAMPLE_S = 50.0, 20.0, 0.5
"""The first seconds do not count: caches fill up, and the connections to the broker break."""
FLAT_MB_PER_MIN = 5.0
NOISE_MB_PER_MIN = 0.1
MB = 1e6
PEER = "kafka-python's producer, the same bytes"
PILING = "import sys; from benchmarks.bare import pile_up; pile_up(*sys.argv[1:4])"

Samples = list[tuple[float, float]]
"""(seconds, MB) of a process."""


def measure() -> list[Row]:
    """Slope and peak of each process."""
    with scratch() as folder, real_parts(folder) as (postgres, kafka), ExitStack() as processes:
        assert kafka is not None
        where = place(
            folder / "data", database_url=postgres.create_database("hub"), kafka_bootstrap=kafka.bootstrap
        )
        enrol(where)
        watched = {f"hub {role}": processes.enter_context(running(where, role)) for role in ("serve", "work")}
        make_topic(kafka.bootstrap, "bare", 12)
        watched[PEER] = processes.enter_context(_piling_up(where, kafka, folder))
        samples = uvloop.run(_loaded(where, kafka, watched))
    slopes = {name: _slope_mb_per_min(found) for name, found in samples.items()}
    rows = []
    for name, found in samples.items():
        ours = name != PEER
        rows += [
            figure(
                f"broker down, {RATE_PER_S} events/s: growth of {name}",
                slopes[name],
                "MB/min",
                peer=PEER if ours else None,
                # Below that, the difference is the garbage collector's.
                ratio=slopes[PEER] / max(slopes[name], NOISE_MB_PER_MIN) if ours else None,
                target=FLAT_MB_PER_MIN if ours else None,
                at_most=True,
            ),
            figure(f"broker down, {RATE_PER_S} events/s: peak of {name}", max(mb for _, mb in found), "MB"),
        ]
    return rows


@contextmanager
def _piling_up(where: Place, kafka: LocalKafka, folder: Path) -> Iterator[Child]:
    child = Child("producer", folder / "producer.log")
    arguments = [kafka.bootstrap, json.dumps(published()), str(RATE_PER_S)]
    child.spawn([sys.executable, "-c", PILING, *arguments], where.environment)
    try:
        yield child
    finally:
        child.kill()


async def _loaded(where: Place, kafka: LocalKafka, watched: Mapping[str, Child]) -> dict[str, Samples]:
    """Samples by process, all of them after the broker has stopped and the warm-up is over."""
    token = await authorization(where)
    await closed_loop(where.port, post_requests(token, 100), 8, 5.0)
    await caught_up(where)
    requests = post_requests(token, int(RATE_PER_S * RUN_S))
    await asyncio.to_thread(kafka.stop)
    samples: dict[str, Samples] = {name: [] for name in watched}
    sampling = asyncio.create_task(_sample(watched, samples))
    await open_loop(where.port, requests, RATE_PER_S)
    sampling.cancel()
    await asyncio.wait([sampling])
    if not sampling.cancelled():
        sampling.result()
    return samples


async def _sample(watched: Mapping[str, Child], samples: Mapping[str, Samples]) -> None:
    processes = {name: psutil.Process(child.pid) for name, child in watched.items()}
    await asyncio.sleep(WARM_S)
    while True:
        for name, process in processes.items():
            if watched[name].pid is None:
                raise AssertionError(f"{watched[name].failed('ended by itself')}")
            samples[name].append((perf_counter(), process.memory_info().rss / MB))
        await asyncio.sleep(SAMPLE_S)


def _slope_mb_per_min(samples: Sequence[tuple[float, float]]) -> float:
    """Of the straight line that fits best."""
    mean_s = sum(s for s, _ in samples) / len(samples)
    mean_mb = sum(mb for _, mb in samples) / len(samples)
    over = sum((s - mean_s) * (mb - mean_mb) for s, mb in samples)
    return 60 * over / sum((s - mean_s) ** 2 for s, _ in samples)
