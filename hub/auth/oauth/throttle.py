"""How often the authorization server is asked: by clients that prove themselves, by addresses that fail to.

Both are looked at before a signature is checked, which is what a request costs. Nobody can use up what
belongs to another: a client's bucket is charged only for an assertion by its key that was not used before,
and an address of this machine, behind which a proxy hides everybody, has no bucket. In the memory of the
process.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from ipaddress import ip_address

from authlib.oauth2.rfc6749.errors import OAuth2Error

from hub.auth.addresses import UNKNOWN
from hub.auth.metering import PUBLIC
from hub.domain.principal import account_of
from hub.events.buckets import Buckets, Rate
from hub.events.measures import QUOTA_REFUSALS
from hub.store.clients import Client

BUCKETS_MAX = 50_000
"""Of clients and of addresses; who was not seen for longest begins anew. Some 0.3 KB each."""


class TooOften(OAuth2Error):  # type: ignore[misc]
    """429: the same request is good later. The code is one of RFC 6749, section 4.1.2.1."""

    error = "temporarily_unavailable"
    status_code = 429

    def __init__(self, wait_s: float) -> None:
        self.retry_after_s = math.ceil(wait_s)
        again = f"Ask again, with a new assertion, after {self.retry_after_s} s."
        super().__init__(description=f"Too many requests. {again}")

    def get_headers(self) -> list[tuple[str, str]]:
        """With the time to wait."""
        return [*super().get_headers(), ("Retry-After", str(self.retry_after_s))]


class Throttle:
    """Rates of 0: any. clock: seconds that never go back."""

    def __init__(
        self, asks_per_s: int, failures_per_s: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._asks = Buckets([Rate("tokens", asks_per_s)], clock, BUCKETS_MAX)
        self._failures = Buckets([Rate("failures", failures_per_s)], clock, BUCKETS_MAX)

    def check(self, address: str, client: Client | None) -> None:
        """TooOften when the address has failed, or the client has asked, too often lately."""
        self._look(self._failures, address, PUBLIC)
        if client:
            self._look(self._asks, client.client_id, account_of(client.partner, client.client_id))

    def proven(self, client: Client) -> None:
        """The client has proven itself, by an assertion that was not used before."""
        self._take(self._asks, client.client_id)

    def failed(self, address: str) -> None:
        """A request from the address proved nothing."""
        if address == UNKNOWN or not ip_address(address.partition("/")[0]).is_loopback:
            self._take(self._failures, address)

    def _look(self, buckets: Buckets, name: str, account: str) -> None:
        """TooOften when nothing is left. Who was never charged gets no bucket by being looked at."""
        for bucket in buckets.known(name):
            if wait_s := bucket.missing_s(1, self._clock()):
                raise _refused(account, bucket.kind, wait_s)

    def _take(self, buckets: Buckets, name: str) -> None:
        """Take one, also where none is left: requests that came at once were all let through."""
        for bucket in buckets.of(name):
            bucket.missing_s(1, self._clock())
            bucket.level -= 1


def _refused(account: str, what: str, wait_s: float) -> TooOften:
    QUOTA_REFUSALS.labels(account, what).inc()
    return TooOften(wait_s)
