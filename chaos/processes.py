"""Processes of the hub: started, stopped, held and killed one by one, and kept running by a keeper."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from deploy.local.child import Child

ROOT = Path(__file__).resolve().parents[1]
STOP_S_MAX = 30.0
SETTLED_S = 10.0
"""After so long a process has begun its work: it must not end by itself any more."""
NOT_BEGUN = ("Unfit", "Application startup failed")
"""How a process ends that found no database when it started; its keeper tries again."""
AFTER_SIGNAL = (-signal.SIGKILL, -signal.SIGTERM, 0)


@dataclass(eq=False)
class Process:
    """One process. role: serve or work. wanted: whether the keeper starts it again.

    variant, clock_days: of the next start alone.
    """

    name: str
    role: str
    folder: Path
    environment: Mapping[str, str]
    wanted: bool = True
    variant: str = ""
    clock_days: float = 0.0
    rss_bytes_max: int = 0
    starts: int = 0
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._changing = asyncio.Lock()
        self._child = Child(self.name, self.folder / f"{self.name}.log")
        self.started_s = 0.0

    @property
    def pid(self) -> int | None:
        """None when it does not run."""
        return self._child.pid

    @property
    def log(self) -> Path:
        """What it printed, all starts together."""
        return self._child.log

    def start(self) -> None:
        """Start it; does not wait until it is ready."""
        arguments = [self.role, self.variant, str(self.clock_days)]
        self.variant, self.clock_days = "", 0.0
        environment = {**os.environ, **self.environment, "PYTHONPATH": str(ROOT)}
        self._child.spawn([sys.executable, "-m", "chaos.child", *arguments], environment)
        self.started_s = time.monotonic()
        self.starts += 1

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it runs."""
        self._child.send(number)

    def kill(self) -> None:
        """SIGKILL; returns when it is gone."""
        self._child.kill()

    async def stop(self) -> None:
        """SIGTERM, and it stays down; a fault of the hub when it must be killed after STOP_S_MAX."""
        async with self._changing:
            self.wanted = False
            await asyncio.to_thread(self._stop)

    async def restart(self, variant: str = "", clock_days: float = 0.0) -> None:
        """Stop it, and start it again, perhaps as a variant, perhaps with its clock off."""
        async with self._changing:
            await asyncio.to_thread(self._stop)
            self.variant, self.clock_days, self.wanted = variant, clock_days, True
            await asyncio.to_thread(self.start)

    async def revive(self) -> None:
        """Start it if it is wanted and does not run."""
        async with self._changing:
            if self.wanted and self.pid is None:
                self._note_end()
                await asyncio.to_thread(self.start)

    def _stop(self) -> None:
        self._child.send(signal.SIGCONT)
        self._child.send(signal.SIGTERM)
        if not self._child.wait(STOP_S_MAX):
            self.faults.append(f"{self.name} did not end within {STOP_S_MAX:g} s of SIGTERM")
            self._child.kill()

    def _note_end(self) -> None:
        code = self._child.exit_code
        if self.starts and code not in AFTER_SIGNAL and time.monotonic() - self.started_s > SETTLED_S:
            ran_s = time.monotonic() - self.started_s
            said = self.log.read_text(encoding="utf-8", errors="replace").strip().rpartition("\n")[2][:300]
            if not any(words in said for words in NOT_BEGUN):
                self.faults.append(
                    f"{self.name} ended by itself after {ran_s:.0f} s, exit code {code}: {said}"
                )

    def sample(self) -> int:
        """Its resident memory now, bytes; 0 when it does not run. The largest one is kept."""
        found = 0
        if (pid := self.pid) is not None:
            with contextlib.suppress(psutil.Error):
                found = psutil.Process(pid).memory_info().rss
        self.rss_bytes_max = max(self.rss_bytes_max, found)
        return found


async def keep(
    processes: list[Process], may_start: asyncio.Event, ending: asyncio.Event, pause_s: float
) -> None:
    """Start again whichever is wanted and does not run, as a service manager does, until ending is set."""
    while not ending.is_set():  # Cancelled, it could leave a process behind that is just being started.
        await asyncio.sleep(pause_s)
        for process in processes:
            if may_start.is_set():
                await process.revive()
