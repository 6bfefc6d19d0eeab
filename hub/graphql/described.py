"""The two operations of /graphql in /openapi.json."""

from __future__ import annotations

from typing import Any

from hub.graphql.transport import JSON_TYPE, RESPONSE_TYPE

_ANSWER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "data": {"type": ["object", "null"]},
        "errors": {"type": "array", "items": {"type": "object", "required": ["message"]}},
    },
}
_MEANINGS = {
    200: "The answer; errors of single fields stand in it.",
    400: "Nothing was executed: the request or the document is wrong.",
    405: "A GET executes queries alone.",
    406: "The answer has neither of the media types asked for.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    429: "The quota of query cost is used up.",
}
_DOCUMENT: dict[str, Any] = {
    "type": "object",
    "required": ["query"],
    "properties": {
        "query": {"type": "string", "minLength": 1},
        "operationName": {"type": ["string", "null"]},
        "variables": {"type": ["object", "null"]},
        "extensions": {"type": ["object", "null"]},
    },
}
# Beside the scheme of the signature: a token is not asked for.
_OR_NOBODY: list[dict[str, Any]] = [{}]

ANSWERS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": meaning,
        "content": {kind: {"schema": _ANSWER} for kind in (JSON_TYPE, RESPONSE_TYPE)},
    }
    for status, meaning in _MEANINGS.items()
}
BY_GET: dict[str, Any] = {
    "security": _OR_NOBODY,
    "parameters": [
        {"name": name, "in": "query", "required": name == "query", "schema": {"type": "string"}}
        for name in _DOCUMENT["properties"]
    ],
}
BY_POST: dict[str, Any] = {
    "security": _OR_NOBODY,
    "requestBody": {"required": True, "content": {JSON_TYPE: {"schema": _DOCUMENT}}},
}
