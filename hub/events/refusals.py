"""Refused rights, counted before they are told: whoever is refused often must not fill the ledger.

The first refusal of a kind is told at once, those that follow within a minute together. A kind is an actor,
a code and a place; kinds are bounded, in all and by actor, and what does not fit goes under one place.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from hub.domain.audit import Act, actor_name
from hub.domain.principal import Principal

WINDOW = timedelta(minutes=1)
KINDS_MAX = 4_096
KINDS_OF_ACTOR_MAX = 32
ELSEWHERE = "elsewhere"
"""The place of refusals beyond the kinds of one actor."""

Noted = Literal["first", "again", "full"]
Kind = tuple[str, Act, str, str]  # actor, act, code, place


@dataclass(slots=True)
class Tally:
    """Refusals of one kind that wait to be told. told_at: when the last ones were; None for never."""

    principal: Principal
    act: Act
    code: str
    where: str
    count: int
    from_at: datetime
    to_at: datetime
    told_at: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        """Whether it is time to tell them."""
        return self.count > 0 and (self.told_at is None or now - self.told_at >= WINDOW)


class Refusals:
    """Tallies of one process, in its memory alone."""

    def __init__(self) -> None:
        self._tallies: dict[Kind, Tally] = {}
        self._of_actor: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._tallies)

    def note(self, principal: Principal, act: Act, code: str, where: str, now: datetime) -> Noted:
        """Count a refusal; whether it is the first of its kind, or there is no room for one more kind."""
        actor = actor_name(principal.client_id, principal.person)
        kind = actor, act, code, where
        if kind not in self._tallies and self._of_actor[actor] >= KINDS_OF_ACTOR_MAX:
            where = ELSEWHERE
            kind = actor, act, code, where
        tally = self._tallies.get(kind)
        if tally is None:
            if len(self._tallies) >= KINDS_MAX:
                return "full"
            self._of_actor[actor] += 1
            self._tallies[kind] = Tally(principal, act, code, where, 1, now, now)
            return "first"
        if tally.count == 0:
            tally.from_at = now
        # The rights of this moment: what the actor may see of itself is judged by the latest.
        tally.principal, tally.to_at = principal, now
        tally.count += 1
        return "again"

    def take_due(self, now: datetime, *, all_of_them: bool = False) -> list[Tally]:
        """Tallies to tell now, as they stand; they begin anew. Kinds that were quiet are forgotten."""
        due = []
        for kind, tally in list(self._tallies.items()):
            if tally.is_due(now) or (all_of_them and tally.count):
                due.append(replace(tally))
                tally.count, tally.told_at = 0, now
            elif tally.count == 0 and tally.told_at is not None and now - tally.told_at >= WINDOW:
                self._forget(kind)
        return due

    def give_back(self, tallies: list[Tally]) -> None:
        """Those could not be told: they wait again, with what was counted since."""
        for one in tallies:
            kind = actor_name(one.principal.client_id, one.principal.person), one.act, one.code, one.where
            tally = self._tallies.get(kind)
            if tally is not None:
                tally.to_at = max(tally.to_at, one.to_at)
                tally.count, tally.from_at, tally.told_at = tally.count + one.count, one.from_at, one.told_at

    def next_due(self) -> datetime | None:
        """When the next tally is to be looked at; None when there is none."""
        moments = [one.told_at + WINDOW if one.told_at else one.from_at for one in self._tallies.values()]
        return min(moments, default=None)

    def _forget(self, kind: Kind) -> None:
        del self._tallies[kind]
        self._of_actor[kind[0]] -= 1
        if not self._of_actor[kind[0]]:
            del self._of_actor[kind[0]]
