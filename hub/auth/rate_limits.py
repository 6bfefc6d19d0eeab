"""Quotas as response headers, so that clients can pace themselves.

Source: draft-ietf-httpapi-ratelimit-headers-10: lists of structured fields, an item for each policy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

from hub.events.quotas import Standing

_UNITS = {"bytes": ';qu="content-bytes"'}


def rate_limits(standings: Sequence[Standing]) -> dict[str, str]:
    """RateLimit-Policy (q: size, w: seconds to fill it) and RateLimit (r: left, t: seconds until full).

    No headers where there is no quota.
    """
    if not standings:
        return {}
    policies = [_policy(one.name, one.size, one.rate_per_s) for one in standings]
    limits = [f'"{one.name}";r={one.left};t={math.ceil(one.full_s)}' for one in standings]
    return {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(limits)}


@cache  # The same in every answer.
def _policy(name: str, size: int, rate_per_s: int) -> str:
    return f'"{name}";q={size};w={math.ceil(size / rate_per_s)}{_UNITS.get(name, "")}'
