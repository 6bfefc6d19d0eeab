"""The truth of what was accepted: kept for good."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, LargeBinary, PrimaryKeyConstraint, Table, literal_column

from hub.domain.principal import HUB
from hub.domain.registry import NETWORK
from hub.store.tables.columns import Number, String, truth

# Written out, because an index of some rows is found by the text of its condition.
OF_NO_PARTNER = literal_column(f"partner = '{HUB}'", Boolean())
OF_NETWORK = literal_column(f"topic = '{NETWORK}'", Boolean())

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
    # A page of the ledger is read where it begins: what a partner sent, what a client of no partner sent, and
    # what is about a partner or network itself.
    Index("inbox_partner", "partner", "seq"),
    Index("inbox_client", "client", "seq", sqlite_where=OF_NO_PARTNER, postgresql_where=OF_NO_PARTNER),
    Index("inbox_network", "key", "seq", sqlite_where=OF_NETWORK, postgresql_where=OF_NETWORK),
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
