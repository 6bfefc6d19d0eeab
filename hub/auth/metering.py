"""What a request costs is charged to the caller's account or, for the public, to the address.

What is left is told in headers, so that clients can pace themselves: lists of structured fields, an item for
each policy. Source: draft-ietf-httpapi-ratelimit-headers-10.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache

from starlette.requests import HTTPConnection

from hub.auth.addresses import Addresses
from hub.domain.principal import Principal
from hub.domain.scopes import Audience
from hub.events.quotas import QuotaLeft, Quotas
from hub.settings import Settings

ADDRESSES_MAX = 50_000
"""Public addresses whose buckets are remembered; some 0.5 KB each."""
PUBLIC = "public"
_UNITS = {"bytes": ';qu="content-bytes"'}


class Meter:
    """Charges requests. accounts: quotas of those with a token, which the intake charges, too."""

    def __init__(self, accounts: Quotas, public: Quotas, addresses: Addresses) -> None:
        self._accounts, self._public, self._addresses = accounts, public, addresses

    def charge(self, request: HTTPConnection, principal: Principal, cost: int) -> None:
        """Take the cost, in fields of answers; Rejected 429, with the time to wait, when it is not there."""
        quotas, account = self._of(request, principal)
        quotas.take(account, cost=cost)

    def headers(self, request: HTTPConnection, principal: Principal) -> Mapping[str, str]:
        """What the caller has left, as headers of the answer; none where there is no quota."""
        quotas, account = self._of(request, principal)
        return rate_limits(quotas.left(account))

    def _of(self, request: HTTPConnection, principal: Principal) -> tuple[Quotas, str]:
        if principal.audience is Audience.PUBLIC:
            return self._public, self._addresses.of(request)
        return self._accounts, principal.account


def open_meter(settings: Settings, accounts: Quotas, addresses: Addresses) -> Meter:
    """The meter of the settings."""
    public = Quotas(cost_per_s=settings.public_cost_per_s, accounts_max=ADDRESSES_MAX, label=PUBLIC)
    return Meter(accounts, public, addresses)


def rate_limits(quotas: Sequence[QuotaLeft]) -> dict[str, str]:
    """RateLimit-Policy (q: size, w: seconds to fill it) and RateLimit (r: left, t: seconds until full).

    No headers where there is no quota.
    """
    if not quotas:
        return {}
    policies = [_policy(one.name, one.size, one.rate_per_s) for one in quotas]
    limits = [f'"{one.name}";r={one.left};t={math.ceil(one.full_s)}' for one in quotas]
    return {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(limits)}


@cache  # The same in every answer.
def _policy(name: str, size: int, rate_per_s: int) -> str:
    return f'"{name}";q={size};w={math.ceil(size / rate_per_s)}{_UNITS.get(name, "")}'
