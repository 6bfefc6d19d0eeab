"""The second line on PostgreSQL: rows of cases are shown to their parties alone, whatever a statement asks.

Our own statements ask for what a viewer may see (the first line). Should one of them forget to, the policies
of this file leave out the rows all the same. They compare labels for equality
(docs/decisions/0007-party-labels.md) with those that `see_as` has set for the transaction: without it there
are no rows at all. SQLite has nothing of the kind: its process is the only one.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, Text, bindparam, func, literal_column, select, text, true

from hub.domain.networks import Network
from hub.domain.opportunities import Opportunity
from hub.domain.partners import Partner
from hub.domain.referrals import POOL_PREFIX, partner_label
from hub.domain.services import Service
from hub.store.prepared import Prepared
from hub.store.roles import INSPECTOR, INTAKE, PROJECTOR, READER
from hub.store.tables import (
    audit_reader,
    audit_row,
    delivery,
    entry_party,
    inbox,
    record,
    referral_party,
    referral_row,
    verdict,
)

SETTING = "hub.labels"
PUBLIC_KINDS = tuple(sorted(kind.kind for kind in (Service, Opportunity, Partner, Network)))

# In a subquery of its own it is computed once a statement, and not for each row.
_LABELS = f"(SELECT string_to_array(current_setting('{SETTING}', true), ' '))::text[]"
# The planner knows nothing of a setting: it would reckon with one row of a hundred.
_ANY_VIEWER = f"(SELECT coalesce(current_setting('{SETTING}', true), '') <> '')"
SETS_LABELS = func.set_config(literal_column(f"'{SETTING}'"), bindparam("labels", type_=Text()), true())
"""The column of a statement of PostgreSQL that does what `see_as` does, for the next statements."""
_SEE_AS = Prepared(select(SETS_LABELS))


def setting(labels: Iterable[str]) -> str:
    """The labels as the policies read them."""
    return " ".join(sorted(labels))


def see_as(conn: Connection, labels: str) -> None:
    """From here to the end of the transaction, show the rows of cases that one of the labels is a party to.

    labels: as `setting` writes them. They never outlive the transaction: the next one on the connection
    begins with no rows.
    """
    if conn.dialect.name == "postgresql":
        _SEE_AS.rows(conn, {"labels": labels})


def conditions(schema: str) -> dict[str, str]:
    """What must hold for a row to be shown, by table of the read model in that schema."""
    kinds = ", ".join(f"'{kind}'" for kind in PUBLIC_KINDS)
    stake = (
        f'SELECT FROM "{schema}".{referral_party.name} AS party WHERE party.firm = {record.name}.key'
        f" AND party.label NOT LIKE '{POOL_PREFIX}%'"
    )
    told = f'SELECT FROM "{schema}".{audit_reader.name} AS told WHERE told.seq = {audit_row.name}.seq'
    of_row = f"string_to_array(parties, ' ') && ({_LABELS})"
    return {
        referral_party.name: f"label = ANY ({_LABELS})",
        referral_row.name: of_row,
        entry_party.name: f"label = ANY ({_LABELS})",
        # Whose consent opens what is judged over the whole state of a firm (hub.domain.firms), so that it is
        # shown as a whole to whoever has a stake in the firm. To be offered a case shows that case alone.
        record.name: f"kind IN ({kinds}) OR {of_row} OR EXISTS ({stake})",
        audit_reader.name: f"label = ANY ({_LABELS})",
        audit_row.name: f"EXISTS ({told})",
        verdict.name: _ANY_VIEWER,
    }


def conditions_of_truth() -> dict[str, str]:
    """The same of tables of the truth. It cannot ask the read model, which is swapped by renaming."""
    return {
        inbox.name: _ANY_VIEWER,
        delivery.name: f"'{partner_label('')}' || partner = ANY ({_LABELS})",
    }


def secure(conn: Connection, schema: str) -> None:
    """Put the policies on a read model that was just made; also its owner reads rows by a policy."""
    for table, condition in conditions(schema).items():
        name = f'"{schema}".{table}'
        _execute(
            conn,
            f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY parties ON {name} FOR SELECT TO {READER} USING ({condition})",
            f"CREATE POLICY work ON {name} TO {PROJECTOR}, {INSPECTOR}, CURRENT_USER USING (true)",
        )


def secure_truth(conn: Connection) -> None:
    """Put the policies on the truth; run after every migration.

    They do not bind the owner: pg_dump refuses tables of which a policy could leave rows out.
    """
    for name, condition in conditions_of_truth().items():
        _execute(
            conn,
            f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY",
            f"DROP POLICY IF EXISTS parties ON {name}",
            f"DROP POLICY IF EXISTS work ON {name}",
            f"CREATE POLICY parties ON {name} FOR SELECT TO {READER} USING ({condition})",
            f"CREATE POLICY work ON {name} TO {INTAKE}, {PROJECTOR}, {INSPECTOR} USING (true)",
        )


def _execute(conn: Connection, *statements: str) -> None:
    for statement in statements:
        conn.execute(text(statement))
