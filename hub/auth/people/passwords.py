"""Passwords of people: argon2id, and what may not be one.

Sources: RFC 9106, section 4 (second choice of parameters); NIST SP 800-63B-4, section 3.1.1 (length, a
list of what everybody tries, no rules of composition).
"""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from hub.domain.refusal import Refusal

T = TypeVar("T")

CHARS_MIN = 12
CHARS_MAX = 200
AT_ONCE = 2
"""Hashes at a time in a process: each takes 64 MiB and a core."""
WAITING_MAX = 64
"""Who waits for a hash beyond that is sent away: a flood must not fill the memory."""

_COMMON = "common_passwords.txt"
_PERSONAL_CHARS_MIN = 4


class TooMany(Exception):
    """Too many passwords wait to be checked."""


class Passwords:
    """Hashes and checks passwords, a few at a time, beside the event loop."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        """hasher: the parameters of new hashes; None: those of RFC 9106 for servers (64 MiB, 3 passes)."""
        self._hasher = hasher or PasswordHasher()
        self._turn, self._waiting = asyncio.Semaphore(AT_ONCE), 0
        # Nobody's password: checked in the place of one that does not exist, so that it takes as long.
        self._decoy = self._hasher.hash("nobody has this password")

    async def hash(self, password: str) -> str:
        """The hash to keep, with its parameters."""
        return await self._run(self._hasher.hash, _one_spelling(password))

    async def is_right(self, kept: str | None, password: str) -> bool:
        """Whether the password is the one that was kept; it takes as long when there is none."""
        right = await self._run(self._verify, kept or self._decoy, _one_spelling(password))
        return right and kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Whether a hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(kept)

    def _verify(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[..., T], *args: str) -> T:
        if self._waiting >= WAITING_MAX:
            raise TooMany
        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(work, *args)
        finally:
            self._waiting -= 1


def unfit(password: str, *personal: str) -> Refusal | None:
    """Why this may not be a password. personal: what others know of the person, such as its address."""
    password = _one_spelling(password)
    if len(password) < CHARS_MIN:
        return _refused("password.short", f"a password has at least {CHARS_MIN} characters")
    if len(password) > CHARS_MAX:
        return _refused("password.long", f"a password has at most {CHARS_MAX} characters")
    plain = password.casefold()
    if plain in _common() or len(set(plain)) < 4 or _is_run(plain):
        return _refused("password.common", "that is one of the passwords that everybody tries first")
    words = {word for text in personal for word in (text.casefold(), text.casefold().partition("@")[0])}
    if any(len(word) >= _PERSONAL_CHARS_MIN and word in plain for word in words):
        return _refused("password.personal", "a password must not hold your own name or address")
    return None


def _refused(code: str, why: str) -> Refusal:
    return Refusal(code, why, "Take four or five words that do not belong together.")


def _one_spelling(password: str) -> str:
    # Keyboards differ in how they send one and the same letter.
    return unicodedata.normalize("NFKC", password)


@cache
def _common() -> frozenset[str]:
    text = files("hub.auth.people").joinpath(_COMMON).read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


def _is_run(plain: str) -> bool:
    """Whether each character is the next one of the alphabet, of the digits, or of the keyboard's rows."""
    rows = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiopasdfghjklzxcvbnm")
    return any(plain in row * 3 or plain in row[::-1] * 3 for row in rows)
