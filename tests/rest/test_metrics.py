"""/metrics: every metric is documented, lags come from the database, and labels stay bounded."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from hub.events.intake import Intake
from hub.events.quotas import Quotas
from hub.events.rejection import Rejected
from hub.events.spine import Hub
from hub.rest.operations import build_router
from hub.store.parked import Parked, park
from tests.support.messages import KENT, partner, service
from tests.support.serving import Served, Session
from tests.support.spine import PARTITIONS, OpenHub, Spine, embedded, running_spine
from tests.tidy.sources import table

KENTS = partner(KENT)
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


class Scraped:
    """What one scrape says."""

    def __init__(self, text: str) -> None:
        self.families = list(text_string_to_metric_families(text))
        self._samples: Samples = {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in self.families
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float:
        """Of one sample; 0 for one that is not there yet."""
        return self._samples.get((name, tuple(sorted(labels.items()))), 0.0)

    def labels(self, name: str) -> set[tuple[str, ...]]:
        """Every combination of the labels' values of a metric."""
        return {tuple(value for _, value in labels) for one, labels in self._samples if one == name}

    @property
    def names(self) -> set[str]:
        """As the documentation writes them."""
        return {one.name + ("_total" if one.type == "counter" else "") for one in self.families}


async def scraped(hub: Hub) -> Scraped:
    """A scrape of a hub that is served by nobody."""
    app = FastAPI()
    app.include_router(build_router(hub))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub.test") as http:
        return Scraped((await http.get("/metrics")).text)


async def served_metrics(session: Session) -> Scraped:
    answer = await session.http.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return Scraped(answer.text)


async def test_every_metric_is_documented_and_no_other_one(served: Served) -> None:
    async with Session(served) as session:
        names = (await served_metrics(session)).names
    assert {name for name in names if not name.startswith("process_")} == set(table("operations.md"))
    assert "process_resident_memory_bytes" in names


async def test_posts_are_counted_by_route_and_commits_by_group(served: Served) -> None:
    async with Session(served) as session:
        before = await served_metrics(session)
        receipt = (await session.post(KENT, service(KENTS, "counted"))).json()["receipts"][0]
        await session.http.get(f"/receipts/{receipt['seq']}", headers=await session.headers(KENT))
        after = await served_metrics(session)

    def grown(name: str, **labels: str) -> float:
        return after.value(name, **labels) - before.value(name, **labels)

    assert grown("hub_http_requests_total", method="POST", route="/events", status="202") == 1
    assert grown("hub_http_requests_total", method="GET", route="/receipts/{seq}", status="200") == 1
    assert grown("hub_http_request_seconds_count", method="POST", route="/events") == 1
    assert grown("hub_intake_commit_seconds_count") == grown("hub_intake_group_events_sum") == 1
    assert grown("hub_events", stage="accepted") == 1


async def test_labels_hold_no_text_of_the_sender(served: Served) -> None:
    async with Session(served) as session:
        for address in (
            "/receipts/4711",
            "/told-in-confidence",
            "/ledger/tile/0/x001/234",
            "/graphql?query=%7B",
        ):
            await session.http.get(address)
        await session.http.request("PROPFIND", "/events")
        found = await served_metrics(session)
    routes = {route for _, route, _ in found.labels("hub_http_requests_total")}
    assert {"/receipts/{seq}", "/ledger/tile/{path:path}", "/graphql", "other"} <= routes
    assert not any(part in str(routes) for part in ("4711", "confidence", "234", "query"))
    methods = {method for method, _, _ in found.labels("hub_http_requests_total")}
    assert "PROPFIND" not in methods
    assert "other" in methods


async def test_lags_come_from_the_database_whoever_does_the_work(tmp_path: Path) -> None:
    async with running_spine(embedded, tmp_path) as spine:
        await spine.set_up_network()
    hub = embedded(tmp_path)
    try:
        async with hub.running(working=False):
            await Spine(hub).post(KENTS, *(service(KENTS, f"{n}") for n in range(3)))
            found = await scraped(hub)
            assert found.value("hub_lag_events", stage="sequencer") == 3
            assert found.value("hub_lag_events", stage="projector") == 0
            assert found.value("hub_lag_seconds", stage="sequencer") > 0
            await hub.sequencer.step()
            found = await scraped(hub)
            assert found.value("hub_lag_events", stage="sequencer") == 0
            assert found.value("hub_lag_events", stage="projector") == 3
            assert found.value("hub_lane_lag_events", lane="inbox") == 3
            assert found.labels("hub_lag_events") == {("sequencer",), ("projector",)}
            while await hub.projector.step():
                pass
            found = await scraped(hub)
            assert found.value("hub_lag_events", stage="projector") == 0
            assert found.value("hub_lag_seconds", stage="projector") == 0
            assert found.value("hub_database_up") == 1
    finally:
        await hub.store.close()


async def test_each_lane_of_the_log_has_its_lag(backbones: Any, tmp_path: Path) -> None:
    open_kafka: OpenHub = backbones("kafka")
    async with running_spine(open_kafka, tmp_path) as spine:
        before = await scraped(spine.hub)
        await spine.set_up_network()
        found = await scraped(spine.hub)
        topics = ("hub.catalogue.v1", "hub.cases.v1", "hub.network.v1")
        lanes = {(f"{topic}/{partition}",) for topic in topics for partition in range(PARTITIONS)}
        assert found.labels("hub_lane_lag_events") == lanes
        assert {found.value("hub_lane_lag_events", lane=lane) for (lane,) in lanes} == {0}
        told = found.value("hub_events", stage="told")
        assert told == found.value("hub_events", stage="accepted") > 0
        published = "hub_relay_published_events_total"
        assert found.value(published) - before.value(published) == told
        assert found.value("hub_relay_publish_seconds_count") > before.value(
            "hub_relay_publish_seconds_count"
        )
        assert found.value("hub_leading", matter="sequencer") == 1


async def test_refusals_and_parked_messages_are_told(tmp_path: Path) -> None:
    async with running_spine(embedded, tmp_path) as spine:
        intake = Intake(spine.hub.store, spine.hub.vault, Quotas(events_per_s=1))
        hub = dataclasses.replace(spine.hub, intake=intake)
        before = await scraped(hub)
        intake.quotas.take(KENT, events=1_000)
        for _ in range(2):
            with pytest.raises(Rejected):
                intake.quotas.take(KENT, events=1)
        message = Parked("hub.cases.v1/0/1@x", None, "no event", b"{", "2026-11-22T09:00:00.000Z")
        await hub.store.write(lambda conn: park(conn, hub.vault, [message]))
        after = await scraped(hub)
    refusals = {"partner": KENT, "quota": "events"}
    name = "hub_quota_refusals_total"
    assert after.value(name, **refusals) - before.value(name, **refusals) == 2
    assert (before.value("hub_parked_messages"), after.value("hub_parked_messages")) == (0, 1)
