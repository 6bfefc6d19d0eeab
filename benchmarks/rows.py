"""A measured figure as var/bench.json keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]


def figure(
    name: str,
    value: float,
    unit: str,
    *,
    peer: str | None = None,
    ratio: float | None = None,
    target: float | None = None,
    at_most: bool = False,
) -> Row:
    """{"name", "value", "unit", "peer", "ratio", "target", "met"}.

    ratio: how many times as good as the peer in the same run, above 1 is better than it. at_most: whether
    the target is the largest value that meets it, and not the smallest.
    """
    met = None if target is None else value <= target if at_most else value >= target
    return {
        "name": name,
        "value": _rounded(value),
        "unit": unit,
        "peer": peer,
        "ratio": None if ratio is None else float(f"{ratio:.3g}"),
        "target": target,
        "met": met,
    }


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of all does not exceed; share: 0.99 for the 99th percentile."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(len(ranked) * share))]


def _rounded(value: float) -> float:
    """Three digits are more than a run on a shared machine is good for; large numbers stay whole."""
    return round(value) if abs(value) >= 100 else float(f"{value:.3g}")
