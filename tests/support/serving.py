"""The whole application on a free loopback port, and clients of it with real tokens."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from hub.app import build_app
from hub.auth.client import TokenClient, generate_key
from hub.auth.proofs.jws import registered_jwk
from hub.cli.operator import NewClient, add_client
from hub.cli.partners import add_partner
from hub.domain.refusal import Refusal
from hub.domain.scopes import Audience
from hub.events.spine import Hub, open_hub
from hub.settings import Settings
from tests.support.messages import PARTNERS
from tests.support.waiting import PATIENCE_S, soon_here

MANAGER = "network-manager"


async def enrol(hub: Hub, partners: tuple[str, ...] = PARTNERS) -> dict[str, dict[str, Any]]:
    """The partners, without a network, and the network manager: rows of credentials.json by client."""
    keys = {client: generate_key() for client in (*partners, MANAGER)}
    rows: dict[str, dict[str, Any] | Refusal] = {}
    for slug in partners:
        # One partner has the waiver, the others prove their keys at each request.
        bearer = slug == PARTNERS[0]
        rows[slug] = await add_partner(
            hub, slug, slug, "GB", None, "member", [], registered_jwk(_public(keys[slug])), bearer
        )
    public = registered_jwk(_public(keys[MANAGER]))
    new = NewClient(MANAGER, Audience.MANAGER, None, [], None, public, bearer=True)
    rows[MANAGER] = await add_client(hub, new)
    enrolled = {}
    for client, row in rows.items():
        assert not isinstance(row, Refusal), row
        enrolled[client] = {**row, "private_key_jwk": keys[client]}
    return enrolled


def _public(jwk: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in jwk.items() if name != "d"}


async def enrol_on(settings: Settings) -> dict[str, dict[str, Any]]:
    """As `enrol`, on a data folder that no server runs on yet."""
    hub = open_hub(settings)
    try:
        return await enrol(hub)
    finally:
        await hub.store.close()


@dataclass(frozen=True, slots=True)
class Served:
    """A running hub, and the credentials of its clients."""

    base_url: str
    settings: Settings
    rows: dict[str, dict[str, Any]] = field(repr=False)

    async def post(self, as_: str, message: Any, *, headers: dict[str, str] | None = None) -> httpx.Response:
        """One POST /events, structured unless the headers say otherwise."""
        async with Session(self) as session:
            return await session.post(as_, message, headers=headers)


class Session:
    """One HTTP connection pool of all clients, in one event loop."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.http = httpx.AsyncClient(base_url=served.base_url, timeout=PATIENCE_S)
        endpoint = f"{served.base_url}/oauth/token"
        self._tokens = {
            client: TokenClient(self.http, row, issuer=served.base_url, token_endpoint=endpoint)
            for client, row in served.rows.items()
        }

    async def __aenter__(self) -> Session:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.http.aclose()

    async def headers(self, as_: str) -> dict[str, str]:
        """Authorization of one POST /events of that client."""
        return await self._tokens[as_].headers("POST", f"{self.served.base_url}/events")

    async def post(self, as_: str, message: Any, *, headers: dict[str, str] | None = None) -> httpx.Response:
        """One POST /events of that client: bytes as they are, anything else as JSON."""
        url, token = "/events", await self.headers(as_)
        kind = {"Content-Type": "application/cloudevents+json", **(headers or {})}
        if isinstance(message, bytes):
            return await self.http.post(url, content=message, headers={**kind, **token})
        return await self.http.post(url, json=message, headers={**kind, **token})


@contextlib.contextmanager
def serving(
    data_dir: Path, prepare: Callable[[Settings], Awaitable[Any]] = enrol_on, **parts: Any
) -> Iterator[Served]:
    """Serve in a thread of this process until the end of the block. parts: more members of Settings."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings = Settings(data_dir=data_dir, port=listener.getsockname()[1], **parts)
        with _serving(listener, settings, prepare) as served:
            yield served


@contextlib.contextmanager
def _serving(
    listener: socket.socket, settings: Settings, prepare: Callable[[Settings], Awaitable[Any]]
) -> Iterator[Served]:
    rows = asyncio.run(_awaited(prepare(settings)))
    config = uvicorn.Config(build_app(settings), log_config=None, access_log=False, proxy_headers=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
    thread.start()
    try:
        soon_here(lambda: server.started or not thread.is_alive(), "the server starts", pause_s=0.01)
        assert server.started, "the server did not start"
        yield Served(settings.public_url, settings, rows)
    finally:
        server.should_exit = True
        thread.join(PATIENCE_S)


async def _awaited(what: Awaitable[Any]) -> Any:
    return await what
