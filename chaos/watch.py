"""What is watched all the time: the public checkpoints, and the memory of every process."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from itertools import pairwise

import httpx

from chaos.processes import Process
from hub.cli.ledger import Unsound
from hub.cli.ledger import _fetch as fetch_ledger
from hub.ledger import merkle, tree
from hub.ledger.checkpoint import Checkpoint, verify

EVERY_S = 1.0
TIMEOUT_S = 3.0


class Watch:
    """`run` looks every second until cancelled. notes: of the signed checkpoints, in the order fetched."""

    def __init__(self, urls: Sequence[str], processes: Sequence[Process]) -> None:
        self._urls, self._processes = urls, processes
        self.fetched: list[Checkpoint] = []
        self.notes: list[str] = []
        self.complaints: list[str] = []
        self._vkey = ""

    async def run(self) -> None:
        """Look at one server after the other."""
        async with httpx.AsyncClient(timeout=TIMEOUT_S) as http:
            turn = 0
            while True:
                for process in self._processes:
                    process.sample()
                turn += 1
                await self.look(http, self._urls[turn % len(self._urls)])
                await asyncio.sleep(EVERY_S)

    async def look(self, http: httpx.AsyncClient, url: str) -> None:
        """Fetch the checkpoint, and check it against the one before; nothing when there is no answer."""
        try:
            if not self._vkey:
                key = await http.get(f"{url}/ledger/key")
                self._vkey = key.text.strip() if key.status_code == 200 else ""
            answer = await http.get(f"{url}/ledger/checkpoint")
        except httpx.TransportError:
            return
        if not self._vkey or answer.status_code != 200:
            return
        head = verify(answer.text, self._vkey)
        if head is None:
            self.complaints.append(f"a checkpoint without a good signature: {answer.text[:100]!r}")
            return
        before = self.fetched[-1] if self.fetched else None
        if before and head.size < before.size:
            self.complaints.append(f"the ledger shrank from {before.size} to {head.size}")
        if before and head.size == before.size:
            if head.root != before.root:
                self.complaints.append(f"two roots of {head.size} entries")
            return
        self.fetched.append(head)
        self.notes.append(answer.text)

    async def prove(self, url: str) -> int:
        """Prove that every checkpoint extends the one before; how many proofs were checked."""
        async with httpx.AsyncClient(timeout=30.0) as http:
            for old, new in pairwise(self.fetched):
                query = {"from": old.size, "to": new.size}
                answer = await http.get(f"{url}/ledger/consistency", params=query)
                if answer.status_code != 200:
                    self.complaints.append(f"no proof from {old.size} to {new.size}: {answer.status_code}")
                    continue
                hashes = [base64.b64decode(one) for one in answer.json()["hashes"]]
                if not merkle.verify_consistency(old.size, new.size, old.root, new.root, hashes):
                    self.complaints.append(f"{new.size} entries do not extend the {old.size} seen before")
        await self._recompute(url)
        return max(len(self.fetched) - 1, 0)

    async def _recompute(self, url: str) -> None:
        """Fetch every entry, as `hub ledger verify` does, and compare the roots that follow from them."""
        try:
            _, _, storage, head = await fetch_ledger(url)
        except Unsound as error:
            self.complaints.append(str(error))
            return
        wrong = [one.size for one in self.fetched if tree.root(storage, one.size) != one.root]
        if wrong:
            self.complaints.append(f"the {head.size} entries give other roots at {wrong[:5]}")
