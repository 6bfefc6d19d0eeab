"""The read model: it can be thrown away and folded again."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, PrimaryKeyConstraint, Table

from hub.store.tables.columns import Number, String, read

record = Table(
    "record",
    read,
    # The state of every key: what a fold reads and returns.
    Column("key", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("id", String, nullable=False),
    Column("version", Number, nullable=False),  # seq of the last event that changed it
    Column("doc", String, nullable=False),
    Column("parties", String),  # of referrals, as in referral_row; null for all else
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
    Column("parties", String, nullable=False),  # labels with spaces between, for row-level security alone
    Column("updated_at", String, nullable=False),
    PrimaryKeyConstraint("firm", "id"),
)

referral_party = Table(
    "referral_party",
    read,
    # Who may see a referral, by equality alone: labels as in hub.domain.referrals. Under the empty id: who
    # has a stake in the firm itself (hub.store.stakes).
    Column("label", String, nullable=False),
    Column("firm", String, nullable=False),
    Column("id", String, nullable=False),
    # As of the referral: a list is read where it begins. Empty and 0 of a stake.
    Column("state", String, nullable=False),
    Column("updated_at", String, nullable=False),
    Column("version", Number, nullable=False),
    PrimaryKeyConstraint("label", "firm", "id"),
    Index("referral_party_referral", "firm", "id"),
    Index("referral_party_updated", "label", "updated_at", "id", "version", "firm"),
    Index("referral_party_state", "label", "state", "updated_at", "id", "version", "firm"),
)

entry_party = Table(
    "entry_party",
    read,
    # Who may see an entry of the ledger because it is about a referral: for each verdict on one, the labels
    # that the referral has now.
    Column("label", String, nullable=False),
    Column("seq", Number, nullable=False),
    PrimaryKeyConstraint("label", "seq"),
)

audit_row = Table(
    "audit_row",
    read,
    # What the audit log is filtered by; what was recorded is the event in the inbox.
    Column("seq", Number, primary_key=True, autoincrement=False),
    Column("key", String, nullable=False, index=True),
    Column("act", String, nullable=False),
    Column("outcome", String, nullable=False),  # done, or refused: by who answered, or by the fold
    Column("code", String),  # of the refusal
    Column("actor", String, nullable=False),  # client:<id> or person:<id>
    Index("audit_row_actor", "actor", "seq"),
    Index("audit_row_act", "act", "seq"),
)

audit_reader = Table(
    "audit_reader",
    read,
    # Who may read a record, by equality alone: labels as in hub.domain.audit.
    Column("label", String, nullable=False),
    Column("seq", Number, nullable=False),
    PrimaryKeyConstraint("label", "seq"),
    # By hash: the newest of a label that has none would be looked for in the order of all, to the end.
    Index("audit_reader_seq", "seq", postgresql_using="hash"),
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
