"""How far events have come on their way: one bounded read for health and metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from hub.store.inbox import last_seq
from hub.store.pages import projection_version
from hub.store.projection import INBOX, Position, positions
from hub.store.relay import told
from hub.store.tables import inbox, leaf, parked

PARKED_COUNTED_MAX = 10_000

_SIZE = select(func.coalesce(func.max(leaf.c.leaf_index) + 1, 0))
_PARKED = select(func.count()).select_from(
    select(parked.c.id).where(parked.c.replayed_at.is_(None)).limit(PARKED_COUNTED_MAX).subquery()
)


@dataclass(frozen=True, slots=True)
class Flow:
    """Numbers of events that were accepted, sequenced, told to the log (None: to none), and shown.

    lanes: places of the tree between what a lane has folded and its last event; no fewer than its events
    that wait. parked: messages of the log that nobody can read, at most PARKED_COUNTED_MAX.
    oldest: by stage, acceptance (RFC 3339) of the event that waits for it longest; at least that old.
    """

    accepted: int
    sequenced: int
    told: int | None
    shown: int
    lanes: Mapping[str, int]
    parked: int
    oldest: Mapping[str, str]

    @property
    def behind(self) -> dict[str, int]:
        """Events that wait for each stage: sequencer, relay, projector."""
        told = self.sequenced if self.told is None else self.told
        return {
            "sequencer": self.accepted - self.sequenced,
            "relay": self.sequenced - told,
            "projector": self.sequenced - self.shown,
        }


def flow(conn: Connection, *, by_log: bool) -> Flow:
    """How far events have come. by_log: whether they pass a log, and not the inbox alone."""
    accepted, size, shown = last_seq(conn), int(conn.execute(_SIZE).scalar_one()), projection_version(conn)
    log, folded = told(conn), positions(conn)
    start = folded.get(INBOX, Position())
    lasts = log.lanes if by_log else {INBOX: size - 1}
    lanes = {lane: max(0, last + 1 - folded.get(lane, start).leaf) for lane, last in lasts.items()}
    # Numbers have no gaps: the leaf after n others is event n + 1. Of those not shown, none that is older
    # than the first of the last so many can be told without looking at every lane.
    nexts = {"sequencer": size + 1, "relay": log.leaf + 1, "projector": shown + 1}
    ends = {"sequencer": accepted, "relay": size if by_log else 0, "projector": size}
    waiting = {stage: seq for stage, seq in nexts.items() if seq <= ends[stage]}
    query = select(inbox.c.seq, inbox.c.accepted_at).where(inbox.c.seq.in_(waiting.values()))
    at = {row.seq: row.accepted_at for row in conn.execute(query)} if waiting else {}
    return Flow(
        accepted=accepted,
        sequenced=size,
        told=log.leaf if by_log else None,
        shown=shown,
        lanes=lanes,
        parked=int(conn.execute(_PARKED).scalar_one()),
        oldest={stage: at[seq] for stage, seq in waiting.items() if seq in at},
    )
