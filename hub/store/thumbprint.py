"""RFC 7638: the name of a key that follows from nothing but its numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from hub.domain.base64url import base64url

_MEMBERS = {"EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x"), "RSA": ("e", "kty", "n")}


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """The key's SHA-256 thumbprint, base64url; KeyError for what is no public key of these kinds."""
    members = {name: jwk[name] for name in _MEMBERS[jwk["kty"]]}
    content = json.dumps(members, sort_keys=True, separators=(",", ":"))
    return base64url(sha256(content.encode()).digest())
