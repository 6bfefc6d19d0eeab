"""State of keys, as folds read and return it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from sqlalchemy import Connection, literal_column, select

from hub.domain.breakglass import BreakGlass
from hub.domain.consents import Consent
from hub.domain.diagnoses import Diagnosis
from hub.domain.erasures import Erasure
from hub.domain.firms import Registration
from hub.domain.groups import CarouselProject, Consortium
from hub.domain.marks import SEALED_CONTEXT
from hub.domain.matches import Match
from hub.domain.networks import Claim, Contribution, Network, Responsibility
from hub.domain.opportunities import Opportunity
from hub.domain.partners import Partner
from hub.domain.record import Gone, KeyState, Record
from hub.domain.referrals import Referral
from hub.domain.roadmaps import Roadmap
from hub.domain.services import Service
from hub.domain.visits import Visit
from hub.store.bulk import Changes, Keys, Rows
from hub.store.lookup import Lookup
from hub.store.prepared import Prepared
from hub.store.tables import record

KINDS: dict[str, type[Record]] = {
    kind.kind: kind
    for kind in (
        Service,
        Opportunity,
        Partner,
        Network,
        Responsibility,
        Contribution,
        Claim,
        Match,
        Registration,
        Consent,
        Visit,
        Diagnosis,
        Roadmap,
        Referral,
        Consortium,
        CarouselProject,
        Erasure,
        BreakGlass,
    )
}
R = TypeVar("R", bound=Record)
# The kind stands in the text: a plan for any kind would be one for the largest.
_OF_KIND = {
    kind: Prepared(
        select(record.c.id, record.c.doc, record.c.version)
        .where(record.c.kind == literal_column(f"'{kind}'"))
        .order_by(record.c.id)
    )
    for kind in KINDS
}
_BY_KEY = Lookup(select(record.c.key, record.c.kind, record.c.id, record.c.doc), record.c.key)


def load_states(conn: Connection, keys: Iterable[str]) -> dict[str, KeyState]:
    """State of each key, empty for those that have none yet."""
    states = {key: KeyState() for key in keys}
    for row in _BY_KEY.rows(conn, states):
        states[row.key].records[row.kind, row.id] = decode(KINDS[row.kind], row.doc)
    return states


def changed_records(changed: Sequence[tuple[str, Record, int]], gone: Iterable[tuple[str, Gone]]) -> Changes:
    """The last one of each record, (key, record, version), and those that are no more, by key."""
    rows = [
        {
            "key": key,
            "kind": one.kind,
            "id": one.id,
            "version": version,
            "doc": one.model_dump_json(exclude_defaults=True, by_alias=True),
            "parties": party_text(one) if isinstance(one, Referral) else None,
        }
        for key, one, version in changed
    ]
    names = [(key, one.kind, one.id) for key, one in gone]
    return Changes(
        [Keys((record.c.key, record.c.kind, record.c.id), names)],
        [Rows(record, rows, update=("version", "doc", "parties"))],
    )


def party_text(referral: Referral) -> str:
    """Labels of its parties with spaces between, as row-level security reads them."""
    return " ".join(sorted(referral.parties()))


def decode(kind: type[R], doc: str) -> R:
    """A record from its stored form."""
    return kind.model_validate_json(doc, context=SEALED_CONTEXT)


def get_records(conn: Connection, kind: type[R], ids: Iterable[str]) -> dict[str, tuple[R, int]]:
    """Records of one kind by id, each with its version; for kinds whose ids are unique over all keys."""
    rows = conn.execute(
        select(record.c.id, record.c.doc, record.c.version).where(
            record.c.kind == kind.kind, record.c.id.in_(set(ids))
        )
    )
    return {row.id: (decode(kind, row.doc), row.version) for row in rows}


def all_records(conn: Connection, kind: type[R]) -> dict[str, tuple[R, int]]:
    """Every record of a kind that stays small (partners, networks), by id."""
    rows = _OF_KIND[kind.kind].rows(conn, {})
    return {row.id: (decode(kind, row.doc), row.version) for row in rows}
