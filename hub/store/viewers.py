"""Who is asking, as the read model knows them: a read begins here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache

from pydantic import TypeAdapter
from sqlalchemy import Connection, func, literal_column, select

from hub.domain.partners import Partner
from hub.domain.principal import Principal
from hub.domain.viewer import Viewer
from hub.store.prepared import Prepared
from hub.store.row_security import SETS_LABELS, see_as, setting
from hub.store.tables import record

EXPECTED_MAX = 256
"""Principals whose last labels are remembered; of a manager these can be twenty kilobytes."""

_PARTNERS = TypeAdapter(list[Partner])
# A separator that is a value would have to be sent with each question.
_DOCS = select(func.aggregate_strings(record.c.doc, literal_column("','")).label("docs")).where(  # type: ignore[arg-type]
    record.c.kind == literal_column(f"'{Partner.kind}'")
)
_MEMBERS = Prepared(_DOCS)
_MEMBERS_AND_SHOW = Prepared(_DOCS.add_columns(SETS_LABELS))
_expected: dict[Principal, str] = {}


def viewer_of(conn: Connection, principal: Principal, at: datetime, *, glass: bool = False) -> Viewer:
    """The viewer behind a principal, with the memberships of this moment. glass: as in Viewer.

    What the transaction reads of cases from here on is this viewer's alone. Labels follow from memberships:
    to spare their statement, those that the principal had the last time go with the first one, and they
    stand if they are what the memberships say.
    """
    expected = _expected.get(principal, "")
    if conn.dialect.name == "postgresql":
        row = _MEMBERS_AND_SHOW.rows(conn, {"labels": expected})[0]
    else:
        row = _MEMBERS.rows(conn, {})[0]
    viewer = Viewer(principal, at, _networks(row.docs, at.date()), glass=glass)
    labels = setting(viewer.labels | viewer.audit_labels)
    if labels != expected:
        see_as(conn, labels)
        if len(_expected) >= EXPECTED_MAX:
            _expected.clear()
        _expected[principal] = labels
    return viewer


def memberships(conn: Connection, at: datetime) -> Mapping[str, frozenset[str]]:
    """Networks by partner, as they hold at that moment."""
    return _networks(_MEMBERS.rows(conn, {})[0].docs, at.date())


@lru_cache(maxsize=8)
def _networks(docs: str | None, day: date) -> Mapping[str, frozenset[str]]:
    """The same of the partners' records, with a comma between: they change seldom, and every read asks."""
    return {one.id: frozenset(one.networks_on(day)) for one in _PARTNERS.validate_json(f"[{docs or ''}]")}
