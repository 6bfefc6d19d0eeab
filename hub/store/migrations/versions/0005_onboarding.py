"""Onboarding: applications, requests for scopes, last use, and thumbprints to know a key again by."""

import json

import sqlalchemy as sa
from alembic import op

from hub.store.tables import Number, String
from hub.store.thumbprint import thumbprint

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "application",
        sa.Column("id", String, primary_key=True),
        sa.Column("secret", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("address", sa.LargeBinary, nullable=False),
        sa.Column("network", String, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("state", String, nullable=False),
        sa.Column("made_at_s", Number, nullable=False),
        sa.Column("answer", sa.LargeBinary),
    )
    op.create_index("application_made_at_s", "application", ["made_at_s"])
    op.create_table(
        "scope_request",
        sa.Column("id", String, primary_key=True),
        sa.Column("client_id", String, nullable=False),
        sa.Column("scopes", String, nullable=False),
        sa.Column("reason", sa.LargeBinary, nullable=False),
        sa.Column("state", String, nullable=False),
        sa.Column("made_at", String, nullable=False),
        sa.Column("decided_at", String),
        sa.Column("answer", sa.LargeBinary),
        sa.ForeignKeyConstraint(["client_id"], ["oauth_client.client_id"]),
    )
    op.create_index("scope_request_state", "scope_request", ["state", "made_at"])
    op.create_index("scope_request_client_id", "scope_request", ["client_id"])
    op.create_table(
        "key_use",
        sa.Column("client_id", String, nullable=False),
        sa.Column("kid", String, nullable=False),
        sa.Column("last_used_at", String, nullable=False),
        sa.PrimaryKeyConstraint("client_id", "kid"),
    )
    op.add_column("oauth_client_key", sa.Column("thumbprint", String, nullable=True))
    keys = sa.table(
        "oauth_client_key",
        sa.column("client_id"),
        sa.column("kid"),
        sa.column("jwk"),
        sa.column("thumbprint"),
    )
    conn = op.get_bind()
    for row in conn.execute(sa.select(keys.c.client_id, keys.c.kid, keys.c.jwk)).all():
        conn.execute(
            sa.update(keys)
            .where(keys.c.client_id == row.client_id, keys.c.kid == row.kid)
            .values(thumbprint=thumbprint(json.loads(row.jwk)))
        )
    with op.batch_alter_table("oauth_client_key") as table:
        table.alter_column("thumbprint", existing_type=String, nullable=False)
    op.create_index("oauth_client_key_thumbprint", "oauth_client_key", ["thumbprint"])


def downgrade() -> None:
    op.drop_index("oauth_client_key_thumbprint", "oauth_client_key")
    with op.batch_alter_table("oauth_client_key") as table:
        table.drop_column("thumbprint")
    for name in ("key_use", "scope_request", "application"):
        op.drop_table(name)
