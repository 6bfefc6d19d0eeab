"""Where transactions happen: one port, and roles of which each has no more reach than it needs.

The truth (inbox, identities, keys, clients, tree) and the read model live in two schemas. The read model
is schema ``read`` everywhere; on SQLite it is a file of its own.

Functions of this package are plain and take a Connection; the store decides where they run: SQLite in a
worker thread of the role (docs/decisions/0003-plain-store-functions.md), PostgreSQL on its asynchronous
connection (docs/decisions/0015-asyncpg-and-roles.md).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError

READ_SCHEMA = "read"
BESIDE_SCHEMA = "read_beside"
"""Where a read model is folded again while the live one goes on."""

T = TypeVar("T")


class StoreUnavailable(Exception):
    """The database cannot do it just now: gone, starting, full, locked. The same work may be tried again."""


# Classes of SQLSTATE after which the same work may be tried again: connection, resources (disk full),
# deadlock, operator (shutdown, starting), system (I/O); a standby that has not been promoted yet.
_PASSING = ("08", "40", "53", "55", "57", "58", "25006")
_SQLITE_PASSING = ("BUSY", "LOCKED", "FULL", "IOERR", "CANTOPEN", "READONLY", "NOMEM", "PROTOCOL")
_OF_DATA = ("22", "23")


def is_passing(error: BaseException) -> bool:
    """Whether a fault of the database is no fault of the statement: gone, starting, full, locked."""
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated or isinstance(error, InterfaceError):
        return True
    sqlite = str(getattr(error.orig, "sqlite_errorname", "")).removeprefix("SQLITE_")
    return sqlite.startswith(_SQLITE_PASSING) or _state(error).startswith(_PASSING)


def is_of_data(error: BaseException) -> bool:
    """Whether other values would have been taken; False for faults of the database and of statements."""
    if not isinstance(error, DBAPIError):
        return True
    return isinstance(error, DataError | IntegrityError) or _state(error).startswith(_OF_DATA)


def _state(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""


@dataclass(frozen=True, slots=True)
class Glance:
    """A question to the truth in one statement, spelt for each engine; its values are lists of text.

    sqlite: `?1`, `?2` … are JSON arrays. postgres: `$1`, `$2` … are text[].
    """

    sqlite: str
    postgres: str


class Signals(Protocol):
    """Tells other processes on the same database what has happened; a message may be lost."""

    def send(self, name: str, content: str = "") -> None:
        """Tell every listening process soon; at most 7,000 characters."""

    def listen(self) -> AsyncIterator[tuple[str, str]]:
        """(name, content) of what other processes tell, for ever; raises StoreUnavailable when cut off."""

    async def close(self) -> None:
        """Stop telling."""


class Store(Protocol):
    """Runs work in one transaction of a role: all of it or, when it raises, nothing.

    intake writes the truth, one writer at a time over all processes, so that accepted events have numbers
    without gaps. write writes such truth as has no order: clients, identifiers used once, tree, relay.
    project writes the read model alone. read writes nothing; what it sees of the read model, the truth it
    sees holds as well. Of cases it sees nothing but what `viewer_of` has set for the transaction, of people
    and clients nothing. inspect is the same for the hub's own work and sees every row: no answer is made of
    cases by it, but for copies of all that is held (hub/store/exports.py). look inspects with a single query,
    for less. own changes shapes.
    Work is a plain function of a connection.
    Raises StoreUnavailable, and whatever the work raises.
    """

    signals: Signals

    async def intake(self, work: Callable[[Connection], T]) -> T: ...
    async def write(self, work: Callable[[Connection], T]) -> T: ...
    async def project(self, work: Callable[[Connection], T]) -> T: ...
    async def read(self, work: Callable[[Connection], T]) -> T: ...
    async def inspect(self, work: Callable[[Connection], T]) -> T: ...
    async def look(self, work: Callable[[Connection], T]) -> T: ...
    async def own(self, work: Callable[[Connection], T]) -> T: ...

    async def glance(self, question: Glance, *values: Sequence[str]) -> Sequence[Sequence[Any]]:
        """Rows of the truth, committed when it was asked: for what every request has to know.

        Past SQLAlchemy and without a transaction around it, at a tenth of the cost of `read`.
        """

    def beside(self) -> Store:
        """A store with the same truth, and an empty read model beside the live one; close it after use."""

    async def swap(self, beside: Store, is_wanted: Callable[[Connection], bool]) -> bool:
        """Put the read model beside in the place of the live one, in one transaction.

        is_wanted: asked of the live model, which is held still; False leaves everything as it is.
        """

    def leading(self, name: str) -> AbstractAsyncContextManager[Leadership]:
        """Wait until no other process leads in this matter, then lead until the end of the block."""

    async def scrub(self) -> None:
        """Rid the files of keys that the truth no longer holds: what remains is written anew."""

    async def sizes(self) -> Mapping[str, int]:
        """Connections in use by role, for metrics."""

    async def close(self) -> None:
        """Wait for running work, then return every connection."""


class Leadership:
    """Leading in some matter; lost: set when another process may have taken over."""

    def __init__(self) -> None:
        self.lost = asyncio.Event()
