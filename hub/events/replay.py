"""What was parked, and sending it on its way again once what stopped it was mended."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from sqlalchemy import Connection

from hub.domain.refusal import Refusal
from hub.events.deliveries import Deliveries, Ready, redeliver, unpacked
from hub.events.progress import told
from hub.events.refold import refold
from hub.events.spine import Hub
from hub.store.deliveries import ACCEPTED, Delivery, place_named
from hub.store.parked import find_parked, mark_replayed

_EVENT = re.compile(r"seq/([1-9]\d{0,17})", re.ASCII)


async def replay(hub: Hub, id_: str) -> Refusal | None:
    """Replay what is parked under an id; None once it went its way.

    A message of a partner's topic passes the intake as its partner; an event that could not be folded
    (`seq/<N>`) is folded again with all of its key. Refusal: why it stays parked.
    """
    if event := _EVENT.fullmatch(id_):
        seq = int(event[1])
        refusal = await refold(hub.store, seq, hub.kafka.lane if hub.kafka else None)
        if refusal is None:
            hub.store.signals.send("hub_projected", told([seq]))
        return refusal
    return await _deliver_again(hub, id_)


async def _deliver_again(hub: Hub, id_: str) -> Refusal | None:
    found = await hub.store.inspect(lambda conn: find_parked(conn, hub.vault, id_))
    if found is None:
        return Refusal("parked.unknown", f"Nothing is parked as {id_}.", "hub parked list shows what is.")
    if found.replayed_at:
        return Refusal(
            "parked.replayed",
            f"{id_} was replayed at {found.replayed_at}.",
            "Nothing to do: its events are in the inbox.",
        )
    place = place_named(id_)
    if place is None or place.partner != found.partner:
        return Refusal(
            "parked.not_replayable",
            f"{id_} stands in one of the hub's own topics, and is nobody's message.",
            "Nothing of the hub's is missing: the inbox has every event. Find who else writes to that topic.",
        )
    try:
        message = unpacked(place, found.content)
    except ValueError:
        return Refusal(
            "parked.not_replayable",
            f"Of {id_} not everything was kept.",
            "Ask the partner to write it again.",
        )
    (ready,) = await Deliveries(hub.store, hub.vault, hub.intake).prepare([message])
    if ready.refusal:
        return ready.refusal
    delivery = await hub.intake.commit(lambda conn: _replay(conn, hub, ready))
    return delivery.refusal


def _replay(conn: Connection, hub: Hub, ready: Ready) -> Delivery:
    """Accept it, and write down that it was replayed, or leave everything as it is."""
    now = datetime.now(UTC)
    # A refused one leaves no trace: what stands written is what the partner was told first.
    with conn.begin_nested() as attempt:
        (delivery,) = redeliver(conn, hub.vault, [ready], now)
        if delivery.status != ACCEPTED:
            attempt.rollback()
            return delivery
        mark_replayed(conn, ready.message.place.name, delivery.at)
    return delivery
