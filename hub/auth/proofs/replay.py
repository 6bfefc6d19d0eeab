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
class SingleUse:
    """The `jti` of a statement that counts once.

    expires_at_s: seconds since 1970, from when on it is refused for its age.
    """

    issuer: str
    jti: str
    expires_at_s: int


def use_now(conn: Connection, single_use: SingleUse) -> bool:
    """Use a statement up in a transaction of the intake: whether it is new."""
    return use_jtis(conn, [(single_use.issuer, single_use.jti, single_use.expires_at_s)])[0]


class Replay:
    """Uses statements up."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._together: Together[tuple[SingleUse, ...], list[bool]] = Together(self._use)

    async def first_use(self, *statements: SingleUse) -> list[bool]:
        """For each statement whether it is new; all are used up in one commit, whatever the answer."""
        return await self._together.ask(statements)

    async def _use(self, groups: Sequence[tuple[SingleUse, ...]]) -> list[list[bool]]:
        """All of them in one commit."""
        told = [(one.issuer, one.jti, one.expires_at_s) for group in groups for one in group]
        answers = iter(await self._store.write(lambda conn: use_jtis(conn, told)))
        return [list(islice(answers, len(group))) for group in groups]
