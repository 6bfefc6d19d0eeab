"""Kill -9: what was acknowledged is in the ledger once, in order, whenever the process dies."""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from deploy.local.ports import ReservedPort
from hub.events.rebuild import rebuild
from hub.events.spine import open_hub
from hub.settings import Settings
from hub.store.tables import identity, inbox, leaf, verdict
from tests.support.messages import PARTNERS, Message, firm, partner
from tests.support.serving import Served, Session, enrol_on
from tests.support.waiting import PATIENCE_S, soon

ROOT = Path(__file__).resolve().parents[2]
SEED, KILLS, FIRMS, EVENTS_OF_A_FIRM = 20_261_122, 3, 6, 30
ENROLLED = len(PARTNERS) + 1
"""Clients of the partners and the network manager's: each is told in the ledger."""
START_S, END_S = 60.0, 200.0


def events_of(number: int) -> list[Message]:
    """One firm's life: the order of its events is the order of the numbers of employees."""
    sender = partner(PARTNERS[number % len(PARTNERS)])
    name = f"{number:08}"
    return [firm(sender, name, employees=count) for count in range(EVENTS_OF_A_FIRM)]


@dataclass
class Killed:
    """A server in a process of its own, started again on the same data whenever it was killed.

    before_death: what had been acknowledged when it was killed last.
    """

    settings: Settings
    variant: str
    log: Path
    process: asyncio.subprocess.Process | None = None
    acknowledged: list[tuple[str, str, int]] = field(default_factory=list)
    posted: dict[int, list[str]] = field(default_factory=dict)
    before_death: list[tuple[str, str, int]] = field(default_factory=list)

    async def start(self) -> None:
        """Start it, and wait until it answers."""
        environment = {
            **os.environ,
            "HUB_DATA_DIR": str(self.settings.data_dir),
            "HUB_PORT": str(self.settings.port),
        }
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.durability.child", self.variant,
                cwd=ROOT, env=environment, stdout=log, stderr=log,
            )  # fmt: skip
        async with (
            httpx.AsyncClient(base_url=self.settings.public_url, timeout=PATIENCE_S) as http,
            asyncio.timeout(START_S),
        ):
            while True:
                assert self.process.returncode is None, self.log.read_text()[-2_000:]
                try:
                    if (await http.get("/readyz")).status_code == 200:
                        return
                except httpx.TransportError:
                    await asyncio.sleep(0.05)

    async def kill(self) -> None:
        """SIGKILL; nothing of it runs on."""
        assert self.process
        self.process.kill()
        await self.process.wait()

    async def goes_on(self) -> None:
        """Wait until one event more is acknowledged."""
        before = len(self.acknowledged)

        async def is_more() -> bool:
            return len(self.acknowledged) > before

        await soon(is_more)

    async def post_in_order(self, session: Session, number: int) -> None:
        """Post a firm's events, each again and again until it is acknowledged."""
        client = PARTNERS[number % len(PARTNERS)]
        for message in events_of(number):
            receipt = None
            while receipt is None:
                receipt = await self._post(session, client, message)
            self.posted.setdefault(number, []).append(message["id"])
            self.acknowledged.append((message["source"], message["id"], receipt["seq"]))

    async def _post(self, session: Session, client: str, message: Message) -> dict[str, Any] | None:
        try:
            answer = await session.post(client, message)
        except httpx.TransportError:
            await asyncio.sleep(0.05)
            return None
        if answer.status_code == 503:
            await asyncio.sleep(0.05)
            return None
        assert answer.status_code == 202, answer.text
        return dict(answer.json()["receipts"][0])


async def lived_through(folder: Path, variant: str, kills: int, seed: int) -> Killed:
    """All events of all firms, over several connections, and that many kills at random moments."""
    port = ReservedPort()  # Stays ours while the server is dead.
    settings = Settings(data_dir=folder / "hub", port=port.number)
    rows = await enrol_on(settings)
    moments = random.Random(seed)
    server = Killed(settings, variant, folder / "server.log")
    await server.start()
    try:
        async with Session(Served(settings.public_url, settings, rows)) as session, asyncio.timeout(END_S):
            posting = [asyncio.ensure_future(server.post_in_order(session, one)) for one in range(FIRMS)]
            for _ in range(kills):
                await server.goes_on()
                await asyncio.sleep(moments.uniform(0, 0.35))
                await server.kill()
                server.before_death = list(server.acknowledged)
                await server.start()
            await asyncio.gather(*posting)
    except BaseException:
        await server.kill()
        raise
    return server


async def lost(settings: Settings, acknowledged: Sequence[tuple[str, str, int]]) -> list[tuple[str, str]]:
    """Acknowledged events that the ledger does not hold under the number that was acknowledged."""
    hub = open_hub(settings)
    try:
        rows = await hub.store.inspect(
            lambda conn: {(row.source, row.event_id): row.seq for row in conn.execute(select(identity))}
        )
    finally:
        await hub.store.close()
    return [(source, id_) for source, id_, _ in acknowledged if (source, id_) not in rows]


@pytest.mark.timeout(300)
async def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    server = await lived_through(tmp_path, "careful", KILLS, SEED)
    settings = server.settings
    try:
        assert len(server.acknowledged) == FIRMS * EVENTS_OF_A_FIRM
        verify = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "from hub.cli.main import main; main()",
            "ledger", "verify", settings.public_url, "--json",
            stdout=asyncio.subprocess.PIPE, cwd=ROOT,
        )  # fmt: skip
        told, _ = await verify.communicate()
    finally:
        await server.kill()
    assert await lost(settings, server.acknowledged) == []

    hub = open_hub(settings)
    try:
        async with hub.running():
            newest = await hub.store.inspect(
                lambda conn: conn.execute(select(func.max(inbox.c.seq))).scalar_one()
            )
            assert await hub.progress.reached([newest], START_S)
        rows = await hub.store.inspect(
            lambda conn: conn.execute(
                select(identity.c.event_id, inbox.c.seq, leaf.c.leaf_index, verdict.c.status)
                .join(inbox, inbox.c.seq == identity.c.seq)
                .join(leaf, leaf.c.seq == inbox.c.seq)
                .join(verdict, verdict.c.seq == inbox.c.seq)
                .order_by(leaf.c.leaf_index)
            ).all()
        )
        assert (await rebuild(hub.store, by_lanes=False)).equal
    finally:
        await hub.store.close()
    _nothing_twice_and_all_in_order(server, [tuple(row) for row in rows])
    report = json.loads(told)
    assert report["ok"]
    assert report["size"] == len(rows)


def _nothing_twice_and_all_in_order(server: Killed, rows: list[tuple[Any, ...]]) -> None:
    assert [leaf_index for _, _, leaf_index, _ in rows] == list(range(len(rows)))
    assert {status for *_, status in rows} == {"applied"}
    set_up = len(PARTNERS) + ENROLLED
    assert len(rows) == FIRMS * EVENTS_OF_A_FIRM + set_up, "events beside the firms' and the set-up's"
    # A firm's events were posted one after the other, so the numbers of each firm must grow.
    for ids in server.posted.values():
        assert [id_ for id_, *_ in rows if id_ in ids] == ids
    seqs = {id_: seq for id_, seq, _, _ in rows}
    assert [seqs[id_] for _, id_, _ in server.acknowledged] == [seq for _, _, seq in server.acknowledged]


@pytest.mark.timeout(300)
async def test_an_intake_that_acknowledges_before_the_commit_is_found_out(tmp_path: Path) -> None:
    server = await lived_through(tmp_path, "hasty", 1, SEED)
    await server.kill()
    assert await lost(server.settings, server.before_death), "the test does not notice lost events"
