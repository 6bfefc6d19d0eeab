"""Metrics in the text format of Prometheus: what this process measured, and what the database says.

Labels are bounded: templates of routes, names of our own, slugs of registered partners. No ids, no text
that somebody sent. docs/operations.md explains every metric.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import cache

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.auth.access import OPEN
from hub.domain.values import parse_time
from hub.events.intake import Intake
from hub.events.measures import REGISTRY
from hub.rest.probe import Probe
from hub.store.engine import Store, StoreUnavailable
from hub.store.flow import Flow

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "other"

REQUESTS = Counter(
    "hub_http_requests",
    "Requests by the template of their route.",
    ("method", "route", "status"),
    registry=REGISTRY,
)
REQUEST_S = Histogram(
    "hub_http_request_seconds",
    "Time until an answer begins.",
    ("method", "route"),
    registry=REGISTRY,
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)


class CountRequests:
    """Counts requests and their times. An answer counts when it begins: streams may never end."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun_s, status = time.perf_counter(), 0

        async def count(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _count(scope, status, time.perf_counter() - begun_s)
            await send(message)

        try:
            await self._app(scope, receive, count)
        except Exception:
            if not status:  # Answered further out, by the handler of faults.
                _count(scope, 500, time.perf_counter() - begun_s)
            raise


def _count(scope: Scope, status: int, took_s: float) -> None:
    # The route stands in the scope once it was found; what nobody serves is one kind of thing.
    route = getattr(scope.get("route"), "path", OTHER)
    method = scope["method"] if scope["method"] in METHODS else OTHER
    count, time_s = _measures(method, route, status)
    count.inc()
    time_s.observe(took_s)


@cache  # As bounded as the labels; to look them up takes longer than to count.
def _measures(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(method, route, str(status)), REQUEST_S.labels(method, route)


def build_router(
    flows: Probe[Flow],
    store: Store,
    intake: Intake,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> APIRouter:
    """/metrics. clock: aware UTC."""
    router = APIRouter(tags=["operations"], dependencies=[OPEN])

    @router.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        """What this process measured; with a database that answers in time, also how far events have come."""
        try:
            flow: Flow | None = await flows.answer()
        except (StoreUnavailable, TimeoutError):
            flow = None
        scrape = Scrape(flow, intake.queued_events, await store.sizes(), clock())
        return Response(
            generate_latest(scrape),
            headers={"Cache-Control": "no-store", "Content-Type": CONTENT_TYPE_LATEST},
        )

    return router


class Scrape(Collector):
    """The metrics of one moment. connections: in use by role of the store."""

    def __init__(
        self, flow: Flow | None, queued_events: int, connections: Mapping[str, int], now: datetime
    ) -> None:
        self._flow, self._queued_events, self._connections, self._now = flow, queued_events, connections, now

    def collect(self) -> Iterable[Metric]:
        """Everything, process first."""
        yield from REGISTRY.collect()
        yield _gauge("hub_intake_queued_events", "Events that wait in this process.", self._queued_events)
        yield _by(
            "hub_database_connections",
            "Connections of this process in use.",
            "role",
            self._connections,
        )
        yield _gauge("hub_database_up", "1 when the database answered in time.", int(self._flow is not None))
        if self._flow is not None:
            yield from self._of(self._flow)

    def _of(self, flow: Flow) -> Iterable[Metric]:
        stages = {"accepted": flow.accepted, "sequenced": flow.sequenced, "shown": flow.shown}
        if flow.told is not None:
            stages["told"] = flow.told
        yield _by("hub_events", "Events that have come so far.", "stage", stages)
        behind = {stage: n for stage, n in flow.behind.items() if stage != "relay" or flow.told is not None}
        yield _by("hub_lag_events", "Events that wait for a stage.", "stage", behind)
        waiting = dict.fromkeys(behind, 0.0)
        for stage, at in flow.oldest.items():
            waiting[stage] = max(0.0, (self._now - parse_time(at)).total_seconds())
        yield _by("hub_lag_seconds", "Age of an event that waits for a stage.", "stage", waiting)
        yield _by(
            "hub_lane_lag_events",
            "Places of the tree between a lane's position and its last event.",
            "lane",
            flow.lanes,
        )
        yield _gauge("hub_parked_messages", "Messages of the log that nobody could read.", flow.parked)


def _gauge(name: str, explained: str, value: float) -> Metric:
    return GaugeMetricFamily(name, explained, value=value)


def _by(name: str, explained: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, explained, labels=[label])
    for key, value in sorted(values.items()):
        family.add_metric([key], value)
    return family
