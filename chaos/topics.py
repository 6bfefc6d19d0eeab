"""What stands in the log: read from its beginning, without the hub's own reader."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from chaos.checks import Entry, Findings
from hub.events.kafka.messages import LANE_TOPICS, lane_of

READ_S_MAX = 60.0


@dataclass
class Log:
    """leaves: of every readable record, by lane, in the log's order. unreadable: records without a leaf."""

    leaves: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    unreadable: int = 0
    repeats: int = 0


def read_log(bootstrap: str, partitions: int, hub_id: str) -> Log:
    """All records that the lanes hold now; TimeoutError after READ_S_MAX."""
    log = Log()
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap.split(","), auto_offset_reset="earliest", enable_auto_commit=False
    )
    try:
        lanes = [TopicPartition(topic, number) for topic in LANE_TOPICS for number in range(partitions)]
        consumer.assign(lanes)
        consumer.seek_to_beginning(*lanes)
        ends = consumer.end_offsets(lanes)
        end_s = time.monotonic() + READ_S_MAX
        while any(consumer.position(lane) < ends[lane] for lane in lanes):
            if time.monotonic() > end_s:
                raise TimeoutError("the log cannot be read to its end")
            for lane, records in consumer.poll(timeout_ms=300).items():
                for record in records:
                    if (leaf_index := _leaf_index(record, hub_id)) is None:
                        log.unreadable += 1
                    else:
                        log.leaves[f"{lane.topic}/{lane.partition}"].append(leaf_index)
    finally:
        consumer.close(autocommit=False)
    return log


def _leaf_index(record: Any, hub_id: str) -> int | None:
    """Of a record of this hub; None for any other."""
    headers = dict(record.headers)
    try:
        json.loads(record.value or b"")
        return int(headers["hub-leaf"]) if headers["hub-id"] == hub_id.encode() else None
    except (KeyError, ValueError):
        return None


def check_log(log: Log, entries: Sequence[Entry], partitions: int, findings: Findings) -> None:
    """Every leaf is in its lane at least once, and in order: what a reader keeps that skips what it has seen.

    The log may repeat, after a fault, from an earlier place on; it may leave nothing out.
    """
    wanted: defaultdict[str, list[int]] = defaultdict(list)
    for one in entries:
        if one.leaf_index is not None:
            wanted[lane_of(one.topic, one.key, partitions)].append(one.leaf_index)
    for lane, leaves in sorted(wanted.items()):
        told = log.leaves.get(lane, [])
        log.repeats += len(told) - len(set(told))
        findings.add(f"leaves are not in the log, lane {lane}", sorted(set(leaves) - set(told)), "lost")
        place = 0
        for leaf_index in told:
            if place < len(leaves) and leaf_index == leaves[place]:
                place += 1
        if place < len(leaves) and not set(leaves) - set(told):
            findings.add(f"leaves are not in order in the log, lane {lane}", leaves[place:], "reordered")
    strange = [lane for lane, told in log.leaves.items() if set(told) - set(wanted[lane])]
    findings.add("lanes hold leaves of another lane", strange)
