"""GraphQL over HTTP: what a request asks, and in which media type it wants the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from hub.auth.body import read_body
from hub.domain.refusal import Refusal
from hub.events.strict_json import EnvelopeError, parse_json

BODY_BYTES_MAX = 256 * 1024
RESPONSE_TYPE = "application/graphql-response+json"
JSON_TYPE = "application/json"


class BadRequest(Exception):
    """The request asks nothing that can be executed. status: HTTP."""

    def __init__(self, status: int, message: str, remedy: str) -> None:
        super().__init__(message)
        self.status = status
        self.refusal = Refusal("payload.invalid", message, remedy)


@dataclass(frozen=True, slots=True)
class Asked:
    """The parameters of a request. query: the document's text."""

    query: str
    operation_name: str | None
    variables: dict[str, Any] | None


def answer_type(accept: str | None) -> str | None:
    """Media type of the answer; None when the client takes neither of the two.

    Clients that take anything get application/json, as those do that know nothing of the newer type.
    """
    if not accept or not accept.strip():
        return JSON_TYPE
    best: tuple[float, str] | None = None
    for item in accept.split(","):
        kind, *parameters = (part.strip().lower() for part in item.split(";"))
        given = {
            JSON_TYPE: JSON_TYPE,
            RESPONSE_TYPE: RESPONSE_TYPE,
            "*/*": JSON_TYPE,
            "application/*": JSON_TYPE,
        }
        quality = _quality(parameters)
        if kind in given and quality > 0 and (best is None or quality > best[0]):
            best = (quality, given[kind])
    return best[1] if best else None


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


async def asked_by_post(request: Request) -> Asked:
    """Parameters of a POST; BadRequest when they are malformed or too large."""
    kind, *parameters = (part.strip().lower() for part in request.headers.get("content-type", "").split(";"))
    charsets = [one.partition("=")[2].strip('"') for one in parameters if one.startswith("charset=")]
    if kind != JSON_TYPE or any(one not in ("utf-8", "utf8") for one in charsets):
        raise BadRequest(
            415,
            f"the content type {kind or '(none)'} is not {JSON_TYPE} in UTF-8",
            f"Send a JSON object with the member query as {JSON_TYPE}.",
        )
    body = await read_body(request, BODY_BYTES_MAX)
    if body is None:
        raise BadRequest(
            413, f"the body is larger than {BODY_BYTES_MAX} bytes", "Split the document or its variables."
        )
    return _asked(_parsed(body, "the body"))


def asked_by_get(request: Request) -> Asked:
    """Parameters of a GET; BadRequest when they are malformed."""
    given: dict[str, Any] = {}
    for name in ("query", "operationName", "variables", "extensions"):
        values = request.query_params.getlist(name)
        if len(values) > 1:
            raise BadRequest(400, f"{name} is given more than once", f"Give {name} once.")
        if values and name in ("variables", "extensions"):
            given[name] = _parsed(values[0].encode(), name)
        elif values:
            given[name] = values[0]
    return _asked(given)


def _parsed(text: bytes, what: str) -> Any:
    try:
        return parse_json(text)
    except EnvelopeError as error:
        raise BadRequest(
            400, error.message.replace("the body", what, 1), "Send strict JSON: RFC 8259, no name twice."
        ) from None


def _asked(given: Any) -> Asked:
    if not isinstance(given, Mapping):
        raise BadRequest(400, "the request is not one JSON object", "Send one operation a request.")
    query = given.get("query")
    if not isinstance(query, str) or not query.strip():
        raise BadRequest(400, "query is missing or no text", "Give the document as the text query.")
    name, variables = given.get("operationName"), given.get("variables")
    if name is not None and not isinstance(name, str):
        raise BadRequest(400, "operationName is no text", "Name an operation of the document, or none.")
    for member in ("variables", "extensions"):
        if given.get(member) is not None and not isinstance(given[member], dict):
            raise BadRequest(
                400, f"{member} is no JSON object", f"Give {member} as an object, or leave it out."
            )
    return Asked(query, name or None, variables)
