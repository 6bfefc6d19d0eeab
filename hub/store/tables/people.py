"""People with a login: who they are, how they prove it, and where they are signed in."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKeyConstraint, Index, LargeBinary, PrimaryKeyConstraint, Table

from hub.store.tables.columns import Number, String, truth

person = Table(
    "person",
    truth,
    Column("id", String, primary_key=True),
    Column("audience", String, nullable=False),
    Column("partner", String),
    Column("networks", String),  # JSON array of slugs; null: all
    Column("scopes", String, nullable=False),  # JSON array: the grant
    Column("suspended", Boolean, nullable=False),
    Column("created_at", String, nullable=False),
    Column("login", LargeBinary, unique=True),  # keyed digest of the e-mail address; null: erased
    Column("sealed", LargeBinary),  # address and name, under the person's own key
    Column("password", String),  # argon2id; null: none yet
    Column("totp", LargeBinary),  # secret, under the hub's key
    Column("totp_step", Number, nullable=False),  # of the last code: none of it or before counts again
    Column("openid", LargeBinary, unique=True),  # keyed digest of issuer and subject at the other provider
    Column("generation", Number, nullable=False),  # sessions and tokens of earlier ones have ended
)

person_recovery = Table(
    "person_recovery",
    truth,
    Column("digest", LargeBinary, primary_key=True),  # keyed, of person and code
    Column("person", String, nullable=False),
    ForeignKeyConstraint(["person"], ["person.id"]),
    Index("person_recovery_person", "person"),
)

person_link = Table(
    "person_link",
    truth,
    Column("digest", LargeBinary, primary_key=True),  # of the secret in the link
    Column("person", String, nullable=False),
    Column("totp", LargeBinary, nullable=False),  # the secret that the page offers, under the hub's key
    Column("ends_at_s", Number, nullable=False),
    ForeignKeyConstraint(["person"], ["person.id"]),
    Index("person_link_person", "person"),
)

person_session = Table(
    "person_session",
    truth,
    Column("digest", LargeBinary, primary_key=True),  # of the cookie's value
    Column("id", String, nullable=False, unique=True),  # what the list of sessions calls it
    Column("person", String, nullable=False),
    Column("generation", Number, nullable=False),
    Column("device", String, nullable=False),
    Column("started_at_s", Number, nullable=False),
    Column("seen_at_s", Number, nullable=False),
    Column("confirmed_at_s", Number),  # when a second factor was last shown; null: not signed in yet
    ForeignKeyConstraint(["person"], ["person.id"]),
    Index("person_session_person", "person"),
    Index("person_session_seen_at_s", "seen_at_s"),
)

sign_in_try = Table(
    "sign_in_try",
    truth,
    Column("digest", LargeBinary, primary_key=True),  # keyed, of what is counted: account, address
    Column("tries", Number, nullable=False),
    Column("ends_at_s", Number, nullable=False),
    Index("sign_in_try_ends_at_s", "ends_at_s"),
)

oauth_redirect = Table(
    "oauth_redirect",
    truth,
    Column("client_id", String, nullable=False),
    Column("uri", String, nullable=False),  # where the client's people may be sent back to
    PrimaryKeyConstraint("client_id", "uri"),
    ForeignKeyConstraint(["client_id"], ["oauth_client.client_id"]),
)

oauth_code = Table(
    "oauth_code",
    truth,
    Column("digest", LargeBinary, primary_key=True),  # of the authorization code
    Column("client_id", String, nullable=False),
    Column("person", String, nullable=False),
    Column("generation", Number, nullable=False),
    Column("redirect_uri", String, nullable=False),
    Column("challenge", String, nullable=False),
    Column("scope", String, nullable=False),
    Column("dpop_jkt", String),
    Column("confirmed_at_s", Number, nullable=False),
    Column("ends_at_s", Number, nullable=False),
    Column("jti", String),  # of the token that it gave; null: not used yet
    ForeignKeyConstraint(["client_id"], ["oauth_client.client_id"]),
    ForeignKeyConstraint(["person"], ["person.id"]),
    Index("oauth_code_ends_at_s", "ends_at_s"),
)
