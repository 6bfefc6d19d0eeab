"""Where the time of an event goes on its way through Kafka: when it passed each hop, process by process.

`python -m benchmarks.hops serve|work` is `hub serve` or `hub work` with a clock at the hops; each process
writes what it has seen to its data folder when it ends. Clocks are monotonic, one for the whole machine.
"""

from __future__ import annotations

import functools
import json
import signal
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any

from benchmarks.rows import percentile

HOPS = (
    ("accepting", "in HTTP, token check and the queue"),
    ("committed", "the transaction that accepts it"),
    ("sequencing", "until the sequencer wakes up"),
    ("sequenced", "the transaction that sequences it"),
    ("publishing", "until the relay has read it"),
    ("acknowledged", "until Kafka has acknowledged it"),
    ("delivered", "until a poll has delivered it"),
    ("projected", "the transaction that projects it"),
    ("notified", "until the server is told"),
    ("answered", "until the sender has the answer"),
)
"""When an event has passed a hop, and what the time since the hop before it was spent on."""

Times = dict[str, dict[int, float]]
"""By hop, seconds by event (seq)."""


class Clock:
    """Notes the time at which events pass a hop; the first time counts."""

    def __init__(self) -> None:
        self.times: Times = defaultdict(dict)

    def note(self, hop: str, seqs: Sequence[int], at_s: float | None = None) -> None:
        """These events pass it now, or did at that time."""
        at_s = monotonic() if at_s is None else at_s
        for seq in seqs:
            self.times[hop].setdefault(seq, at_s)

    def save(self, file: Path) -> None:
        """Write it all as JSON."""
        file.write_text(json.dumps(self.times), encoding="utf-8")


def read_times(file: Path) -> Times:
    """What a process has written."""
    hops = json.loads(file.read_text(encoding="utf-8"))
    return {hop: {int(seq): at_s for seq, at_s in times.items()} for hop, times in hops.items()}


def profile(due_s: Mapping[int, float], times: Times) -> list[tuple[str, float, float]]:
    """(what the time was spent on, median ms, 99th percentile ms) of each hop, for events seen at all.

    due_s: when each event should have been sent. A poll may deliver before the producer learns that it is
    acknowledged: then it was delivered in no time.
    """
    whole = [seq for seq in due_s if all(seq in times.get(hop, {}) for hop, _ in HOPS)]
    if not whole:
        seen = {hop: len(times.get(hop, {})) for hop, _ in HOPS}
        raise AssertionError(f"no event of {len(due_s)} was seen at every hop: {seen}")
    before = {seq: due_s[seq] for seq in whole}
    rows = []
    for hop, spent_on in HOPS:
        spent_ms = [max(0.0, times[hop][seq] - before[seq]) * 1000 for seq in whole]
        rows.append((spent_on, median(spent_ms), percentile(spent_ms, 0.99)))
        before = {seq: max(before[seq], times[hop][seq]) for seq in whole}
    return rows


def _main(role: str) -> None:
    """Run the command with the clock in it."""
    from hub import cli
    from hub.settings import Settings

    clock = Clock()
    (_watch_server if role == "serve" else _watch_worker)(clock)
    sys.argv = ["hub", role]
    # uvicorn passes the signal on once it has ended, and that would end the process before it writes.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    try:
        cli.main()
    finally:
        clock.save(Settings().data_dir / f"hops-{role}.json")


def _watch_server(clock: Clock) -> None:
    from hub.events.progress import Progress
    from hub.store.postgres import PostgresStore

    intake, shows = PostgresStore.intake, Progress.shows

    @functools.wraps(intake)
    async def timed_intake(store: PostgresStore, work: Callable[[Any], Any]) -> Any:
        begun_s = monotonic()
        answers = await intake(store, work)
        seqs = [receipt.seq for answer in answers if isinstance(answer, list) for receipt in answer]
        clock.note("accepting", seqs, begun_s)
        clock.note("committed", seqs)
        return answers

    @functools.wraps(shows)
    def timed_shows(progress: Progress, seqs: Sequence[int]) -> None:
        clock.note("notified", seqs)
        shows(progress, seqs)

    PostgresStore.intake = timed_intake  # type: ignore[method-assign]
    Progress.shows = timed_shows  # type: ignore[method-assign,assignment]


def _watch_worker(clock: Clock) -> None:
    from hub.events import sequencer
    from hub.events.kafka import KafkaBackbone
    from hub.events.kafka.producer import Producer
    from hub.events.progress import Progress

    step, save, publish = sequencer.Sequencer.step, sequencer.save_leaves, Producer.publish
    deliver, shows = KafkaBackbone.next, Progress.shows
    batch: list[int] = []

    async def timed_step(one: sequencer.Sequencer) -> bool:
        begun_s = monotonic()
        grown = await step(one)
        clock.note("sequencing", batch, begun_s)
        clock.note("sequenced", batch)
        batch.clear()
        return grown

    def noted_save(conn: Any, first: int, seqs: Sequence[int], head: Any) -> None:
        batch.extend(seqs)
        save(conn, first, seqs, head)

    def timed_publish(producer: Producer, records: Sequence[Any]) -> None:
        seqs = [int(dict(record.headers).get("hub-seq", 0)) for record in records]
        clock.note("publishing", seqs)
        publish(producer, records)
        clock.note("acknowledged", seqs)

    async def timed_next(backbone: KafkaBackbone, limit: int) -> Any:
        found = await deliver(backbone, limit)
        clock.note("delivered", [one.event.seq for one in found.events] if found else [])
        return found

    def timed_shows(progress: Progress, seqs: Sequence[int]) -> None:
        clock.note("projected", seqs)
        shows(progress, seqs)

    sequencer.Sequencer.step = timed_step  # type: ignore[method-assign]
    sequencer.save_leaves = noted_save
    Producer.publish = timed_publish  # type: ignore[method-assign]
    KafkaBackbone.next = timed_next  # type: ignore[method-assign]
    Progress.shows = timed_shows  # type: ignore[method-assign,assignment]


if __name__ == "__main__":
    _main(sys.argv[1])
