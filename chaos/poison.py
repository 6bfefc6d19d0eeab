"""Records that nobody can read, written into the hub's topics and a partner's own; each must be parked."""

from __future__ import annotations

import asyncio
import random
import time

from chaos.checks import look
from chaos.messages import TOPIC_PARTNER
from chaos.topic_load import write
from hub.domain.registry import CASES, CATALOGUE
from hub.events.spine import Hub
from hub.store.deliveries import TOPIC_PREFIX
from hub.store.parked import list_parked

PARKED_S_MAX = 90.0
KINDS = ("bytes", "json", "leaf", "value")


class Poison:
    """Writes, and remembers what must be parked.

    sent: content of what the log acknowledged. unsure: of what it may hold all the same. excused: of what
    a fault took out of the log before anybody had read it.
    """

    def __init__(self, bootstrap: str, partitions: int, hub: Hub) -> None:
        self._bootstrap, self._partitions, self._hub = bootstrap, partitions, hub
        self.hub_id = hub_id_of(hub)
        self.sent: set[bytes] = set()
        self.unsure: set[bytes] = set()
        self.excused: set[bytes] = set()
        self._made = 0

    async def write(self, draws: random.Random, count: int) -> str:
        """Write so many, each of some kind, to some lane or partner's topic; what became of it."""
        records = []
        for _ in range(count):
            topic = draws.choice((CASES, CATALOGUE, TOPIC_PREFIX + TOPIC_PARTNER))
            value, headers = self._record("bytes" if topic.startswith(TOPIC_PREFIX) else draws.choice(KINDS))
            records.append((topic, draws.randrange(self._partitions), value, headers))
        written = {value for _, _, value, _ in records}
        self.unsure |= written
        # Repeated by an idempotent producer, a record stands in the log once.
        acknowledged = set(await asyncio.to_thread(write, self._bootstrap, records))
        self.unsure -= acknowledged
        self.sent |= acknowledged
        return f"{len(acknowledged)} of {count} acknowledged by the log"

    def _record(self, kind: str) -> tuple[bytes, list[tuple[str, bytes]]]:
        self._made += 1
        mark = f"poison {self._made}".encode()
        ours = [("hub-id", self.hub_id.encode()), ("hub-after", b"-1"), ("hub-seq", b"1")]
        ours += [("hub-partner", b"p"), ("hub-accepted-at", b""), ("hub-resolved", b"{}")]
        if kind == "bytes":
            return b"\xff\xfe" + mark, []
        if kind == "json":
            return b'{"specversion": "1.0", "id": "%s"}' % mark, []
        if kind == "leaf":
            return b'{"id": "%s", "data": {}, "partitionkey": ""}' % mark, [*ours, ("hub-leaf", b"first")]
        return b"{" + mark, [*ours, ("hub-leaf", b"0")]

    async def parked(self) -> set[bytes]:
        """Content of what the hub has parked."""
        found = await look(self._hub, lambda conn: list_parked(conn, self._hub.vault))
        # Those of partners' topics are kept with their headers, in a line before them.
        return {
            one.content.partition(b"\n")[2] if one.id.startswith(TOPIC_PREFIX) else one.content
            for one in found
        }

    async def missing(self, timeout_s: float = PARKED_S_MAX) -> set[bytes]:
        """What should be parked, and is not, after a wait for it."""
        end_s = time.monotonic() + timeout_s
        while missing := self.sent - self.excused - await self.parked():
            if time.monotonic() > end_s:
                break
            await asyncio.sleep(0.5)
        return missing

    async def excuse(self) -> None:
        """The log is about to be emptied: what nobody has read of it by then, nobody can read."""
        self.excused |= await self.missing() | self.unsure


def hub_id_of(hub: Hub) -> str:
    """How the hub names itself in its records."""
    return hub.vault.digest("hub", b"").hex()[:32]
