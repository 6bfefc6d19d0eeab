"""Whether processes are gone, by their ids."""

from __future__ import annotations

from collections.abc import Iterable

import psutil

from tests.support.waiting import soon_here


def descendants(pid: int) -> list[psutil.Process]:
    """All that a process started, and what these started."""
    found: list[psutil.Process] = psutil.Process(pid).children(recursive=True)
    return found


def living(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Those that run; one that ended and waits to be collected does not."""
    return [process for process in processes if _lives(process)]


def wait_gone(processes: list[psutil.Process]) -> None:
    """Wait until none of them runs."""
    soon_here(lambda: not living(processes), processes)


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
