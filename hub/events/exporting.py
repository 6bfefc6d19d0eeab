"""An export as one JSON text, read page by page: each page of events in a transaction of its own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from hub.store.engine import Store
from hub.store.exports import Export, export_events


async def as_json(store: Store, export: Export) -> AsyncIterator[str]:
    """One JSON object in parts; one that breaks off is no JSON, so that nobody takes a part for the whole."""
    yield json.dumps(export.head, ensure_ascii=False)[:-1] + ', "events": ['
    after: int | None = 0
    between = "\n"
    while after is not None:
        begin = after
        page, after = await store.inspect(lambda conn, begin=begin: export_events(conn, export, begin))  # type: ignore[misc]
        for event in page:
            yield between + json.dumps(event, ensure_ascii=False)
            between = ",\n"
    yield "]}\n"
