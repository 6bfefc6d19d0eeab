"""What the parts of this process measure about themselves, for /metrics: counts and times, nothing else.

Labels are names of our own or slugs of registered partners: bounded, and never a text that somebody sent.
docs/operations.md explains every metric.
"""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

# A second series beside every counter, which nobody asks for.
disable_created_metrics()  # type: ignore[no-untyped-call]
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

_TIMES_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SIZES = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000)

COMMIT_S = Histogram(
    "hub_intake_commit_seconds",
    "Time of a transaction of the intake.",
    registry=REGISTRY,
    buckets=_TIMES_S,
)
GROUP_EVENTS = Histogram(
    "hub_intake_group_events",
    "Events that a transaction of the intake was asked to accept.",
    registry=REGISTRY,
    buckets=_SIZES,
)
QUOTA_REFUSALS = Counter(
    "hub_quota_refusals",
    "Posts refused for the quota of a partner.",
    ("partner", "quota"),
    registry=REGISTRY,
)
REFUSALS = Counter(
    "hub_refusals",
    "Rights refused, by whom they were refused to and why.",
    ("audience", "code"),
    registry=REGISTRY,
)
REFUSALS_UNTOLD = Counter(
    "hub_refusals_untold",
    "Rights refused that the audit log does not tell of: too many kinds at once.",
    registry=REGISTRY,
)
PUBLISH_S = Histogram(
    "hub_relay_publish_seconds",
    "Time until a batch is acknowledged by Kafka.",
    registry=REGISTRY,
    buckets=_TIMES_S,
)
PUBLISHED_EVENTS = Counter(
    "hub_relay_published_events",
    "Events acknowledged by Kafka.",
    registry=REGISTRY,
)
PROJECTION_S = Histogram(
    "hub_projection_seconds",
    "Time of a transaction of the projector.",
    registry=REGISTRY,
    buckets=_TIMES_S,
)
PROJECTED_EVENTS = Counter(
    "hub_projected_events",
    "Events that this process folded into the read model.",
    registry=REGISTRY,
)
EVENTS_PARKED = Counter(
    "hub_events_parked",
    "Events that could not be folded.",
    registry=REGISTRY,
)
SUBJECTS_ERASED = Counter(
    "hub_subjects_erased",
    "Keys that this process destroyed, of firms and persons.",
    registry=REGISTRY,
)
SUBJECTS_TO_ERASE = Gauge(
    "hub_subjects_to_erase",
    "Keys of erased firms and persons that stood to be destroyed when this process looked last.",
    registry=REGISTRY,
)
LEADING = Gauge(
    "hub_leading",
    "1 where this process leads in the matter.",
    ("matter",),
    registry=REGISTRY,
)
