"""Access tokens that were revoked before their end."""

import sqlalchemy as sa
from alembic import op

from hub.store.tables import Number, String

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "oauth_revoked",
        sa.Column("jti", String, nullable=False),
        sa.Column("expires_at", Number, nullable=False),
        sa.PrimaryKeyConstraint("jti"),
    )


def downgrade() -> None:
    op.drop_table("oauth_revoked")
