"""What is wrong with a payload, in words that its sender can act on."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from hub.domain.codes import nearest
from hub.domain.values import MemberError
from hub.events.rejection import FieldError, Rejected

ERRORS_MAX = 20


def invalid_payload(
    error: ValidationError, model: type[BaseModel], data: dict[str, Any], index: int | None
) -> Rejected:
    """422 for a payload that does not validate; the errors of unknown members come first."""
    errors, unknown = [], False
    for detail in error.errors(include_url=False, include_context=True)[:ERRORS_MAX]:
        pointer = _pointer(detail, data)
        if detail["type"] == "extra_forbidden":
            unknown = True
            known = nearest(str(detail["loc"][-1]), member_names(model))
            hint = f": did you mean {known}?" if known else "; put your own members into extensions"
            errors.append(FieldError(pointer, f"is not a member of this event{hint}", index))
        else:
            broken = detail.get("ctx", {}).get("error")
            if isinstance(broken, MemberError):
                pointer += f"/{broken.member}"
            errors.append(FieldError(pointer, _words(detail), index))
    if unknown:
        errors.sort(key=lambda one: "is not a member" not in one.message)
    first = errors[0]
    return Rejected(
        422,
        "payload.unknown_field" if unknown else "payload.invalid",
        f"{first.field or '/data'} {first.message}.",
        "Mend the members under errors and send the event again; /openapi.json has the schema.",
        errors,
    )


def _pointer(detail: ErrorDetails, data: Any) -> str:
    """JSON pointer of an error: the steps of its location that exist in the data, and its last name."""
    pointer, node = "/data", data
    steps = list(detail["loc"])
    for step in steps:
        if step in (node if isinstance(node, dict) else range(len(node) if isinstance(node, list) else 0)):
            node = node[step]
        elif not (step is steps[-1] and detail["type"] == "missing"):
            continue  # A tag of the validator, such as the branch of a union.
        pointer += "/" + str(step).replace("~", "~0").replace("/", "~1")
    return pointer


def _words(detail: ErrorDetails) -> str:
    message = detail["msg"]
    if detail["type"] == "missing":
        return "is required"
    if detail["type"] == "value_error":
        return message.removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


@cache
def member_names(model: type[BaseModel]) -> tuple[str, ...]:
    """Every member name of a payload model and its parts."""
    schema = model.model_json_schema()
    names = dict.fromkeys(schema.get("properties", {}))
    for part in schema.get("$defs", {}).values():
        names.update(dict.fromkeys(part.get("properties", {})))
    return tuple(names)
