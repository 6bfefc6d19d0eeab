"""What row-level security costs: one referral and one page of them, with policies and without.

The rows of a thousand partners are read by the functions that answers are made of, as hub_reader. Measured is
CPU time, of this process and of its backend, so that a busy machine does not count; rounds with and without
alternate. Without, the policies are switched off and no labels are set.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import process_time
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
from hub.store.row_security import conditions, see_as
from hub.store.schema import prepare_read_model
from hub.store.vault import Vault
from tests.support.parts import database_server

REFERRALS = 100_000
PARTNERS = 1_000
ROUNDS = 12
ASKED = 20
RATIO_MAX = 1.1
AT = datetime(2026, 11, 22, tzinfo=UTC)
OURS = "p7"
Work = Callable[[Connection, int], None]


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
    principal = Principal("bench", Audience.PARTNER, OURS, frozenset(DEFAULT_SCOPES[Audience.PARTNER]))
    viewer = Viewer(principal, AT)
    wanted = [f"r{7 + PARTNERS * number}" for number in range(ASKED)]

    def get(conn: Connection, number: int) -> None:
        if get_referral(conn, viewer, vault, wanted[number]) is None:
            raise AssertionError("the referral was not found: nothing was measured")

    def page(conn: Connection, _number: int) -> None:
        found = find_referrals(conn, viewer, vault, filter=ReferralFilter(), first=20, after=None)
        if len(getattr(found, "nodes", ())) != 20:
            raise AssertionError("the page is not full: nothing was measured")

    rows = []
    for name, work in (("get", get), ("page of 20", page)):
        used_s = {True: 0.0, False: 0.0}
        for number in range(2 * ROUNDS):
            secured = number % 2 == 0
            await store.own(lambda conn, secured=secured: _switch(conn, secured))  # type: ignore[misc]

            def read(conn: Connection, secured: bool = secured, work: Work = work) -> float:
                """CPU seconds of this process and of its backend; plans are made before."""
                if secured:
                    see_as(conn, viewer.labels)
                for asked in range(2):
                    work(conn, asked)
                backend, begun_s = _backend(conn), process_time()
                before_s = _cpu_s(backend)
                for asked in range(ASKED):
                    if secured:
                        see_as(conn, viewer.labels)
                    work(conn, asked)
                return process_time() - begun_s + _cpu_s(backend) - before_s

            used_s[secured] += await store.read(read)
        value, without = (used_s[secured] / ROUNDS / ASKED * 1_000 for secured in (True, False))
        rows.append(
            figure(
                f"row-level security, {name} at {referrals:,} referrals, CPU",
                value / without,
                "times",
                peer=f"without policies: {without:.2f} ms",
                ratio=without / value,
                target=RATIO_MAX,
                at_most=True,
            )
        )
    return rows


def _backend(conn: Connection) -> int:
    return int(conn.execute(text("SELECT pg_backend_pid()")).scalar_one())


def _cpu_s(process: int) -> float:
    """CPU seconds that a process of this machine has used."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _switch(conn: Connection, secured: bool) -> None:
    for table in conditions("read"):
        conn.execute(
            text(f"ALTER TABLE read.{table} {'ENABLE' if secured else 'DISABLE'} ROW LEVEL SECURITY")
        )
