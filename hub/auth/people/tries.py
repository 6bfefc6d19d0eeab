"""How often somebody may try to sign in: counted in the store, so that every process counts the same."""

from __future__ import annotations

import time
from collections.abc import Callable

from hub.store.engine import Store
from hub.store.sessions import count_tries, forget_tries
from hub.store.vault import Vault

WINDOW_S = 15 * 60
OF_ACCOUNT_AND_ADDRESS_MAX = 10
OF_ACCOUNT_MAX = 50
"""From all addresses: higher, so that a stranger who guesses does not shut the person out so soon."""
OF_ADDRESS_MAX = 100
"""An office shares an address."""


class TooOften(Exception):
    """There were too many tries. retry_after_s: when the next one counts."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(retry_after_s)
        self.retry_after_s = retry_after_s


class Tries:
    """Counts a try before it is judged: tries that come at once are all counted."""

    def __init__(self, store: Store, vault: Vault, clock: Callable[[], float] = time.time) -> None:
        """clock: seconds since 1970."""
        self._store, self._vault, self._clock = store, vault, clock

    async def count(self, kind: str, account: str, address: str) -> None:
        """Count one try at an account, whether it exists or not; TooOften when there were too many.

        address: as hub/auth/addresses.py tells it.
        """
        digests = self._digests(kind, account, address)
        limits = (OF_ACCOUNT_AND_ADDRESS_MAX, OF_ACCOUNT_MAX, OF_ADDRESS_MAX)
        now_s = int(self._clock())
        counted = await self._store.write(lambda conn: count_tries(conn, digests, now_s, WINDOW_S))
        waits = [left for (tries, left), limit in zip(counted, limits, strict=True) if tries > limit]
        if waits:
            raise TooOften(max(waits))

    async def forget(self, kind: str, account: str, address: str) -> None:
        """The person proved itself: what was counted for its account counts no more."""
        digests = self._digests(kind, account, address)[:2]
        await self._store.write(lambda conn: forget_tries(conn, digests))

    def _digests(self, kind: str, account: str, address: str) -> list[bytes]:
        told = (f"{kind}\0{account}\0{address}", f"{kind}\0{account}", f"\0{address}")
        return [self._vault.digest("try", text.encode()) for text in told]
