"""What an accepted event brings into being for later events to name, and what it takes away.

The rows are written in the commit that accepts the event, so that the next event, even of the same batch,
may name them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

ENDLESS = "9999-12-31"
SUSPENDED = "suspended"
PERSON_PREFIX = "person:"
"""Before the id of a person, where it stands beside wire ids of firms."""
ACCOUNT_PREFIX = "account:"
"""Before the id of a person with a login; not that of persons in events, whose ids managers choose."""
UNKNOWN_REFERRAL_PREFIX = "referral:"
"""Before the id of a referral that nobody has requested: what is said of it has its own key."""


@dataclass(frozen=True, slots=True)
class ReferenceChange:
    """One row: kind and id name it; owner brought it about.

    kind: service, opportunity, partner, network, member (id: network/role; target: from/to dates),
    visit and referral (ids that the sender chose) and opened (a referral's that the hub derived); target of
    these three: the firm's surrogate. Kind memberships changes every member row of owner whose id starts
    with id: it ends them on target, a date, or makes them live or not. unless: a row with that target stays
    as it is.
    """

    kind: str
    id: str
    owner: str
    target: str = ""
    live: bool = True
    unless: str | None = None


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
    visit = [ReferenceChange("visit", subject, sender, key)] if noun == "visit" else []
    return visit + [ReferenceChange("opened", id_, sender, key) for id_ in ids.values()]


def _partner(what: str, slug: str, data: Any) -> list[ReferenceChange]:
    if what == "joined":
        changes = [ReferenceChange("partner", slug, "", unless=SUSPENDED)]
        if data.network:
            period = f"{data.from_}/{data.to or ENDLESS}"
            changes.append(ReferenceChange("member", f"{data.network}/{data.role}", slug, period))
        return changes
    of = f"{data.network}/" if data.network else ""
    if what == "left":
        changes = [ReferenceChange("memberships", of, slug, target=str(data.on))]
        if not of:
            changes.append(ReferenceChange("partner", slug, "", target="left", live=False))
        return changes
    live = what == "resumed"
    if of:
        return [ReferenceChange("memberships", of, slug, live=live)]
    return [ReferenceChange("partner", slug, "", target="" if live else SUSPENDED, live=live)]


def membership_network(id_: str, target: str, day: date) -> str | None:
    """The network of a membership row, when the membership holds that day."""
    start, _, end = target.partition("/")
    return id_.partition("/")[0] if start <= day.isoformat() <= end else None
