"""Files of partners, read with bounds: bytes, text of a known encoding, JSON without surprises."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from hub.connectors.base import Rejected, Unreadable

FEED_BYTES_MAX = 32 * 1024 * 1024
ROWS_MAX = 10_000
JSON_DEPTH_MAX = 64


def read_bytes(path: Path) -> bytes | Rejected:
    """Content of the file, at most FEED_BYTES_MAX. Raises OSError when it cannot be opened."""
    with path.open("rb") as file:
        content = file.read(FEED_BYTES_MAX + 1)
    if len(content) > FEED_BYTES_MAX:
        return _whole(
            f"The file is larger than {FEED_BYTES_MAX // 1024**2} MiB.", "Export fewer records into one file."
        )
    return content


def read_json(path: Path, *, exact: bool = False) -> Any:
    """The parsed JSON of a UTF-8 file, or a Rejected for the whole file.

    exact: numbers with a fraction or an exponent are Decimal, so that amounts stay as written. Refused:
    NaN and infinities, a name twice in one object, more than JSON_DEPTH_MAX levels.
    """
    content = read_bytes(path)
    if isinstance(content, Rejected):
        return content
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return _whole(
            f"The file is not UTF-8: byte {error.start} cannot be read.",
            "Export it again with the encoding UTF-8.",
        )
    value = parse_json(text, exact=exact)
    return _whole(value.message, value.remedy) if isinstance(value, Unreadable) else value


def parse_json(text: str, *, exact: bool = False) -> Any:
    """JSON as every parser reads it, or Unreadable. exact: fractions are Decimal instead of float."""
    remedy = "Write valid JSON (RFC 8259), each name once in an object."
    options: dict[str, Any] = {"parse_float": Decimal} if exact else {}
    try:
        value = json.loads(
            text, parse_constant=_no_constant, object_pairs_hook=_object_with_unique_names, **options
        )
    except json.JSONDecodeError as error:
        return Unreadable(f"Not JSON: {error.msg} at line {error.lineno}, column {error.colno}.", remedy)
    except ValueError as error:
        return Unreadable(f"Not JSON that everybody reads alike: {error}.", remedy)
    except RecursionError:
        return _too_deep()
    return _too_deep() if _deeper_than(value, JSON_DEPTH_MAX) else value


def escaped(name: str) -> str:
    """A member name inside a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


def _object_with_unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f'the name "{name[:80]}" stands twice in one object')
        found[name] = value
    return found


def _deeper_than(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    parts = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_deeper_than(part, levels - 1) for part in parts)


def _too_deep() -> Unreadable:
    return Unreadable(f"It is more than {JSON_DEPTH_MAX} levels deep.", "Flatten the export.")


def _whole(message: str, remedy: str) -> Rejected:
    return Rejected(0, "", message, remedy, unread=True)
