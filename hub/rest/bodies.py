"""JSON bodies of small requests: bounded, strict, and refused with the member that is wrong."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from hub.auth.body import read_body
from hub.domain.codes import nearest
from hub.events.complaints import ERRORS_MAX, member_names
from hub.events.rejection import FieldError, Rejected
from hub.events.strict_json import EnvelopeError, parse_json

BYTES_MAX = 32 * 1024
DEPTH_MAX = 8
JSON = "application/json"
M = TypeVar("M", bound=BaseModel)


async def body_of(request: Request, model: type[M]) -> M:
    """The body as a model; Rejected 400, 413, 415 or 422 when it is none."""
    kinds = request.headers.getlist("content-type")
    if len(kinds) != 1 or kinds[0].partition(";")[0].strip().lower() != JSON:
        raise _rejected(415, f"The content type is not {JSON}.", f"Send a JSON object as {JSON}.")
    body = await read_body(request, BYTES_MAX)
    if body is None:
        raise _rejected(413, f"The body has more than {BYTES_MAX} bytes.", "Send less.")
    try:
        content = parse_json(body, DEPTH_MAX)
    except EnvelopeError as error:
        raise _rejected(400, f"{error.message}.", "Send strict JSON: RFC 8259, no name twice.") from None
    if not isinstance(content, dict):
        raise _rejected(400, "The body is no JSON object.", "Send one JSON object.")
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise _invalid(error, model) from None


def _rejected(status: int, message: str, remedy: str) -> Rejected:
    return Rejected(status, "payload.invalid", message, remedy)


def _invalid(error: ValidationError, model: type[BaseModel]) -> Rejected:
    errors, unknown = [], False
    for detail in error.errors(include_url=False, include_context=False, include_input=False)[:ERRORS_MAX]:
        pointer = "".join(f"/{_escaped(step)}" for step in detail["loc"])
        if detail["type"] == "extra_forbidden":
            unknown = True
            known = nearest(str(detail["loc"][-1]), member_names(model))
            message = f"is not a member of this{f': did you mean {known}?' if known else ''}"
        elif detail["type"] == "missing":
            message = "is required"
        else:
            message = detail["msg"].removeprefix("Value error, ")
            message = message[:1].lower() + message[1:]
        errors.append(FieldError(pointer, message))
    first = errors[0]
    return Rejected(
        422,
        "payload.unknown_field" if unknown else "payload.invalid",
        f"{first.field or 'The body'} {first.message}.",
        "Mend the members under errors and send the request again.",
        errors,
    )


def _escaped(step: Any) -> str:
    return str(step)[:100].replace("~", "~0").replace("/", "~1")
