"""Every table. ``truth`` is migrated and kept for good; ``read`` can be thrown away and folded again."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from hub.store.engine import READ_SCHEMA

truth = MetaData()
read = MetaData(schema=READ_SCHEMA)
# 64 bits everywhere; SQLite keeps a table by its primary key only when that is called INTEGER.
Number = BigInteger().with_variant(Integer(), "sqlite")
# Sorted and compared by bytes on every engine, so that cursors and hashes agree.
String = Text().with_variant(Text(collation="C"), "postgresql")

inbox = Table(
    "inbox",
    truth,
    Column("seq", Number, primary_key=True, autoincrement=False),
    Column("partner", String, nullable=False),
    Column("client", String, nullable=False),
    Column("type", String, nullable=False),
    Column("topic", String, nullable=False),
    Column("key", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("accepted_at", String, nullable=False),  # RFC 3339, UTC, as in the commitment
    Column("event", String, nullable=False),  # JSON; personal members sealed, firms as surrogates
    Column("resolved", String, nullable=False),  # JSON: what stood under other keys on acceptance
    Column("subjects", String, nullable=False),  # JSON array of surrogates whose keys seal members and salt
    Column("salt", LargeBinary, nullable=False),  # sealed under each of the subjects in turn
    Column("commitment", LargeBinary, nullable=False),
)

identity = Table(
    "identity",
    truth,
    Column("partner", String, nullable=False),
    Column("source", String, nullable=False),
    Column("event_id", String, nullable=False),
    Column("seq", Number, nullable=False, unique=True),
    Column("digest", LargeBinary, nullable=False),  # HMAC of the canonical content
    PrimaryKeyConstraint("partner", "source", "event_id"),
)

reference = Table(
    "reference",
    truth,
    # What accepted events brought into being: hub.domain.references.
    Column("kind", String, nullable=False),
    Column("id", String, nullable=False),
    Column("owner", String, nullable=False),
    Column("target", String, nullable=False, server_default=""),
    Column("live", Boolean, nullable=False),
    PrimaryKeyConstraint("kind", "id", "owner"),
)

subject_key = Table(
    "subject_key",
    truth,
    Column("surrogate", String, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),  # HMAC of the wire id; survives erasure
    Column("wrapped_key", LargeBinary),  # null once erased
    Column("sealed_id", LargeBinary),  # the wire id under its own key; null once erased
    Column("erased_at", String),
)

leaf = Table(
    "leaf",
    truth,
    Column("leaf_index", Number, primary_key=True, autoincrement=False),
    Column("seq", Number, nullable=False, unique=True),
)

tile = Table(
    "tile",
    truth,
    Column("level", Number, nullable=False),
    Column("position", Number, nullable=False),
    Column("hashes", LargeBinary, nullable=False),
    PrimaryKeyConstraint("level", "position"),
)

checkpoint = Table(
    "checkpoint",
    truth,
    Column("size", Number, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", String, nullable=False),
)

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
    Column("added_at", String, nullable=False),
    Column("retired_at", String),
    PrimaryKeyConstraint("client_id", "kid"),
    ForeignKeyConstraint(["client_id"], ["oauth_client.client_id"]),
)

oauth_jti = Table(
    "oauth_jti",
    truth,
    Column("digest", LargeBinary, primary_key=True),  # of issuer and jti
    Column("expires_at", Number, nullable=False),  # seconds since 1970
    Index("oauth_jti_expires_at", "expires_at"),
)

relay = Table(
    "relay",
    truth,
    # How far the log has been told: the whole tree under lane "", and the last event of each lane.
    Column("lane", String, primary_key=True),
    Column("leaf", Number, nullable=False),  # "": the next leaf index to publish; a lane: its last one
    Column("log", String),  # "": identity of cluster and topics that this is true of
)

delivery = Table(
    "delivery",
    truth,
    # What a partner wrote to its own topic, and what became of it.
    Column("partner", String, nullable=False),
    Column("topic_id", String, nullable=False),
    Column("partition", Number, nullable=False),
    Column("log_offset", Number, nullable=False),
    Column("seqs", String),  # JSON array: of the accepted events, or of earlier ones that these repeat
    Column("problem", LargeBinary),  # sealed JSON: status, code, message, remedy; null when accepted
    Column("at", String, nullable=False),
    PrimaryKeyConstraint("partner", "topic_id", "partition", "log_offset"),
    Index("delivery_at", "partner", "at"),  # A partner's newest topic is that of its newest delivery.
)

parked = Table(
    "parked",
    truth,
    # Messages of the log that nobody can read; kept until somebody has looked at them.
    Column("id", String, primary_key=True),  # topic/partition/offset, and the topic's id
    Column("partner", String),  # whose topic it stood in; null for the hub's own
    Column("error", String, nullable=False),
    Column("content", LargeBinary, nullable=False),  # sealed
    Column("parked_at", String, nullable=False),
    Column("replayed_at", String),
    Column("published", Boolean, nullable=False),
)

record = Table(
    "record",
    read,
    # The state of every key: what a fold reads and returns.
    Column("key", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("id", String, nullable=False),
    Column("version", Number, nullable=False),  # seq of the last event that changed it
    Column("doc", String, nullable=False),
    PrimaryKeyConstraint("key", "kind", "id"),
    Index("record_kind_id", "kind", "id"),
)

verdict = Table(
    "verdict",
    read,
    Column("seq", Number, primary_key=True, autoincrement=False),
    Column("status", String, nullable=False),  # applied, refused, parked
    Column("code", String),
    Column("message", String),
    Column("remedy", String),
    Column("key", String, nullable=False),
    Column("referral", String),  # the referral that the event is about, for those who are parties to it
    Index("verdict_referral", "key", "referral"),
)

service_row = Table(
    "service_row",
    read,
    # What the catalogue searches and sorts by; the service itself is in `record`.
    Column("id", String, primary_key=True),
    Column("partner", String, nullable=False, index=True),
    Column("service_type", String, nullable=False),
    Column("status", String, nullable=False),
    Column("name", String, nullable=False),  # folded, for sorting
    Column("search", String, nullable=False),  # folded text of every language
    Column("free", Boolean),
    Column("ends_on", String),
    Column("updated_at", String, nullable=False),
)

opportunity_row = Table(
    "opportunity_row",
    read,
    Column("id", String, primary_key=True),
    Column("partner", String, nullable=False, index=True),
    Column("opportunity_type", String, nullable=False),
    Column("country", String, nullable=False),
    Column("title", String, nullable=False),
    Column("search", String, nullable=False),
    Column("open_for_interest", Boolean, nullable=False),
    Column("published_on", String, nullable=False),
    Column("expires_on", String, nullable=False),
)

tag = Table(
    "tag",
    read,
    # Values that filters name; hierarchical codes stand at every level (62.10: 62, 62.1, 62.10).
    Column("item", String, nullable=False),
    Column("name", String, nullable=False),
    Column("value", String, nullable=False),
    PrimaryKeyConstraint("name", "value", "item"),
    Index("tag_item", "item"),
)

referral_row = Table(
    "referral_row",
    read,
    Column("firm", String, nullable=False),
    Column("id", String, nullable=False),
    Column("state", String, nullable=False),
    Column("network", String, nullable=False),
    Column("requester", String, nullable=False),
    Column("owner", String),
    Column("service", String),
    Column("part_of", String),
    Column("updated_at", String, nullable=False),
    PrimaryKeyConstraint("firm", "id"),
    Index("referral_row_updated", "updated_at", "id"),
)

referral_party = Table(
    "referral_party",
    read,
    # Who may see a referral, by equality alone: labels as in hub.domain.referrals.
    Column("label", String, nullable=False),
    Column("firm", String, nullable=False),
    Column("id", String, nullable=False),
    PrimaryKeyConstraint("label", "firm", "id"),
    Index("referral_party_referral", "firm", "id"),
)

position = Table(
    "position",
    read,
    # How far each lane is folded: "inbox" is the whole tree in order, "topic/partition" a part of it.
    Column("lane", String, primary_key=True),
    Column("leaf", Number, nullable=False),  # every event of the lane below this leaf index is folded
    Column("events", Number, nullable=False),  # how many were folded through this row
    Column("topic_id", String),  # of the log that `log_offset` counts in; null for the inbox
    Column("log_offset", Number),  # the next one to read
)

model = Table(
    "model",
    read,
    Column("fingerprint", String, primary_key=True),  # of the tables and of what fills them
)
