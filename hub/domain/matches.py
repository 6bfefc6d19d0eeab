"""Pairs of services that may be the same: the manager's decision on them. One pair is one key."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self
from uuid import NAMESPACE_URL, uuid5

from pydantic import model_validator

from hub.domain.record import Accepted, Changes, KeyState, Record
from hub.domain.values import MemberError, Payload, ServiceId, Text


def match_id(left: str, right: str) -> str:
    """Id of a pair of services, whichever stands first."""
    lower, higher = sorted((left, right))
    return str(uuid5(NAMESPACE_URL, f"urn:hub:match:{lower}:{higher}"))


class MatchDecided(Payload):
    """hub.match.merged.v1, .dismissed.v1; shown: the one that the catalogue keeps showing."""

    left: ServiceId
    right: ServiceId
    shown: ServiceId | None = None
    note: Text | None = None

    @model_validator(mode="after")
    def _a_pair(self) -> Self:
        if self.left == self.right:
            raise MemberError("right", "is the same service as left")
        if self.shown not in (None, self.left, self.right):
            raise MemberError("shown", "is neither left nor right")
        return self


class Match(Record):
    """A decided pair."""

    kind: ClassVar[str] = "match"
    left: str
    right: str
    state: Literal["merged", "dismissed"]
    shown: str | None


def fold_match(_state: KeyState, event: Accepted[Any]) -> Changes:
    """The last decision stands."""
    data = event.data
    what = "merged" if ".merged." in event.type else "dismissed"
    return (
        Match(
            id=event.subject,
            left=data.left,
            right=data.right,
            state="merged" if what == "merged" else "dismissed",
            shown=data.shown,
        ),
    )
