"""What every request has to know of the truth, on a bare connection (docs/decisions/0020-glances.md)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg
from sqlalchemy import URL

from hub.store.engine import StoreUnavailable
from hub.store.roles import INSPECTOR
from hub.store.signals import connect, hang_up

ANSWER_S_MAX = 5.0


class Glances:
    """Asks one statement after the other; the connection is made when needed, and again when it broke."""

    def __init__(self, url: URL) -> None:
        self._url = url
        self._connection: asyncpg.Connection[Any] | None = None
        self._alone = asyncio.Lock()

    async def ask(self, statement: str, values: Sequence[Sequence[str]]) -> Sequence[Sequence[Any]]:
        """Rows committed when they were asked for; StoreUnavailable when there is no answer in time."""
        async with self._alone:
            if self._connection is None or self._connection.is_closed():
                settings = {"role": INSPECTOR, "application_name": "hub glance", "search_path": "public"}
                self._connection = await connect(self._url, settings)
            try:
                rows: Sequence[Sequence[Any]] = await self._connection.fetch(
                    statement, *values, timeout=ANSWER_S_MAX
                )
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
                # What the next question would find on it nobody knows: it gets a connection of its own.
                self._connection.terminate()
                raise StoreUnavailable(str(error)) from error
            return rows

    async def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            await hang_up(self._connection)
