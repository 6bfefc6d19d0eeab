"""The truth: inbox, identities, references, keys, clients, tree."""

import sqlalchemy as sa
from alembic import op

from hub.store.tables import Number, String

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _inbox()
    _ledger()
    _clients()


def downgrade() -> None:
    op.drop_table("oauth_client_key")
    op.drop_table("tile")
    op.drop_table("subject_key")
    op.drop_table("reference")
    with op.batch_alter_table("oauth_jti", schema=None) as batch_op:
        batch_op.drop_index("oauth_jti_expires_at")

    op.drop_table("oauth_jti")
    op.drop_table("oauth_client")
    op.drop_table("leaf")
    op.drop_table("inbox")
    op.drop_table("identity")
    op.drop_table("checkpoint")


def _inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("seq", Number, autoincrement=False, nullable=False),
        sa.Column("partner", String, nullable=False),
        sa.Column("client", String, nullable=False),
        sa.Column("type", String, nullable=False),
        sa.Column("topic", String, nullable=False),
        sa.Column("key", String, nullable=False),
        sa.Column("subject", String, nullable=False),
        sa.Column("accepted_at", String, nullable=False),
        sa.Column("event", String, nullable=False),
        sa.Column("resolved", String, nullable=False),
        sa.Column("subjects", String, nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_table(
        "identity",
        sa.Column("partner", String, nullable=False),
        sa.Column("source", String, nullable=False),
        sa.Column("event_id", String, nullable=False),
        sa.Column("seq", Number, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("partner", "source", "event_id"),
        sa.UniqueConstraint("seq"),
    )
    op.create_table(
        "reference",
        sa.Column("kind", String, nullable=False),
        sa.Column("id", String, nullable=False),
        sa.Column("owner", String, nullable=False),
        sa.Column("target", String, server_default="", nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "id", "owner"),
    )
    op.create_table(
        "subject_key",
        sa.Column("surrogate", String, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_id", sa.LargeBinary(), nullable=True),
        sa.Column("erased_at", String, nullable=True),
        sa.PrimaryKeyConstraint("surrogate"),
        sa.UniqueConstraint("digest"),
    )


def _ledger() -> None:
    op.create_table(
        "leaf",
        sa.Column("leaf_index", Number, autoincrement=False, nullable=False),
        sa.Column("seq", Number, nullable=False),
        sa.PrimaryKeyConstraint("leaf_index"),
        sa.UniqueConstraint("seq"),
    )
    op.create_table(
        "tile",
        sa.Column("level", Number, nullable=False),
        sa.Column("position", Number, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "position"),
    )
    op.create_table(
        "checkpoint",
        sa.Column("size", Number, autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", String, nullable=False),
        sa.PrimaryKeyConstraint("size"),
    )


def _clients() -> None:
    op.create_table(
        "oauth_client",
        sa.Column("client_id", String, nullable=False),
        sa.Column("partner", String, nullable=True),
        sa.Column("audience", String, nullable=False),
        sa.Column("source_prefix", String, nullable=False),
        sa.Column("networks", String, nullable=True),
        sa.Column("scopes", String, nullable=False),
        sa.Column("bearer", sa.Boolean(), nullable=False),
        sa.Column("suspended", sa.Boolean(), nullable=False),
        sa.Column("created_at", String, nullable=False),
        sa.PrimaryKeyConstraint("client_id"),
    )
    op.create_table(
        "oauth_client_key",
        sa.Column("client_id", String, nullable=False),
        sa.Column("kid", String, nullable=False),
        sa.Column("jwk", String, nullable=False),
        sa.Column("added_at", String, nullable=False),
        sa.Column("retired_at", String, nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["oauth_client.client_id"],
        ),
        sa.PrimaryKeyConstraint("client_id", "kid"),
    )
    op.create_table(
        "oauth_jti",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", Number, nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    with op.batch_alter_table("oauth_jti", schema=None) as batch_op:
        batch_op.create_index("oauth_jti_expires_at", ["expires_at"], unique=False)
