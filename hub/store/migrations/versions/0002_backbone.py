"""The backbone: how far the log was told, what partners wrote to their topics, and what nobody can read."""

import sqlalchemy as sa
from alembic import op

from hub.store.tables import Number, String

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "relay",
        sa.Column("lane", String, nullable=False),
        sa.Column("leaf", Number, nullable=False),
        sa.Column("log", String, nullable=True),
        sa.PrimaryKeyConstraint("lane"),
    )
    op.create_table(
        "delivery",
        sa.Column("partner", String, nullable=False),
        sa.Column("topic_id", String, nullable=False),
        sa.Column("partition", Number, nullable=False),
        sa.Column("log_offset", Number, nullable=False),
        sa.Column("seqs", String, nullable=True),
        sa.Column("problem", sa.LargeBinary(), nullable=True),
        sa.Column("at", String, nullable=False),
        sa.PrimaryKeyConstraint("partner", "topic_id", "partition", "log_offset"),
    )
    op.create_index("delivery_at", "delivery", ["partner", "at"])
    op.create_table(
        "parked",
        sa.Column("id", String, nullable=False),
        sa.Column("partner", String, nullable=True),
        sa.Column("error", String, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("parked_at", String, nullable=False),
        sa.Column("replayed_at", String, nullable=True),
        sa.Column("published", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    op.drop_table("parked")
    op.drop_table("delivery")
    op.drop_table("relay")
