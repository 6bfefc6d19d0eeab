"""An event as a record of the log: a structured CloudEvent, and headers that say where it stands.

The value is for any reader of CloudEvents. A projector reads the headers alone, and the event itself from the
inbox. `after` chains the events of a lane: who has not seen the one before knows that something is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from kafka.partitioner.default import murmur2

from hub.domain.registry import CASES, CATALOGUE, NETWORK
from hub.store.inbox import Sequenced

LANE_TOPICS = (CATALOGUE, CASES, NETWORK)
CONTENT_TYPE = b"application/cloudevents+json; charset=UTF-8"


class Record(NamedTuple):
    """What a producer sends."""

    topic: str
    partition: int
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


class Unreadable(Exception):
    """A record that the hub did not write, or not like this."""


class Foreign(Exception):
    """A record of another hub on the same cluster."""


@lru_cache(maxsize=65_536)
def partition_of(key: str, partitions: int) -> int:
    """Where Kafka's own clients put the key, too."""
    return int(murmur2(key.encode()) & 0x7FFFFFFF) % partitions


def lane_of(topic: str, key: str, partitions: int) -> str:
    """Name of the lane that events of the key come by."""
    return f"{topic}/{partition_of(key, partitions)}"


def all_lanes(partitions: int) -> list[str]:
    """Names of all lanes."""
    return [f"{topic}/{partition}" for topic in LANE_TOPICS for partition in range(partitions)]


def to_record(event: Sequenced, after: int, partitions: int, hub_id: str) -> Record:
    """The record of an event. after: leaf index of the one before it in its lane."""
    envelope = {**event.attributes, "partitionkey": event.key, "data": event.data}
    headers = {
        "content-type": CONTENT_TYPE,
        "hub-id": hub_id.encode(),
        "hub-leaf": b"%d" % event.leaf_index,
        "hub-after": b"%d" % after,
        "hub-seq": b"%d" % event.seq,
        "hub-partner": event.partner.encode(),
        "hub-accepted-at": event.accepted_at.encode(),
        "hub-resolved": event.resolved.encode(),
        "hub-commitment": event.commitment.hex().encode(),
    }
    partition = partition_of(event.key, partitions)
    return Record(event.topic, partition, event.key.encode(), orjson.dumps(envelope), list(headers.items()))


@dataclass(frozen=True, slots=True)
class News:
    """What a record says of an event: where it stands. What happened says the inbox."""

    lane: str
    after: int
    leaf_index: int
    seq: int
    commitment: bytes


def from_record(record: Any, hub_id: str) -> News:
    """The news of a record as consumed; Unreadable for all that `to_record` does not write, or Foreign."""
    try:
        told = {name: bytes(content).decode() for name, content in record.headers}
        if told["hub-id"] != hub_id:
            raise Foreign(told["hub-id"])
        leaf_index, after = int(told["hub-leaf"]), int(told["hub-after"])
        if not -1 <= after < leaf_index:
            raise Unreadable(f"leaf {leaf_index} does not come after {after}")
        return News(
            f"{record.topic}/{record.partition}",
            after,
            leaf_index,
            int(told["hub-seq"]),
            bytes.fromhex(told["hub-commitment"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from error
