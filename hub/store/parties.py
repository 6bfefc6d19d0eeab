"""The rows that say who sees a referral and the entries of the ledger about it: one for each label.

Entries follow the referral: whoever becomes a party sees what came before as well, and whoever is none any
more sees nothing of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, select

from hub.domain.referrals import Referral
from hub.store.bulk import Changes, Keys, Rows, remove
from hub.store.lookup import Lookup
from hub.store.records import party_text
from hub.store.search import sortable_time
from hub.store.tables import entry_party, referral_party, referral_row, verdict

_VERDICTS = Lookup(
    select(verdict.c.key, verdict.c.referral, verdict.c.seq), verdict.c.key, verdict.c.referral
)


@dataclass(frozen=True, slots=True)
class CaseEntries:
    """What a batch does to the entries about one referral: surrogate of its firm, and id.

    before, after: labels of its parties; none where there is no such referral. seqs: entries of the batch.
    """

    key: str
    referral: str
    before: frozenset[str]
    after: frozenset[str]
    seqs: tuple[int, ...]


def index_referrals(changed: Sequence[tuple[str, Referral, int]]) -> Changes:
    """New rows that lists and rights are read from: (firm's surrogate, referral, version), each once."""
    names = [(key, one.id) for key, one, _ in changed]
    parties = [row for key, one, version in changed for row in _party_rows(key, one, version)]
    return Changes(
        [Keys((table.c.firm, table.c.id), names) for table in (referral_row, referral_party)],
        [Rows(referral_row, [_row(key, one) for key, one, _ in changed]), Rows(referral_party, parties)],
    )


def _row(key: str, referral: Referral) -> dict[str, Any]:
    names = ("id", "state", "network", "requester", "owner", "service", "part_of")
    values = {name: getattr(referral, name) for name in names}
    more = {"parties": party_text(referral), "updated_at": sortable_time(referral.updated_at)}
    return {**values, "firm": key, **more}


def _party_rows(key: str, referral: Referral, version: int) -> list[dict[str, Any]]:
    at = sortable_time(referral.updated_at)
    same = {"firm": key, "id": referral.id, "state": referral.state, "updated_at": at, "version": version}
    return [{"label": label, **same} for label in sorted(referral.parties())]


def index_entries(conn: Connection, cases: Sequence[CaseEntries]) -> Changes:
    """New rows of entries. Asked before the verdicts of the batch are written, and only of new parties."""
    moved = [one for one in cases if one.before != one.after]
    earlier = defaultdict[tuple[str, str], list[int]](list)
    for row in _VERDICTS.rows(conn, [(one.key, one.referral) for one in moved]) if moved else ():
        earlier[row.key, row.referral].append(row.seq)
    gone: list[tuple[str, int]] = []
    new = [(label, seq) for one in cases for label in one.after for seq in one.seqs]
    for one in moved:
        before = earlier[one.key, one.referral]
        gone += [(label, seq) for label in one.before - one.after for seq in before]
        new += [(label, seq) for label in one.after - one.before for seq in before]
    return Changes(
        [Keys((entry_party.c.label, entry_party.c.seq), gone)],
        [Rows(entry_party, [{"label": label, "seq": seq} for label, seq in sorted(new)])],
    )


def forget_entries(conn: Connection, key: str) -> None:
    """Remove what follows from the verdicts of a key; before these and the parties of its referrals."""
    about = and_(verdict.c.key == referral_party.c.firm, verdict.c.referral == referral_party.c.id)
    known = select(referral_party.c.label, verdict.c.seq).join(verdict, about).where(verdict.c.key == key)
    remove(conn, Keys((entry_party.c.label, entry_party.c.seq), [tuple(row) for row in conn.execute(known)]))
