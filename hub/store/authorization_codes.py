"""Authorization codes, each good once, and the addresses to which clients are sent back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

from sqlalchemy import Connection, delete, insert, select, update

from hub.store.people import Person, person_of, with_standing
from hub.store.tables import oauth_code, oauth_redirect, person

REDIRECTS_MAX = 10
KEPT_S = 600
"""How long a code is remembered after its end, so that its reuse ends the token that it gave."""
_PORT_MAX = 65_535
_LOOPBACK_URI = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::([0-9]{1,5}))?((?:/.*)?)")
_LOOPBACK = ("127.0.0.1", "[::1]", "::1")


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """What a code was given for. jti: of the token that it gave, None before. Seconds since 1970."""

    digest: bytes
    client_id: str
    person: str
    generation: int
    redirect_uri: str
    challenge: str
    scope: str
    dpop_jkt: str | None
    confirmed_at_s: int
    ends_at_s: int
    jti: str | None = None


def add_redirects(conn: Connection, client_id: str, uris: Sequence[str]) -> None:
    """Let a client be sent back to these addresses; ValueError, which says why, when one cannot be."""
    if len(uris) > REDIRECTS_MAX:
        raise ValueError(f"a client has at most {REDIRECTS_MAX} redirect URIs")
    for uri in uris:
        check_redirect(uri)
    if uris:
        conn.execute(insert(oauth_redirect), [{"client_id": client_id, "uri": uri} for uri in set(uris)])


def check_redirect(uri: str) -> None:
    """ValueError unless the URI is https, or http on the loopback address; without fragment and user."""
    try:
        parts = urlsplit(uri)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        raise ValueError(f"{uri!r} is no address") from None
    plain = uri.isascii() and uri.isprintable() and " " not in uri and "\\" not in uri and "*" not in uri
    if not plain or not host or "@" in parts.netloc or "#" in uri or len(uri) > 2_000:
        raise ValueError(f"{uri!r} must be a plain address without fragment, user name and wildcard")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        raise ValueError(f"{uri!r} must be https, or http on 127.0.0.1 or [::1]")


def redirects(conn: Connection, client_id: str) -> list[str]:
    """Where a client may be sent back to."""
    mine = select(oauth_redirect.c.uri).where(oauth_redirect.c.client_id == client_id)
    return list(conn.execute(mine.order_by(oauth_redirect.c.uri)).scalars())


def is_registered(uri: str, registered: Iterable[str]) -> bool:
    """Whether the URI is one of these, to the letter; on loopback with any port (RFC 8252, 7.3)."""
    return any(uri == one or _without_port(uri) == _without_port(one) != "" for one in registered)


def add_code(conn: Connection, code: AuthorizationCode) -> None:
    """Keep a code."""
    conn.execute(insert(oauth_code).values(**asdict(code)))


def forget_codes(conn: Connection, now_s: int) -> None:
    """Delete codes whose reuse would mean nothing any more."""
    conn.execute(delete(oauth_code).where(oauth_code.c.ends_at_s < now_s - KEPT_S))


def find_code(conn: Connection, digest: bytes) -> tuple[AuthorizationCode, Person] | None:
    """The code of a digest, used or not, with its person as it stands now."""
    row = conn.execute(_CODE.where(oauth_code.c.digest == digest)).first()
    if row is None:
        return None
    values = row._mapping
    return AuthorizationCode(
        **{name: values[f"code_{name}"] for name in AuthorizationCode.__slots__}
    ), person_of(row)


def use_code(conn: Connection, digest: bytes, jti: str, now_s: int) -> bool:
    """Use a code up for a token: whether it was unused and had not ended."""
    unused = update(oauth_code).where(
        oauth_code.c.digest == digest, oauth_code.c.jti.is_(None), oauth_code.c.ends_at_s > now_s
    )
    return conn.execute(unused.values(jti=jti)).rowcount > 0


_CODE = with_standing(
    select(
        person,
        *(oauth_code.c[name].label(f"code_{name}") for name in AuthorizationCode.__slots__),
    ).join_from(oauth_code, person, person.c.id == oauth_code.c.person)
)


def _without_port(uri: str) -> str:
    """A loopback URI with its port left out, the rest to the letter; empty for any other."""
    parts = _LOOPBACK_URI.fullmatch(uri)
    return f"{parts[1]}{parts[3]}" if parts and int(parts[2] or 0) <= _PORT_MAX else ""
