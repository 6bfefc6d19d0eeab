"""What forms of our pages send, and where one may go from there."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

from hub.auth.body import read_body

BODY_BYTES_MAX = 16 * 1024
FIELDS_MAX = 16
FORM = "application/x-www-form-urlencoded"
HOME = "/account"

_PATH = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]{0,2000}", re.ASCII)


class Malformed(Exception):
    """The form is none of ours."""


async def read_fields(request: Request) -> dict[str, str]:
    """Fields of the posted form; Malformed for another type, over 16 KiB, or a field that is doubled."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise Malformed
    body = await read_body(request, BODY_BYTES_MAX)
    if body is None:
        raise Malformed
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX
        )
    except ValueError:
        raise Malformed from None
    if len({name for name, _ in pairs}) < len(pairs):
        raise Malformed
    return dict(pairs)


def safe_next(address: str | None) -> str:
    """Where to go on: a path of ours, else the account. No other host, no line break, no backslash."""
    if not address or not _PATH.fullmatch(address):
        return HOME
    parts = urlsplit(address)
    return HOME if parts.scheme or parts.netloc else address
