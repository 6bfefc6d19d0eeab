"""What a partner wrote to its own topic goes through the intake, exactly once.

The partner is the one whose topic it is, whatever the message says. What became of a message is written
in the transaction that accepts its events, under the place where it stood: read again by a consumer that
crashed, or by one that has lost its partition and does not know, it is known. Source of the message's
form: CloudEvents 1.0.2, Kafka protocol binding.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection

from hub.domain.principal import Principal
from hub.domain.refusal import Refusal
from hub.domain.scopes import Audience
from hub.domain.values import rfc3339
from hub.events.accept import accept
from hub.events.audit import NoteRefusal, unheard
from hub.events.check import Checked, check
from hub.events.envelope import BATCH, BATCH_BYTES_MAX, STRUCTURED, Envelope, parse
from hub.events.intake import Intake
from hub.events.rejection import Rejected, unreadable
from hub.events.strict_json import EnvelopeError
from hub.store.clients import Client, find_client
from hub.store.deliveries import (
    ACCEPTED,
    PARKED,
    REFUSED,
    Delivery,
    Place,
    known_places,
    save_deliveries,
)
from hub.store.engine import Store, StoreUnavailable, is_of_data
from hub.store.parked import Parked, park
from hub.store.vault import Vault

GROUP_MESSAGES_MAX = 256
GROUP_BYTES_MAX = 1_048_576
WHERE = "in.{partner}"
"""How records of refusals name a partner's topic."""
RIGHTS = frozenset({"scope.missing", "event.foreign_source", "partner.suspended"})
"""Refusals of a right; over HTTP they are 403."""
_PREFIX, _HTTP_PREFIX = "ce_", "ce-"
_FAULT = Refusal(
    "hub.unavailable",
    "The hub failed at this message; it is kept.",
    "Nothing to do: the operator is told, and replays it once the fault is mended.",
)

log = logging.getLogger(__name__)
Header = tuple[str, bytes | None]


@dataclass(frozen=True, slots=True)
class Message:
    """A record of a partner's topic. spoiled: why even the record around it cannot be read; else None."""

    place: Place
    headers: Sequence[Header]
    value: bytes
    spoiled: str | None = None

    @property
    def size(self) -> int:
        """Bytes that the partner is charged for."""
        return min(len(self.value), BATCH_BYTES_MAX)

    def packed(self) -> bytes:
        """Headers and value as they are parked."""
        headers = [[name, None if value is None else value.decode("latin-1")] for name, value in self.headers]
        return json.dumps(headers).encode() + b"\n" + self.value


def unpacked(place: Place, content: bytes) -> Message:
    """A message as it was before it was parked."""
    headers, _, value = content.partition(b"\n")
    pairs = json.loads(headers)
    return Message(
        place, [(name, None if text is None else text.encode("latin-1")) for name, text in pairs], value
    )


@dataclass(frozen=True, slots=True)
class Ready:
    """A message whose events may be accepted, or the status and refusal that it gets without being asked."""

    message: Message
    checked: Sequence[Checked] = ()
    status: str = ACCEPTED
    refusal: Refusal | None = None


class Deliveries:
    """The intake of messages of topics, beside that over HTTP and by the same rules."""

    def __init__(
        self, store: Store, vault: Vault, intake: Intake, note_refusal: NoteRefusal = unheard
    ) -> None:
        """note_refusal: told of every message that a right was refused to."""
        self._store, self._vault, self._intake, self._note_refusal = store, vault, intake, note_refusal

    async def take_in(self, messages: Sequence[Message]) -> None:
        """Return once it is written down what became of each, in their order; they may be known already.

        StoreUnavailable, and any fault of the hub's own: nothing is lost, the same may be given again.
        """
        for group in _groups(messages):
            ready = await self.prepare(group)
            for partner in {one.message.place.partner for one in ready}:
                mine = [one for one in ready if one.message.place.partner == partner]
                events, size = sum(len(one.checked) for one in mine), sum(one.message.size for one in mine)
                await self._intake.quotas.wait(partner, events=events, body_bytes=size)
            await self._write(ready)

    async def prepare(self, messages: Sequence[Message]) -> list[Ready]:
        """What can be said of messages before the database is asked, by the standing of partners now."""
        partners = {one.place.partner for one in messages}
        clients = await self._store.inspect(lambda conn: {one: find_client(conn, one) for one in partners})
        return await asyncio.to_thread(lambda: [_ready(one, clients) for one in messages])

    async def _write(self, ready: Sequence[Ready]) -> None:
        try:
            written = await self._intake.commit(
                lambda conn: deliver(conn, self._vault, ready, datetime.now(UTC))
            )
        except StoreUnavailable:
            raise
        except Exception as error:
            if not is_of_data(error):
                raise  # Tables that are not as they should be are no message's fault: all would be parked.
            if len(ready) > 1:
                for one in ready:
                    await self._write([one])
                return
            if ready[0].refusal is not None:
                raise  # There is nothing in it that could be refused any more.
            log.error("message_parked", extra={"place": ready[0].message.place.name}, exc_info=error)
            await self._write([Ready(ready[0].message, (), PARKED, _FAULT)])
            return
        for done in written:
            if done.refusal and done.refusal.code in RIGHTS:
                slug = done.place.partner
                self._note_refusal(Principal(slug, Audience.PARTNER, slug), done.refusal.code, WHERE)


def deliver(conn: Connection, vault: Vault, ready: Sequence[Ready], at: datetime) -> list[Delivery]:
    """Accept what can be accepted, and write down what became of each message that is not known yet."""
    known = known_places(conn, [one.message.place for one in ready])
    fresh = [one for one in ready if one.message.place not in known]
    return redeliver(conn, vault, fresh, at)


def redeliver(conn: Connection, vault: Vault, ready: Sequence[Ready], at: datetime) -> list[Delivery]:
    """The same for messages that are known, and replayed."""
    submissions = [one.checked for one in ready if one.refusal is None]
    answers = iter(accept(conn, vault, submissions, at) if submissions else ())
    now = rfc3339(at)
    deliveries = []
    for one in ready:
        place, answer = one.message.place, None if one.refusal else next(answers)
        if answer is None:
            deliveries.append(Delivery(place, one.status, now, refusal=one.refusal))
        elif isinstance(answer, Rejected):
            deliveries.append(Delivery(place, REFUSED, now, refusal=_refusal(answer)))
        else:
            deliveries.append(Delivery(place, ACCEPTED, now, [receipt.seq for receipt in answer]))
    save_deliveries(conn, vault, deliveries)
    park(conn, vault, [_parked(one, now) for one in ready if one.status == PARKED])
    return deliveries


def _groups(messages: Sequence[Message]) -> Iterator[list[Message]]:
    """Messages that share a transaction, in order."""
    group: list[Message] = []
    size = 0
    for one in messages:
        if group and (len(group) >= GROUP_MESSAGES_MAX or size + len(one.value) > GROUP_BYTES_MAX):
            yield group
            group, size = [], 0
        group.append(one)
        size += len(one.value)
    if group:
        yield group


def _ready(message: Message, clients: Mapping[str, Client | None]) -> Ready:
    slug = message.place.partner
    client = clients[slug]
    if client is None or client.partner != slug:
        return Ready(message, (), PARKED, _no_client(slug))
    if client.suspended:
        return Ready(message, (), REFUSED, _suspended(slug))
    try:
        # With the whole grant: there is no token that could ask for less.
        return Ready(message, check(client.principal(client.scopes), envelopes(message)))
    except EnvelopeError as error:
        return Ready(message, (), PARKED, _refusal(unreadable(error)))
    except Rejected as rejection:
        return Ready(message, (), REFUSED, _refusal(rejection))
    except Exception:
        log.exception("message_parked", extra={"place": message.place.name})
        return Ready(message, (), PARKED, _FAULT)


def envelopes(message: Message) -> list[Envelope]:
    """Events of a record, structured, batch or binary; EnvelopeError when it holds none."""
    if message.spoiled is not None:
        raise EnvelopeError("event.malformed", f"the record cannot be read: {message.spoiled}")
    types = [value for name, value in message.headers if name.lower() == "content-type"]
    if len(types) > 1:
        raise EnvelopeError("event.malformed", "stands twice", field="/datacontenttype")
    binary = [(name, value) for name, value in message.headers if name.startswith(_PREFIX)]
    said = types[0] if types else b"" if binary else STRUCTURED.encode()
    content_type = (said or b"").decode("latin-1")
    if BATCH in content_type.lower() and len(message.value) > BATCH_BYTES_MAX:
        raise EnvelopeError("event.too_large", f"a batch has at most {BATCH_BYTES_MAX} bytes", status=413)
    return parse(content_type, [_http_header(*one) for one in binary], message.value)


def _http_header(name: str, value: bytes | None) -> tuple[str, bytes]:
    """The header as HTTP has it, where values are percent-encoded; on Kafka they are plain UTF-8."""
    attribute = name.removeprefix(_PREFIX)
    if value is None:
        raise EnvelopeError("event.malformed", "is null: leave it out instead", field=f"/{attribute}")
    return _HTTP_PREFIX + attribute, value.replace(b"%", b"%25")


def _parked(one: Ready, at: str) -> Parked:
    # The code alone: what the refusal says may quote the message, and errors are told to hub.parked.v1.
    error = one.refusal.code if one.refusal else ""
    place, spoiled = one.message.place, one.message.spoiled is not None
    return Parked(place.name, place.partner, error, b"" if spoiled else one.message.packed(), at)


def _refusal(rejection: Rejected) -> Refusal:
    return Refusal(rejection.code, rejection.message, rejection.remedy)


def _no_client(slug: str) -> Refusal:
    return Refusal(
        "client.unknown",
        f"There is no partner's client {slug[:100]}, so nobody may write to this topic.",
        "Add the partner with hub partner add, then replay the message with hub parked replay.",
    )


def _suspended(slug: str) -> Refusal:
    return Refusal(
        "partner.suspended",
        f"client {slug} is suspended",
        "Ask the network manager to resume it, then write the event again.",
    )
