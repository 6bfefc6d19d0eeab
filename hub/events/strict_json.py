"""JSON that every parser reads alike.

Duplicate keys, NaN, integers beyond 64 bits and lone surrogates are refused, because parsers disagree on
them.
"""

from __future__ import annotations

import json
from typing import Any

DEPTH_MAX = 64
INT_MIN, INT_MAX = -(2**63), 2**63 - 1


class EnvelopeError(Exception):
    """The bytes are no event. status: HTTP; field: JSON pointer; index: place in a batch."""

    def __init__(
        self, code: str, message: str, *, field: str = "", index: int | None = None, status: int = 400
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.field, self.index, self.status = code, message, field, index, status


def parse_json(body: bytes, depth_max: int = DEPTH_MAX) -> Any:
    """Parsed JSON; EnvelopeError for all that strict parsers may read differently.

    depth_max: arrays and objects inside each other.
    """
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_int=_integer,
            parse_float=_float,
        )
    except UnicodeDecodeError as error:
        raise malformed(f"the body is not UTF-8 at byte {error.start}") from None
    except RecursionError:
        raise malformed(f"the body is nested more than {DEPTH_MAX} levels deep") from None
    except json.JSONDecodeError as error:
        raise malformed(f"the body is not JSON: {error.msg} at character {error.pos}") from None
    # Half a surrogate pair, or U+0000, can only be written as an escape; depth needs as many brackets.
    escaped = b"\\u" in body
    if escaped or body.count(b"{") + body.count(b"[") > depth_max:
        _check_tree(value, depth_max, texts=escaped)
    return value


def malformed(message: str, field: str = "", index: int | None = None) -> EnvelopeError:
    """Told as 400 event.malformed."""
    return EnvelopeError("event.malformed", message, field=field, index=index)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise malformed(f"the key {twice[:100]!r} stands twice in one object")
    return value


def _constant(name: str) -> Any:
    raise malformed(f"{name} is not JSON")


def _integer(digits: str) -> int:
    if len(digits) <= 20 and INT_MIN <= (value := int(digits)) <= INT_MAX:
        return value
    raise malformed("the body holds an integer beyond 64 bits; send it as a string")


def _float(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise malformed("the body holds a number beyond double precision; send it as a string")
    return value


def _check_tree(value: Any, depth_max: int, *, texts: bool) -> None:
    """Depth, and texts if wanted, of a parsed tree; iterative, so that depth cannot hurt."""
    level, depth = [value], 0
    while level:
        below: list[Any] = []
        for node in level:
            if type(node) is dict:
                below.extend(node.values() if texts else filter(_is_container, node.values()))
                for key in node if texts else ():
                    _check_text(key)
            elif type(node) is list:
                below.extend(node if texts else filter(_is_container, node))
            elif texts and type(node) is str:
                _check_text(node)
        depth += any(map(_is_container, level))
        if depth > depth_max:
            raise malformed(f"the body is nested more than {DEPTH_MAX} levels deep")
        level = below


def _is_container(node: Any) -> bool:
    return type(node) is dict or type(node) is list


def _check_text(text: str) -> None:
    if text.isascii() and "\x00" not in text:
        return
    if "\x00" in text:
        raise malformed("the body holds the character U+0000")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise malformed("the body holds half of a surrogate pair") from None
