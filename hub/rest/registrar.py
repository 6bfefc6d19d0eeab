"""What the addresses of onboarding share: who calls, whose client it is about, and one commit for an act."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from sqlalchemy import Connection

from hub.auth.access import Authenticate
from hub.auth.onboarding.mandate import Reach, reaches
from hub.auth.proofs.possession import Possession
from hub.domain.audit import Act
from hub.domain.principal import Principal
from hub.domain.refusal import Refusal
from hub.events.audit import Acted, Auditor
from hub.events.intake import Intake
from hub.rest.problems import not_found, rejected
from hub.store.clients import Client, find_client
from hub.store.engine import Store
from hub.store.vault import Vault
from hub.store.viewers import memberships

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Registrar:
    """Parts of the hub that onboarding needs.

    intake: its quotas are those of callers with a token. authenticate: raises Denied for a wrong token.
    """

    store: Store
    vault: Vault
    auditor: Auditor
    intake: Intake
    possession: Possession
    authenticate: Authenticate
    issuer: str
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def client(
        self, principal: Principal, client_id: str, sought: str = "client of yours with this id"
    ) -> tuple[Client, Reach]:
        """The client, and how far the caller reaches; Rejected 404 alike for none and for one of others.

        sought: what there is none of, then. What is changed after that is judged again in its own commit.
        """
        now = self.clock()

        def find(conn: Connection) -> tuple[Client, Reach] | None:
            client = find_client(conn, client_id)
            reach = reaches(principal, [client] if client else [], memberships(conn, now))
            return (client, reach[client_id]) if client and client_id in reach else None

        found = await self.store.inspect(find)
        if found is None:
            raise not_found(sought)
        return found

    async def act(
        self, principal: Principal, act: Act, acted: Acted, work: Callable[[Connection], T | Refusal]
    ) -> T:
        """Do the work and record it, in one commit; a Refusal that it answers with is raised as Rejected."""
        done = await self.auditor.act_with(principal, act, acted, work)
        if isinstance(done, Refusal):
            raise rejected(done)
        return done
