"""Bytes as JOSE, PKCE and our own addresses spell them."""

from __future__ import annotations

from base64 import urlsafe_b64encode


def base64url(content: bytes) -> str:
    """base64url without padding (RFC 4648, section 5)."""
    return urlsafe_b64encode(content).decode().rstrip("=")
