"""From POST to the read model through Apache Kafka at a steady rate, and where the time goes.

The sender asks to wait (`Prefer: wait=5`) and is answered once its event is projected. Peer: kafka-python
alone on the same broker, from the time when a record was due to a consumer in another process.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from statistics import median

import uvloop

from benchmarks.bare import make_topic, round_trips_s
from benchmarks.hops import profile, read_times
from benchmarks.load import Load, closed_loop, open_loop, post_requests, published
from benchmarks.rows import Row, figure, percentile
from benchmarks.serving import (
    HUB,
    Place,
    authorization,
    caught_up,
    enrol,
    place,
    real_parts,
    running,
    scratch,
)

RATE_PER_S = 500
RUN_S, WARM_S, PROFILE_S, PEER_RUN_S = 10.0, 3.0, 5.0, 4.0
P50_TARGET_MS, P99_TARGET_MS = 15.0, 50.0
WAITING = "Prefer: wait=5\r\n"
TIMED = (sys.executable, "-m", "benchmarks.hops")
PEER = "kafka-python alone, acks=all"
NAME = f"Kafka, POST to read model at {RATE_PER_S}/s"


def measure() -> list[Row]:
    """Latency, the peer's, and each hop's."""
    with scratch() as folder, real_parts(folder) as (postgres, kafka):
        assert kafka is not None
        where = place(
            folder / "data", database_url=postgres.create_database("hub"), kafka_bootstrap=kafka.bootstrap
        )
        enrol(where)
        load, _ = _run(where, HUB, RUN_S)
        make_topic(kafka.bootstrap, "bare", 12)
        body = json.dumps(published()).encode()
        bare_s = round_trips_s(kafka.bootstrap, "bare", body, int(RATE_PER_S * PEER_RUN_S), RATE_PER_S)
        _, due_s = _run(where, TIMED, PROFILE_S)
        times = read_times(where.data_dir / "hops-serve.json")
        times["answered"] = {seq: answered for seq, (_, answered) in due_s.items()}
        times |= read_times(where.data_dir / "hops-work.json")
        hops = profile({seq: due for seq, (due, _) in due_s.items()}, times)
    return [
        *_latencies(load.latencies_s, bare_s),
        *(figure(f"{NAME}: {what}, p50", p50, "ms") for what, p50, _ in hops),
        *(figure(f"{NAME}: {what}, p99", p99, "ms") for what, _, p99 in hops),
    ]


def _run(where: Place, command: Sequence[str], run_s: float) -> tuple[Load, dict[int, tuple[float, float]]]:
    """A run after a warm-up, with processes of its own; of each event (seq) when it was due and answered."""
    with ExitStack() as processes:
        for role in ("serve", "work"):
            processes.enter_context(running(where, role, command))
        return uvloop.run(_steadily(where, run_s))


async def _steadily(where: Place, run_s: float) -> tuple[Load, dict[int, tuple[float, float]]]:
    token = await authorization(where)
    warming = post_requests(token, int(RATE_PER_S * WARM_S), headers=WAITING)
    requests = post_requests(token, int(RATE_PER_S * run_s), headers=WAITING)
    # A projector that has just joined its group needs a moment before the first event is shown.
    await closed_loop(where.port, post_requests(token, 1), 1, 1.0)
    await caught_up(where)
    await open_loop(where.port, warming, RATE_PER_S)
    await caught_up(where)
    answers: dict[int, tuple[float, float]] = {}
    # The hops are timed by another clock than this loop; on Linux both are one, elsewhere they differ.
    apart_s = time.monotonic() - time.perf_counter()

    def told(due_s: float, answered_s: float, body: bytes) -> None:
        seq = json.loads(body)["receipts"][0]["seq"]
        answers[seq] = due_s + apart_s, answered_s + apart_s

    return await open_loop(where.port, requests, RATE_PER_S, told=told), answers


def _latencies(ours_s: Sequence[float], bare_s: Sequence[float]) -> list[Row]:
    p50_ms, p99_ms = (one * 1000 for one in (median(ours_s), percentile(ours_s, 0.99)))
    bare_p50_ms, bare_p99_ms = (one * 1000 for one in (median(bare_s), percentile(bare_s, 0.99)))
    return [
        figure(
            f"{NAME}, p50",
            p50_ms,
            "ms",
            peer=PEER,
            ratio=bare_p50_ms / p50_ms,
            target=P50_TARGET_MS,
            at_most=True,
        ),
        figure(
            f"{NAME}, p99",
            p99_ms,
            "ms",
            peer=PEER,
            ratio=bare_p99_ms / p99_ms,
            target=P99_TARGET_MS,
            at_most=True,
        ),
        figure(f"{PEER}, send to receive at {RATE_PER_S}/s, p50", bare_p50_ms, "ms"),
        figure(f"{PEER}, send to receive at {RATE_PER_S}/s, p99", bare_p99_ms, "ms"),
    ]
