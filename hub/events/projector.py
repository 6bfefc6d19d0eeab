"""The projector: folds events into records, verdicts and rows, and moves its positions with them.

Rows and positions change in one transaction that holds the positions: a crash replays a batch, never half
of it. What has been folded before is recognised by its place in the tree, and what a lane leaves out by
the place that the next event names as its predecessor; so neither a projector that was overtaken nor a
log that repeats or loses something can change what is folded.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from hub.domain import audit
from hub.domain.breakglass import told_of
from hub.domain.erasures import ERASED_TYPES
from hub.domain.marks import SEALED_CONTEXT
from hub.domain.record import Accepted, Gone, KeyState, Record, Resolved
from hub.domain.referrals import Referral
from hub.domain.refusal import Refusal
from hub.domain.registry import EVENTS
from hub.domain.values import parse_time
from hub.events.backbone import Backbone, Batch, Delivered
from hub.events.measures import EVENTS_PARKED, PROJECTED_EVENTS, PROJECTION_S
from hub.events.sequencer import follow
from hub.store.audit import AuditRow, save_audited
from hub.store.engine import Store, StoreUnavailable, is_of_data
from hub.store.inbox import Sequenced
from hub.store.parties import CaseEntries
from hub.store.projection import (
    Position,
    Verdict,
    judged,
    positions,
    save_changes,
    save_positions,
    save_verdicts,
)
from hub.store.records import load_states
from hub.store.schema import check_version

BATCH_EVENTS_MAX = 512
PARKED = Refusal(
    "hub.unavailable",
    "The hub could not fold this event; it is kept and will be looked at.",
    "Nothing to do: the network manager is told, and the event is folded again once the fault is mended.",
)

log = logging.getLogger(__name__)


class Gap(Exception):
    """Lanes that left events out. upto: by lane, the last leaf index that is missing."""

    def __init__(self, upto: Mapping[str, int]) -> None:
        super().__init__(f"events are missing: {dict(upto)}")
        self.upto = upto


class Projector:
    """Follows a backbone into a store's read model. `run` goes on until cancelled.

    shown: called with the events (seq) that the read model shows after each commit. erase: called before
    that when the commit may have erased somebody; None where what is folded is not the live model.
    """

    def __init__(
        self,
        store: Store,
        backbone: Backbone,
        shown: Callable[[Sequence[int]], Awaitable[None]],
        erase: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._store, self._backbone, self._shown, self._erase = store, backbone, shown, erase
        self._unfinished: Batch | None = None

    async def run(self) -> None:
        """Project for ever."""
        await follow(self._backbone.arrived, self.step, "projector")

    async def step(self) -> bool:
        """Project one batch; whether there was anything to do."""
        # A log delivers a batch once: what could not be folded is tried again, not asked for again.
        batch = self._unfinished = self._unfinished or await self._backbone.next(BATCH_EVENTS_MAX)
        while batch is not None:
            try:
                await self._fold(batch)
            except Gap as gap:
                log.warning("lane_left_out_events", extra={"upto": gap.upto})
                await self._fold(await self._backbone.missing(gap.upto, BATCH_EVENTS_MAX))
            else:
                self._unfinished = None
                return True
        return False

    async def _fold(self, batch: Batch) -> None:
        begun_s = time.perf_counter()
        try:
            seqs = await self._store.project(lambda conn: fold_batch(conn, batch))
            PROJECTION_S.observe(time.perf_counter() - begun_s)
        except (StoreUnavailable, Gap):
            raise  # Gone, locked or full: the batch comes again.
        except Exception:
            # One event cannot be written: find it by going one by one, and park it.
            log.exception("batch_failed", extra={"events": len(batch.events)})
            seqs = []
            for one in batch.events:
                seqs += await self._store.project(lambda conn, one=one: _fold_or_park(conn, Batch([one])))  # type: ignore[misc]
            seqs += await self._store.project(lambda conn: fold_batch(conn, batch))
        if self._erase and any(one.event.type in ERASED_TYPES for one in batch.events):
            await self._erase()
        if seqs:
            PROJECTED_EVENTS.inc(len(seqs))
            await self._shown(seqs)


def fold_batch(conn: Connection, batch: Batch) -> list[int]:
    """Fold what has not been folded yet; seq of each event that was. Gap, before anything is written."""
    at = positions(conn, hold=batch.lanes)
    check_version(conn)
    events: list[Sequenced] = []
    gaps: dict[str, int] = {}
    # By another lane, perhaps: whatever positions say, what has a verdict has been folded.
    done = judged(conn, [one.event.seq for one in batch.events])
    for one in batch.events:
        position = at[one.lane]
        if one.lane in gaps or one.event.leaf_index < position.leaf:
            continue
        if one.after >= position.leaf:
            gaps[one.lane] = one.after
            continue
        position.leaf = one.event.leaf_index + 1
        if one.event.seq not in done:
            position.events += 1
            events.append(one.event)
    if gaps:
        raise Gap(gaps)
    for lane, leaf in batch.through.items():
        at[lane].leaf = max(at[lane].leaf, leaf)
    for lane, (topic_id, offset) in batch.logs.items():
        known = at[lane].log_offset if at[lane].topic_id == topic_id else None
        at[lane].topic_id, at[lane].log_offset = topic_id, max(known or 0, offset)
    fold_events(conn, events, {lane: at[lane] for lane in batch.lanes})
    return [event.seq for event in events]


def fold_events(
    conn: Connection, events: Sequence[Sequenced], moved: Mapping[str, Position] | None = None
) -> None:
    """Fold events that have not been folded, in order; write records, rows, verdicts and positions."""
    states = load_states(conn, {event.key for event in events})
    before = {key: KeyState(dict(state.records)) for key, state in states.items()}
    verdicts: list[Verdict] = []
    changed: list[tuple[str, Record | Gone, int]] = []
    audited: list[AuditRow] = []
    for event in events:
        verdict, records = project(states[event.key], event)
        verdicts.append(verdict)
        changed.extend((event.key, record, event.seq) for record in records)
        if event.type == audit.TYPE and verdict.status != "parked":
            audited.append(_audited(states[event.key], event, verdict))
    cases = _cases(before, states, changed, verdicts)
    save_changes(conn, changed, verdicts, moved, cases)
    save_audited(conn, audited)


def _cases(
    before: Mapping[str, KeyState],
    after: Mapping[str, KeyState],
    changed: Sequence[tuple[str, Record | Gone, int]],
    verdicts: Sequence[Verdict],
) -> list[CaseEntries]:
    """What was done to the entries about each referral that changed, or that a verdict is about."""
    seqs: dict[tuple[str, str], list[int]] = {
        (key, one.id): [] for key, one, _ in changed if isinstance(one, Referral)
    }
    for verdict in verdicts:
        if verdict.referral is not None:
            seqs.setdefault((verdict.key, verdict.referral), []).append(verdict.seq)

    def parties(states: Mapping[str, KeyState], key: str, id_: str) -> frozenset[str]:
        referral = states[key].get(Referral, id_)
        return referral.parties() if referral else frozenset()

    return [
        CaseEntries(key, id_, parties(before, key, id_), parties(after, key, id_), tuple(found))
        for (key, id_), found in seqs.items()
    ]


def _audited(state: KeyState, event: Sequenced, verdict: Verdict) -> AuditRow:
    """What the audit log keeps of a record. Whom an act on a firm concerns is told unless it was refused."""
    accepted: Accepted[audit.AuditRecorded] = decode(event)
    data, labels = accepted.data, audit.labels_of(accepted.data)
    if data.sme_id and not verdict.refusal:
        labels |= told_of(state, accepted)
    refusal = verdict.refusal
    outcome, code = ("refused", refusal.code) if refusal else (data.outcome, data.code)
    return AuditRow(event.seq, event.key, data.act, outcome, code, data.actor.name, labels)


def _fold_or_park(conn: Connection, batch: Batch) -> list[int]:
    try:
        with conn.begin_nested():
            return fold_batch(conn, batch)
    except Gap:
        raise
    except Exception as error:
        if not is_of_data(error):
            raise  # A missing table is no reason to park every event.
        event = batch.events[0].event
        log.exception("event_parked", extra={"seq": event.seq, "type": event.type})
    return _park(conn, batch.events[0])


def _park(conn: Connection, one: Delivered) -> list[int]:
    at = positions(conn, hold=[one.lane])
    position = at[one.lane]
    if one.event.leaf_index < position.leaf or judged(conn, [one.event.seq]):
        return []
    position.leaf, position.events = one.event.leaf_index + 1, position.events + 1
    save_verdicts(conn, [parked(one.event)])
    save_positions(conn, at)
    return [one.event.seq]


def parked(event: Sequenced) -> Verdict:
    """The verdict on an event that cannot be folded."""
    EVENTS_PARKED.inc()
    return Verdict(event.seq, "parked", PARKED, event.key, None)


def project(state: KeyState, event: Sequenced) -> tuple[Verdict, list[Record | Gone]]:
    """Fold one event into its key's state; the verdict, and the records that changed."""
    try:
        outcome = EVENTS[event.type].fold(state, decode(event))
    except Exception:
        log.exception("event_parked", extra={"seq": event.seq, "type": event.type})
        return parked(event), []
    referral = event.subject if event.type.split(".")[1] in ("referral", "outcome") else None
    if isinstance(outcome, Refusal):
        # Who is no party to the referral must not become one by naming it.
        known = referral if outcome.code != "referral.not_found" else None
        return Verdict(event.seq, "refused", outcome, event.key, known), []
    changed = state.put(outcome)
    if event.type == audit.TYPE:
        referral = event.data.get("referral")
    if event.type == "hub.opportunity.interest-expressed.v1":
        referral = next((one.id for one in changed if isinstance(one, Referral)), None)
    return Verdict(event.seq, "applied", None, event.key, referral), changed


def decode(event: Sequenced) -> Accepted[Any]:
    """The event as folds see it."""
    return Accepted(
        seq=event.seq,
        type=event.type,
        sender=event.partner,
        source=event.attributes["source"],
        event_id=event.attributes["id"],
        subject=event.subject,
        at=parse_time(event.accepted_at),
        data=EVENTS[event.type].payload.model_validate(event.data, context=SEALED_CONTEXT),
        raw=event.data,
        resolved=Resolved.model_validate_json(event.resolved),
    )
