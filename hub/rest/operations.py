"""What operators ask of a process: health, readiness, metrics."""

from __future__ import annotations

from collections.abc import Collection

from fastapi import APIRouter

from hub.events.spine import Hub
from hub.rest import health, metrics
from hub.rest.probe import Probe
from hub.store.flow import Flow, flow

SERVER_NEEDS = ("database",)
WORKER_NEEDS = ("database", "kafka")


def build_router(hub: Hub, needs: Collection[str] = SERVER_NEEDS) -> APIRouter:
    """/healthz, /readyz and /metrics of a process. needs: parts without which it cannot do its work."""
    by_log = hub.kafka is not None
    flows: Probe[Flow] = Probe(lambda: hub.store.inspect(lambda conn: flow(conn, by_log=by_log)))
    router = APIRouter()
    router.include_router(health.build_router(flows, _kafka(hub), hub.intake, needs=needs))
    router.include_router(metrics.build_router(flows, hub.store, hub.intake))
    return router


def _kafka(hub: Hub) -> Probe[None] | None:
    if hub.kafka is None:
        return None
    # As in the spine: imported by those who use it.
    from hub.events.kafka.probe import kafka_answers

    return Probe(lambda: kafka_answers(hub.settings))
