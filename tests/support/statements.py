"""What the database is asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
from sqlalchemy import Engine
from sqlalchemy import event as engine_event
from sqlalchemy.pool import Pool


@contextmanager
def statements() -> Iterator[list[str]]:
    """Texts of the statements meanwhile, whether by SQLAlchemy or straight to asyncpg, in their order."""
    said: list[str] = []
    listened_to: list[asyncpg.Connection[Any]] = []

    def note(_conn: object, _cursor: object, text: str, *_rest: object) -> None:
        said.append(text)

    def note_direct(asked: Any) -> None:
        # Told a moment after the answer: what ends a transaction may come too late to be counted.
        if asked.query.startswith("SELECT"):
            said.append(asked.query)

    def listen(connection: Any, *_rest: object) -> None:
        driver = getattr(connection, "driver_connection", None)
        if isinstance(driver, asyncpg.Connection) and driver not in listened_to:
            driver.add_query_logger(note_direct)
            listened_to.append(driver)

    engine_event.listen(Engine, "before_cursor_execute", note)
    engine_event.listen(Pool, "checkout", listen)
    try:
        yield said
    finally:
        engine_event.remove(Engine, "before_cursor_execute", note)
        engine_event.remove(Pool, "checkout", listen)
        for driver in listened_to:
            if not driver.is_closed():
                driver.remove_query_logger(note_direct)
