"""Tokens for people: where clients may be sent back to, and codes that are good once."""

import sqlalchemy as sa
from alembic import op

from hub.store.tables import Number, String

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "oauth_redirect",
        sa.Column("client_id", String, nullable=False),
        sa.Column("uri", String, nullable=False),
        sa.PrimaryKeyConstraint("client_id", "uri"),
        sa.ForeignKeyConstraint(["client_id"], ["oauth_client.client_id"]),
    )
    op.create_table(
        "oauth_code",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("client_id", String, nullable=False),
        sa.Column("person", String, nullable=False),
        sa.Column("generation", Number, nullable=False),
        sa.Column("redirect_uri", String, nullable=False),
        sa.Column("challenge", String, nullable=False),
        sa.Column("scope", String, nullable=False),
        sa.Column("dpop_jkt", String, nullable=True),
        sa.Column("confirmed_at_s", Number, nullable=False),
        sa.Column("ends_at_s", Number, nullable=False),
        sa.Column("jti", String, nullable=True),
        sa.PrimaryKeyConstraint("digest"),
        sa.ForeignKeyConstraint(["client_id"], ["oauth_client.client_id"]),
        sa.ForeignKeyConstraint(["person"], ["person.id"]),
    )
    op.create_index("oauth_code_ends_at_s", "oauth_code", ["ends_at_s"])


def downgrade() -> None:
    op.drop_table("oauth_code")
    op.drop_table("oauth_redirect")
