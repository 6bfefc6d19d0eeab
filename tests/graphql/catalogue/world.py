"""A gateway over a real store that is filled the way the projector fills it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI, Request
from sqlalchemy import Connection

from hub.domain.networks import Network
from hub.domain.opportunities import Opportunity, OpportunityPublished, opportunity_id
from hub.domain.partners import Membership, Partner
from hub.domain.principal import ANYONE, Principal
from hub.domain.record import Record
from hub.domain.scopes import DEFAULT_SCOPES, Audience
from hub.domain.services import Origin, Service, ServicePublished, service_id
from hub.graphql import build_router
from hub.store.engine import Store
from hub.store.projection import INBOX, Position, Verdict, save_changes, save_positions, save_verdicts
from hub.store.vault import Vault

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
TODAY = NOW.date()
KENT, NORMANDY, EEN = (
    "kent-international-business",
    "team-france-export-normandy",
    "enterprise-europe-network",
)

PORTAL = Principal("sme-portal", Audience.PORTAL, scopes=frozenset(DEFAULT_SCOPES[Audience.PORTAL]))
PARTNER = Principal(KENT, Audience.PARTNER, partner=KENT, scopes=frozenset(DEFAULT_SCOPES[Audience.PARTNER]))
MANAGER = Principal("network-manager", Audience.MANAGER, scopes=frozenset(DEFAULT_SCOPES[Audience.MANAGER]))


class World:
    """What the hub knows, and a client that asks it."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self.store, self.vault, self.now, self.principal, self._seq = store, vault, NOW, ANYONE, 0
        app = FastAPI()
        app.include_router(build_router(store, vault, self._authenticate, lambda: self.now))
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub.test")

    async def _authenticate(self, _request: Request) -> Principal:
        return self.principal

    async def project(self, *records: Record) -> None:
        """Bring records into the read model, one event each, in the projector's own transaction."""
        changed = []
        for record in records:
            self._seq += 1
            changed.append((record.id, record, self._seq))
        verdicts = [Verdict(version, "applied", None, key, None) for key, _, version in changed]
        at = {INBOX: Position(self._seq, self._seq)}

        def save(conn: Connection) -> None:
            save_changes(conn, changed)
            save_verdicts(conn, verdicts)
            save_positions(conn, at)

        await self.store.project(save)

    async def ask(
        self, document: str, variables: dict[str, Any] | None = None, by: Principal = ANYONE
    ) -> dict[str, Any]:
        """The whole answer to a document."""
        self.principal = by
        response = await self.http.post("/graphql", json={"query": document, "variables": variables})
        assert response.status_code == 200, response.text
        return response.json()

    async def data(
        self, document: str, variables: dict[str, Any] | None = None, by: Principal = ANYONE
    ) -> dict[str, Any]:
        """The data of an answer that has no errors."""
        answer = await self.ask(document, variables, by)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def found(self, by: Principal = ANYONE, **arguments: Any) -> list[str]:
        """ownIds of the first page of services with these arguments (filter, search, sort)."""
        kinds = {"filter": "ServiceFilter", "search": "String", "sort": "ServiceSort", "language": "String"}
        heads = ", ".join(f"${name}: {kinds[name]}" for name in arguments)
        given = ", ".join(f"{name}: ${name}" for name in arguments)
        document = (
            f"query Found({heads}) {{ services({given}, first: 100) {{ totalCount nodes {{ ownId }} }} }}"
        )
        if not arguments:
            document = "{ services(first: 100) { totalCount nodes { ownId } } }"
        services = (await self.data(document, arguments, by))["services"]
        assert services["totalCount"] == len(services["nodes"])
        return [node["ownId"] for node in services["nodes"]]

    async def refused(self, document: str, by: Principal = ANYONE, **variables: Any) -> dict[str, Any]:
        """The extensions of the only error of an answer."""
        errors = (await self.ask(document, variables, by))["errors"]
        assert len(errors) == 1, errors
        return errors[0]["extensions"]


@asynccontextmanager
async def open_world(folder: Path, store: Store) -> AsyncIterator[World]:
    """An empty hub."""
    world = World(store, Vault(folder / "keys"))
    try:
        yield world
    finally:
        await world.http.aclose()


def partner(slug: str, *networks: str, country: str = "GB", **more: Any) -> Partner:
    """A partner that is a member of these networks since 2020."""
    memberships = [Membership(network=one, role="member", from_=date(2020, 1, 1)) for one in networks]
    return Partner(id=slug, name={"en": slug.title()}, country=country, memberships=memberships, **more)


def network(slug: str, **more: Any) -> Network:
    """A network."""
    return Network(id=slug, name={"en": slug.upper()}, **more)


def service(
    own_id: str, *, by: str = KENT, at: datetime = NOW, withdrawn: bool = False, **data: Any
) -> Service:
    """A published service; data: members of the payload beside the required ones."""
    payload = {
        "own_id": own_id,
        "name": {"en": f"Service {own_id}"},
        "description": {"en": "Help for exporters."},
        "service_type": "workshop",
        **data,
    }
    return Service(
        id=service_id(by, own_id),
        partner=by,
        data=ServicePublished.model_validate(payload),
        withdrawn=withdrawn,
        feed=f"/partners/{by}/feed",
        content_hash="0" * 64,
        published=Origin(event_id=f"published-{own_id}", at=at),
        updated_at=at,
    )


def opportunity(
    reference: str, *, by: str = EEN, published_on: date = TODAY, withdrawn: bool = False, **data: Any
) -> Opportunity:
    """A published opportunity, valid for a year."""
    payload = {
        "reference": reference,
        "opportunity_type": "business-offer",
        "title": {"en": f"Offer {reference}"},
        "summary": {"en": "A firm looks for partners."},
        "country": "DE",
        "published_on": published_on.isoformat(),
        **data,
    }
    published = OpportunityPublished.model_validate(payload)
    return Opportunity(
        id=opportunity_id(by, reference),
        partner=by,
        data=published,
        expires_on=published.expires_on or published_on + timedelta(days=365),
        withdrawn=withdrawn,
        feed=f"/partners/{by}/feed",
        content_hash="1" * 64,
        updated_at=NOW,
    )


async def all_pages(world: World, document: str, field: str, **variables: Any) -> Sequence[Sequence[str]]:
    """ids of every page until the end; the document takes $after and asks for id, endCursor, hasNextPage."""
    pages: list[list[str]] = []
    after = None
    while True:
        page = (await world.data(document, {**variables, "after": after}))[field]
        pages.append([node["id"] for node in page["nodes"]])
        if not page["pageInfo"]["hasNextPage"]:
            return pages
        after = page["pageInfo"]["endCursor"]
        assert len(pages) < 200, "the pages do not end"
