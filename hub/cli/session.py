"""A command's time with the hub of the settings: it is opened, asked, and closed again."""

from __future__ import annotations

import asyncio
from typing import Any

from hub.cli.terminal import refuse
from hub.domain.refusal import Refusal
from hub.events.spine import open_hub
from hub.settings import Settings
from hub.store.opening import truth_exists


def run(act: Any, *, make: bool = False) -> Any:
    """Run act(hub) on the hub of the settings and close it; a Refusal that it returns ends the command.

    make: make the hub when there is none in the data folder yet.
    """
    settings = Settings()
    if not make and not truth_exists(settings.data_dir, settings.database_url):
        place = "that database" if settings.database_url else settings.data_dir.absolute()
        message = f"There is no hub in {place}."
        refuse(Refusal("folder.empty", message, "Go to where hub serve runs, or set HUB_DATA_DIR."))

    async def session() -> Any:
        hub = open_hub(settings)
        try:
            return await act(hub)
        finally:
            await hub.store.close()

    answer = asyncio.run(session())
    if isinstance(answer, Refusal):
        refuse(answer)
    return answer
