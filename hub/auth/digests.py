"""What the store knows of secrets that the hub hands out."""

from __future__ import annotations

from hashlib import sha256


def secret_digest(purpose: str, text: str) -> bytes:
    """Under which a random secret is kept: 256 bits need no slow hash; one of another purpose never fits."""
    return sha256(purpose.encode() + b"\0" + text.encode("utf-8", "surrogateescape")).digest()
