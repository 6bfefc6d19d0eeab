"""How /openapi.json describes the endpoints of OAuth: forms in, JSON out, errors of RFC 6749."""

from __future__ import annotations

from typing import Any

from hub.auth.oauth.form import FORM
from hub.auth.proofs.assertions import ASSERTION_TYPE

_TEXT = {"type": "string"}
_ASSERTION = {
    "client_assertion_type": {"const": ASSERTION_TYPE},
    "client_assertion": {**_TEXT, "description": "A JWT of the client's own key: docs/authorization.md."},
}
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": _TEXT, "error_description": _TEXT},
}
_ERRORS = {
    "400": "The request is not good for anyone: invalid_request, invalid_scope, invalid_dpop_proof …",
    "401": "The client did not prove who it is: invalid_client.",
    "413": "The body is larger than 64 KiB.",
    "429": "Too often; Retry-After says when to come back.",
    "503": "The database is away; Retry-After says when to come back.",
}


def form(answer: dict[str, Any] | None, **fields: dict[str, Any]) -> dict[str, Any]:
    """Of an endpoint that needs these fields and an assertion. answer: its members; None: no body."""
    properties = {**fields, **_ASSERTION}
    schema = {"type": "object", "required": list(properties), "properties": properties}
    good: dict[str, Any] = {"description": "Done."}
    if answer is not None:
        told = {"type": "object", "required": list(answer)[:1], "properties": answer}
        good["content"] = {"application/json": {"schema": told}}
    problems = {
        status: {"description": meaning, "content": {"application/json": {"schema": _ERROR}}}
        for status, meaning in _ERRORS.items()
    }
    return {
        "requestBody": {"required": True, "content": {FORM: {"schema": schema}}},
        "responses": {"200": good, **problems},
    }


TOKEN = form(
    {
        "access_token": _TEXT,
        "token_type": {"enum": ["Bearer", "DPoP"]},
        "expires_in": {"type": "integer"},
        "scope": _TEXT,
    },
    grant_type={"const": "client_credentials"},
    scope={**_TEXT, "description": "Scopes, a single space between them."},
)
REVOKE = form(None, token=_TEXT)
INTROSPECT = form({"active": {"type": "boolean"}, "scope": _TEXT, "exp": {"type": "integer"}}, token=_TEXT)
