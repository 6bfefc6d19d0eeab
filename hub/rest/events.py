"""POST /events: CloudEvents in, receipts out, 202 only after a durable commit."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hub.auth.access import Authenticate, Direct, needs
from hub.auth.body import read_body
from hub.auth.metering import rate_limits
from hub.domain.principal import Principal
from hub.events.accept import Receipt
from hub.events.audit import Auditor
from hub.events.envelope import BATCH, BATCH_BYTES_MAX, EVENT_BYTES_MAX, STRUCTURED, parse
from hub.events.intake import Intake
from hub.events.progress import Progress
from hub.events.rejection import Rejected, unreadable
from hub.events.strict_json import EnvelopeError
from hub.rest.problems import place_of, rejection
from hub.store.engine import Store, StoreUnavailable
from hub.store.entries import receipts_of
from hub.store.together import Together
from hub.store.vault import Vault
from hub.store.viewers import viewer_of

log = logging.getLogger(__name__)

WAIT_S_MAX = 30.0
Waited = tuple[Principal, list[Receipt]]
_WAIT = re.compile(r'(?:^|[,;\s])wait\s*=\s*("?)(\d{1,9})\1(?=$|[,;\s])', re.ASCII | re.IGNORECASE)


def build_router(
    store: Store,
    vault: Vault,
    intake: Intake,
    progress: Progress,
    authenticate: Authenticate,
    auditor: Auditor,
) -> APIRouter:
    """The intake's address."""
    router = APIRouter(tags=["events"], route_class=Direct)
    # Those who wait for the same commit of a projector ask together.
    verdicts: Together[Waited, list[dict[str, Any]]] = Together(
        lambda waited: store.read(lambda conn: _with_verdicts(conn, vault, waited))
    )

    sender: Principal = needs(authenticate, "events:publish")

    @router.post("/events", status_code=202, openapi_extra=_DOCUMENT)
    async def post_events(request: Request, principal: Principal = sender) -> Response:
        """Accept one event or a batch; with Prefer: wait=N, answer with the verdicts."""
        account = principal.account
        try:
            accepted = await _accept(request, intake, principal)
        except Rejected as error:
            if error.status == 403:
                auditor.refused(principal, error.code, place_of(request))
            return rejection(error, rate_limits(intake.quotas.left(account)))
        headers = rate_limits(intake.quotas.left(account))
        wait_s = _wait_s(request)
        try:
            if wait_s and await progress.reached([one.seq for one in accepted], wait_s):
                waited = await verdicts.ask((principal, accepted))
                return _receipts(waited, 200, headers)
        except StoreUnavailable as error:
            # The events are kept, whatever became of the database since: that is what 202 says.
            log.warning("verdicts_unavailable", extra={"why": str(error)})
        return _receipts([_plain(one) for one in accepted], 202, headers)

    return router


async def _accept(request: Request, intake: Intake, principal: Principal) -> list[Receipt]:
    content_types = request.headers.getlist("content-type")
    headers = [(name.decode("latin-1").lower(), value) for name, value in request.headers.raw]
    try:
        if len(content_types) > 1:
            raise EnvelopeError("event.malformed", "stands twice", field="/datacontenttype")
        content_type = content_types[0] if content_types else ""
        bytes_max = BATCH_BYTES_MAX if BATCH in content_type.lower() else EVENT_BYTES_MAX
        body = await read_body(request, bytes_max)
        if body is None:
            raise EnvelopeError("event.too_large", f"the body has more than {bytes_max} bytes", status=413)
        intake.quotas.take(principal.account, body_bytes=len(body))
        envelopes = parse(content_type, headers, body)
    except EnvelopeError as error:
        raise unreadable(error) from None
    intake.quotas.take(principal.account, events=len(envelopes))
    return await intake.submit(principal, envelopes)


def _receipts(receipts: list[dict[str, Any]], status: int, headers: dict[str, str]) -> Response:
    return Response(orjson.dumps({"receipts": receipts}), status, headers, "application/json")


def _wait_s(request: Request) -> float:
    """Seconds that the sender prefers to wait (RFC 7240), bounded; 0 for none."""
    found = _WAIT.search(", ".join(request.headers.getlist("prefer")))
    return min(float(found[2]), WAIT_S_MAX) if found else 0.0


def _with_verdicts(conn: Connection, vault: Vault, waited: Sequence[Waited]) -> list[list[dict[str, Any]]]:
    """Receipts with verdicts of each post, in their order."""
    seqs: dict[Principal, list[int]] = {}
    for principal, accepted in waited:
        seqs.setdefault(principal, []).extend(one.seq for one in accepted)
    now = datetime.now(UTC)
    found = {
        principal: receipts_of(conn, viewer_of(conn, principal, now), vault, wanted)
        for principal, wanted in seqs.items()
    }
    return [
        [{**_plain(one), **found[principal].get(one.seq, {})} for one in accepted]
        for principal, accepted in waited
    ]


def _plain(receipt: Receipt) -> dict[str, Any]:
    return {
        "id": receipt.id,
        "source": receipt.source,
        "seq": receipt.seq,
        "duplicate": receipt.duplicate,
    }


_EVENT: dict[str, Any] = {
    "type": "object",
    "required": ["specversion", "id", "source", "type", "subject", "data"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "minLength": 1},
        "source": {"type": "string", "format": "uri-reference"},
        "type": {"type": "string"},
        "subject": {"type": "string"},
        "time": {"type": "string", "format": "date-time"},
        "datacontenttype": {"type": "string"},
        "data": {"type": "object"},
    },
}
_DOCUMENT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            STRUCTURED: {"schema": _EVENT},
            BATCH: {"schema": {"type": "array", "items": _EVENT, "minItems": 1, "maxItems": 1000}},
            "application/json": {"schema": {"type": "object"}},
        },
    }
}
