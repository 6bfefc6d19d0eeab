"""What row-level security costs: one referral and one page of them, with policies and without.

The rows of a thousand partners are read as every query reads them: a transaction of hub_reader that begins,
asks who is a member of what, sets the viewer's labels, reads and ends. Measured is CPU time, of this process
and of its backends, so that a busy machine counts for less; rounds with and without alternate. Without, the
policies are switched off and no labels are set. Of the middle rounds the mean counts, as one that the machine
held up says nothing.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import mean
from time import process_time
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, text

from benchmarks.rows import Row, figure
from hub.domain.principal import Principal
from hub.domain.referrals import Referral
from hub.domain.scopes import DEFAULT_SCOPES, Audience
from hub.domain.viewer import Viewer
from hub.store.engine import Store
from hub.store.opening import open_store
from hub.store.referrals import ReferralFilter, find_referrals, get_referral
from hub.store.row_security import conditions
from hub.store.schema import prepare_read_model
from hub.store.vault import Vault
from hub.store.viewers import memberships, viewer_of
from tests.support.parts import database_server

REFERRALS = 100_000
PARTNERS = 1_000
ROUNDS = 8
ASKED = 250
WARMING = 10
RATIO_MAX = 1.1
AT = datetime(2026, 11, 22, tzinfo=UTC)
OURS = "p7"
PRINCIPAL = Principal("bench", Audience.PARTNER, OURS, frozenset(DEFAULT_SCOPES[Audience.PARTNER]))
Work = Callable[[Connection, Viewer, int], None]


def measure(referrals: int = REFERRALS) -> list[Row]:
    """One row for a single referral and one for a page of 20."""
    return asyncio.run(_measure(referrals))


async def _measure(referrals: int) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder, database_server(Path(folder)) as server:
        name = f"hub_{uuid4().hex[:12]}"
        store = open_store(Path(folder), server.create_database(name))
        try:
            await prepare_read_model(store, anew=True)
            await store.own(lambda conn: _fill(conn, referrals))
            await store.own(lambda conn: conn.execute(text("ANALYZE")))
            return await _compare(store, Vault(Path(folder) / "keys"), referrals)
        finally:
            await store.close()
            server.drop_database(name)


def _fill(conn: Connection, referrals: int) -> None:
    """As the projector writes them: two referrals a firm, a thousand partners in ten networks."""
    one = Referral(
        id="ID", state="accepted", network="net", requester="FROM", owner="TO", created_at=AT, updated_at=AT
    )
    doc = one.model_dump_json(exclude_defaults=True, by_alias=True)
    made = f"""
        SELECT 'f' || i / 2 AS firm, 'r' || i AS id, 'net' || i % 10 AS network,
               'p' || i % {PARTNERS} AS "from", 'p' || (i * 7 + 3) % {PARTNERS} AS "to",
               lpad(i::text, 12, '0') AS at, i AS version
        FROM generate_series(1, {referrals}) AS i"""
    parties = "'manager:* manager:' || network || ' partner:' || \"from\" || ' partner:' || \"to\""
    for statement in (
        f"CREATE TEMP TABLE made AS {made}",
        f"""INSERT INTO read.referral_row (firm, id, state, network, requester, owner, parties, updated_at)
            SELECT firm, id, 'accepted', network, "from", "to", {parties}, at FROM made""",
        f"""INSERT INTO read.referral_party (label, firm, id, state, updated_at, version)
            SELECT label, firm, id, 'accepted', at, version
            FROM made, unnest(string_to_array({parties}, ' ')) AS label ON CONFLICT DO NOTHING""",
        f"""INSERT INTO read.record (key, kind, id, version, doc, parties)
            SELECT firm, 'referral', id, version, replace(replace(replace(
            '{doc}', '"FROM"', '"' || "from" || '"'), '"TO"', '"' || "to" || '"'), '"ID"', '"' || id || '"')
            , {parties} FROM made""",
    ):
        conn.exec_driver_sql(statement)


async def _compare(store: Store, vault: Vault, referrals: int) -> list[Row]:
    wanted = [f"r{7 + PARTNERS * number}" for number in range(referrals // PARTNERS)]

    def get(conn: Connection, viewer: Viewer, asked: int) -> None:
        if get_referral(conn, viewer, vault, wanted[asked % len(wanted)]) is None:
            raise AssertionError("the referral was not found: nothing was measured")

    def page(conn: Connection, viewer: Viewer, _asked: int) -> None:
        found = find_referrals(conn, viewer, vault, filter=ReferralFilter(), first=20, after=None)
        if len(getattr(found, "nodes", ())) != 20:
            raise AssertionError("the page is not full: nothing was measured")

    return [
        await _figure(store, name, work, referrals) for name, work in (("get", get), ("page of 20", page))
    ]


async def _figure(store: Store, name: str, work: Work, referrals: int) -> Row:
    used_s: dict[bool, list[float]] = {True: [], False: []}
    for number in range(2 * ROUNDS):
        secured = number % 2 == 0
        await store.own(lambda conn, secured=secured: _switch(conn, secured))  # type: ignore[misc]
        read = partial(_read, store, work, secured)
        backend = await read(0)
        for asked in range(WARMING):  # Plans are made anew after a switch.
            await read(asked)
        before_s = process_time() + _cpu_s(backend)
        for asked in range(ASKED):
            if await read(asked) != backend:
                raise AssertionError("another connection read: its time was not measured")
        used_s[secured].append(process_time() + _cpu_s(backend) - before_s)
    value, without = (_middle(used_s[secured]) / ASKED * 1_000 for secured in (True, False))
    return figure(
        f"row-level security, {name} at {referrals:,} referrals, CPU",
        value / without,
        "times",
        peer=f"without policies: {without:.2f} ms",
        ratio=without / value,
        target=RATIO_MAX,
        at_most=True,
    )


async def _read(store: Store, work: Work, secured: bool, asked: int) -> int:
    """Read in a transaction of its own; process id of the backend."""

    def read(conn: Connection) -> int:
        seen = viewer_of(conn, PRINCIPAL, AT) if secured else None
        work(conn, seen or Viewer(PRINCIPAL, AT, memberships(conn, AT)), asked)
        driver: Any = conn.connection.driver_connection
        return int(driver.get_server_pid())

    return await store.read(read)


def _middle(values: Sequence[float]) -> float:
    """Mean of the middle half."""
    apart = len(values) // 4
    return mean(sorted(values)[apart : len(values) - apart])


def _cpu_s(process: int) -> float:
    """CPU seconds that a process of this machine has used."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _switch(conn: Connection, secured: bool) -> None:
    for table in conditions("read"):
        conn.execute(
            text(f"ALTER TABLE read.{table} {'ENABLE' if secured else 'DISABLE'} ROW LEVEL SECURITY")
        )
