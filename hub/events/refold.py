"""Folding one key again: after a fault of a fold was mended, its events get the verdicts they should have.

All of the key, from its first event on: what came after the event that could not be folded was judged
without it. The key is then what a rebuild would make of it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from hub.domain.refusal import Refusal
from hub.events.projector import BATCH_EVENTS_MAX, fold_events, parked
from hub.store.engine import Store, is_of_data
from hub.store.inbox import Sequenced, find_sequenced, sequenced_of_key
from hub.store.projection import INBOX, forget_key, positions, save_verdicts, verdicts_of
from hub.store.tables import leaf

TRIES = 100

log = logging.getLogger(__name__)
LaneOf = Callable[[str, str], str]


class _Read(NamedTuple):
    """Events of a key, every one that is in the tree below that size."""

    events: list[Sequenced]
    size: int


class _Unsettled(Exception):
    """The read model does not show the key's events as positions say."""


async def refold(store: Store, seq: int, lane_of: LaneOf | None) -> Refusal | None:
    """Fold all events of the key of an event that was parked; Refusal when it still cannot be folded.

    lane_of: by topic and key, where events come by lanes; None where the whole tree is one.
    """
    event = await store.inspect(lambda conn: find_sequenced(conn, seq))
    if event is None or (await store.inspect(lambda conn: verdicts_of(conn, event.key))).get(seq) != "parked":
        message = f"Event {seq} is not parked."
        return Refusal("parked.unknown", message, "hub parked list shows what is.")
    read = _Read([], 0)
    for _ in range(TRIES):
        read = await _read_on(store, event.key, read)
        try:
            status = await _folded_again(store, event.key, read, lane_of)
        except _Unsettled:
            message = "The read model is folded by other lanes than those of these settings."
            remedy = "Give this command the HUB_KAFKA_ settings of hub work; if it has them: hub rebuild."
            return Refusal("parked.other_lanes", message, remedy)
        if status is not None:
            return _still_parked(seq) if status[seq] == "parked" else None
    raise RuntimeError("the read model is ahead of whatever is read of the tree")


async def _read_on(store: Store, key: str, known: _Read) -> _Read:
    """What is known, and what has come to the tree since."""

    def read(conn: Connection) -> _Read:
        size = conn.execute(select(func.coalesce(func.max(leaf.c.leaf_index) + 1, 0))).scalar_one()
        return _Read(known.events + sequenced_of_key(conn, key, known.size), size)

    return await store.inspect(read)


async def _folded_again(store: Store, key: str, read: _Read, lane_of: LaneOf | None) -> dict[int, str] | None:
    """Status by seq; None when events were folded that were not read."""
    return await store.project(lambda conn: _refold(conn, key, read, lane_of))


def _refold(conn: Connection, key: str, read: _Read, lane_of: LaneOf | None) -> dict[int, str] | None:
    """Status by seq; None, before anything is written, when events were folded that were not read."""
    lanes = {one.seq: lane_of(one.topic, key) if lane_of else INBOX for one in read.events}
    at = positions(conn, hold=lanes.values())
    if any(at[lane].leaf > read.size for lane in lanes.values()):
        return None
    folded = [one for one in read.events if one.leaf_index < at[lanes[one.seq]].leaf]
    if {one.seq for one in folded} != verdicts_of(conn, key).keys():
        raise _Unsettled
    forget_key(conn, key)
    for start in range(0, len(folded), BATCH_EVENTS_MAX):
        _fold(conn, folded[start : start + BATCH_EVENTS_MAX])
    return verdicts_of(conn, key)


def _fold(conn: Connection, events: Sequence[Sequenced]) -> None:
    """As the projector does: together, or one by one when one of them cannot be written."""
    try:
        with conn.begin_nested():
            fold_events(conn, events)
        return
    except Exception as error:
        if not is_of_data(error):
            raise
        log.exception("batch_failed", extra={"events": len(events)})
    for one in events:
        try:
            with conn.begin_nested():
                fold_events(conn, [one])
        except Exception as error:
            if not is_of_data(error):
                raise
            log.exception("event_parked", extra={"seq": one.seq, "type": one.type})
            save_verdicts(conn, [parked(one)])


def _still_parked(seq: int) -> Refusal:
    return Refusal(
        "parked.still",
        f"Event {seq} still cannot be folded; the log of this command says why.",
        "Mend the fault first. The other events of its key were folded again.",
    )
