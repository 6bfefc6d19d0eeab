"""A hub below HTTP with a clock of our own, and partners, managers and strangers who look at its cases."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI, Request

from hub.domain.firms import firm_wire_id
from hub.domain.principal import ANYONE, Principal
from hub.domain.scopes import DEFAULT_SCOPES, Audience
from hub.domain.services import service_id
from hub.events.accept import Receipt, accept
from hub.events.backbone import EmbeddedBackbone
from hub.events.check import check
from hub.events.envelope import BATCH, parse
from hub.events.projector import Projector
from hub.events.sequencer import Sequencer
from hub.graphql.router import build_router as graphql_router
from hub.rest.problems import install
from hub.rest.receipts import build_router as receipts_router
from hub.store.engine import Store
from hub.store.vault import Vault

START = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
ORIGIN = "hub.example/ledger"
NORTH, SOUTH = "north", "south"
PARTNERS = {"kent": NORTH, "normandy": NORTH, "friesland": NORTH, "molise": SOUTH}
KENT_SERVICE = service_id("kent", "advice")
NORMANDY_SERVICE = service_id("normandy", "advice")
Event = dict[str, Any]


def uuid(*names: str) -> str:
    """A UUID that a test can name."""
    return str(uuid5(UUID(int=0), "/".join(names)))


def firm_id(number: str) -> str:
    """Wire id of a British company."""
    return firm_wire_id("GB-COH", number)


def partner(slug: str, *without: str) -> Principal:
    """A partner's client with the default scopes, but for those named."""
    scopes = frozenset(DEFAULT_SCOPES[Audience.PARTNER]) - set(without)
    return Principal(slug, Audience.PARTNER, slug, scopes, None, f"/partners/{slug}/")


def manager(*networks: str, without: tuple[str, ...] = ()) -> Principal:
    """A manager's client, bound to the networks if there are any."""
    name = "-".join(("manager", *networks))
    scopes = frozenset(DEFAULT_SCOPES[Audience.MANAGER]) - set(without)
    return Principal(
        name, Audience.MANAGER, None, scopes, frozenset(networks) or None, f"/hub/clients/{name}/"
    )


VIEWERS = {
    "requester": partner("kent"),
    "owner": partner("normandy"),
    "member": partner("friesland"),
    "stranger": partner("molise"),
    "manager": manager(NORTH),
    "other manager": manager(SOUTH),
}


async def _unheard(_seqs: Sequence[int]) -> None:
    """Nobody waits here for what is shown."""


@dataclass
class World:
    """One hub on a store of its own. now: what every clock of it says; set it to travel."""

    folder: Path
    store: Store
    now: datetime = START
    http: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        self.vault = Vault(self.folder / "keys")
        wake = asyncio.Event()
        self.sequencer = Sequencer(self.store, ORIGIN, Ed25519PrivateKey.generate(), wake)
        self.projector = Projector(self.store, EmbeddedBackbone(self.store, wake), _unheard)
        app = FastAPI()
        install(app)
        app.include_router(graphql_router(self.store, self.vault, self._who, lambda: self.now))
        app.include_router(receipts_router(self.store, self.vault, self._who, lambda: self.now))
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub.example")
        self._tokens: dict[str, Principal] = {}

    async def open(self) -> None:
        """Tables, networks, partners and two services."""
        joined = [
            event(
                "partner.joined",
                slug,
                name={"en": slug.title()},
                country="GB",
                network=network,
                role="member",
                **{"from": "2026-01-01"},
            )
            for slug, network in PARTNERS.items()
        ]
        networks = [event("network.configured", slug, name={"en": slug.title()}) for slug in (NORTH, SOUTH)]
        await self.post(manager(), *networks, *joined)
        for slug, id_ in (("kent", KENT_SERVICE), ("normandy", NORMANDY_SERVICE)):
            text = {"en": "Advice"}
            data = {"own_id": "advice", "name": text, "description": text, "service_type": "consultancy"}
            await self.post(partner(slug), event("service.published", id_, **data))

    async def close(self) -> None:
        """Return what is open."""
        await self.http.aclose()

    async def accept(self, sender: Principal, *events: Event) -> list[int]:
        """Accept events, sent by this client; their seqs. Each is a second later than the one before."""
        seqs = []
        for one in events:
            self.now += timedelta(seconds=1)
            body = json.dumps([{**one, "source": f"{sender.source_prefix}crm"}]).encode()
            checked, at = check(sender, parse(BATCH, [], body)), self.now
            (answer,) = await self.store.intake(
                lambda conn, checked=checked, at=at: accept(conn, self.vault, [checked], at)  # type: ignore[misc]
            )
            assert not isinstance(answer, Exception), answer
            seqs += [receipt.seq for receipt in answer if isinstance(receipt, Receipt)]
        return seqs

    async def post(self, sender: Principal, *events: Event) -> list[int]:
        """Accept events, sequence and project them; their seqs."""
        seqs = await self.accept(sender, *events)
        await self.settle()
        return seqs

    async def settle(self) -> None:
        """Sequence and project all that waits."""
        while await self.sequencer.step():
            continue
        while await self.projector.step():
            continue

    async def _who(self, request: Request) -> Principal:
        token = request.headers.get("authorization")
        return self._tokens[token] if token else ANYONE

    def _headers(self, caller: Principal | None) -> dict[str, str]:
        if caller is None:
            return {}
        token = f"Bearer {len(self._tokens)}"
        self._tokens[token] = caller
        return {"Authorization": token}

    async def graphql(self, caller: Principal | None, query: str, **variables: Any) -> dict[str, Any]:
        """The whole GraphQL answer."""
        body = {"query": query, "variables": variables}
        answer = await self.http.post("/graphql", json=body, headers=self._headers(caller))
        return dict(answer.json())

    async def ask(self, caller: Principal, query: str, **variables: Any) -> dict[str, Any]:
        """The data of an answer that has no errors."""
        answer = await self.graphql(caller, query, **variables)
        assert "errors" not in answer, answer["errors"]
        return dict(answer["data"])

    async def receipt(self, caller: Principal | None, seq: object) -> httpx.Response:
        """The answer to GET /receipts/{seq}."""
        return await self.http.get(f"/receipts/{seq}", headers=self._headers(caller))


def event(what: str, subject: str, /, **data: Any) -> Event:
    """An event without its source. what: the type without hub. and .v1."""
    return {
        "specversion": "1.0",
        "id": uuid(what, subject, json.dumps(data, sort_keys=True)),
        "type": f"hub.{what}.v1",
        "subject": subject,
        "data": data,
    }


def registered(number: str, **members: Any) -> Event:
    """A British company with a contact."""
    id_ = firm_id(number)
    contacts = [{"name": f"Contact of {number}", "email": "info@example.com"}]
    identifier = {"scheme": "GB-COH", "number": number}
    data = {"identifier": identifier, "name": f"Firm {number}", "country": "GB", "contacts": contacts}
    return event("sme.registered", id_, sme_id=id_, **{**data, **members})


def consented(number: str, *recipients: str, id_: str | None = None, **members: Any) -> Event:
    """A firm's consent to everything for a year, unless told otherwise."""
    data = {
        "purposes": ["referral", "contact"],
        "recipients": list(recipients),
        "categories": ["identity", "contact", "diagnosis", "roadmap"],
        "given_at": "2026-10-01T09:00:00Z",
        "expires_at": "2027-10-01T09:00:00Z",
        "evidence": {"kind": "form"},
        **members,
    }
    return event("consent.given", id_ or uuid("consent", number), sme_id=firm_id(number), **data)


def withdrawn(number: str) -> Event:
    """The end of the firm's consent."""
    data = {"sme_id": firm_id(number), "withdrawn_at": "2026-11-02T09:00:00Z"}
    return event("consent.withdrawn", uuid("consent", number), **data)


def requested(
    number: str, id_: str, *, what: str = "requested", to: str | None = None, **members: Any
) -> Event:
    """A referral of the firm in the network NORTH; without `to` in its open pool."""
    data = {"network": NORTH, "consent_id": uuid("consent", number), "message": f"Please help {number}"}
    target = {"to": to} if to else {}
    return event(f"referral.{what}", id_, sme_id=firm_id(number), **{**data, **target, **members})


def salted(salt: str) -> bytes:
    """The bytes of a salt."""
    return base64.b64decode(salt, validate=True)
