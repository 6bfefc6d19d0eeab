"""GraphQL over HTTP at /graphql: the caller's audience picks the schema, and no request ends in a 500.

Source: GraphQL over HTTP, working draft (status codes and media types).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from inspect import isawaitable
from typing import Any
from uuid import uuid4

import orjson
from fastapi import APIRouter, Request, Response
from graphql import ExecutionResult, GraphQLError, OperationType, execute

from hub.auth.access import Authenticate, may_be_anyone
from hub.auth.addresses import Addresses
from hub.auth.metering import Meter
from hub.domain.principal import Principal
from hub.domain.refusal import Refusal
from hub.domain.scopes import Audience
from hub.events.audit import NoteRefusal, unheard
from hub.events.quotas import COST_MAX, Quotas
from hub.events.rejection import Rejected
from hub.graphql.context import Context, RecordReading
from hub.graphql.described import ANSWERS, BY_GET, BY_POST
from hub.graphql.documents import Documents
from hub.graphql.limits import too_large
from hub.graphql.refusals import refused
from hub.graphql.schema import schema_for
from hub.graphql.transport import (
    JSON_TYPE,
    RESPONSE_TYPE,
    Asked,
    BadRequest,
    answer_type,
    asked_by_get,
    asked_by_post,
)
from hub.store.engine import Store, StoreUnavailable
from hub.store.vault import Vault

PATH = "/graphql"
UNAVAILABLE = Refusal(
    "hub.unavailable",
    "the hub's database cannot answer just now",
    "Send the same request again in a second, and later each time.",
)
TOOL_HEADER = "x-hub-graphiql"
"""Sent by the page GraphiQL: it keeps people from slips there, and bounds nobody's rights."""
REQUEST_COST = 50
"""What comes with every request, in fields of an answer: HTTP, the token, the parsed document."""
INVALID_COST = 400
"""Validation of a document, which is done again for each one that is not valid."""

_log = logging.getLogger(__name__)


class Gateway:
    """Executes requests against the schema of their caller."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        clock: Callable[[], datetime],
        quotas: Quotas | None = None,
        note_refusal: NoteRefusal = unheard,
        record_reading: RecordReading | None = None,
    ) -> None:
        self._store, self._vault, self._clock, self._quotas = store, vault, clock, quotas or Quotas()
        self._note_refusal, self._record_reading = note_refusal, record_reading
        self._schemas = {audience: schema_for(audience) for audience in Audience}
        self._documents = {audience: Documents(schema._schema) for audience, schema in self._schemas.items()}

    async def answer(
        self,
        asked: Asked,
        principal: Principal,
        charge: Callable[[int], None],
        *,
        only_queries: BadRequest | None,
    ) -> ExecutionResult:
        """The result of one request; its data is None when nothing was executed.

        charge: takes the cost before anything is executed, or raises. only_queries: raised for anything
        else; None: anything goes.
        """
        schema, documents = self._schemas[principal.audience], self._documents[principal.audience]
        charge(REQUEST_COST)  # First: the document is parsed at somebody's expense.
        prepared = documents.prepare(asked.query)
        if prepared.document is None:
            charge(INVALID_COST)
            return ExecutionResult(None, list(prepared.errors))
        if only_queries and prepared.operation(asked.operation_name) not in (OperationType.QUERY, None):
            raise only_queries
        cost = documents.cost(prepared, asked.operation_name, asked.variables)
        if cost > COST_MAX:
            return ExecutionResult(None, [too_large("a cost of", cost, COST_MAX)])
        charge(cost)
        context = Context(
            self._store,
            self._vault,
            principal,
            self._clock(),
            self._quotas,
            self._note_refusal,
            self._record_reading,
        )
        result = execute(
            schema._schema,
            prepared.document,
            context_value=context,
            variable_values=asked.variables,
            operation_name=asked.operation_name,
            executor_class=schema.execution_context_class,
            operation_extensions=None,
        )
        done = await result if isawaitable(result) else result
        await context.record_readings()
        return ExecutionResult(done.data, masked(done.errors) if done.errors else None)


def masked(errors: Sequence[GraphQLError]) -> list[GraphQLError]:
    """The errors for clients: faults of our own lose their text, which is logged under the id they get."""
    shown = []
    for error in errors:
        cause = error.original_error
        # Errors without a path are about the request: wrong variables, no such operation.
        if error.path is None or cause is None or isinstance(cause, GraphQLError):
            shown.append(error)
            continue
        if isinstance(cause, StoreUnavailable):
            _log.warning("graphql field %s: the database is unavailable: %s", error.path, cause)
            gone = refused(UNAVAILABLE)
            shown.append(GraphQLError(gone.message, error.nodes, path=error.path, extensions=gone.extensions))
            continue
        fault_id = str(uuid4())
        path = ".".join(map(str, error.path))
        _log.error("graphql field %s failed, fault %s", path, fault_id, exc_info=cause)
        shown.append(
            GraphQLError("internal error", error.nodes, path=error.path, extensions={"fault": fault_id})
        )
    return shown


def build_router(
    store: Store,
    vault: Vault,
    authenticate: Authenticate,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    quotas: Quotas | None = None,
    meter: Meter | None = None,
    note_refusal: NoteRefusal = unheard,
    record_reading: RecordReading | None = None,
    graphiql_mutations: bool = False,
) -> APIRouter:
    """Routes of the gateway. authenticate: raises for a token that does not hold; clock: aware UTC.

    quotas: of those with a token, for `me`; None: there are none. meter: whom requests are charged to; None:
    nobody. note_refusal: told what fields refuse. record_reading: as in Context. graphiql_mutations: whether
    the page GraphiQL may send more than queries.
    """
    gateway = Gateway(store, vault, clock, quotas, note_refusal, record_reading)
    meter = meter or Meter(Quotas(), Quotas(), Addresses())
    router = APIRouter(tags=["graphql"])

    caller: Principal = may_be_anyone(authenticate)

    async def respond(
        request: Request, principal: Principal, read: Callable[[Request], Awaitable[Asked]]
    ) -> Response:
        media_type = answer_type(request.headers.get("accept"))
        try:
            if media_type is None:
                raise BadRequest(
                    406, f"the answer is {RESPONSE_TYPE} or {JSON_TYPE}", f"Accept {RESPONSE_TYPE}."
                )
            asked = await read(request)
            charge = partial(meter.charge, request, principal)
            result = await gateway.answer(
                asked, principal, charge, only_queries=only_queries(request, graphiql_mutations)
            )
        except BadRequest as bad:
            errors = [refused(bad.refusal)]
            return _response(ExecutionResult(None, errors), media_type or JSON_TYPE, bad.status)
        except Rejected as used_up:
            return _over_quota(used_up, media_type or JSON_TYPE, meter.headers(request, principal))
        # Only the newer media type lets a proxy trust the status; in the older one errors travel under 200.
        failed = result.data is None and not _executed(result) and media_type == RESPONSE_TYPE
        headers = meter.headers(request, principal)
        return _response(result, media_type, 400 if failed else 200, headers)

    @router.get(PATH, response_class=Response, responses=ANSWERS, openapi_extra=BY_GET)
    async def graphql_get(request: Request, principal: Principal = caller) -> Response:
        """Execute a query given in the address."""
        return await respond(request, principal, _by_get)

    @router.post(PATH, response_class=Response, responses=ANSWERS, openapi_extra=BY_POST)
    async def graphql_post(request: Request, principal: Principal = caller) -> Response:
        """Execute an operation given as JSON."""
        return await respond(request, principal, asked_by_post)

    return router


async def _by_get(request: Request) -> Asked:
    return asked_by_get(request)


def only_queries(request: Request, graphiql_mutations: bool) -> BadRequest | None:
    """Why this request may ask for nothing but a query; None when it may."""
    if request.method == "GET":
        return BadRequest(405, "a GET executes queries alone", "Send the operation as a POST.")
    if TOOL_HEADER in request.headers and not graphiql_mutations:
        switch = "Whoever runs the hub can switch mutations on: HUB_GRAPHIQL_MUTATIONS."
        return BadRequest(403, "GraphiQL sends queries alone here", switch)
    return None


def _executed(result: ExecutionResult) -> bool:
    """Whether a result without data comes from execution: a field that must not be null failed."""
    return any(error.path is not None for error in result.errors or ())


def _over_quota(used_up: Rejected, media_type: str, limits: Mapping[str, str]) -> Response:
    """The caller has used up its quota: when to come back stands in the header and beside the code."""
    after_s = used_up.retry_after_s
    error = refused(Refusal(used_up.code, used_up.message, used_up.remedy))
    extensions = {**(error.extensions or {}), "retryAfter": after_s}
    result = ExecutionResult(None, [GraphQLError(error.message, extensions=extensions)])
    return _response(result, media_type, used_up.status, {**limits, "Retry-After": str(after_s)})


def _response(
    result: ExecutionResult, media_type: str, status: int, more: Mapping[str, str] | None = None
) -> Response:
    body: dict[str, Any] = {}
    if result.errors:
        body["errors"] = [error.formatted for error in result.errors]
    if result.data is not None or _executed(result):
        body["data"] = result.data
    headers = {"Cache-Control": "no-store", "Vary": "Accept, Authorization, Cookie", **(more or {})}
    if status == 405:
        headers["Allow"] = "POST"
    return Response(orjson.dumps(body), status, headers=headers, media_type=f"{media_type}; charset=utf-8")
