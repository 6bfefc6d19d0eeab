"""Who may ask for what: OAuth clients and their keys."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKeyConstraint, Index, LargeBinary, PrimaryKeyConstraint, Table

from hub.store.tables.columns import Number, String, truth

oauth_client = Table(
    "oauth_client",
    truth,
    Column("client_id", String, primary_key=True),
    Column("partner", String),
    Column("audience", String, nullable=False),
    Column("source_prefix", String, nullable=False),
    Column("networks", String),  # JSON array of slugs; null: all
    Column("scopes", String, nullable=False),  # JSON array: the grant
    Column("bearer", Boolean, nullable=False),  # the recorded waiver of DPoP
    Column("suspended", Boolean, nullable=False),
    Column("created_at", String, nullable=False),
)

oauth_client_key = Table(
    "oauth_client_key",
    truth,
    Column("client_id", String, nullable=False),
    Column("kid", String, nullable=False),
    Column("jwk", String, nullable=False),
    Column("thumbprint", String, nullable=False),
    Column("added_at", String, nullable=False),
    Column("retired_at", String),
    PrimaryKeyConstraint("client_id", "kid"),
    ForeignKeyConstraint(["client_id"], ["oauth_client.client_id"]),
    Index("oauth_client_key_thumbprint", "thumbprint"),
)

oauth_jti = Table(
    "oauth_jti",
    truth,
    Column("digest", LargeBinary, primary_key=True),  # of issuer and jti
    Column("expires_at", Number, nullable=False),  # seconds since 1970
    Index("oauth_jti_expires_at", "expires_at"),
)

oauth_revoked = Table(
    "oauth_revoked",
    truth,
    Column("jti", String, primary_key=True),  # of an access token
    Column("expires_at", Number, nullable=False),  # seconds since 1970
)
