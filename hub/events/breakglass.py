"""Emergency accesses: asking, deciding, ending, and reading under them, each recorded before it holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal
from uuid import uuid4

from hub.domain.audit import Act
from hub.domain.breakglass import not_found
from hub.domain.principal import Principal
from hub.domain.refusal import Refusal
from hub.domain.viewer import Opening
from hub.events.audit import Acted, Auditor
from hub.events.progress import Progress
from hub.store.breakglass import GrantView, find_case, find_grants, get_grant, verdict_on
from hub.store.engine import Store
from hub.store.vault import Vault
from hub.store.viewers import viewer_of

VERDICT_WAIT_S = 10.0
Decision = Literal["approved", "refused", "ended"]
_ACTS: dict[Decision, Act] = {
    "approved": "breakglass.approved",
    "refused": "breakglass.refused",
    "ended": "breakglass.ended",
}


class EmergencyAccess:
    """What managers do with emergency accesses. Callers have checked the scope `ledger:breakglass`."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        auditor: Auditor,
        progress: Progress,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """clock: aware UTC."""
        self._store, self._vault, self._auditor = store, vault, auditor
        self._progress, self._clock = progress, clock

    async def request(
        self, principal: Principal, *, sme: str | None, referral: str | None, reason: str, minutes: int
    ) -> GrantView | Refusal:
        """Ask for access to a firm, by its wire id or one of its referrals; a second manager must approve."""
        now = self._clock()
        firm = await self._store.read(
            lambda conn: find_case(
                conn, viewer_of(conn, principal, now), self._vault, sme=sme, referral=referral
            )
        )
        if firm is None:
            return not_found()
        id_ = str(uuid4())
        acted = Acted(("breakglass", id_), None, firm, referral, reason, minutes, subject=id_)
        return await self._act(principal, "breakglass.requested", acted, id_)

    async def decide(self, principal: Principal, id_: str, decision: Decision) -> GrantView | Refusal:
        """Approve, refuse or end an access; Refusal also for one that the principal may not decide on."""
        found = await self._get(principal, id_)
        if found is None:
            return not_found()
        view, firm = found
        acted = Acted(("breakglass", id_), None, firm, view.grant.referral, subject=id_)
        return await self._act(principal, _ACTS[decision], acted, id_)

    async def list(self, principal: Principal) -> list[GrantView]:
        """Accesses that the principal may decide on or is told of, the latest first."""
        now = self._clock()
        return await self._store.read(
            lambda conn: find_grants(conn, viewer_of(conn, principal, now), self._vault)
        )

    async def used(self, principal: Principal, opening: Opening) -> None:
        """Record that the firm was read; StoreUnavailable when it cannot be, and nobody may get it then."""
        acted = Acted(("breakglass", opening.id), sme_id=opening.sme, subject=opening.id)
        await self._auditor.act(principal, "breakglass.used", acted)

    async def _act(self, principal: Principal, act: Act, acted: Acted, id_: str) -> GrantView | Refusal:
        seq = await self._auditor.act(principal, act, acted)
        if not await self._progress.reached([seq], VERDICT_WAIT_S):
            return Refusal(
                "hub.unavailable",
                f"The act is recorded as event {seq}; what came of it is not known yet.",
                "See GET /breakglass in a moment, before you send it again.",
            )
        refusal = await self._store.inspect(lambda conn: verdict_on(conn, seq))
        if refusal:
            return refusal
        found = await self._get(principal, id_)
        return found[0] if found else not_found()

    async def _get(self, principal: Principal, id_: str) -> tuple[GrantView, str] | None:
        now = self._clock()
        return await self._store.read(
            lambda conn: get_grant(conn, viewer_of(conn, principal, now), self._vault, id_)
        )
