"""The topic hub.parked.v1: one small record for each parked message, for whoever watches over them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import orjson

from hub.events.kafka.connection import PARKED
from hub.events.kafka.messages import CONTENT_TYPE, Record, partition_of
from hub.store.engine import Store
from hub.store.parked import mark_published, unpublished

TOLD_AT_ONCE_MAX = 200


async def tell_parked(
    store: Store, publish: Callable[[Sequence[Record]], Awaitable[None]], partitions: int
) -> None:
    """Tell the topic of messages that it was not told of; after a crash, of some again."""
    rows = await store.inspect(lambda conn: unpublished(conn, TOLD_AT_ONCE_MAX))
    if rows:
        await publish([_record(*row, partitions) for row in rows])
        await store.write(lambda conn: mark_published(conn, [id_ for id_, *_ in rows]))


def _record(id_: str, partner: str | None, error: str, parked_at: str, partitions: int) -> Record:
    """A CloudEvent that says of a message where it stood, never what it held."""
    event = {
        "specversion": "1.0",
        "id": id_,
        "source": "/hub/parked",
        "type": "hub.parked.recorded.v1",
        "subject": id_,
        "time": parked_at,
        "datacontenttype": "application/json",
        # Of an error that is more than a code, only its kind: the rest may quote the message.
        "data": {"id": id_, "partner": partner, "error": error.partition(":")[0], "parked_at": parked_at},
    }
    headers = [("content-type", CONTENT_TYPE)]
    return Record(PARKED, partition_of(id_, partitions), id_.encode(), orjson.dumps(event), headers)
