"""A signed statement counts once: its `jti` is used up in the store before anything is answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import Connection

from hub.store.clients import use_jtis
from hub.store.engine import Store
from hub.store.together import Together


@dataclass(frozen=True, slots=True)
class Once:
    """A statement that counts once. expires_at_s: when it is refused for its age, seconds since 1970."""

    issuer: str
    jti: str
    expires_at_s: int


def use_now(conn: Connection, once: Once) -> bool:
    """Use a statement up in a transaction of the intake: whether it is new."""
    return use_jtis(conn, [(once.issuer, once.jti, once.expires_at_s)])[0]


class Replay:
    """Uses statements up."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._together: Together[tuple[Once, ...], list[bool]] = Together(self._use)

    async def first_use(self, *statements: Once) -> list[bool]:
        """For each statement whether it is new; all are used up in one commit, whatever the answer."""
        return await self._together.ask(statements)

    async def _use(self, groups: Sequence[tuple[Once, ...]]) -> list[list[bool]]:
        """All of them in one commit."""
        told = [(once.issuer, once.jti, once.expires_at_s) for group in groups for once in group]
        answers = iter(await self._store.write(lambda conn: use_jtis(conn, told)))
        return [list(islice(answers, len(group))) for group in groups]
