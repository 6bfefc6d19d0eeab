"""Processor time of this process and of a connection's backend: what a busy machine does not change."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from time import process_time

from sqlalchemy import Connection, text


def used_s(conn: Connection, work: Callable[[], object]) -> float:
    """Seconds that the work took here and, on PostgreSQL, in the database; to 10 ms: repeat what is short."""
    backend = None
    if conn.dialect.name == "postgresql":
        backend = int(conn.execute(text("SELECT pg_backend_pid()")).scalar_one())
    before_s = _of(backend)
    work()
    return _of(backend) - before_s


def _of(backend: int | None) -> float:
    if backend is None:
        return process_time()
    fields = Path(f"/proc/{backend}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return process_time() + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
