"""People who prove themselves at another provider: which person an account there is, and linking the two."""

from __future__ import annotations

from sqlalchemy import Connection

from hub.auth.digests import secret_digest
from hub.auth.people.openid import ExternalAccount, account_digest
from hub.auth.people.sign_in import LINK_ENDED, SUSPENDED, SignIn, is_suspended
from hub.domain.refusal import Refusal
from hub.store import people
from hub.store.people import Link
from hub.store.sessions import Session
from hub.store.vault import Vault

UNLINKED = Refusal("sign_in.unlinked", "That account is linked to nobody.", "Use the invitation.")
NO_FACTOR = Refusal("sign_in.no_factor", "No second factor was shown there.", "Ask the provider for one.")


class LinkedAccounts:
    """Judges accounts of another provider. Answers a cookie's value, or says why not."""

    def __init__(self, sign_in: SignIn, vault: Vault) -> None:
        self._sign_in, self._vault = sign_in, vault
        self._sessions, self._store = sign_in.sessions, sign_in.sessions.store

    async def sign_in(self, account: ExternalAccount, token: str, *, device: str) -> str | Refusal:
        """Sign the person in to whom an account elsewhere is linked; a link (token) links it first.

        The provider must have asked for a second factor: the hub does not ask again.
        """
        if account.confirmed_at_s is None:
            return NO_FACTOR
        openid = account_digest(self._vault, account)
        link = await self._sign_in.link(token) if token else None
        if token and link is None:
            return LINK_ENDED
        if link is not None:
            linked = await self._linked(link, token, openid)
            if linked is not None:
                return linked
        person = await self._store.inspect(lambda conn: people.find_by_openid(conn, openid))
        if person is None:
            return UNLINKED
        if person.suspended:
            return SUSPENDED
        return await self._sessions.open(
            person, device, confirmed_at_s=account.confirmed_at_s, act="session.started"
        )

    async def confirm(self, session: Session, account: ExternalAccount) -> str | Refusal:
        """Confirm a session by the account of its own person, which has just shown a second factor."""
        openid = account_digest(self._vault, account)
        person = await self._store.inspect(lambda conn: people.find_by_openid(conn, openid))
        if person is None or person.id != session.person.id:
            return UNLINKED
        if account.confirmed_at_s is None:
            return NO_FACTOR
        return await self._sessions.open(
            person,
            session.device,
            confirmed_at_s=account.confirmed_at_s,
            act="factor.confirmed",
            instead_of=session,
        )

    async def _linked(self, link: Link, token: str, openid: bytes) -> Refusal | None:
        def choose(conn: Connection) -> Refusal | None:
            if is_suspended(conn, link.person.id):
                return SUSPENDED
            other = people.find_by_openid(conn, openid)
            if other is not None and other.id != link.person.id:
                return UNLINKED
            if not people.use_link(conn, secret_digest("link", token)):
                return LINK_ENDED
            people.forget_credentials(conn, link.person.id)
            people.set_openid(conn, link.person.id, openid)
            return None

        return await self._sessions.commit(link.person, "person.linked", choose)
