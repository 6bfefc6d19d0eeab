"""How partners come in and get on: applications, requests for scopes, and when a key was last used."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKeyConstraint, Index, LargeBinary, PrimaryKeyConstraint, Table

from hub.store.tables.columns import Number, String, truth

application = Table(
    "application",
    truth,
    Column("id", String, primary_key=True),
    Column("secret", LargeBinary, nullable=False, unique=True),  # digest of what its status is asked with
    Column("address", LargeBinary, nullable=False),  # keyed digest of where it came from
    Column("network", String, nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # all that the applicant told, under the hub's key
    Column("state", String, nullable=False),  # open, approved or refused
    Column("made_at_s", Number, nullable=False),
    Column("answer", LargeBinary),  # why it was refused, under the hub's key
    Index("application_made_at_s", "made_at_s"),
)

scope_request = Table(
    "scope_request",
    truth,
    Column("id", String, primary_key=True),
    Column("client_id", String, nullable=False),
    Column("scopes", String, nullable=False),  # JSON array: asked for
    Column("reason", LargeBinary, nullable=False),  # in free words, under the hub's key
    Column("state", String, nullable=False),  # open, approved or refused
    Column("made_at", String, nullable=False),
    Column("decided_at", String),
    Column("answer", LargeBinary),  # why it was refused, under the hub's key
    ForeignKeyConstraint(["client_id"], ["oauth_client.client_id"]),
    Index("scope_request_state", "state", "made_at"),
    Index("scope_request_client_id", "client_id"),
)

key_use = Table(
    "key_use",
    truth,
    Column("client_id", String, nullable=False),
    Column("kid", String, nullable=False),
    Column("last_used_at", String, nullable=False),
    PrimaryKeyConstraint("client_id", "kid"),
)
