"""What processes on one PostgreSQL tell each other: NOTIFY and LISTEN, on connections of their own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import asyncpg
from sqlalchemy import URL

from hub.store.engine import StoreUnavailable

SIGNALS = ("hub_accepted", "hub_sequenced", "hub_projected")
CONNECT_S_MAX = 5.0
CLOSE_S_MAX = 2.0
LISTEN_ASK_S = 5.0
UNTOLD_MAX = 10_000

_NOTIFY = "SELECT pg_notify(name, content) FROM unnest($1::text[], $2::text[]) AS told (name, content)"


class PostgresSignals:
    """Tells in the background: whoever has something to tell does not wait for it."""

    def __init__(self, url: URL) -> None:
        self._url = url
        self._untold: dict[tuple[str, str], None] = {}
        self._more = asyncio.Event()
        self._telling: asyncio.Task[None] | None = None

    def send(self, name: str, content: str = "") -> None:
        """Tell every listening process; what cannot be told is found by polling."""
        if len(self._untold) < UNTOLD_MAX:
            self._untold[name, content] = None
            self._more.set()
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        with contextlib.suppress(StoreUnavailable):
            async with connected(self._url, {}) as connection:
                while await self._more.wait():
                    self._more.clear()
                    untold, self._untold = list(self._untold), {}
                    names, contents = zip(*untold, strict=True)
                    await connection.execute(_NOTIFY, list(names), list(contents))

    async def listen(self) -> AsyncIterator[tuple[str, str]]:
        """What other processes tell, and this one."""
        told: asyncio.Queue[tuple[str, str] | None] = asyncio.Queue()
        async with connected(self._url, {}) as connection:
            connection.add_termination_listener(lambda _: told.put_nowait(None))
            for name in SIGNALS:
                await connection.add_listener(
                    name, lambda _connection, _pid, name, content: told.put_nowait((name, content))
                )
            while True:
                try:
                    # wait_for of Python 3.11 loses a cancellation that comes together with a message.
                    async with asyncio.timeout(LISTEN_ASK_S):
                        message = await told.get()
                except TimeoutError:
                    # Who only listens never learns that nobody is there any more.
                    await connection.fetchval("SELECT 1", timeout=CONNECT_S_MAX)
                    continue
                if message is None:
                    break
                yield message
        raise StoreUnavailable("the connection that listens was cut off")

    async def close(self) -> None:
        """Stop telling."""
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.wait([self._telling])


@contextlib.asynccontextmanager
async def connected(url: URL, settings: Mapping[str, str]) -> AsyncIterator[asyncpg.Connection[Any]]:
    """A connection of its own; StoreUnavailable when there is none to be had."""
    connection = await connect(url, settings)
    try:
        yield connection
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise StoreUnavailable(str(error)) from error
    finally:
        await hang_up(connection)


async def connect(url: URL, settings: Mapping[str, str]) -> asyncpg.Connection[Any]:
    """A connection to be closed by `hang_up`; StoreUnavailable when there is none to be had."""
    try:
        return await asyncpg.connect(**_arguments(url, settings))
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
        raise StoreUnavailable(str(error)) from error


async def hang_up(connection: asyncpg.Connection[Any]) -> None:
    """Say goodbye, or hang up when nobody answers."""
    with contextlib.suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        await connection.close(timeout=CLOSE_S_MAX)


def _arguments(url: URL, settings: Mapping[str, str]) -> dict[str, Any]:
    names = url.translate_connect_args(username="user")
    return {**names, **url.query, "timeout": CONNECT_S_MAX, "server_settings": dict(settings)}
