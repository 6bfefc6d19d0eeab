"""Whether the process lives, whether it can do its work, and which part of the hub cannot.

Not ready is a process that cannot serve: for the interface, one without its database. What waits for
Kafka or for a worker is not lost and comes later, so that is told and does not take the process away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from starlette.responses import Response

from hub.auth.access import OPEN
from hub.domain.values import parse_time
from hub.events.intake import Intake
from hub.rest.probe import ANSWER_S_MAX, Probe
from hub.rest.problems import NOT_KEPT, RETRY_AFTER_S
from hub.store.engine import StoreUnavailable
from hub.store.flow import Flow

LATE_S = 10.0
"""How long an event may wait for a part that works."""
_NOT_READY: dict[int | str, dict[str, Any]] = {
    503: {"description": "The process cannot do its work.", "content": {"application/json": {}}}
}
STAGES = ("sequencer", "relay", "projector")

Part = dict[str, Any]


def build_router(
    flows: Probe[Flow],
    kafka: Probe[None] | None,
    intake: Intake,
    *,
    needs: Collection[str] = ("database",),
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> APIRouter:
    """/healthz and /readyz.

    kafka: asks the cluster; None without one. needs: parts without which this process cannot do its work.
    clock: aware UTC.
    """
    router = APIRouter(tags=["operations"], dependencies=[OPEN])

    @router.get("/healthz")
    async def healthz() -> Response:
        """The process answers."""
        return JSONResponse({"status": "ok"}, headers=NOT_KEPT)

    @router.get("/readyz", responses=_NOT_READY)
    async def readyz() -> Response:
        """200 when the process can do its work, else 503; each part, and how many events wait for it."""
        (database, flow), log = await asyncio.gather(_database(flows), _kafka(kafka))
        if flow and kafka:
            log["behind"] = flow.behind["relay"]
        parts = {"database": database, "kafka": log, "intake": _intake(intake)}
        parts |= {stage: _stage(stage, flow, clock(), by_log=kafka is not None) for stage in STAGES}
        for name, part in parts.items():
            if part["status"] == "down" and name not in needs:
                part["status"] = "degraded"
        down = [name for name, part in parts.items() if part["status"] == "down"]
        late = [name for name, part in parts.items() if part["status"] not in ("ok", "none")]
        document = {
            "status": "down" if down else "degraded" if late else "ok",
            "parts": parts,
            "accepted": flow and flow.accepted,
            "sequenced": flow and flow.sequenced,
            "version": flow and flow.shown,
        }
        if down:
            return JSONResponse(document, 503, {**NOT_KEPT, "Retry-After": str(RETRY_AFTER_S)})
        return JSONResponse(document, headers=NOT_KEPT)

    return router


async def _database(flows: Probe[Flow]) -> tuple[Part, Flow | None]:
    begun_s = asyncio.get_running_loop().time()
    try:
        flow = await flows.answer()
    except (StoreUnavailable, TimeoutError) as error:
        return _down(error), None
    answer_ms = round((asyncio.get_running_loop().time() - begun_s) * 1_000, 1)
    return {"status": "ok", "answer_ms": answer_ms}, flow


async def _kafka(kafka: Probe[None] | None) -> Part:
    if kafka is None:
        return {"status": "none"}
    try:
        await kafka.answer()
    except (StoreUnavailable, TimeoutError) as error:
        return _down(error)
    return {"status": "ok"}


def _down(error: Exception) -> Part:
    """The error's own text would tell addresses."""
    late = isinstance(error, TimeoutError)
    return {"status": "down", "why": f"no answer within {ANSWER_S_MAX} s" if late else "cannot be reached"}


def _intake(intake: Intake) -> Part:
    return {"status": "ok", "queued": intake.queued_events}


def _stage(stage: str, flow: Flow | None, now: datetime, *, by_log: bool) -> Part:
    if stage == "relay" and not by_log:
        return {"status": "none"}
    if flow is None:
        return {"status": "unknown"}
    if flow.behind[stage] < 0:
        return {"status": "degraded", "behind": 0, "why": "is ahead of the truth: see Backup and restore"}
    oldest = flow.oldest.get(stage)
    waiting_s = max(0.0, (now - parse_time(oldest)).total_seconds()) if oldest else 0.0
    status = "degraded" if waiting_s > LATE_S else "ok"
    return {"status": status, "behind": flow.behind[stage], "waiting_s": round(waiting_s, 1)}
