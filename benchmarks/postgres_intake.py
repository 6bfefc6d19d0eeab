"""The intake over real HTTP, with the token check, on PostgreSQL that survives a crash of the machine.

`hub serve` does the intake alone, as in production: it is told of a broker, and no worker runs. Peer in the
same run and database: bare asyncpg inserts of the same bytes, as many a commit.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import uvloop

from benchmarks.bare import ASYNCPG, postgres_rate
from benchmarks.load import Load, closed_loop, post_requests
from benchmarks.rows import Row, figure, percentile
from benchmarks.serving import Place, authorization, enrol, place, real_parts, running, scratch

BATCH, LANES, BATCH_LANES = 100, 32, 4
RUN_S = 3.0
ONE_MAX, SINGLES_MAX, BATCHES_MAX = 3_000, 10_000, 500
SINGLES_TARGET_PER_S, ONE_TARGET_MS = 2_000, 3.0
BATCHES_TARGET_PER_S, BATCHES_TARGET_SHARE = 12_000, 0.4


def measure() -> list[Row]:
    """Rates and waits of single events and of batches."""
    with scratch() as folder, real_parts(folder, kafka=False) as (postgres, _):
        url = postgres.create_database("hub")
        # Nothing listens there: the intake needs no broker, and is told of one so that it does not project.
        where = place(folder / "data", database_url=url, kafka_bootstrap="127.0.0.1:9")
        enrol(where)
        with running(where, "serve"):
            return uvloop.run(_measure(where, url))


async def _measure(where: Place, url: str) -> list[Row]:
    token = await authorization(where)
    await closed_loop(where.port, post_requests(token, 200), LANES, RUN_S)
    one, one_peer = await _beside(where, url, post_requests(token, ONE_MAX), 1, 1)
    many, many_peer = await _beside(where, url, post_requests(token, SINGLES_MAX), LANES, 1)
    batches, batch_peer = await _beside(
        where, url, post_requests(token, BATCHES_MAX, BATCH), BATCH_LANES, BATCH
    )
    one_ms, many_ms = (median(run.latencies_s) * 1000 for run in (one, many))
    taken, name = batches.rate * BATCH, "intake on PostgreSQL: "
    single, batched = f"{ASYNCPG}, 1 a commit", f"{ASYNCPG}, {BATCH} a commit"
    p99_ms = percentile(many.latencies_s, 0.99) * 1000
    return [
        figure(
            f"{name}single events, 1 connection",
            one.rate,
            "events/s",
            peer=single,
            ratio=one.rate / one_peer,
        ),
        figure(
            f"{name}single events, 1 connection, p50",
            one_ms,
            "ms",
            peer=single,
            ratio=1000 / one_peer / one_ms,
            target=ONE_TARGET_MS,
            at_most=True,
        ),
        figure(
            f"{name}single events, {LANES} connections",
            many.rate,
            "events/s",
            peer=single,
            ratio=many.rate / many_peer,
            target=SINGLES_TARGET_PER_S,
        ),
        figure(f"{name}single events, {LANES} connections, p50", many_ms, "ms"),
        figure(f"{name}single events, {LANES} connections, p99", p99_ms, "ms"),
        figure(
            f"{name}batches of {BATCH}, {BATCH_LANES} connections",
            taken,
            "events/s",
            peer=batched,
            ratio=taken / batch_peer,
            target=BATCHES_TARGET_PER_S,
        ),
        figure(
            f"{name}batches of {BATCH}, share of bare inserts",
            taken / batch_peer,
            "ratio",
            peer=batched,
            ratio=taken / batch_peer,
            target=BATCHES_TARGET_SHARE,
        ),
    ]


async def _beside(
    where: Place, url: str, requests: Sequence[bytes], lanes: int, size: int
) -> tuple[Load, float]:
    """A run, and the peer's rows a second right before and after it: a busy machine slows both."""
    before = await postgres_rate(url, size)
    load = await closed_loop(where.port, requests, lanes, RUN_S)
    return load, (before + await postgres_rate(url, size)) / 2
