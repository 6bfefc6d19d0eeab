"""Messages of partners' topics, without the log that they come from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hub.cli.partners import add_partner
from hub.domain.principal import Principal
from hub.domain.refusal import Refusal
from hub.events.deliveries import Deliveries, Message
from hub.store import clients
from hub.store.deliveries import Place
from tests.support.messages import EEN, KENT, event, partner, service
from tests.support.spine import embedded, running_spine

STRUCTURED = [("content-type", b"application/cloudevents+json")]
REFUSED = {
    "scope.missing": event(partner(KENT), "network.configured", "kent", {"name": {"en": "Kent"}}),
    "event.foreign_source": {**service(partner(KENT)), "source": f"/partners/{EEN}/crm"},
    "partner.suspended": service(partner(KENT)),
}


@pytest.mark.parametrize("code", REFUSED)
async def test_a_right_that_is_refused_to_a_message_is_noted_once(tmp_path: Path, code: str) -> None:
    async with running_spine(embedded, tmp_path) as spine:
        hub, noted = spine.hub, list[tuple[str | None, str, str]]()

        def note(principal: Principal, code: str, where: str) -> None:
            noted.append((principal.client_id, code, where))

        row = await add_partner(hub, KENT, KENT, "GB", None, "member", [], None, True)
        assert not isinstance(row, Refusal)
        suspended = code == "partner.suspended"
        await hub.store.write(lambda conn: clients.set_suspended(conn, KENT, suspended))
        bad, good = Place(KENT, "topic-of-kent", 0, 7), Place(KENT, "topic-of-kent", 0, 8)
        messages = [Message(bad, STRUCTURED, json.dumps(REFUSED[code]).encode())]
        if not suspended:
            messages.append(Message(good, STRUCTURED, json.dumps(service(partner(KENT), "fine")).encode()))
        deliveries = Deliveries(hub.store, hub.vault, hub.intake, note)
        for _ in range(2):  # The second time by a consumer that does not know that it was read.
            await deliveries.take_in(messages)
        assert noted == [(KENT, code, "in.{partner}")]
