"""What a page of a long list costs: referrals and entries of the ledger, with the count and without.

The rows are made in SQL, as the projector would have written them: of ten entries three are about a referral,
of a firm of its own, and each is told to the audit log's readers, too. Four partners ask, and of a thousand
cases each of 500 small partners has one, the large ones the rest: a planner that knows nothing of the label
takes all for alike.
Measured is processor time of hub and database together. Not part of the default run: `make bench ARGS=lists`
fills a million entries on PostgreSQL, and a tenth of that on SQLite, which takes some minutes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence, Sized
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection

from benchmarks.cpu import used_s
from benchmarks.rows import Row, figure
from benchmarks.serving import scratch
from hub.domain.principal import Principal
from hub.domain.referrals import Referral
from hub.domain.refusal import Refusal
from hub.domain.scopes import DEFAULT_SCOPES, Audience
from hub.store.audit import AuditFilter, find_audit
from hub.store.engine import Store
from hub.store.entries import find_entries, get_receipts, timelines
from hub.store.opening import open_store
from hub.store.pages import Page, encode_cursor
from hub.store.referrals import ReferralFilter, find_referrals
from hub.store.schema import prepare_read_model
from hub.store.vault import Vault
from hub.store.viewers import viewer_of
from tests.support.parts import database_server

ENTRIES = 1_000_000
CASE_ENTRIES = 10
PARTNERS, LARGE, SMALL_PARTNERS, SMALL = 4, "p0", 500, "small0"
READS = 20
EPOCH = 10**12
AT = datetime(2026, 11, 22, tzinfo=UTC)
RARE = "requested"
TOLD = f"n % {CASE_ENTRIES} = 0"
REFUSED = (
    '{"act": "right.refused", "outcome": "refused", "code": "scope.missing", "actor": {"audience": "public"}}'
)


MANAGER = Principal(
    "bench", Audience.MANAGER, None, frozenset(DEFAULT_SCOPES[Audience.MANAGER]), None, "/hub/clients/bench/"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One page. list: what it is of; beyond: share of the list that stands before it."""

    list: str
    nodes: int = 20
    beyond: float = 0.0
    state: str | None = None
    counted: bool = False

    def __str__(self) -> str:
        more = [f"state {self.state}"] if self.state else []
        more += ["from the middle"] if self.beyond else []
        more += ["counted"] if self.counted else []
        return ", ".join([f"page of {self.nodes} of {self.list}", *more])


PAGES = (
    Asked("referrals"),
    Asked("referrals", beyond=0.5),
    Asked("referrals", state=RARE),
    Asked("referrals", counted=True),
    Asked("referrals", nodes=100),
    Asked("timelines"),
    Asked("ledger"),
    Asked("ledger", beyond=0.5),
    Asked("ledger", counted=True),
    Asked("receipts", nodes=1),
    Asked("audit"),
)


def measure(entries: int = ENTRIES) -> list[Row]:
    """One row for each page, for a partner with much and one with little, on both engines."""
    with scratch() as folder, database_server(folder / "server") as server:
        url = server.create_database(name := f"hub_{uuid4().hex[:12]}")
        try:
            rows = asyncio.run(_on(folder / "postgresql", url, entries))
        finally:
            server.drop_database(name)
        return rows + asyncio.run(_on(folder / "sqlite", None, entries // 10))


async def _on(folder: Path, url: str | None, entries: int) -> list[Row]:
    store = open_store(folder, url)
    try:
        await prepare_read_model(store, anew=True)
        for statement in _filling(entries, "'\\x00'::bytea" if url else "x'00'"):
            # Truth and read model are two files on SQLite, each with its writer.
            write = store.own if "INTO read." in statement else store.intake
            await write(lambda conn, statement=statement: conn.exec_driver_sql(statement))  # type: ignore[misc]
        if url:
            await store.own(lambda conn: conn.exec_driver_sql("ANALYZE"))
        engine = "PostgreSQL" if url else "SQLite"
        return [
            figure(
                f"lists, {engine}, {entries:,} entries, {whose} partner: {asked}",
                await _read(store, Vault(folder / "keys"), asked, partner, entries),
                "ms",
            )
            for whose, partner in (("large", LARGE), ("small", SMALL))
            for asked in PAGES
            if whose == "large" or asked.list != "audit"
        ]
    finally:
        await store.close()


def _filling(entries: int, nothing: str) -> list[str]:
    """Statements that both engines understand. nothing: some bytes."""
    cases = entries // CASE_ENTRIES
    small = f"j % 1000 < {SMALL_PARTNERS}"
    owner = f"CASE WHEN {small} THEN 'small' || (j % 1000) ELSE 'p' || ((j + 1) % {PARTNERS}) END"
    state = f"CASE WHEN j % 997 = 0 THEN '{RARE}' ELSE 'completed' END"
    made = f"""
        WITH RECURSIVE i(j) AS (SELECT 0 UNION ALL SELECT j + 1 FROM i WHERE j + 1 < {cases}),
        made AS (
            SELECT 'f' || j AS firm, 'r' || j AS id, 'p' || (j % {PARTNERS}) AS requester, {owner} AS owner,
                {state} AS state, {CASE_ENTRIES} * (j + 1) AS version, CAST({EPOCH} + j AS TEXT) AS at
            FROM i
        )"""
    labels = " UNION ALL ".join(
        f"SELECT {label} AS label, * FROM made"
        for label in ("'manager:*'", "'manager:net'", "'partner:' || requester", "'partner:' || owner")
    )
    parties = "'manager:* manager:net partner:' || requester || ' partner:' || owner"
    one = Referral(
        id="ID", state="accepted", network="net", requester="FROM", owner="TO", created_at=AT, updated_at=AT
    )
    doc = f"'{one.model_dump_json(exclude_defaults=True, by_alias=True)}'"
    for part, column in (("FROM", "requester"), ("TO", "owner"), ("ID", "id"), ("accepted", "state")):
        doc = f"""replace({doc}, '"{part}"', '"' || {column} || '"')"""
    seqs = f"""
        WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < {entries}),
        made AS (SELECT n, (n - 1) / {CASE_ENTRIES} AS j, (n - 1) % {CASE_ENTRIES} AS place FROM i),
        entry AS (
            SELECT n, 'f' || j AS firm, CASE WHEN place > 6 THEN 'r' || j END AS referral,
                CASE WHEN place > 7 THEN {owner} ELSE 'p' || (j % {PARTNERS}) END AS partner
            FROM made
        )"""
    event = f"""CASE WHEN {TOLD} THEN '{{"attributes": {{}}, "data": {REFUSED}}}'
        ELSE '{{"attributes": {{}}, "data": {{}}}}' END"""
    return [
        f"""INSERT INTO inbox (seq, partner, client, type, topic, key, subject, accepted_at, event, resolved,
                subjects, salt, commitment)
            {seqs} SELECT n, partner, partner, 'hub.referral.accepted.v1', 'hub.cases.v1', firm,
                coalesce(referral, 's' || n), '2026-11-22T09:00:00.000Z', {event}, '{{}}', '[]', {nothing},
                {nothing} FROM entry""",
        f"INSERT INTO leaf (leaf_index, seq) {seqs} SELECT n - 1, n FROM entry",
        f"""INSERT INTO read.verdict (seq, status, key, referral)
            {seqs} SELECT n, 'applied', firm, referral FROM entry""",
        f"""INSERT INTO read.referral_row (firm, id, state, network, requester, owner, parties, updated_at)
            {made} SELECT firm, id, state, 'net', requester, owner, {parties}, at FROM made""",
        f"""INSERT INTO read.record (key, kind, id, version, doc, parties)
            {made} SELECT firm, 'referral', id, version, {doc}, {parties} FROM made""",
        f"""INSERT INTO read.referral_party (label, firm, id, state, updated_at, version)
            {made} SELECT label, firm, id, state, at, version FROM ({labels}) AS labelled""",
        f"""INSERT INTO read.entry_party (label, seq)
            {made}, place(back) AS (SELECT 0 UNION ALL SELECT 1 UNION ALL SELECT 2)
            SELECT label, version - back FROM ({labels}) AS labelled CROSS JOIN place""",
        f"""INSERT INTO read.audit_row (seq, key, act, outcome, actor)
            {seqs} SELECT n, firm, 'right.refused', 'refused', 'client:' || partner FROM entry
            WHERE {TOLD}""",
        f"""INSERT INTO read.audit_reader (label, seq)
            {seqs} SELECT label, n FROM entry,
                (SELECT 'manager:*' AS label UNION ALL SELECT 'member:' || '{LARGE}') AS readers
            WHERE {TOLD}""",
    ]


def _partner(slug: str) -> Principal:
    granted = frozenset(DEFAULT_SCOPES[Audience.PARTNER])
    return Principal(slug, Audience.PARTNER, slug, granted, None, f"/partners/{slug}/")


def _nodes(page: Page[Any] | Refusal) -> Sequence[Any]:
    return page.nodes if isinstance(page, Page) else ()


async def _read(store: Store, vault: Vault, asked: Asked, partner: str, entries: int) -> float:
    """Milliseconds of a page."""
    cases = entries // CASE_ENTRIES
    middle = int(cases * asked.beyond)
    keys = {"referrals": [str(EPOCH + middle), "s", 0], "ledger": [middle * CASE_ENTRIES]}
    after = encode_cursor(asked.list, keys[asked.list]) if asked.beyond else None  # type: ignore[arg-type]
    filter = ReferralFilter(state=[asked.state] if asked.state else None)
    own = range(0, cases, 1_000 if partner == SMALL else PARTNERS)[: asked.nodes]
    names, seqs = [(f"f{one}", f"r{one}") for one in own], [CASE_ENTRIES * (one + 1) for one in own]
    principal = MANAGER if asked.list == "audit" else _partner(partner)

    def page(conn: Connection) -> Sized:
        viewer = viewer_of(conn, principal, AT)
        more = {"first": asked.nodes, "after": after, "counted": asked.counted}
        if asked.list == "ledger":
            return _nodes(find_entries(conn, viewer, vault, **more))  # type: ignore[arg-type]
        if asked.list == "audit":
            return _nodes(find_audit(conn, viewer, vault, filter=AuditFilter(), **more))  # type: ignore[arg-type]
        if asked.list == "receipts":
            return get_receipts(conn, viewer, vault, seqs)
        if asked.list == "timelines":
            return timelines(conn, viewer, vault, names)
        return _nodes(find_referrals(conn, viewer, vault, filter=filter, **more))  # type: ignore[arg-type]

    def read(conn: Connection) -> float:
        for _ in range(2):
            if not page(conn):
                raise AssertionError(f"{asked}: the page is empty, nothing was measured")
        return used_s(conn, lambda: [page(conn) for _ in range(READS)]) / READS * 1_000

    return await store.read(read)
