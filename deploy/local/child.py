"""Child processes that end with us: started, waited for within bounds, and found by pid alone."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

LAUNCHER = Path(__file__).resolve().with_name("launch.py")
TAIL_LINES = 25
SPAWN_S = 30.0
KILL_S = 10.0

# The kernel counts a child as orphaned when the thread that forked it ends, so one thread that lives as
# long as the process forks them all, whichever thread asks.
_FORKER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="deploy-local-forker")


class PartFailed(Exception):
    """A part did not start, answer or stop in time; the message ends with the last lines of its log."""


class Child:
    """At most one process at a time, working in the folder of its log, to which what it prints is appended.

    On Linux it gets death_signal when we end without stopping it, even when we are killed.
    """

    def __init__(self, name: str, log: Path, death_signal: signal.Signals = signal.SIGKILL) -> None:
        self.name = name
        self.log = log
        self._death_signal = death_signal
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The running process; None when there is none, or it has ended."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def spawn(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        user: tuple[int, int] | None = None,
    ) -> None:
        """Start a program, as another user (user id, group id) when given; does not wait for anything.

        PartFailed when a process that someone else started still writes this log.
        """
        if self.pid is not None:
            raise RuntimeError(f"{self.name} runs already, as process {self.pid}")
        user_id, group_id = user or (-1, -1)
        numbers = [str(number) for number in (os.getpid(), int(self._death_signal), user_id, group_id)]
        whole = [sys.executable, "-I", "-S", str(LAUNCHER), *numbers, *command]
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            try:
                # The child has the log as its own output, so the lock lasts as long as it does.
                fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise PartFailed(
                    f"{self.name} runs in {self.log.parent} already, started by another"
                ) from None
            starting = _FORKER.submit(
                subprocess.Popen,
                whole,
                cwd=self.log.parent,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for us alone: we stop the parts in their order.
            )
            try:
                self._process = starting.result(SPAWN_S)
            except (OSError, TimeoutError) as fault:
                raise PartFailed(f"{self.name} cannot be started: {fault!r}") from fault

    def run(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        user: tuple[int, int] | None = None,
        *,
        timeout_s: float,
    ) -> None:
        """Start a program and wait for its end; PartFailed when that is late or its exit code is not 0."""
        self.spawn(command, environment, user)
        if not self.wait(timeout_s):
            self.kill()
            raise self.failed(f"did not end within {timeout_s:g} s")
        if self.exit_code:
            raise self.failed(f"ended with exit code {self.exit_code}")

    @property
    def exit_code(self) -> int | None:
        """Of the process that ran last, negative for a signal; None while it runs or when none ever did."""
        return self._process.poll() if self._process else None

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process, if it runs."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(number)

    def wait(self, timeout_s: float) -> bool:
        """Whether the process has ended, after waiting for that at most so long."""
        if self._process:
            try:
                self._process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                return False
        return True

    def kill(self) -> None:
        """SIGKILL, and wait until the process is gone."""
        self.send(signal.SIGKILL)
        if not self.wait(KILL_S):
            raise self.failed(f"is still there {KILL_S:g} s after SIGKILL")

    def failed(self, what: str) -> PartFailed:
        """The error to raise: what happened, and the last lines of the log."""
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:]
        except FileNotFoundError:
            lines = []
        tail = "\n".join(lines) or "(nothing was logged)"
        return PartFailed(f"{self.name} {what}. The end of {self.log}:\n{tail}")
