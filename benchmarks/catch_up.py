"""How fast a projector catches up from Apache Kafka, and the parts of that way.

Mixed events are accepted, sequenced and published first. Peers in the same run: kafka-python alone, which
consumes the same records from the same broker and produces them to it, and the fold from the inbox, which
needs no Kafka.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from time import perf_counter

from benchmarks.bare import consume, make_topic, produce
from benchmarks.mixed import CASE_EVENTS, NETWORK_EVENTS, accept_cases, set_up_network
from benchmarks.projecting import CaughtUp, catch_up
from benchmarks.rows import Row, figure
from benchmarks.serving import Place, place, real_parts, scratch
from hub.events.kafka.messages import LANE_TOPICS
from hub.events.rebuild import fold_all
from hub.events.spine import Hub, open_hub
from hub.store.schema import prepare_read_model

CASES = 2_000
TARGET_PER_S = 8_000
CONSUMER = "kafka-python alone, the same records"
PRODUCER = "kafka-python alone, acks=all, the same records"


@dataclass(frozen=True, slots=True)
class Filled:
    """events: that the inbox has. Seconds that each part took."""

    events: int
    accept_s: float
    alone_s: float
    sequence_s: float
    fold_s: float


def measure() -> list[Row]:
    """Events a second of each part."""
    with scratch() as folder, real_parts(folder) as (postgres, kafka):
        assert kafka is not None
        where = place(
            folder / "data", database_url=postgres.create_database("hub"), kafka_bootstrap=kafka.bootstrap
        )
        filled = asyncio.run(_fill(where))
        caught_up = asyncio.run(catch_up(where, 1, filled.events))
        consumed, values = consume(kafka.bootstrap, LANE_TOPICS, filled.events)
        make_topic(kafka.bootstrap, "bare", where.opened().kafka_partitions)
        produced = produce(kafka.bootstrap, "bare", values)
    return _rows(filled, caught_up, consumed, produced)


async def _fill(where: Place) -> Filled:
    """Accept, sequence, and fold once from the inbox, in this process."""
    hub = open_hub(where.opened())
    try:
        await hub.prepare()
        begun_s = perf_counter()
        await set_up_network(hub)
        alone_s = await accept_cases(hub, 0, CASES)
        accept_s, begun_s = perf_counter() - begun_s, perf_counter()
        while await hub.sequencer.step():
            pass
        sequence_s = perf_counter() - begun_s
        fold_s = await _fold_beside(hub)
        return Filled(NETWORK_EVENTS + CASES * CASE_EVENTS, accept_s, alone_s, sequence_s, fold_s)
    finally:
        await hub.store.close()


async def _fold_beside(hub: Hub) -> float:
    """Seconds to fold everything from the inbox into an empty read model, as `hub rebuild` does."""
    beside = hub.store.beside()
    try:
        await prepare_read_model(beside, anew=True)
        begun_s = perf_counter()
        await fold_all(beside)
        return perf_counter() - begun_s
    finally:
        await beside.close()


def _rows(filled: Filled, caught_up: CaughtUp, consumed: float, produced: float) -> list[Row]:
    shown, folded, relayed = (
        filled.events / took_s for took_s in (caught_up.projection_s, filled.fold_s, caught_up.relay_s)
    )
    name, unit = f"catch-up with {filled.events:,} events, ", "events/s"
    return [
        figure(f"{name}1 projector", shown, unit, peer=CONSUMER, ratio=shown / consumed, target=TARGET_PER_S),
        figure(
            f"{name}1 projector, beside the fold",
            shown,
            unit,
            peer="the fold from the inbox",
            ratio=shown / folded,
        ),
        figure(f"{name}the fold from the inbox", folded, unit, peer=CONSUMER, ratio=folded / consumed),
        figure(f"{name}the relay", relayed, unit, peer=PRODUCER, ratio=relayed / produced),
        figure(f"{name}the sequencer", filled.events / filled.sequence_s, unit),
        figure(f"{name}acceptance in one process", filled.events / filled.accept_s, unit),
        figure(f"{name}the one writer's transactions alone", filled.events / filled.alone_s, unit),
        figure(CONSUMER, consumed, "records/s"),
        figure(PRODUCER, produced, "records/s"),
    ]
