"""Named points of the hub's ways at which a process of it dies by SIGKILL, and the fuse that says where.

The fuse is a file that all processes of one hub look at: "POINT COUNTDOWN". The first process that passes
the point for the COUNTDOWN-th time takes the file away, and dies. Nothing of this is in the hub: its
functions are wrapped here, before it starts.
"""

from __future__ import annotations

import functools
import inspect
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kafka import KafkaProducer

import hub.events.intake
import hub.events.kafka.relay
import hub.events.projector
from hub.events.kafka.producer import Producer
from hub.events.kafka.relay import Relay
from hub.events.sequencer import Sequencer
from hub.store.postgres import PostgresStore

FUSE_VARIABLE = "CHAOS_FUSE"
BURNT = "burnt"

Around = tuple[Any, str, str, str]
WRAPPED: tuple[Around, ...] = (
    # Owner, name, where: before it, after it, or after it when it did something; the point.
    (hub.events.intake, "accept", "after", "accept.before_commit"),
    (PostgresStore, "intake", "after", "accept.after_commit"),
    (Sequencer, "_extend", "done", "sequencer.before_commit"),
    (Sequencer, "step", "done", "sequencer.after_commit"),
    (KafkaProducer, "send", "after", "relay.after_produce"),
    (Producer, "publish", "after", "relay.after_ack"),
    (hub.events.kafka.relay, "tell", "after", "relay.before_cursor_commit"),
    (Relay, "step", "done", "relay.after_cursor"),
    (hub.events.projector, "fold_batch", "before", "projector.before_rows"),
    (hub.events.projector, "fold_batch", "after", "projector.before_commit"),
    (PostgresStore, "project", "after", "projector.after_commit"),
)
POINTS = tuple(point for *_, point in WRAPPED)


class Fuse:
    """The orchestrator's side: where the next process dies."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def light(self, point: str, countdown: int) -> None:
        """Let the process die that passes the point for the countdown-th time from now on."""
        draft = self.file.with_suffix(".draft")
        draft.write_text(f"{point} {countdown}", encoding="ascii")
        draft.replace(self.file)

    def burnt_by(self) -> int | None:
        """The process that died, once; None as long as none did."""
        for found in self.file.parent.glob(f"{self.file.name}.{BURNT}-*"):
            found.unlink()
            return int(found.name.rpartition("-")[2])
        return None

    def put_out(self) -> None:
        """Nobody dies any more."""
        self.file.unlink(missing_ok=True)


class _Burning:
    """A process's side."""

    def __init__(self) -> None:
        self._file = os.environ.get(FUSE_VARIABLE, "")
        self._seen: tuple[int, int] | None = None
        self._point, self._left = "", 0

    def passes(self, point: str) -> None:
        """Die when the fuse says so."""
        try:
            found = os.stat(self._file)
            if (found.st_ino, found.st_mtime_ns) != self._seen:
                name, _, countdown = Path(self._file).read_text(encoding="ascii").partition(" ")
                self._seen = found.st_ino, found.st_mtime_ns
                self._point, self._left = name, int(countdown)
        except FileNotFoundError:
            return
        if point != self._point:
            return
        self._left -= 1
        if self._left <= 0:
            try:
                os.rename(self._file, f"{self._file}.{BURNT}-{os.getpid()}")
            except FileNotFoundError:
                return  # Another process was faster: one dies, not all.
            os.kill(os.getpid(), signal.SIGKILL)


burning = _Burning()


def install() -> None:
    """Wrap what has a point."""
    for owner, name, where, point in WRAPPED:
        setattr(owner, name, _wrapped(getattr(owner, name), where, point))


def _wrapped(function: Callable[..., Any], where: str, point: str) -> Callable[..., Any]:
    def after(result: object) -> None:
        if where == "after" or (where == "done" and result):
            burning.passes(point)

    @functools.wraps(function)
    def plain(*arguments: Any, **named: Any) -> Any:
        if where == "before":
            burning.passes(point)
        result = function(*arguments, **named)
        after(result)
        return result

    @functools.wraps(function)
    async def waiting(*arguments: Any, **named: Any) -> Any:
        result = await function(*arguments, **named)
        after(result)
        return result

    return waiting if inspect.iscoroutinefunction(function) else plain
