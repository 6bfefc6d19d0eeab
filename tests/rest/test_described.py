"""Schemathesis against a served hub: whatever is sent, the answer is one that /openapi.json describes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.messages import KENT
from tests.support.serving import Served, Session

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = 8
PROBLEM = {"type", "title", "status", "detail", "code", "remedy", "errors"}


@pytest.fixture(scope="module")
def token(served: Served) -> dict[str, str]:
    """Headers of a client whose token need not be proved anew for each request."""

    async def headers() -> dict[str, str]:
        async with Session(served) as session:
            return await session.headers(KENT)

    return asyncio.run(headers())


@pytest.fixture(scope="module")
def api(served: Served) -> Any:
    """The description, as the hub serves it."""
    return schemathesis.openapi.from_url(f"{served.base_url}/openapi.json")


@pytest.mark.parametrize(
    "mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value
)
def test_every_answer_is_one_that_the_description_has(
    api: Any, token: dict[str, str], mode: GenerationMode
) -> None:
    wrong, asked = [], 0
    for found in api.get_all_operations():
        operation = found.ok()
        try:
            asked += _ask(operation, token, mode)
        except Unsatisfiable:
            continue  # What takes no parameters cannot be asked wrongly.
        except (Exception, FailureGroup) as failure:
            wrong += [f"{operation.label}: {one}" for one in getattr(failure, "exceptions", [failure])]
    assert not wrong, "\n\n".join(wrong)
    assert asked > 10 * EXAMPLES


def _ask(operation: Any, token: dict[str, str], mode: GenerationMode) -> int:
    """Send generated requests, with a token and without; how many. Raises when an answer is not described."""
    asked = 0

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        nonlocal asked
        for headers in (token, {}):
            answer = case.call(headers=headers)
            asked += 1
            case.validate_response(answer, checks=CHECKS)
            if answer.headers.get("content-type", [""])[0].startswith("application/problem+json"):
                assert set(answer.json()) == PROBLEM
                assert answer.json()["status"] == answer.status_code

    ask()
    return asked
