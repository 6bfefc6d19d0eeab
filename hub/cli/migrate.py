"""hub migrate: database and topics, brought to the shape of this version."""

from __future__ import annotations

import asyncio
from typing import Any

from hub.cli.options import Json
from hub.cli.terminal import print_json, talk
from hub.events.spine import open_hub
from hub.settings import Settings
from hub.store.schema import prepare_read_model


def migrate(json_: Json = False) -> None:
    """Bring the database to the shape of this version; make topics that are missing, and configure all."""
    report = asyncio.run(_migrate(Settings()))
    if json_:
        print_json(report)
        return
    place = "The database" if Settings().database_url else report["data_dir"]
    more = "; the read model will be folded anew" if report["read_model_made"] else ""
    talk.print(f"{place} is up to date{more}.")
    for done in ("made", "configured"):
        for topic in report[f"topics_{done}"]:
            talk.print(f"Topic {topic} was {done}.")


async def _migrate(settings: Settings) -> dict[str, Any]:
    hub = open_hub(settings)
    made: list[str] = []
    configured: list[str] = []
    try:
        anew = await prepare_read_model(hub.store)
        if hub.kafka:
            made = await hub.kafka.cluster.make_topics()
            configured = await hub.kafka.cluster.mend_topics()
    finally:
        await hub.store.close()
    return {
        "data_dir": str(settings.data_dir),
        "read_model_made": anew,
        "topics_made": made,
        "topics_configured": configured,
    }
