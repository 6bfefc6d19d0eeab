"""A page of the ledger is read where it begins: entries by sender, and those about partners and networks."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

OF_NO_PARTNER, OF_NETWORK = sa.text("partner = 'hub'"), sa.text("topic = 'hub.network.v1'")


def upgrade() -> None:
    op.create_index("inbox_partner", "inbox", ["partner", "seq"])
    op.create_index(
        "inbox_client",
        "inbox",
        ["client", "seq"],
        sqlite_where=OF_NO_PARTNER,
        postgresql_where=OF_NO_PARTNER,
    )
    op.create_index(
        "inbox_network", "inbox", ["key", "seq"], sqlite_where=OF_NETWORK, postgresql_where=OF_NETWORK
    )


def downgrade() -> None:
    for name in ("inbox_network", "inbox_client", "inbox_partner"):
        op.drop_index(name, "inbox")
