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


def _token() -> dict[str, Any]:
    """Of the token endpoint, whose grants need fields of their own."""
    described = form(
        {
            "access_token": _TEXT,
            "token_type": {"enum": ["Bearer", "DPoP"]},
            "expires_in": {"type": "integer"},
            "scope": _TEXT,
        },
        grant_type={"enum": ["client_credentials", "authorization_code"]},
    )
    schema = described["requestBody"]["content"][FORM]["schema"]
    schema["oneOf"] = [
        _grant("client_credentials", scope="Scopes, a single space between them."),
        _grant(
            "authorization_code",
            code="The code that the person came back with.",
            redirect_uri="Where it came back to, as the authorization request had it.",
            code_verifier="What the code_challenge was made of (RFC 7636).",
        ),
    ]
    return described


def _grant(name: str, **fields: str) -> dict[str, Any]:
    """The fields of one grant, with what each means."""
    properties: dict[str, Any] = {field: {**_TEXT, "description": means} for field, means in fields.items()}
    return {"required": list(fields), "properties": {"grant_type": {"const": name}, **properties}}


TOKEN = _token()
REVOKE = form(None, token=_TEXT)
INTROSPECT = form({"active": {"type": "boolean"}, "scope": _TEXT, "exp": {"type": "integer"}}, token=_TEXT)
