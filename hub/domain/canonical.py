"""One text for equal JSON: RFC 8785."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson
import rfc8785

_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
# Where numbers with a fraction or an exponent stand: two patterns, as one for both takes six times as long.
_IN_OBJECT, _IN_ARRAY = re.compile(rb'":-?\d+[.e]'), re.compile(rb"[\[,]-?\d+[.e]")
_BEYOND_FIRST_PLANE = re.compile(rb"[\xf0-\xf4]")
_encode = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False
).encode


def canonical(value: Any) -> bytes:
    """RFC 8785 form of JSON values, UTF-8.

    Integers beyond 2^53, which the RFC leaves to doubles, keep all their digits
    (docs/decisions/0010-large-integers.md).
    """
    try:
        written = orjson.dumps(value, option=_OPTIONS)
    except orjson.JSONEncodeError:
        return _strictly(value)
    return written if _is_alike(value, written) else _strictly(value)


def _is_alike(value: Any, written: bytes) -> bool:
    """Whether orjson has written what the RFC says, some ten times as fast as its own writer.

    It has unless there are fractions, or characters that UTF-16, by which keys are sorted, makes two of; and
    it writes null for NaN. What looks like one of these within a text does no harm.
    """
    if isinstance(value, float) or b"null" in written:
        return False
    if not written.isascii() and _BEYOND_FIRST_PLANE.search(written):
        return False
    return not (_IN_OBJECT.search(written) or _IN_ARRAY.search(written))


def _strictly(value: Any) -> bytes:
    try:
        return rfc8785.dumps(value)
    except rfc8785.IntegerDomainError:
        return _encode(value).encode()
