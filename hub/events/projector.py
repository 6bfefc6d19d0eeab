"""The projector: folds events into records, verdicts and rows, and moves its offset with them.

Rows and offset change in one transaction, with a compare-and-set on the offset: a crash replays a batch,
never half of it, and a projector that has been overtaken writes nothing.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from hub.domain.marks import SEALED_CONTEXT
from hub.domain.record import Accepted, KeyState, Record, Resolved
from hub.domain.referrals import Referral
from hub.domain.refusal import Refusal
from hub.domain.registry import EVENTS
from hub.domain.values import parse_time
from hub.events.backbone import Backbone
from hub.events.progress import Progress
from hub.events.sequencer import follow
from hub.store.engine import Store
from hub.store.inbox import Sequenced
from hub.store.projection import Verdict, advance, offset_of, save_changes, save_verdicts
from hub.store.records import load_states

BATCH_EVENTS_MAX = 256
STREAM = "inbox"
PARKED = Refusal(
    "hub.unavailable",
    "The hub could not fold this event; it is kept and will be looked at.",
    "Nothing to do: the network manager is told, and the event is folded again once the fault is mended.",
)

log = logging.getLogger(__name__)


class Projector:
    """Follows a backbone into a store's read model. `run` goes on until cancelled."""

    def __init__(self, store: Store, backbone: Backbone, progress: Progress) -> None:
        self._store, self._backbone, self._progress = store, backbone, progress

    async def run(self) -> None:
        """Project for ever."""
        await follow(self._backbone.arrived, self.step, "projector")

    async def step(self, until: int | None = None) -> bool:
        """Project one batch, up to that offset if given; whether there was anything to do."""
        offset = await self._store.read(lambda conn: offset_of(conn, STREAM))
        limit = BATCH_EVENTS_MAX if until is None else min(BATCH_EVENTS_MAX, until - offset)
        batch = await self._backbone.read(offset, limit) if limit > 0 else ()
        if not batch:
            return False
        try:
            wrote = await self._store.project(lambda conn: _project(conn, offset, batch))
        except OperationalError:
            raise  # The database is locked, full or gone: the batch comes again.
        except Exception:
            # One event cannot be written: find it by going one by one, and park it.
            log.exception("batch_failed", extra={"offset": offset, "events": len(batch)})
            wrote = await self._store.project(lambda conn: _park_or_project(conn, offset, batch[0]))
        if wrote:
            self._progress.advance(wrote)
        return True


def _project(conn: Connection, offset: int, batch: Sequence[Sequenced]) -> int:
    """seq of the last event written; 0 when another projector was faster and its rows stand."""
    if not advance(conn, STREAM, offset, batch[-1].leaf_index + 1):
        return 0
    states = load_states(conn, {event.key for event in batch})
    verdicts: list[Verdict] = []
    changed: list[tuple[str, Record, int]] = []
    for event in batch:
        verdict, records = project(states[event.key], event)
        verdicts.append(verdict)
        changed.extend((event.key, record, event.seq) for record in records)
    save_changes(conn, changed)
    save_verdicts(conn, verdicts)
    return batch[-1].seq


def _park_or_project(conn: Connection, offset: int, event: Sequenced) -> int:
    try:
        with conn.begin_nested():
            return _project(conn, offset, [event])
    except OperationalError:
        raise
    except Exception:
        log.exception("event_parked", extra={"seq": event.seq, "type": event.type})
    if not advance(conn, STREAM, offset, event.leaf_index + 1):
        return 0
    save_verdicts(conn, [Verdict(event.seq, "parked", PARKED, event.key, None)])
    return event.seq


def project(state: KeyState, event: Sequenced) -> tuple[Verdict, list[Record]]:
    """Fold one event into its key's state; the verdict, and the records that changed."""
    try:
        outcome = EVENTS[event.type].fold(state, decode(event))
    except Exception:
        log.exception("event_parked", extra={"seq": event.seq, "type": event.type})
        return Verdict(event.seq, "parked", PARKED, event.key, None), []
    referral = event.subject if event.type.split(".")[1] in ("referral", "outcome") else None
    if isinstance(outcome, Refusal):
        # Who is no party to the referral must not become one by naming it.
        known = referral if outcome.code != "referral.not_found" else None
        return Verdict(event.seq, "refused", outcome, event.key, known), []
    changed = state.put(outcome)
    if event.type == "hub.opportunity.interest-expressed.v1":
        referral = next((one.id for one in changed if isinstance(one, Referral)), None)
    return Verdict(event.seq, "applied", None, event.key, referral), changed


def decode(event: Sequenced) -> Accepted[Any]:
    """The event as folds see it."""
    stored = json.loads(event.event)
    return Accepted(
        seq=event.seq,
        type=event.type,
        sender=event.partner,
        source=stored["attributes"]["source"],
        event_id=stored["attributes"]["id"],
        subject=event.subject,
        at=parse_time(event.accepted_at),
        data=EVENTS[event.type].payload.model_validate(stored["data"], context=SEALED_CONTEXT),
        raw=stored["data"],
        resolved=Resolved.model_validate_json(event.resolved),
    )
