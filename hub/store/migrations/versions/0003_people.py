"""People with a login: credentials, links, sessions, and how often somebody tried to sign in."""

import sqlalchemy as sa
from alembic import op

from hub.store.tables import Number, String

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "person",
        sa.Column("id", String, nullable=False),
        sa.Column("audience", String, nullable=False),
        sa.Column("partner", String, nullable=True),
        sa.Column("networks", String, nullable=True),
        sa.Column("scopes", String, nullable=False),
        sa.Column("suspended", sa.Boolean(), nullable=False),
        sa.Column("created_at", String, nullable=False),
        sa.Column("login", sa.LargeBinary(), nullable=True, unique=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("password", String, nullable=True),
        sa.Column("totp", sa.LargeBinary(), nullable=True),
        sa.Column("totp_step", Number, nullable=False),
        sa.Column("openid", sa.LargeBinary(), nullable=True, unique=True),
        sa.Column("generation", Number, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    _credentials()
    _sessions()


def downgrade() -> None:
    for name in ("sign_in_try", "person_session", "person_link", "person_recovery", "person"):
        op.drop_table(name)


def _credentials() -> None:
    op.create_table(
        "person_recovery",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("person", String, nullable=False),
        sa.PrimaryKeyConstraint("digest"),
        sa.ForeignKeyConstraint(["person"], ["person.id"]),
    )
    op.create_index("person_recovery_person", "person_recovery", ["person"])
    op.create_table(
        "person_link",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("person", String, nullable=False),
        sa.Column("totp", sa.LargeBinary(), nullable=False),
        sa.Column("ends_at_s", Number, nullable=False),
        sa.PrimaryKeyConstraint("digest"),
        sa.ForeignKeyConstraint(["person"], ["person.id"]),
    )
    op.create_index("person_link_person", "person_link", ["person"])


def _sessions() -> None:
    op.create_table(
        "person_session",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("id", String, nullable=False, unique=True),
        sa.Column("person", String, nullable=False),
        sa.Column("generation", Number, nullable=False),
        sa.Column("device", String, nullable=False),
        sa.Column("started_at_s", Number, nullable=False),
        sa.Column("seen_at_s", Number, nullable=False),
        sa.Column("confirmed_at_s", Number, nullable=True),
        sa.PrimaryKeyConstraint("digest"),
        sa.ForeignKeyConstraint(["person"], ["person.id"]),
    )
    op.create_index("person_session_person", "person_session", ["person"])
    op.create_index("person_session_seen_at_s", "person_session", ["seen_at_s"])
    op.create_table(
        "sign_in_try",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("tries", Number, nullable=False),
        sa.Column("ends_at_s", Number, nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("sign_in_try_ends_at_s", "sign_in_try", ["ends_at_s"])
