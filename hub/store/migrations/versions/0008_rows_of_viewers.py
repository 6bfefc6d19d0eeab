"""Readers see rows of the inbox and of deliveries by a viewer alone, and nothing of clients and people.

No table changes. Rights and policies are put on anew after every migration (hub/store/roles.py,
hub/store/row_security.py).
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing but rights and policies."""


def downgrade() -> None:
    """Give back what readers of an older version need."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in ("inbox", "delivery"):
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
        op.execute(f"DROP POLICY IF EXISTS parties ON {table}")
        op.execute(f"DROP POLICY IF EXISTS work ON {table}")
    op.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO hub_reader")
    op.execute("REVOKE ALL ON alembic_version, identity, reference, relay, parked FROM hub_reader")
