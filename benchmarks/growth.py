"""How size and time grow with the number of events, and how catching up scales with projectors.

Not part of the default run: `python -m benchmarks growth --events 10000 100000 1000000`, some ten minutes.
Mixed events are accepted in this process in groups as the intake makes them; the read model is folded anew
at each step, as `hub rebuild` does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter
from typing import Any

import asyncpg
from sqlalchemy import Connection

from benchmarks.mixed import (
    CASE_EVENTS,
    NETWORK_EVENTS,
    PARTNERS,
    SENDERS,
    accept_cases,
    set_up_network,
)
from benchmarks.projecting import catch_up
from benchmarks.rows import Row, figure
from benchmarks.serving import place, real_parts, scratch
from hub.events.rebuild import fold_all
from hub.events.spine import Hub, open_hub
from hub.store.entries import find_entries, get_receipt
from hub.store.referrals import ReferralFilter, find_referrals
from hub.store.schema import prepare_read_model
from hub.store.services import find_services
from hub.store.viewers import viewer_of

STEPS = (10_000, 100_000, 1_000_000)
PROJECTORS = (1, 2, 4)
CATCH_UP_CASES = 2_000
CASES_AT_ONCE = 500
READS, PAGE_NODES = 25, 20
MB = 1e6
TRUTH_TABLES = ("inbox", "identity", "reference", "subject_key", "leaf", "tile", "checkpoint")

Tell = Callable[[str], None]


def measure(events: Sequence[int] = STEPS, tell: Tell = lambda _text: None) -> list[Row]:
    """Figures at each number of events, in rising order. tell: how far it is."""
    with scratch() as folder, real_parts(folder) as (postgres, kafka):
        assert kafka is not None
        rows = asyncio.run(_grow(folder / "grown", postgres.create_database("grown"), sorted(events), tell))
        settings = {"database_url": postgres.create_database("shared"), "kafka_bootstrap": kafka.bootstrap}
        return rows + asyncio.run(_share(folder / "shared", settings, tell))


async def _grow(data_dir: Path, url: str, steps: Sequence[int], tell: Tell) -> list[Row]:
    """Without a broker: what is measured here is the same with one."""
    hub, rows, cases = open_hub(place(data_dir, database_url=url).opened()), [], 0

    def told(done: int, of: int) -> None:
        tell(f"folding {done:,} of {of:,}")

    try:
        await hub.prepare()
        await set_up_network(hub)
        for step in steps:
            name, wanted = f"growth, {step:,} events: ", (step - NETWORK_EVENTS) // CASE_EVENTS
            accept_s, alone_s = await _accepted(hub, cases, wanted, tell)
            added, cases = (wanted - cases) * CASE_EVENTS, wanted
            tell(f"sequencing {added:,} events")
            sequence_s = await _seconds(lambda: _sequenced(hub))
            await prepare_read_model(hub.store, anew=True)
            rebuild_s = await _seconds(lambda: fold_all(hub.store, told))
            tell("reading")
            total = NETWORK_EVENTS + cases * CASE_EVENTS
            rows += [
                figure(f"{name}acceptance in one process", added / accept_s, "events/s"),
                figure(f"{name}the one writer's transactions alone", added / alone_s, "events/s"),
                figure(f"{name}sequencer", added / sequence_s, "events/s"),
                figure(f"{name}rebuild", total / rebuild_s, "events/s"),
                *await _sizes(url, name),
                *await _reads(hub, name, total),
            ]
    finally:
        await hub.store.close()
    return rows


async def _accepted(hub: Hub, first: int, end: int, tell: Tell) -> tuple[float, float]:
    """Seconds, and those of them in transactions, which all processes of a hub have to share."""
    begun_s, alone_s = perf_counter(), 0.0
    for start in range(first, end, CASES_AT_ONCE):
        alone_s += await accept_cases(hub, start, min(end, start + CASES_AT_ONCE))
        tell(f"accepting {start * CASE_EVENTS:,} of {end * CASE_EVENTS:,}")
    return perf_counter() - begun_s, alone_s


async def _sequenced(hub: Hub) -> None:
    while await hub.sequencer.step():
        pass


async def _seconds(work: Callable[[], Awaitable[Any]]) -> float:
    begun_s = perf_counter()
    await work()
    return perf_counter() - begun_s


async def _sizes(url: str, name: str) -> list[Row]:
    """MB of the database and of its parts, indexes included."""
    connection = await asyncpg.connect(url)
    try:
        # Statistics as autovacuum would have made them a minute later.
        await connection.execute("ANALYZE")
        whole = await connection.fetchval("SELECT pg_database_size(current_database())")
        read = await connection.fetchval(
            "SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class"
            " WHERE relkind = 'r' AND relnamespace = 'read'::regnamespace"
        )
        truth = {
            table: await connection.fetchval("SELECT pg_total_relation_size($1::regclass)", f"public.{table}")
            for table in TRUTH_TABLES
        }
    finally:
        await connection.close()
    parts = {"database": whole, "read model": read, **truth}
    return [figure(f"{name}size of {part}", size / MB, "MB") for part, size in parts.items()]


async def _reads(hub: Hub, name: str, events: int) -> list[Row]:
    """Median times of what a portal and a partner ask for most, each in its own transaction."""
    principal, draws = SENDERS[PARTNERS[0]], Random(7)

    def services(conn: Connection) -> object:
        return find_services(conn, viewer_of(conn, principal, datetime.now(UTC)), first=PAGE_NODES)

    def searched(conn: Connection) -> object:
        viewer = viewer_of(conn, principal, datetime.now(UTC))
        return find_services(conn, viewer, search=f"workshop {draws.randrange(1_000)}-1", first=PAGE_NODES)

    def referrals(conn: Connection) -> object:
        viewer = viewer_of(conn, principal, datetime.now(UTC))
        return find_referrals(conn, viewer, hub.vault, filter=ReferralFilter(), first=PAGE_NODES, after=None)

    def receipt(conn: Connection) -> object:
        viewer = viewer_of(conn, principal, datetime.now(UTC))
        return get_receipt(conn, viewer, hub.vault, draws.randint(1, events))

    def ledger(conn: Connection) -> object:
        viewer = viewer_of(conn, principal, datetime.now(UTC))
        return find_entries(conn, viewer, hub.vault, first=PAGE_NODES, after=None)

    asked: dict[str, Callable[[Connection], object]] = {
        f"page of {PAGE_NODES} services": services,
        f"search for {PAGE_NODES} services": searched,
        f"page of {PAGE_NODES} referrals of one partner": referrals,
        "a receipt": receipt,
        f"page of {PAGE_NODES} ledger entries of one partner": ledger,
    }
    rows = []
    for what, read in asked.items():
        await hub.store.inspect(read)
        taken_s = [await _seconds(lambda read=read: hub.store.inspect(read)) for _ in range(READS)]  # type: ignore[misc]
        rows.append(figure(f"{name}{what}, p50", median(taken_s) * 1000, "ms"))
    return rows


async def _share(data_dir: Path, settings: dict[str, str], tell: Tell) -> list[Row]:
    """Catching up with one projector, and with several that share the partitions."""
    where = place(data_dir, **settings)
    hub = open_hub(where.opened())
    try:
        await hub.prepare()
        await set_up_network(hub)
        await _accepted(hub, 0, CATCH_UP_CASES, tell)
        await _sequenced(hub)
    finally:
        await hub.store.close()
    events, rows, alone = NETWORK_EVENTS + CATCH_UP_CASES * CASE_EVENTS, [], 0.0
    for projectors in PROJECTORS:
        tell(f"catching up with {projectors} projectors")
        shown = events / (await catch_up(where, projectors, events)).projection_s
        alone = alone or shown
        name = f"growth, catch-up with {events:,} events, {projectors} projectors"
        rows.append(figure(name, shown, "events/s", peer="1 projector", ratio=shown / alone))
    return rows
