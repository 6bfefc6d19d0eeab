"""What an accepted event brings into being for later events to name, and what it takes away.

The rows are written in the commit that accepts the event, so that the next event, even of the same batch,
may name them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

ENDLESS = "9999-12-31"


@dataclass(frozen=True, slots=True)
class ReferenceChange:
    """One row: kind and id name it; owner brought it about.

    target: firm's surrogate of a referral; "from/to" dates of a membership (id: network/role), else empty.
    live None: leave as it is. whole: applies to every row of kind and owner.
    """

    kind: str
    id: str
    owner: str
    target: str = ""
    live: bool = True
    whole: bool = False


def established(
    type_: str, subject: str, sender: str, data: Any, key: str, ids: dict[str, str]
) -> list[ReferenceChange]:
    """References that follow from an event; key: the firm's surrogate, ids: as in Resolved."""
    _, noun, what, _ = type_.split(".")
    if noun in ("service", "opportunity") and what in ("published", "withdrawn"):
        return [ReferenceChange(noun, subject, sender, live=what == "published")]
    if noun == "network":
        return [ReferenceChange("network", subject, "")]
    if noun == "partner":
        return _partner(what, subject, data)
    if what in ("drafted", "requested") and noun == "referral":
        return [ReferenceChange("referral", subject, sender, key)]
    return [ReferenceChange("referral", id_, sender, key) for id_ in ids.values()]


def _partner(what: str, slug: str, data: Any) -> list[ReferenceChange]:
    if what == "joined":
        changes = [ReferenceChange("partner", slug, "")]
        if data.network:
            period = f"{data.from_}/{data.to or ENDLESS}"
            changes.append(ReferenceChange("member", f"{data.network}/{data.role}", slug, period))
        return changes
    live = what == "resumed"
    if data.network is None:
        changes = [ReferenceChange("partner", slug, "", live=live)]
        return (
            [*changes, ReferenceChange("member", "", slug, live=False, whole=True)]
            if what == "left"
            else changes
        )
    return [ReferenceChange("member", f"{data.network}/", slug, live=live, whole=True)]


def membership_network(id_: str, target: str, day: date) -> str | None:
    """The network of a membership row, when the membership holds that day."""
    start, _, end = target.partition("/")
    return id_.partition("/")[0] if start <= day.isoformat() <= end else None
