"""A partner's session with the hub over HTTP: batches of events in, verdicts and catalogue out.

Every request may be sent again: events keep their ids, so the hub answers a repeat with the first receipt.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from hub.auth.client import TokenClient, TokenRefused
from hub.domain.refusal import Refusal

BATCH_EVENTS_MAX = 200
BATCH_BYTES_MAX = 3 * 1024 * 1024
ATTEMPTS_MAX = 6
PAUSE_S_MAX = 60.0
REQUEST_TIMEOUT_S = 30.0
PROJECTION_WAIT_S = 5
SETTLE_S_MAX = 60.0
POLL_S = 0.2

_BUSY = frozenset({429, 503})
_ABOUT_THE_CONTENT = frozenset({400, 409, 413, 422})
"""Statuses that blame an event; any other blames the sender or the hub, and holds for the whole batch."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The hub has the event for good. status: pending, applied, refused or parked; refusal: if refused."""

    seq: int
    status: str
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class NotAccepted:
    """The hub did not take the event. field: JSON pointer into the event, may be empty."""

    field: str
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class _Problem:
    """Problem details (RFC 9457) of one answer. errors: (index in the batch, field, message)."""

    status: int
    refusal: Refusal
    errors: tuple[tuple[int, str, str], ...]


class HubSession:
    """One partner's client. source: its source prefix, /partners/<slug>/."""

    def __init__(self, http: httpx.AsyncClient, base_url: str, auth: TokenClient, source: str) -> None:
        """base_url: of the hub. ValueError when the source is not a partner's: only partners publish."""
        parts = source.split("/")
        if len(parts) != 4 or parts[:2] != ["", "partners"] or not parts[2] or parts[3]:
            raise ValueError(f"{source!r} is not the source prefix of a partner, /partners/<slug>/")
        self.partner, self.source = parts[2], source
        self._http, self._base_url, self._auth = http, base_url.rstrip("/"), auth

    async def post_events(self, events: Sequence[Mapping[str, Any]]) -> list[Receipt | NotAccepted]:
        """Post CloudEvents; one answer for each, in their order, once projected or after a bounded wait.

        A batch is all or nothing at the hub: events that it names are taken out and the rest is posted.
        Raises httpx.TransportError when the hub cannot be reached after ATTEMPTS_MAX attempts.
        """
        encoded = [json.dumps(event, ensure_ascii=False, allow_nan=False).encode() for event in events]
        answers: dict[int, Receipt | NotAccepted] = {}
        for places in batches(encoded):
            await self._post(places, events, encoded, answers)
        await self._settle(answers)
        return [answers[place] for place in range(len(events))]

    async def graphql(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any] | Refusal:
        """`data` of the answer; a Refusal when the hub answers with errors."""
        body = json.dumps({"query": query, "variables": dict(variables)}, ensure_ascii=False).encode()
        answer = await self._request("POST", "/graphql", body, {"Content-Type": "application/json"})
        if isinstance(answer, Refusal):
            return answer
        content = _object(answer)
        errors = content.get("errors")
        if isinstance(errors, list) and errors:
            first = errors[0] if isinstance(errors[0], dict) else {}
            code = (first.get("extensions") or {}).get("code", "resource.not_found")
            return Refusal(str(code), str(first.get("message", "GraphQL error")), "Check the hub's version.")
        data = content.get("data")
        return data if isinstance(data, dict) else _problem(answer).refusal

    async def receipt(self, seq: int) -> Receipt | Refusal:
        """The receipt of that number."""
        answer = await self._request("GET", f"/receipts/{seq}", b"", {})
        if isinstance(answer, Refusal):
            return answer
        return _receipt(_object(answer)) if answer.is_success else _problem(answer).refusal

    async def _post(
        self,
        places: Sequence[int],
        events: Sequence[Mapping[str, Any]],
        encoded: Sequence[bytes],
        answers: dict[int, Receipt | NotAccepted],
    ) -> None:
        """Post the events at these places, and fill in their answers."""
        body = b"[" + b",".join(encoded[place] for place in places) + b"]"
        kind = {"Content-Type": "application/cloudevents-batch+json", "Prefer": f"wait={PROJECTION_WAIT_S}"}
        answer = await self._request("POST", "/events", body, kind)
        if isinstance(answer, Refusal):
            answers.update((place, NotAccepted("", answer)) for place in places)
            return
        if answer.is_success:
            by_id = {entry["id"]: _receipt(entry) for entry in _object(answer)["receipts"]}
            answers.update((place, by_id[events[place]["id"]]) for place in places)
            return
        problem = _problem(answer, len(places))
        named = {places[index] for index, _, _ in problem.errors if 0 <= index < len(places)}
        for index, field, message in problem.errors:
            if 0 <= index < len(places):
                told = Refusal(problem.refusal.code, message, problem.refusal.remedy)
                answers.setdefault(places[index], NotAccepted(field, told))
        rest = [place for place in places if place not in named]
        if not named and (len(places) == 1 or problem.status not in _ABOUT_THE_CONTENT):
            answers.update((place, NotAccepted("", problem.refusal)) for place in places)
        elif not named:
            # The hub does not say which event is at fault: halve until it stands alone.
            half = len(places) // 2
            await self._post(places[:half], events, encoded, answers)
            await self._post(places[half:], events, encoded, answers)
        elif rest:
            await self._post(rest, events, encoded, answers)

    async def _settle(self, answers: dict[int, Receipt | NotAccepted]) -> None:
        """Wait until no receipt is pending, at most SETTLE_S_MAX; what is pending then stays so."""
        loop = asyncio.get_running_loop()
        until = loop.time() + SETTLE_S_MAX
        pending = [place for place, answer in answers.items() if _is_pending(answer)]
        # The last one first: receipts settle in their order, so mostly the others need one look each.
        for place in reversed(pending):
            before = answers[place]
            while isinstance(before, Receipt) and before.status == "pending" and loop.time() < until:
                found = await self.receipt(before.seq)
                if isinstance(found, Refusal):
                    return
                answers[place] = before = found
                if before.status == "pending":
                    await asyncio.sleep(POLL_S)

    async def _request(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> httpx.Response | Refusal:
        """One request, repeated while the hub is busy or away; a Refusal when there is no token."""
        url = f"{self._base_url}{path}"
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                granted = await self._auth.headers(method, url)
                answer = await self._http.request(
                    method, url, content=body, headers={**headers, **granted}, timeout=REQUEST_TIMEOUT_S
                )
            except TokenRefused as refused:
                if refused.status in _BUSY and attempt < ATTEMPTS_MAX:
                    await asyncio.sleep(pause_s(None, attempt, datetime.now(UTC)))
                    continue
                return Refusal("token.invalid", str(refused), "Check client and key in the credentials file.")
            except httpx.TransportError:
                if attempt == ATTEMPTS_MAX:
                    raise
                await asyncio.sleep(pause_s(None, attempt, datetime.now(UTC)))
                continue
            if self._auth.heard(answer) and attempt < ATTEMPTS_MAX:
                continue
            if answer.status_code not in _BUSY or attempt == ATTEMPTS_MAX:
                break
            await asyncio.sleep(pause_s(answer.headers.get("Retry-After"), attempt, datetime.now(UTC)))
        return answer


def batches(encoded: Sequence[bytes]) -> Iterator[list[int]]:
    """Places of events that go into one request: at most BATCH_EVENTS_MAX and BATCH_BYTES_MAX.

    An event larger than that goes alone, for the hub to say what it thinks of it.
    """
    batch: list[int] = []
    size = 2
    for place, event in enumerate(encoded):
        if batch and (len(batch) == BATCH_EVENTS_MAX or size + len(event) + 1 > BATCH_BYTES_MAX):
            yield batch
            batch, size = [], 2
        batch.append(place)
        size += len(event) + 1
    if batch:
        yield batch


def pause_s(retry_after: str | None, attempt: int, now: datetime) -> float:
    """Seconds to wait before the next attempt: what the hub asks for, else doubling; at most PAUSE_S_MAX.

    retry_after: the header, in seconds or as an HTTP date (RFC 9110, section 10.2.3). attempt: from 1.
    """
    asked = 2.0 ** (attempt - 2)
    if retry_after and retry_after.isascii() and retry_after.isdigit():
        asked = float(retry_after)
    elif retry_after:
        try:
            asked = (parsedate_to_datetime(retry_after) - now).total_seconds()
        except (ValueError, TypeError):
            asked = 2.0 ** (attempt - 2)
    return min(max(asked, 0.0), PAUSE_S_MAX)


def _is_pending(answer: Receipt | NotAccepted) -> bool:
    return isinstance(answer, Receipt) and answer.status == "pending"


def _object(answer: httpx.Response) -> dict[str, Any]:
    """The JSON object of an answer; empty when it is something else."""
    try:
        content = answer.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _receipt(entry: Mapping[str, Any]) -> Receipt:
    """A receipt; one that was not waited for has no status yet."""
    refusal = entry.get("refusal")
    told = Refusal(refusal["code"], refusal["message"], refusal["remedy"]) if refusal else None
    return Receipt(int(entry["seq"]), str(entry.get("status", "pending")), told)


def _problem(answer: httpx.Response, size: int = 0) -> _Problem:
    """Problem details of an answer, or what can be said about one that holds none. size: of the batch."""
    content = _object(answer)
    errors = tuple(
        (error.get("index") or 0, str(error.get("field") or ""), str(error.get("message") or ""))
        for error in content.get("errors") or ()
        # A request with one event names no index.
        if isinstance(error, dict) and (size == 1 or isinstance(error.get("index"), int))
    )
    told = (
        content.get("detail") or content.get("title") or f"The hub answered with HTTP {answer.status_code}."
    )
    remedy = content.get("remedy") or "Check the address of the hub, and try again later."
    return _Problem(
        answer.status_code,
        Refusal(str(content.get("code") or "hub.unavailable"), str(told), str(remedy)),
        errors,
    )
