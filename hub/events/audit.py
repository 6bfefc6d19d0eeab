"""The audit log: acts of persons and refused rights, as entries of the ledger that the hub itself sends.

An act and its record are one commit: what cannot be recorded is not done, and nothing is recorded that was
not done. Refusals are counted in memory and told within a minute: they never hold up an answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection

from hub.domain.audit import TYPE, Act, actor_of
from hub.domain.principal import HUB, Principal
from hub.domain.refusal import Refusal
from hub.domain.scopes import Audience
from hub.domain.values import rfc3339
from hub.events.accept import accept
from hub.events.check import check
from hub.events.envelope import own_event
from hub.events.intake import Intake
from hub.events.measures import REFUSALS, REFUSALS_UNTOLD
from hub.events.refusals import Refusals, Tally
from hub.events.rejection import Rejected
from hub.store.engine import StoreUnavailable
from hub.store.vault import Vault

SOURCE = "/hub/audit"
RETRY_S = 1.0
TOGETHER_S = 0.2
"""Refusals that come within this time are told in one commit."""
LAST_WORDS_S = 5.0
"""How long the end of a process may take to tell what it has counted."""

log = logging.getLogger(__name__)
T = TypeVar("T")
NoteRefusal = Callable[[Principal, str, str], None]
"""Told of a right that was refused: whom, the code, and where. `Auditor.refused` is one."""

_HUB = Principal(HUB, Audience.MANAGER, scopes=frozenset({"events:publish"}), source_prefix="/hub/")


@dataclass(frozen=True, slots=True)
class Acted:
    """What is recorded of an act beside who did it.

    about: kind and id of what was acted on, partner: whose that is. sme_id: wire id of the firm concerned;
    its key seals `reason`. subject: the actor, unless told otherwise.
    """

    about: tuple[str, str] | None = None
    partner: str | None = None
    sme_id: str | None = None
    referral: str | None = None
    reason: str | None = None
    minutes: int | None = None
    subject: str | None = None


def unheard(_principal: Principal, _code: str, _where: str) -> None:
    """A NoteRefusal where nobody keeps an audit log."""


def record(
    conn: Connection,
    vault: Vault,
    principal: Principal,
    act: Act,
    acted: Acted | None = None,
    *,
    code: str | None = None,
    at: datetime | None = None,
) -> int:
    """Accept the record of an act in a transaction of the intake, the caller's; its seq.

    code: of the refusal, when it was refused. at: now, aware UTC.
    """
    data = _about(principal, acted or Acted())
    outcome = {"outcome": "refused", "code": code} if code else {}
    subject = (acted and acted.subject) or principal.person or principal.client_id
    return _accept(conn, vault, [(subject, {"act": act, **data, **outcome})], at or datetime.now(UTC))[0]


class Auditor:
    """Records acts and refusals. `run` tells what was counted, until cancelled."""

    def __init__(
        self, vault: Vault, intake: Intake, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """clock: aware UTC."""
        self._vault, self._intake, self._clock = vault, intake, clock
        self._refusals = Refusals()
        self._noted = asyncio.Event()

    async def act(self, principal: Principal, act: Act, acted: Acted | None = None) -> int:
        """Record an act before it is done, or answered; seq of the record.

        StoreUnavailable when it cannot be recorded.
        """
        return await self._intake.commit(
            lambda conn: record(conn, self._vault, principal, act, acted, at=self._clock())
        )

    async def act_with(
        self, principal: Principal, act: Act, acted: Acted | None, work: Callable[[Connection], T]
    ) -> T:
        """Do the work and record it, in one commit, and answer with what it gave.

        work: gets the connection of the truth; where it raises, neither is there. A Refusal that it answers
        with is recorded as refused; it must not have written anything then. StoreUnavailable: not done.
        """

        def both(conn: Connection) -> T:
            done = work(conn)
            code = done.code if isinstance(done, Refusal) else None
            record(conn, self._vault, principal, act, acted, code=code, at=self._clock())
            return done

        return await self._intake.commit(both)

    def refused(self, principal: Principal, code: str, where: str, act: Act = "right.refused") -> None:
        """Count a refusal of a right, to be recorded within a minute; returns at once.

        where: the template of a route or the name of a field, never a text that somebody sent. Refusals of
        callers that nobody knows are counted in the metrics alone.
        """
        REFUSALS.labels(principal.audience.value, code).inc()
        if principal.client_id is None and principal.person is None:
            return
        noted = self._refusals.note(principal, act, code, where, self._clock())
        if noted == "full":
            REFUSALS_UNTOLD.inc()
        elif noted == "first":
            self._noted.set()

    async def run(self) -> None:
        """Tell what was counted, as it becomes due; at the end, what is left."""
        try:
            while True:
                self._noted.clear()
                await self._tell(self._refusals.take_due(self._clock()))
                await self._until_due()
                await asyncio.sleep(TOGETHER_S)
        finally:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_WORDS_S):
                    await self._tell(self._refusals.take_due(self._clock(), all_of_them=True))

    async def _until_due(self) -> None:
        """Wait until a tally may be due, or the first refusal of a kind has come."""
        due_at = self._refusals.next_due()
        wait_s = None if due_at is None else max(0.0, (due_at - self._clock()).total_seconds())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._noted.wait()

    async def _tell(self, tallies: Sequence[Tally]) -> None:
        if not tallies:
            return
        now, told = self._clock(), [_told(one) for one in tallies]
        telling = asyncio.ensure_future(
            self._intake.commit(lambda conn: _accept(conn, self._vault, told, now))
        )
        try:
            await asyncio.shield(telling)
        except asyncio.CancelledError:
            # Told or not, but not twice: what was begun is finished first.
            with contextlib.suppress(asyncio.CancelledError, StoreUnavailable):
                await telling
            raise
        except (StoreUnavailable, Rejected) as error:
            log.warning("refusals_wait", extra={"kinds": len(tallies), "why": str(error)})
            self._refusals.give_back(list(tallies))
            await asyncio.sleep(RETRY_S)


def _told(tally: Tally) -> tuple[str | None, dict[str, Any]]:
    principal = tally.principal
    data = {
        "act": tally.act,
        "outcome": "refused",
        "actor": actor_of(principal),
        "code": tally.code,
        "where": tally.where,
        "count": tally.count,
        "from": rfc3339(tally.from_at),
        "to": rfc3339(tally.to_at),
    }
    return principal.person or principal.client_id, data


def _about(principal: Principal, acted: Acted) -> dict[str, Any]:
    about = None
    if acted.about:
        kind, id_ = acted.about
        about = {"kind": kind, "id": id_, **({"partner": acted.partner} if acted.partner else {})}
    members = {
        "actor": actor_of(principal),
        "about": about,
        "sme_id": acted.sme_id,
        "referral": acted.referral,
        "reason": acted.reason,
        "minutes": acted.minutes,
    }
    return {name: value for name, value in members.items() if value is not None}


def _accept(
    conn: Connection, vault: Vault, records: Sequence[tuple[str | None, dict[str, Any]]], at: datetime
) -> list[int]:
    envelopes = [own_event(SOURCE, TYPE, subject or "", data, at) for subject, data in records]
    (answer,) = accept(conn, vault, [check(_HUB, envelopes)], at)
    if isinstance(answer, Rejected):
        raise answer
    return [receipt.seq for receipt in answer]
