"""Nonces for DPoP proofs (RFC 9449, sections 8 and 9): they follow from a secret and the time alone.

Every process of the hub has the same secret, so a nonce of one is good at all. A nonce is handed out for
one period and taken for two, so that clients have the next one before theirs ends.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.domain.base64url import base64url
from hub.settings import Settings
from hub.store.keyfiles import key_file

HEADER = "DPoP-Nonce"
KEY_FILE = "dpop-nonce"
PERIOD_S = 150
SECRET_BYTES = 32
NONCE_BYTES = 18


class Nonces:
    """Makes nonces and knows them again. required: whether a proof without one is refused."""

    def __init__(self, secret: bytes, *, required: bool, clock: Callable[[], float] = time.time) -> None:
        """clock: seconds since 1970."""
        self.required, self._clock = required, clock
        self._of = lru_cache(8)(lambda period: _nonce(secret, period))

    def fresh(self) -> str:
        """The nonce of now: good for at least PERIOD_S seconds from now on."""
        return self._of(self._period())

    def knows(self, nonce: str) -> bool:
        """Whether it is the nonce of now, of the period before, or of a process whose clock runs ahead."""
        now = self._period()
        return any(
            hmac.compare_digest(self._of(period).encode(), nonce.encode("utf-8", "replace"))
            for period in (now, now - 1, now + 1)
        )

    def _period(self) -> int:
        return int(self._clock()) // PERIOD_S


class OfferNonce:
    """Adds a nonce to the answer to every request that brings a proof: the next proof can have it."""

    def __init__(self, app: ASGIApp, nonces: Nonces) -> None:
        self._app, self._nonces = app, nonces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http" or not any(name == b"dpop" for name, _ in scope["headers"]):
            await self._app(scope, receive, send)
            return

        async def offer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers[HEADER] = self._nonces.fresh()
                # From a cache it would be handed out for longer than it is good.
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, offer)


def open_nonces(settings: Settings, clock: Callable[[], float] = time.time) -> Nonces:
    """The nonces of the settings; their secret is made when there is none."""
    secret = key_file(settings.keys_dir, KEY_FILE, lambda: secrets.token_bytes(SECRET_BYTES))
    return Nonces(secret, required=settings.dpop_nonce == "required", clock=clock)


def _nonce(secret: bytes, period: int) -> str:
    mac = hmac.new(secret, f"dpop-nonce {period}".encode(), sha256).digest()
    return base64url(mac[:NONCE_BYTES])
