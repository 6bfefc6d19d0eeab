"""How often somebody may try to sign in: counted in the store, so that every process counts the same."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from hub.store.engine import Store
from hub.store.sessions import count_tries, find_tries, forget_tries
from hub.store.vault import Vault

WINDOW_S = 15 * 60
OF_ACCOUNT_AND_ADDRESS_MAX = 10
OF_ACCOUNT_MAX = 50
"""From all addresses: higher, so that a stranger who guesses does not shut the person out so soon."""
OF_ADDRESS_MAX = 100
"""An office shares an address."""
KNOWN_S = 30 * 24 * 60 * 60
"""How long an account is known at an address where it proved itself, and shut out by its own tries alone."""


class TooManyTries(Exception):
    """There were too many tries. retry_after_s: when the next one counts."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(retry_after_s)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class _Digests:
    """What the counters are found by. known: there while the account is known at the address."""

    pair: bytes
    account: bytes
    address: bytes
    known: bytes


class Tries:
    """Counts a try before it is judged: tries that come at once are all counted."""

    def __init__(self, store: Store, vault: Vault, clock: Callable[[], float] = time.time) -> None:
        """clock: seconds since 1970."""
        self._store, self._vault, self._clock = store, vault, clock

    async def count(self, kind: str, account: str, address: str) -> None:
        """Count one try at an account, whether it exists or not; TooManyTries when there were too many.

        address: as hub/auth/addresses.py tells it. What is over a limit already is only read: whoever goes
        on makes no rows.
        """
        names, now_s = self._digests(kind, account, address), int(self._clock())
        limits = {
            names.address: OF_ADDRESS_MAX,
            names.pair: OF_ACCOUNT_AND_ADDRESS_MAX,
            names.account: OF_ACCOUNT_MAX,
        }
        found = await self._store.inspect(lambda conn: find_tries(conn, [*limits, names.known], now_s))
        if names.known in found:
            limits = {names.pair: OF_ACCOUNT_AND_ADDRESS_MAX}
        for digest, limit in limits.items():
            tries, left_s = found.get(digest, (0, 0))
            if tries >= limit:
                raise TooManyTries(left_s)

        def judge(conn: Connection) -> int:
            """Seconds to wait. What an address is refused must not fill the account's counter for others."""
            for step in ((names.pair, names.address), (names.account,)):
                digests = [digest for digest in step if digest in limits]
                counted = zip(digests, count_tries(conn, digests, now_s, WINDOW_S), strict=True)
                waits = [left_s for digest, (tries, left_s) in counted if tries > limits[digest]]
                if waits:
                    return max(waits)
            return 0

        if wait_s := await self._store.write(judge):
            raise TooManyTries(wait_s)

    async def forget(self, kind: str, account: str, address: str) -> None:
        """The person proved itself: what was counted for its account counts no more; it is known there."""
        names, until_s = self._digests(kind, account, address), int(self._clock()) + KNOWN_S
        await self._store.write(
            lambda conn: forget_tries(conn, (names.pair, names.account), names.known, until_s)
        )

    def _digests(self, kind: str, account: str, address: str) -> _Digests:
        pair = f"{kind}\0{account}\0{address}"
        told = (pair, f"{kind}\0{account}", f"\0{address}", f"known\0{pair}")
        return _Digests(*(self._vault.digest("try", text.encode()) for text in told))
