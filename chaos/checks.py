"""What must hold once everything has settled, and a wait until it has."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, TypeVar

from sqlalchemy import Connection, func, select

from chaos.load import Ack, Load
from chaos.messages import Line
from hub.events.rebuild import rebuild
from hub.events.spine import Hub
from hub.store.engine import StoreUnavailable
from hub.store.relay import told
from hub.store.tables import identity, inbox, leaf, verdict

POLL_S = 0.5
LOOK_S_MAX = 30.0
NAMED_MAX = 5
"""Events that one finding names; the count says how many there are."""


T = TypeVar("T")


@dataclass
class Findings:
    """What does not hold. lost, duplicated, reordered: events; others: of any kind."""

    lost: int = 0
    duplicated: int = 0
    reordered: int = 0
    texts: list[str] = field(default_factory=list)

    def add(self, what: str, events: Sequence[object], kind: str = "") -> None:
        """Note a finding if there are any events of it. kind: lost, duplicated, reordered or another."""
        if not events:
            return
        if kind:
            setattr(self, kind, getattr(self, kind) + len(events))
        named = ", ".join(map(str, events[:NAMED_MAX]))
        self.texts.append(f"{len(events)} {what}: {named}{' …' if len(events) > NAMED_MAX else ''}")


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the inbox with what belongs to it; None where there is nothing."""

    seq: int
    topic: str
    key: str
    source: str
    id: str
    identity_seq: int | None
    leaf_index: int | None
    status: str | None


async def settle(hub: Hub, timeout_s: float) -> str:
    """Wait until every event has a leaf, a verdict and its place in the log; what is missing at the end."""
    end_s = time.monotonic() + timeout_s
    missing = "never looked"
    while missing and time.monotonic() < end_s:
        try:
            missing = await hub.store.inspect(_missing)
        except StoreUnavailable as error:
            missing = str(error)
        await asyncio.sleep(POLL_S)
    return missing


def _missing(conn: Connection) -> str:
    def count(of: Any) -> int:
        return int(conn.execute(select(func.count()).select_from(of)).scalar_one())

    accepted, leaves, verdicts, published = count(inbox), count(leaf), count(verdict), told(conn).leaf
    if accepted == leaves == verdicts == published:
        return ""
    return f"of {accepted} events {leaves} have leaves, {verdicts} verdicts, {published} are in the log"


async def look(hub: Hub, work: Callable[[Connection], T]) -> T:
    """Read the truth; tried again for LOOK_S_MAX, since the database may have been away just now."""
    end_s = time.monotonic() + LOOK_S_MAX
    while True:
        try:
            return await hub.store.inspect(work)
        except StoreUnavailable:
            if time.monotonic() > end_s:
                raise
        await asyncio.sleep(POLL_S)


async def ledger(hub: Hub) -> list[Entry]:
    """Every accepted event, by number."""
    query = (
        select(
            inbox.c.seq, inbox.c.topic, inbox.c.key, inbox.c.event,
            identity.c.seq, leaf.c.leaf_index, verdict.c.status,
        )
        .select_from(
            inbox.outerjoin(identity, identity.c.seq == inbox.c.seq)
            .outerjoin(leaf, leaf.c.seq == inbox.c.seq)
            .outerjoin(verdict, verdict.c.seq == inbox.c.seq)
        )
        .order_by(inbox.c.seq)
    )  # fmt: skip
    rows = await look(hub, lambda conn: conn.execute(query).all())
    entries = []
    for seq, topic, key, event, identity_seq, leaf_index, status in rows:
        attributes = json.loads(event)["attributes"]
        entries.append(
            Entry(seq, topic, key, attributes["source"], attributes["id"], identity_seq, leaf_index, status)
        )
    return entries


def check_ledger(
    entries: Sequence[Entry], load: Load, lines: Sequence[Line], before: int, findings: Findings
) -> None:
    """Every acknowledged event once, under its number, in order; nothing else; no gaps; a verdict each.

    before: events that were there before the load began.
    """
    found = {(one.source, one.id): one for one in entries}
    acks = load.acknowledged
    here = [(ack, found[ack.source, ack.id]) for ack in acks if (ack.source, ack.id) in found]
    findings.add(
        "acknowledged events are lost", [one for one in acks if (one.source, one.id) not in found], "lost"
    )
    findings.add(
        "events are not under the number acknowledged", [a for a, e in here if a.seq != e.seq], "lost"
    )
    findings.add("acknowledged events have no leaf", [a for a, e in here if e.leaf_index is None], "lost")
    counts = Counter((one.source, one.id) for one in entries)
    findings.add("events are in the ledger twice", [one for one, n in counts.items() if n > 1], "duplicated")
    findings.add("entries have no identity", [one.seq for one in entries if one.identity_seq is None])
    strangers = [one for one in entries[before:] if (one.source, one.id) not in load.sent]
    findings.add("entries that nobody sent", strangers)
    findings.add("lines out of order", _out_of_order(here), "reordered")
    numbers = [one.seq for one in entries]
    findings.add(
        "numbers leave gaps",
        [n for n, place in zip(numbers, range(1, len(numbers) + 1), strict=True) if n != place],
    )
    leaves = [one.leaf_index for one in entries]
    findings.add(
        "leaves are not in the order of numbers", [] if leaves == list(range(len(leaves))) else [leaves[:3]]
    )
    findings.add("entries have no verdict", [one.seq for one in entries if one.status is None])
    expected = {id_: status for line in lines for id_, status in line.expected.items()}
    wrong = [
        (one.seq, one.status)
        for one in entries
        if one.status and one.status != expected.get(one.id, "applied")
    ]
    findings.add("entries have another verdict than expected", wrong)


def _out_of_order(acks: Sequence[tuple[Ack, Entry]]) -> list[int]:
    """Lines of which some event has a leaf before the one that was acknowledged before it."""
    leaves: defaultdict[int, list[int]] = defaultdict(list)
    for ack, entry in acks:
        if entry.leaf_index is not None:
            leaves[ack.line].append(entry.leaf_index)
    return [line for line, order in leaves.items() if any(a >= b for a, b in pairwise(order))]


async def check_rebuilt(hub: Hub, findings: Findings) -> int:
    """Fold everything again, and compare; how many events that were."""
    rebuilt = await rebuild(hub.store, by_lanes=True)
    findings.add("read models differ", [] if rebuilt.equal else [rebuilt])
    return rebuilt.events
