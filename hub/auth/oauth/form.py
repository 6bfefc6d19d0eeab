"""The form of a token request, taken apart so that no two readers can disagree on it."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749.errors import InvalidRequestError
from starlette.requests import Request

from hub.auth.body import read_body

BODY_BYTES_MAX = 64 * 1024
FIELDS_MAX = 32
FORM = "application/x-www-form-urlencoded"

_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PRINTABLE = re.compile(r"[\x20-\x7e]*", re.ASCII)


async def read_form(request: Request) -> dict[str, str]:
    """Parameters of the body; those without a value are omitted (RFC 6749, section 3.2).

    InvalidRequestError for anything in the query, another content type, a body over 64 KiB (413), doubled
    parameters and whatever is not printable ASCII once decoded: every parameter of ours is.
    """
    if request.scope["query_string"]:
        raise InvalidRequestError("Parameters belong into the body, none into the address.")
    content_types = request.headers.getlist("content-type")
    if len(content_types) != 1 or content_types[0].partition(";")[0].strip().lower() != FORM:
        raise InvalidRequestError(f"The body must be {FORM}.")
    body = await read_body(request, BODY_BYTES_MAX)
    if body is None:
        raise InvalidRequestError(f"The body is larger than {BODY_BYTES_MAX} bytes.", status_code=413)
    return _parameters(body)


def _parameters(body: bytes) -> dict[str, str]:
    try:
        text = body.decode("ascii")
        if _BROKEN_ESCAPE.search(text):
            raise ValueError("broken percent-encoding")
        pairs = parse_qsl(
            text, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=FIELDS_MAX
        )
    except ValueError:
        raise InvalidRequestError(f"The body is not {FORM}, or has over {FIELDS_MAX} parameters.") from None
    if not all(_PRINTABLE.fullmatch(text) for pair in pairs for text in pair):
        raise InvalidRequestError("Parameters are printable ASCII: no control characters, no other letters.")
    if len({name for name, _ in pairs}) < len(pairs):
        raise InvalidRequestError("A parameter is given more than once.")
    return {name: value for name, value in pairs if value}
