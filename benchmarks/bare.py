"""The peers: what the database and the broker do for the same bytes without the hub."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Any

import asyncpg
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from benchmarks.load import published

PEER_S = 0.5
POLL_MS = 100
CONSUME_S_MAX = 30.0
BATCH_BYTES = 262_144
STAMP_BYTES = 8
TYPES = {int: "bigint", str: "text", bytes: "bytea"}
SQLITE = "sqlite3, WAL, synchronous=FULL"
ASYNCPG = "asyncpg, the same inbox rows by INSERT … SELECT unnest"

Value = tuple[bytes, bytes]
"""Key and value of a record."""


def sqlite_rate(database: Path, size: int) -> float:
    """Rows a second of bare sqlite3 on the same disk, so many a commit."""
    rows = [(json.dumps(published()),)] * size
    with closing(sqlite3.connect(database, isolation_level=None)) as conn:
        conn.execute("PRAGMA journal_mode=WAL")
        conn.execute("PRAGMA synchronous=FULL")
        conn.execute("CREATE TABLE IF NOT EXISTS inbox (seq INTEGER PRIMARY KEY, event TEXT NOT NULL)")
        done, start = 0, perf_counter()
        while (passed := perf_counter() - start) < PEER_S:
            conn.execute("BEGIN IMMEDIATE")
            conn.executemany("INSERT INTO inbox (event) VALUES (?)", rows)
            conn.execute("COMMIT")
            done += size
    return done / passed


async def postgres_rate(url: str, size: int) -> float:
    """Rows a second of bare asyncpg, one connection, so many a commit, into a copy of the hub's inbox.

    The rows are those that the hub has written last, so that there must be some.
    """
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "CREATE SCHEMA IF NOT EXISTS bare; DROP TABLE IF EXISTS bare.inbox;"
            "CREATE TABLE bare.inbox (LIKE public.inbox INCLUDING ALL)"
        )
        found = await connection.fetch("SELECT * FROM public.inbox ORDER BY seq DESC LIMIT $1", size)
        rows = [dict(found[at % len(found)]) for at in range(size)]
        names = list(rows[0])
        columns = [[row[name] for row in rows] for name in names]
        types = [TYPES[type(column[0])] for column in columns]
        arrays = ", ".join(f"unnest(${at}::{type_}[])" for at, type_ in enumerate(types, 1))
        insert = await connection.prepare(f"INSERT INTO bare.inbox ({', '.join(names)}) SELECT {arrays}")
        seq, done, start = names.index("seq"), 0, perf_counter()
        while (passed := perf_counter() - start) < PEER_S:
            columns[seq] = list(range(done, done + size))
            await insert.fetch(*columns)
            done += size
        return done / passed
    finally:
        await connection.close()


def make_topic(bootstrap: str, topic: str, partitions: int) -> None:
    """A new topic with one copy."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        shape = {"num_partitions": partitions, "replication_factor": 1}
        admin.create_topics({topic: shape}, wait_for_metadata=True)
    finally:
        admin.close()


def consume(bootstrap: str, topics: Sequence[str], count: int) -> tuple[float, list[Value]]:
    """Records a second of kafka-python from the oldest on, and the first `count` of them.

    The clock starts when the first record is there: joining and connecting are left out.
    """
    with _consumer(bootstrap, topics) as consumer:
        consumer.seek_to_beginning()
        found: list[Value] = []
        until_s, begun_s, first = perf_counter() + CONSUME_S_MAX, 0.0, 0
        while len(found) < count:
            if perf_counter() > until_s:
                raise AssertionError(f"{len(found)} of {count} records after {CONSUME_S_MAX} s")
            for records in consumer.poll(timeout_ms=POLL_MS, max_records=500).values():
                found += [(record.key, record.value) for record in records]
            if found and not begun_s:
                begun_s, first = perf_counter(), len(found)
        return (len(found) - first) / (perf_counter() - begun_s), found


def produce(bootstrap: str, topic: str, values: Sequence[Value]) -> float:
    """Records a second of kafka-python, idempotent and acknowledged by all, batched for throughput."""
    producer = _producer(bootstrap, linger_ms=20)
    try:
        producer.partitions_for(topic)
        start = perf_counter()
        waiting = [producer.send(topic, key=key, value=value) for key, value in values]
        for one in waiting:
            one.get(timeout=CONSUME_S_MAX)
        return len(values) / (perf_counter() - start)
    finally:
        producer.close()


def round_trips_s(bootstrap: str, topic: str, value: bytes, count: int, rate_per_s: float) -> list[float]:
    """Seconds from sending to receiving each record at a steady rate; the producer has its own process."""
    with (
        _consumer(bootstrap, [topic]) as consumer,
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
    ):
        consumer.seek_to_end()
        for partition in consumer.assignment():
            consumer.position(partition)
        sending = pool.submit(_produce_steadily, bootstrap, topic, value, count, rate_per_s)
        taken_s: list[float] = []
        until_s = perf_counter() + CONSUME_S_MAX
        while len(taken_s) < count:
            if perf_counter() > until_s:
                raise AssertionError(f"{len(taken_s)} of {count} records after {CONSUME_S_MAX} s")
            for records in consumer.poll(timeout_ms=POLL_MS).values():
                now_ns = time.monotonic_ns()
                taken_s += [
                    (now_ns - int.from_bytes(one.value[:STAMP_BYTES], "big")) / 1e9 for one in records
                ]
        sending.result()
        return taken_s


def _produce_steadily(bootstrap: str, topic: str, value: bytes, count: int, rate_per_s: float) -> None:
    """Each record begins with the time (monotonic, ns) when it was due."""
    producer = _producer(bootstrap, linger_ms=0)
    try:
        producer.partitions_for(topic)
        begun_ns, step_ns = time.monotonic_ns(), int(1e9 / rate_per_s)
        for number in range(count):
            due_ns = begun_ns + number * step_ns
            if (early_ns := due_ns - time.monotonic_ns()) > 0:
                time.sleep(early_ns / 1e9)
            producer.send(topic, value=due_ns.to_bytes(STAMP_BYTES, "big") + value)
        producer.flush()
    finally:
        producer.close()


def pile_up(bootstrap: str, value: str, rate_per_s: str) -> None:
    """Give a producer records of the topic `bare` for ever, whether the broker takes them or not."""
    producer = _producer(bootstrap, linger_ms=0)
    producer.partitions_for("bare")
    while True:
        with contextlib.suppress(
            KafkaError
        ):  # It may refuse a record for want of metadata: the next one, then.
            producer.send("bare", value=value.encode())
        time.sleep(1 / float(rate_per_s))


def _producer(bootstrap: str, linger_ms: int) -> Any:
    return KafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        enable_idempotence=True,
        linger_ms=linger_ms,
        batch_size=BATCH_BYTES,
        metrics_enabled=False,
    )


@contextmanager
def _consumer(bootstrap: str, topics: Sequence[str]) -> Iterator[Any]:
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", metrics_enabled=False)
    try:
        consumer.assign(
            [
                TopicPartition(topic, number)
                for topic in topics
                for number in sorted(consumer.partitions_for_topic(topic) or ())
            ]
        )
        yield consumer
    finally:
        consumer.close()
