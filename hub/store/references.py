"""Rows of what accepted events brought into being, looked up and changed in the commit of the intake."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import Connection, select

from hub.domain.references import ReferenceChange, membership_network
from hub.store.bulk import Rows
from hub.store.lookup import Lookup
from hub.store.tables import reference

K = TypeVar("K")
Row = tuple[str, str, str, str, bool]  # kind, id, owner, target, live


_COLUMNS = (reference.c.kind, reference.c.id, reference.c.owner, reference.c.target, reference.c.live)
# Built once: they run for every group of the intake.
NAMED = Lookup(select(*_COLUMNS), reference.c.kind, reference.c.id)
MEMBERS = Lookup(select(*_COLUMNS).where(reference.c.kind == "member"), reference.c.owner)


class References:
    """References that a group of events needs, read once, kept in step while the group is accepted."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], dict[str, Row]] = defaultdict(dict)
        self._members: dict[str, dict[str, Row]] = {}
        self._changed: dict[tuple[str, str, str], Row] = {}
        self._journal: list[tuple[tuple[str, str, str], Row | None, Row | None]] = []

    def load(self, conn: Connection, names: Iterable[tuple[str, str]], members: Collection[str] = ()) -> None:
        """Read what is about to be asked for. names: (kind, id); members: partners with memberships."""
        self.take(NAMED.rows(conn, set(names)), members, MEMBERS.rows(conn, members))

    def take(self, named: Iterable[Any], members: Iterable[str], memberships: Iterable[Any]) -> None:
        """The same, of rows that were found by NAMED and MEMBERS."""
        for row in named:
            self._rows[row.kind, row.id][row.owner] = (row.kind, row.id, row.owner, row.target, row.live)
        self._members |= {slug: {} for slug in members}
        for row in memberships:
            self._members[row.owner][row.id] = (row.kind, row.id, row.owner, row.target, row.live)

    def owner(self, kind: str, id_: str) -> str | None:
        """Who brought a live thing into being; None when there is no such thing."""
        for row in self._rows[kind, id_].values():
            if row[4]:
                return row[2]
        return None

    def publishers(self, kind: str, id_: str) -> list[str]:
        """Partners that published the service or opportunity: one, or none."""
        return list(self._rows[kind, id_])

    def was_published_by(self, kind: str, id_: str, owner: str) -> bool:
        """Whether that partner ever published the thing, withdrawn or not."""
        return owner in self._rows[kind, id_]

    def firm_of(self, referral: str) -> str | None:
        """Surrogate of the firm whose case a referral is; ids that the hub derived go before chosen ones."""
        for kind in ("opened", "referral"):
            for row in self._rows[kind, referral].values():
                return row[3]
        return None

    def is_taken(self, kinds: Iterable[str], id_: str, sender: str, firm: str) -> bool:
        """Whether the id was first used by another sender, or for another firm; the first kind decides."""
        for kind in kinds:
            if rows := self._rows[kind, id_]:
                return any((row[2], row[3]) != (sender, firm) for row in rows.values())
        return False

    def networks(self, partner: str, day: date) -> list[str]:
        """Networks that the partner is a member of that day, sorted."""
        found = {
            membership_network(row[1], row[3], day)
            for row in self._members.get(partner, {}).values()
            if row[4]
        }
        return sorted(one for one in found if one)

    def networks_ever(self, partner: str) -> frozenset[str]:
        """Networks that the partner is or was a member of, on whatever terms."""
        return frozenset(row[1].partition("/")[0] for row in self._members.get(partner, {}).values())

    def apply(self, changes: Iterable[ReferenceChange]) -> None:
        """Take over changes, visible to the next event of the group."""
        for change in changes:
            if change.kind == "memberships":
                self._change_memberships(change)
            elif not self._is_taken(change):
                self._set((change.kind, change.id, change.owner, change.target, change.live))

    def _is_taken(self, change: ReferenceChange) -> bool:
        """Whether an earlier row stands: of an id's first sender, of a partner that is suspended.

        An id that the hub derived goes before one that was chosen, unless that is a case of the same firm.
        """
        rows = self._rows[change.kind, change.id]
        if change.kind == "opened":
            chosen = self._rows["referral", change.id].values()
            return bool(rows) or any(row[3] == change.target for row in chosen)
        if change.kind in ("referral", "visit"):
            return bool(rows)
        return change.unless is not None and any(row[3] == change.unless for row in rows.values())

    def _change_memberships(self, change: ReferenceChange) -> None:
        for kind, id_, owner, target, live in list(self._memberships(change.owner).values()):
            if id_.startswith(change.id):
                start, _, end = target.partition("/")
                if change.target:
                    self._set((kind, id_, owner, f"{start}/{min(end, change.target)}", live))
                else:
                    self._set((kind, id_, owner, target, change.live))

    def mark(self) -> int:
        """This moment, for `undo`."""
        return len(self._journal)

    def undo(self, mark: int) -> None:
        """Forget all changes since the mark."""
        while len(self._journal) > mark:
            name, row, changed = self._journal.pop()
            kind, id_, owner = name
            holders = [(self._rows[kind, id_], owner)]
            if kind == "member":
                holders.append((self._memberships(owner), id_))
            for rows, key in holders:
                _put(rows, key, row)
            _put(self._changed, name, changed)

    def _memberships(self, partner: str) -> dict[str, Row]:
        return self._members.setdefault(partner, {})

    def _set(self, row: Row) -> None:
        kind, id_, owner, _, _ = row
        name = kind, id_, owner
        self._journal.append((name, self._rows[kind, id_].get(owner), self._changed.get(name)))
        self._rows[kind, id_][owner] = row
        if kind == "member":
            self._memberships(owner)[id_] = row
        self._changed[name] = row

    def changes(self) -> Rows:
        """What is to be written."""
        rows = [
            dict(zip(("kind", "id", "owner", "target", "live"), row, strict=True))
            for row in self._changed.values()
        ]
        return Rows(reference, rows, update=("target", "live"))


def _put(rows: dict[K, Row], key: K, row: Row | None) -> None:
    if row is None:
        rows.pop(key, None)
    else:
        rows[key] = row
