"""The second factor of people: codes by time (RFC 6238), each good once, and recovery codes on paper."""

from __future__ import annotations

import hmac
import re
import secrets

import pyotp

STEP_S = 30
DRIFT_STEPS = 1
"""How far a telephone's clock may be off, to either side."""
SECRET_CHARS = 32
"""160 bits, as RFC 4226 asks for."""

_CODE = re.compile(r"[0-9]{6}", re.ASCII)
_RECOVERY_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without what looks alike
_RECOVERY_CHARS = 12  # 59 bits
_SPACES = re.compile(r"[\s-]+")


def new_secret() -> str:
    """A secret for an authenticator, base32."""
    return pyotp.random_base32(SECRET_CHARS)


def provisioning_uri(secret: str, account: str, issuer: str) -> str:
    """What the authenticator reads from the image: otpauth://…"""
    return pyotp.TOTP(secret, name=account, issuer=issuer).provisioning_uri()


def step_of(secret: str, code: str, now_s: float) -> int | None:
    """The time step that a code belongs to, None when it is none of those that are good now.

    The caller uses the step up: that the code is right does not yet say that it is new.
    """
    code = _SPACES.sub("", code)
    if not _CODE.fullmatch(code):
        return None
    totp, now = pyotp.TOTP(secret), int(now_s) // STEP_S
    found = None
    for step in range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1):
        # All of them, also when the first one fits: how long it takes must not depend on it.
        if hmac.compare_digest(totp.at(step * STEP_S), code):
            found = step
    return found


def new_recovery_codes(count: int) -> list[str]:
    """Codes to print, four characters a group."""
    return [
        "-".join("".join(secrets.choice(_RECOVERY_ALPHABET) for _ in range(4)) for _ in range(3))
        for _ in range(count)
    ]


def recovery_text(code: str) -> str | None:
    """A typed recovery code in the spelling that is digested, None when it cannot be one."""
    plain = _SPACES.sub("", code).casefold()
    fits = len(plain) == _RECOVERY_CHARS and set(plain) <= set(_RECOVERY_ALPHABET)
    return plain if fits else None
