"""A hub with a clock of our own, an audit log and emergency accesses; workers work when somebody waits."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
from fastapi import FastAPI

from hub.domain.principal import Principal
from hub.events.audit import Auditor
from hub.events.breakglass import EmergencyAccess
from hub.events.intake import Intake
from hub.events.progress import Progress
from hub.graphql.router import build_router as graphql_router
from hub.rest.breakglass import build_router
from hub.rest.problems import install
from hub.store.projection import judged
from tests.graphql.cases import world
from tests.graphql.cases.world import NORTH, consented, manager, partner, registered, requested, uuid

REASON = "The owner lies in a foreign hospital and the customs hold the goods"
ASKER, SECOND = (
    manager(NORTH),
    replace(manager(NORTH), client_id="second", source_prefix="/hub/clients/second/"),
)
CASE, SECRETS = uuid("case"), ("Firm A", "Contact of A", "info@example.com")
SME = "query($id: ID!) { sme(id: $id) { id name identifier { code } contacts { name email } } }"
NOTICES = """{ me { notices { id state networks referrals requestedBy { clientId } decidedBy { clientId }
  until endedAt uses } } }"""
REFERRAL = "query($id: ID!) { referral(id: $id) { sme { id name contacts { name } } } }"


class WorksWhenAsked(Progress):
    """The progress of a world without workers in the background."""

    def __init__(self, world: World) -> None:
        super().__init__(lambda seqs: world.store.inspect(lambda conn: judged(conn, seqs)))
        self._world, self._one_at_a_time = world, asyncio.Lock()

    async def reached(self, seqs: Iterable[int], wait_s: float) -> bool:
        """Let the workers do what waits."""
        async with self._one_at_a_time:
            await self._world.settle()
        return True


class World(world.World):
    """A hub with two networks, whose managers break glass."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.auditor = Auditor(self.vault, Intake(self.store, self.vault), lambda: self.now)
        self.access = EmergencyAccess(
            self.store, self.vault, self.auditor, WorksWhenAsked(self), lambda: self.now
        )
        app = FastAPI()
        install(app, self.auditor.refused)
        app.include_router(
            graphql_router(
                self.store,
                self.vault,
                self._who,
                lambda: self.now,
                note_refusal=self.auditor.refused,
                record_reading=self.access.used,
            )
        )
        app.include_router(build_router(self.access, self._who))
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub.example")

    def later(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)

    async def open_case(self, number: str = "A", **members: Any) -> None:
        """A case that Kent asks Normandy to take, with a consent that names no manager."""
        id_ = members.pop("id_", CASE)
        await self.post(
            partner("kent"),
            registered(number),
            consented(number, "normandy"),
            requested(number, id_, to="normandy", **members),
        )

    async def send(self, caller: Principal | None, address: str, body: Any = None) -> httpx.Response:
        """The answer to a POST under /breakglass."""
        self.now += timedelta(milliseconds=1)
        return await self.http.post(f"/breakglass{address}", json=body, headers=self._headers(caller))

    async def ask_access(self, caller: Principal = ASKER, **members: Any) -> str:
        """Id of a new request."""
        answer = await self.send(caller, "", {"referral": CASE, "reason": REASON, **members})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def break_glass(self, asker: Principal = ASKER, second: Principal = SECOND, **members: Any) -> str:
        """Id of an access that was asked for and approved."""
        id_ = await self.ask_access(asker, **members)
        answer = await self.send(second, f"/{id_}/approve")
        assert answer.status_code == 200, answer.text
        return id_

    async def reads(self, caller: Principal = ASKER, number: str = "A") -> dict[str, Any] | None:
        """The firm as the caller may read it now."""
        found = (await self.ask(caller, SME, id=world.firm_id(number)))["sme"]
        await self.settle()
        return None if found is None else dict(found)

    async def acts(self, caller: Principal) -> list[str]:
        """Acts that the caller may read of, in order."""
        log = await self.ask(caller, "{ auditLog(first: 100) { nodes { act outcome code } } }")
        nodes = reversed(log["auditLog"]["nodes"])
        return [one["act"] if one["outcome"] == "DONE" else f"{one['act']} {one['code']}" for one in nodes]
