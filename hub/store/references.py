"""Rows of what accepted events brought into being, looked up and changed in the commit of the intake."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import Connection, bindparam, select, tuple_
from sqlalchemy.dialects.sqlite import insert as upsert

from hub.domain.references import ReferenceChange, membership_network
from hub.store.tables import reference

NAMES_A_QUERY = 1_000
Row = tuple[str, str, str, str, bool]  # kind, id, owner, target, live


_COLUMNS = (reference.c.kind, reference.c.id, reference.c.owner, reference.c.target, reference.c.live)
# Built once: they run for every group of the intake.
_NAMED = select(*_COLUMNS).where(
    tuple_(reference.c.kind, reference.c.id).in_(bindparam("names", expanding=True))
)
_MEMBERS = select(*_COLUMNS).where(
    reference.c.kind == "member", reference.c.owner.in_(bindparam("partners", expanding=True))
)
_INSERT = upsert(reference)
_SAVE = _INSERT.on_conflict_do_update(
    index_elements=["kind", "id", "owner"],
    set_={"target": _INSERT.excluded.target, "live": _INSERT.excluded.live},
)


class References:
    """References that a group of events needs, read once, kept in step while the group is accepted."""

    def __init__(self, conn: Connection, names: Iterable[tuple[str, str]], members: Iterable[str]) -> None:
        """names: (kind, id); members: partners whose memberships are needed."""
        self._conn = conn
        self._rows: dict[tuple[str, str], dict[str, Row]] = defaultdict(dict)
        self._members: dict[str, dict[str, Row]] = {slug: {} for slug in members}
        self._changed: dict[tuple[str, str, str], Row] = {}
        wanted = sorted(set(names))
        for start in range(0, len(wanted), NAMES_A_QUERY):
            for row in conn.execute(_NAMED, {"names": wanted[start : start + NAMES_A_QUERY]}):
                self._rows[row.kind, row.id][row.owner] = (row.kind, row.id, row.owner, row.target, row.live)
        if self._members:
            for row in conn.execute(_MEMBERS, {"partners": list(self._members)}):
                self._members[row.owner][row.id] = (row.kind, row.id, row.owner, row.target, row.live)

    def owner(self, kind: str, id_: str) -> str | None:
        """Who brought a live thing into being; None when there is no such thing."""
        for row in self._rows[kind, id_].values():
            if row[4]:
                return row[2]
        return None

    def was_published_by(self, kind: str, id_: str, owner: str) -> bool:
        """Whether that partner ever published the thing, withdrawn or not."""
        return owner in self._rows[kind, id_]

    def firm_of(self, referral: str) -> str | None:
        """Surrogate of the firm whose case a referral is; ids that the hub derived go before chosen ones."""
        for kind in ("opened", "referral"):
            for row in self._rows[kind, referral].values():
                return row[3]
        return None

    def networks(self, partner: str, day: date) -> list[str]:
        """Networks that the partner is a member of that day, sorted."""
        found = {
            membership_network(row[1], row[3], day)
            for row in self._members.get(partner, {}).values()
            if row[4]
        }
        return sorted(one for one in found if one)

    def apply(self, changes: Iterable[ReferenceChange]) -> None:
        """Take over changes, visible to the next event of the group."""
        for change in changes:
            if change.kind == "memberships":
                self._change_memberships(change)
            elif not self._is_taken(change):
                self._set((change.kind, change.id, change.owner, change.target, change.live))

    def _is_taken(self, change: ReferenceChange) -> bool:
        """Whether an earlier row stands: of a referral's first sender, of a partner that is suspended."""
        rows = self._rows[change.kind, change.id]
        if change.kind == "referral":
            return bool(rows.keys() - {change.owner})
        return change.unless is not None and any(row[3] == change.unless for row in rows.values())

    def _change_memberships(self, change: ReferenceChange) -> None:
        for kind, id_, owner, target, live in list(self._memberships(change.owner).values()):
            if id_.startswith(change.id):
                start, _, end = target.partition("/")
                if change.target:
                    self._set((kind, id_, owner, f"{start}/{min(end, change.target)}", live))
                else:
                    self._set((kind, id_, owner, target, change.live))

    def snapshot(self) -> object:
        """What is known now, for `restore`."""
        return copy.deepcopy((self._rows, self._members, self._changed))

    def restore(self, snapshot: Any) -> None:
        """Forget all changes since the snapshot."""
        self._rows, self._members, self._changed = snapshot

    def _memberships(self, partner: str) -> dict[str, Row]:
        return self._members.setdefault(partner, {})

    def _set(self, row: Row) -> None:
        kind, id_, owner, _, _ = row
        self._rows[kind, id_][owner] = row
        if kind == "member":
            self._memberships(owner)[id_] = row
        self._changed[kind, id_, owner] = row

    def save(self) -> None:
        """Write what changed."""
        if not self._changed:
            return
        self._conn.execute(
            _SAVE,
            [
                dict(zip(("kind", "id", "owner", "target", "live"), row, strict=True))
                for row in self._changed.values()
            ],
        )
