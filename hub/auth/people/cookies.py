"""The session's cookie, and whether a request that it came with was made by one of the hub's own pages.

Sources: RFC 6265bis (the prefix __Host-), Fetch Metadata, OWASP's advice on cross-site request forgery.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from hub.domain.base64url import base64url

COOKIE = "__Host-hub-session"
CSRF_HEADER = "x-hub-csrf"

# Browsers take Secure on plain http from the loopback address, which is all that the hub listens on. Lax,
# because people also come from other sites: by a link, or back from another provider.
ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=Lax"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def set_cookie(value: str) -> str:
    """The header Set-Cookie of a session; it ends with the browser, and in the store before that."""
    return f"{COOKIE}={value}; {ATTRIBUTES}"


def drop_cookie() -> str:
    """The header Set-Cookie that ends the cookie."""
    return f"{COOKIE}=; Max-Age=0; {ATTRIBUTES}"


def cookie_of(request: HTTPConnection) -> str | None:
    """The session's secret, as it came; None without one, and with several, of which one may be planted."""
    values = [
        value
        for header in request.headers.getlist("cookie")
        for name, equals, value in (part.strip().partition("=") for part in header.split(";"))
        if equals and name == COOKIE
    ]
    return values[0] if len(values) == 1 and 0 < len(values[0]) <= 128 else None


def csrf_token(value: str) -> str:
    """The token that pages of this session send along: nobody can make it without the cookie."""
    return base64url(hmac.digest(value.encode(), b"csrf", sha256))


def is_csrf_token(value: str, token: str | None) -> bool:
    """Whether the token is that of the session."""
    return token is not None and hmac.compare_digest(csrf_token(value).encode(), token.encode())


def changes_something(request: HTTPConnection) -> bool:
    """Whether the request is more than a reading: also every WebSocket, which carries what it likes."""
    return request.scope["type"] != "http" or request.scope["method"] not in _SAFE


def is_ours(request: HTTPConnection, public_url: str) -> bool:
    """Whether the browser says that a page of the hub made the request; one that says nothing is not ours.

    public_url: what the operator set, never what the request says of its host.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    parts = urlsplit(public_url)
    if origin is not None and origin != f"{parts.scheme}://{parts.netloc}":
        return False
    if site is not None:
        return site == "same-origin"
    return origin is not None
