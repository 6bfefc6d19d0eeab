"""Imports into a running hub: real server, real tokens, real ledger; nothing stands in for the hub."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import uvicorn
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from hub.app import build_app
from hub.auth.client import TokenClient, generate_key
from hub.cli.partners import add_partner
from hub.connectors import CONNECTORS
from hub.connectors.base import SERVICE_PUBLISHED, Rejected, Row
from hub.connectors.een import EuropeNetwork
from hub.connectors.importer import Report, import_feed
from hub.connectors.session import BATCH_EVENTS_MAX, HubSession, NotAccepted, Receipt
from hub.connectors.spreadsheet import Spreadsheet
from hub.domain.services import service_id
from hub.events.spine import open_hub
from hub.settings import Settings
from tests.connectors.conftest import SAMPLES
from tests.connectors.tables import CELLS, HEADER, table
from tests.support.waiting import PATIENCE_S

SAMPLE_FILES = {
    "open_referral": "kent-international-business.json",
    "spreadsheet": "team-france-export-normandy.csv",
    "een": "enterprise-europe-network.json",
}


class Gate:
    """A reverse proxy before the hub, as operators have one: shuts /events for the next `shut` requests."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.shut, self.let_through = app, 0, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/events":
            if self.shut:
                self.shut -= 1
                await Response(status_code=503, headers={"Retry-After": "0"})(scope, receive, send)
                return
            self.let_through += 1
        await self.app(scope, receive, send)


@dataclass
class Network:
    """A running hub with one partner, `partner`."""

    gate: Gate
    folder: Path
    http: httpx.AsyncClient
    url: str
    client: dict[str, Any]
    session: HubSession = field(init=False)

    def __post_init__(self) -> None:
        self.session = self.session_with(self.client["private_key_jwk"])

    def session_with(self, key: dict[str, Any]) -> HubSession:
        """A session of the partner that signs with this key."""
        row = {**self.client, "private_key_jwk": key}
        auth = TokenClient(self.http, row, issuer=self.url, token_endpoint=f"{self.url}/oauth/token")
        return HubSession(self.http, self.url, auth, "/partners/partner/")

    async def import_table(self, *rows: Sequence[str]) -> Report:
        """Import services with these cells."""
        path = self.folder / "feed.csv"
        path.write_text(table(HEADER, *(list(row) for row in rows)), encoding="utf-8")
        return await import_feed(Spreadsheet(), path, self.session)

    async def names(self) -> dict[str, str]:
        """Name of every service by own id, as anybody sees the catalogue."""
        query = "{ services(first: 100) { nodes { ownId name } } }"
        data = await self.session.graphql(query, {})
        assert isinstance(data, dict), data
        return {node["ownId"]: node["name"] for node in data["services"]["nodes"]}


@contextlib.asynccontextmanager
async def running(folder: Path, scopes: Sequence[str] = ()) -> AsyncIterator[Network]:
    """A hub that serves on a free port; scopes: of the partner, the defaults unless given."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        settings = Settings(data_dir=folder / "hub", port=listening.getsockname()[1])
        hub = open_hub(settings)
        key = generate_key()
        public = {name: value for name, value in key.items() if name != "d"}
        row = await add_partner(
            hub, "partner", "A partner", "FR", None, "member", list(scopes), public, bearer=False
        )
        assert isinstance(row, dict), row
        client = {**row, "private_key_jwk": key}
        gate = Gate(build_app(settings, hub))
        server = uvicorn.Server(uvicorn.Config(gate, log_config=None))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:
            assert not serving.done()
            await asyncio.sleep(0.01)
        try:
            async with httpx.AsyncClient(timeout=PATIENCE_S) as http:
                yield Network(gate, folder, http, settings.public_url, client)
        finally:
            server.should_exit = True
            await serving


@pytest.fixture
async def network(tmp_path: Path) -> AsyncIterator[Network]:
    async with running(tmp_path) as found:
        yield found


def counts(report: Report) -> tuple[int, int, int, int, int]:
    return report.new, report.changed, report.unchanged, report.withdrawn, len(report.rejected)


@pytest.mark.parametrize("connector", CONNECTORS, ids=lambda connector: connector.name)
async def test_sample_is_new_once_and_then_unchanged(network: Network, connector: Any) -> None:
    path = SAMPLES / SAMPLE_FILES[connector.name]
    told: list[tuple[int, int]] = []
    first = await import_feed(connector, path, network.session, lambda done, of: told.append((done, of)))
    assert counts(first) == (first.new, 0, 0, 0, 0)
    assert first.new >= 13
    assert told == [(first.new, first.new)]
    assert counts(await import_feed(connector, path, network.session)) == (0, 0, first.new, 0, 0)


async def test_changed_row_is_published_again_and_so_is_its_earlier_state(network: Network) -> None:
    other = ["S-1", "Autre intitulé", *CELLS[2:]]
    assert counts(await network.import_table(CELLS)) == (1, 0, 0, 0, 0)
    assert counts(await network.import_table(other)) == (0, 1, 0, 0, 0)
    assert await network.names() == {"S-1": "Autre intitulé"}
    assert counts(await network.import_table(CELLS)) == (0, 1, 0, 0, 0)
    assert await network.names() == {"S-1": CELLS[1]}


async def test_row_that_leaves_is_withdrawn_and_one_that_returns_is_new(network: Network) -> None:
    second = ["S-2", *CELLS[1:]]
    await network.import_table(CELLS, second)
    assert counts(await network.import_table(CELLS)) == (0, 0, 1, 1, 0)
    assert set(await network.names()) == {"S-1"}
    assert counts(await network.import_table(CELLS, second)) == (1, 0, 1, 0, 0)
    assert set(await network.names()) == {"S-1", "S-2"}


async def test_record_of_a_rejected_row_stays(network: Network) -> None:
    await network.import_table(CELLS, ["S-2", *CELLS[1:]])
    report = await network.import_table(CELLS, ["S-2", *CELLS[1:3], "tombola"])
    assert counts(report) == (0, 0, 1, 0, 1)
    assert set(await network.names()) == {"S-1", "S-2"}


async def test_nothing_is_withdrawn_while_records_may_be_hidden(network: Network) -> None:
    await network.import_table(CELLS, ["S-2", *CELLS[1:]])
    report = await network.import_table(CELLS, ["", *CELLS[1:]])
    assert counts(report) == (0, 0, 1, 0, 2)
    assert report.rejected[-1].message.startswith("1 records of the hub")
    assert set(await network.names()) == {"S-1", "S-2"}


async def test_file_without_rows_withdraws_nothing_and_says_so(network: Network) -> None:
    await network.import_table(CELLS)
    report = await network.import_table()
    assert counts(report) == (0, 0, 0, 0, 1)
    assert report.rejected[0].row == 0
    assert set(await network.names()) == {"S-1"}


async def test_record_of_another_feed_stays_and_equal_content_is_not_posted(network: Network) -> None:
    (row,) = Spreadsheet().read(_written(network.folder, table(HEADER, CELLS)), "partner")
    assert isinstance(row, Row)
    event = _event(row, "/partners/partner/crm")
    (receipt,) = await network.session.post_events([event])
    assert isinstance(receipt, Receipt)
    assert counts(await network.import_table(CELLS)) == (0, 0, 1, 0, 0)
    assert counts(await network.import_table(["S-2", *CELLS[1:]])) == (1, 0, 0, 0, 0)
    assert set(await network.names()) == {"S-1", "S-2"}


async def test_inactive_service_and_expired_profile_are_unchanged_the_second_time(network: Network) -> None:
    services = table([*HEADER, "Statut"], [*CELLS, "inactif"], ["S-2", *CELLS[1:], "arrêté"])
    path = _written(network.folder, services)
    assert counts(await import_feed(Spreadsheet(), path, network.session)) == (2, 0, 0, 0, 0)
    assert counts(await import_feed(Spreadsheet(), path, network.session)) == (0, 0, 2, 0, 0)
    profile = {"type": "BO", "title": "Old", "summary": "Old.", "country": "FR", "publishedOn": "2020-01-01"}
    path = _written(network.folder, json.dumps([{**profile, "reference": "BOFR20200101001"}]))
    assert counts(await import_feed(EuropeNetwork(), path, network.session)) == (1, 0, 0, 0, 0)
    assert counts(await import_feed(EuropeNetwork(), path, network.session)) == (0, 0, 1, 0, 0)


async def test_more_rows_than_a_batch_and_a_page_hold_all_arrive(network: Network) -> None:
    rows = [[f"S-{number}", *CELLS[1:]] for number in range(BATCH_EVENTS_MAX + 5)]
    assert counts(await network.import_table(*rows)) == (len(rows), 0, 0, 0, 0)
    assert network.gate.let_through == 2
    assert counts(await network.import_table(*rows[1:])) == (0, 0, len(rows) - 1, 1, 0)


async def test_busy_hub_is_asked_again(network: Network) -> None:
    network.gate.shut = 3
    assert counts(await network.import_table(CELLS)) == (1, 0, 0, 0, 0)
    assert (network.gate.shut, network.gate.let_through) == (0, 1)


async def test_hub_that_stays_busy_rejects_the_row_with_a_remedy(network: Network) -> None:
    network.gate.shut = 1_000
    report = await network.import_table(CELLS)
    assert counts(report) == (0, 0, 0, 0, 1)
    assert report.rejected[0].row == 2
    assert report.rejected[0].remedy


async def test_same_events_posted_again_are_not_doubled(network: Network) -> None:
    (row,) = Spreadsheet().read(_written(network.folder, table(HEADER, CELLS)), "partner")
    assert isinstance(row, Row)
    event = _event(row, "/partners/partner/import/spreadsheet")
    assert await network.session.post_events([event]) == await network.session.post_events([event])


class Careless:
    """A connector that checks nothing: the hub has the last word."""

    name = "careless"

    def read(self, path: Path, partner: str) -> Iterator[Row | Rejected]:
        """Three rows, of which the second has a type of service that nobody knows."""
        for number, kind in enumerate(("workshop", "tombola", "grant"), start=1):
            data = {
                "own_id": f"C-{number}",
                "name": {"en": "a"},
                "description": {"en": "b"},
                "service_type": kind,
            }
            yield Row(number, f"C-{number}", SERVICE_PUBLISHED, service_id(partner, f"C-{number}"), data)


async def test_event_that_the_hub_refuses_does_not_stop_its_batch(network: Network) -> None:
    report = await import_feed(Careless(), network.folder, network.session)
    assert counts(report) == (2, 0, 0, 0, 1)
    (rejected,) = report.rejected
    assert (rejected.row, rejected.field) == (2, "/data/service_type")
    assert rejected.remedy
    assert set(await network.names()) == {"C-1", "C-3"}


async def test_refused_event_alone_is_told_with_its_field(network: Network) -> None:
    row = list(Careless().read(network.folder, "partner"))[1]
    assert isinstance(row, Row)
    (answer,) = await network.session.post_events([_event(row, "/partners/partner/crm")])
    assert isinstance(answer, NotAccepted)
    assert (answer.field, answer.refusal.code) == ("/data/service_type", "payload.invalid")


async def test_partner_without_the_scope_is_told_on_every_row(tmp_path: Path) -> None:
    async with running(tmp_path, ["catalogue:read", "events:publish", "events:read"]) as network:
        report = await network.import_table(CELLS, ["S-2", *CELLS[1:]])
    assert counts(report) == (0, 0, 0, 0, 2)
    assert [entry.row for entry in report.rejected] == [2, 3]
    assert all("catalogue:publish" in entry.message for entry in report.rejected)


async def test_client_whose_key_is_not_known_is_told_once(network: Network) -> None:
    network.session = network.session_with(generate_key())
    report = await network.import_table(CELLS)
    assert counts(report) == (0, 0, 0, 0, 1)
    assert report.rejected[0].row == 0


def _written(folder: Path, text: str) -> Path:
    path = folder / "file"
    path.write_text(text, encoding="utf-8")
    return path


def _event(row: Row, source: str) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": source,
        "type": row.type,
        "subject": row.subject,
        "data": row.data,
    }
