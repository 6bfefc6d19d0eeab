"""What the database is asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy import event as engine_event


@contextmanager
def statements() -> Iterator[list[str]]:
    """Texts of the statements that go through SQLAlchemy meanwhile, in their order."""
    said: list[str] = []

    def note(_conn: object, _cursor: object, text: str, *_rest: object) -> None:
        said.append(text)

    engine_event.listen(Engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        engine_event.remove(Engine, "before_cursor_execute", note)
