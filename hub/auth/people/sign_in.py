"""How people prove themselves to the hub: password, then a code; links, and changes of either."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import Connection

from hub.auth.digests import secret_digest
from hub.auth.people.passwords import Passwords, TooMany, unfit
from hub.auth.people.second_factor import new_recovery_codes, new_secret, recovery_text, step_of
from hub.auth.people.sessions import HALFWAY_S, SIGN_IN_PATH, Sessions
from hub.auth.people.tries import TooManyTries, Tries
from hub.domain.refusal import Refusal
from hub.store import people
from hub.store.people import RECOVERY_CODES, Link, Named, Person
from hub.store.sessions import Session, end_other_sessions
from hub.store.vault import Vault

LINK_S = 24 * 60 * 60
ENROL_PATH = "/enrol"
"""Where a link leads to; its secret follows."""
WRONG = Refusal("sign_in.wrong", "Address or password is not right.", "Try again, or ask for a new link.")
WRONG_PASSWORD = Refusal("password.wrong", "That is not your password.", "Try again.")
WRONG_CODE = Refusal(
    "sign_in.code_wrong", "The code is not right, or was used before.", "Wait for the next one."
)
LINK_ENDED = Refusal(
    "link.ended", "This link has ended, or was used before.", "Ask who sent it for a new one."
)
SUSPENDED = Refusal("sign_in.suspended", "You are suspended.", "Ask the network manager.")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A refusal that time heals."""

    refusal: Refusal
    retry_after_s: int


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A person that has just chosen its credentials. value: of its cookie; codes: shown once."""

    value: str
    codes: tuple[str, ...]


class SignIn:
    """Judges what people prove themselves by. Answers a cookie's value, or says why not."""

    def __init__(self, sessions: Sessions, vault: Vault, passwords: Passwords | None = None) -> None:
        self.sessions, self._vault = sessions, vault
        self._store, self._clock = sessions.store, sessions.clock
        self._passwords = passwords or Passwords()
        self._tries = Tries(sessions.store, vault, sessions.clock)

    async def by_password(
        self, email: str, password: str, *, address: str, device: str
    ) -> str | Refusal | Waiting:
        """The first half; the answer, and the time it takes, do not tell whether there is such a person."""
        login = people.login_digest(self._vault, email)
        try:
            await self._tries.count("password", login.hex(), address)
            person = await self._store.inspect(lambda conn: people.find_by_login(conn, login))
            right = await self._passwords.is_right(person.password if person else None, password)
        except (TooManyTries, TooMany) as error:
            return _waiting(error)
        if person is None or not right or person.totp is None:
            if person is not None:
                self.sessions.refused(person, WRONG.code, SIGN_IN_PATH)
            return WRONG
        await self._tries.forget("password", login.hex(), address)
        if person.suspended:
            return SUSPENDED
        if person.password and self._passwords.is_outdated(person.password):
            renewed, id_ = await self._passwords.hash(password), person.id
            await self._store.write(lambda conn: people.set_password(conn, id_, renewed))
        return await self.sessions.open(person, device, confirmed_at_s=None, act=None)

    async def by_code(self, session: Session, code: str, *, address: str) -> str | Refusal | Waiting:
        """The second half, and the same again where an act asks for it: a session under a new secret."""
        person = session.person
        try:
            await self._tries.count("code", person.id, address)
        except TooManyTries as error:
            return _waiting(error)
        if not await self._uses_up(person, code):
            self.sessions.refused(person, WRONG_CODE.code, SIGN_IN_PATH)
            return WRONG_CODE
        await self._tries.forget("code", person.id, address)
        if person.suspended:
            return SUSPENDED
        return await self.sessions.open(
            person,
            session.device,
            confirmed_at_s=int(self._clock()),
            act="session.started" if session.confirmed_at_s is None else "factor.confirmed",
            instead_of=session,
        )

    async def _uses_up(self, person: Person, code: str) -> bool:
        """Whether a code of the authenticator or of the paper is right; it is good no second time."""
        secret = self._open(person.id, person.totp) if person.totp else ""
        step = step_of(secret, code, self._clock()) if secret else None
        if step is not None:
            return await self._store.write(lambda conn: people.use_totp_step(conn, person.id, step))
        text = recovery_text(code)
        if text is None:
            return False
        digest = self._recovery_digest(person.id, text)
        return await self._store.write(lambda conn: people.use_recovery(conn, person.id, digest))

    async def link(self, token: str) -> Link | None:
        """What a link leads to, while it lasts."""
        return await self._link(secret_digest("link", token))

    async def _link(self, digest: bytes) -> Link | None:
        now_s = int(self._clock())
        return await self._store.inspect(lambda conn: people.find_link(conn, digest, now_s))

    def offered(self, link: Link) -> str:
        """The authenticator's secret that the page of the link shows, base32."""
        return self._open(link.person.id, link.totp)

    async def email_of(self, person_id: str) -> str:
        """The address that the person signs in with."""
        return (await self._named(person_id)).email

    async def recovery_left(self, person: Person) -> int:
        """How many recovery codes the person still has."""
        return await self._store.inspect(lambda conn: people.recovery_left(conn, person.id))

    async def enrol(self, token: str, password: str, code: str, *, device: str) -> Enrolled | Refusal:
        """Choose password and authenticator by a link, which is used up; whatever was before has ended."""
        link = await self.link(token)
        if link is None:
            return LINK_ENDED
        refusal = await self._unfit(link.person, password)
        if refusal:
            return refusal
        step = step_of(self.offered(link), code, self._clock())
        if step is None:
            return WRONG_CODE
        try:
            kept = await self._passwords.hash(password)
        except TooMany as error:
            return _waiting(error).refusal
        codes, id_ = new_recovery_codes(RECOVERY_CODES), link.person.id

        def choose(conn: Connection) -> Person | Refusal:
            if is_suspended(conn, id_):
                return SUSPENDED
            if not people.use_link(conn, secret_digest("link", token)):
                return LINK_ENDED
            people.end_everywhere(conn, id_)
            people.set_password(conn, id_, kept)
            people.set_totp(conn, id_, link.totp, step, self._recovery_digests(id_, codes))
            return people.find_person(conn, id_) or LINK_ENDED

        person = await self.sessions.commit(link.person, "person.enrolled", choose)
        if isinstance(person, Refusal):
            return person
        now_s = int(self._clock())
        value = await self.sessions.open(person, device, confirmed_at_s=now_s, act="session.started")
        return Enrolled(value, tuple(codes))

    async def change_password(
        self, session: Session, current: str, new: str, *, address: str
    ) -> str | Refusal | Waiting:
        """Choose another password; every other session of the person ends."""
        person = session.person
        try:
            await self._tries.count("password", person.id, address)
            if not await self._passwords.is_right(person.password, current):
                return WRONG_PASSWORD
            await self._tries.forget("password", person.id, address)
            refusal = await self._unfit(person, new)
            if refusal:
                return refusal
            kept = await self._passwords.hash(new)
        except (TooManyTries, TooMany) as error:
            return _waiting(error)

        def change(conn: Connection) -> Refusal | None:
            if is_suspended(conn, person.id):
                return SUSPENDED
            people.set_password(conn, person.id, kept)
            end_other_sessions(conn, person.id, session.digest)
            return None

        if refusal := await self.sessions.commit(person, "password.changed", change):
            return refusal
        # A password is no second factor: what that was shown for stays as it is.
        shown_s = session.confirmed_at_s
        return await self.sessions.open(
            person, session.device, confirmed_at_s=shown_s, act=None, instead_of=session
        )

    async def offer_authenticator(self, session: Session) -> str:
        """The secret of a new authenticator, base32, which the session may confirm for some minutes."""
        digest, now_s, id_ = _offer_digest(session), int(self._clock()), session.person.id
        found = await self._link(digest)
        if found:
            return self.offered(found)
        secret = new_secret()
        sealed = self._vault.seal_secret(id_, secret.encode())
        await self._store.write(lambda conn: people.add_link(conn, id_, digest, sealed, now_s + HALFWAY_S))
        return secret

    async def change_authenticator(self, session: Session, code: str) -> tuple[str, ...] | Refusal:
        """Confirm the new authenticator with a code of its own: new recovery codes, shown once."""
        digest = _offer_digest(session)
        link = await self._link(digest)
        if link is None:
            return LINK_ENDED
        step = step_of(self.offered(link), code, self._clock())
        if step is None:
            return WRONG_CODE
        codes, id_ = new_recovery_codes(RECOVERY_CODES), session.person.id

        def change(conn: Connection) -> Refusal | None:
            if is_suspended(conn, id_):
                return SUSPENDED
            if not people.use_link(conn, digest):
                return LINK_ENDED
            people.set_totp(conn, id_, link.totp, step, self._recovery_digests(id_, codes))
            end_other_sessions(conn, id_, session.digest)
            return None

        return await self.sessions.commit(session.person, "factor.enrolled", change) or tuple(codes)

    async def _unfit(self, person: Person, password: str) -> Refusal | None:
        named = await self._named(person.id)
        return unfit(password, named.email, *named.name.split(), "partner network hub")

    async def _named(self, person_id: str) -> Named:
        found = await self._store.inspect(lambda conn: people.names(conn, self._vault, [person_id]))
        return found.get(person_id, Named("", ""))

    def _open(self, person_id: str, sealed: bytes) -> str:
        return self._vault.open_secret(person_id, sealed).decode()

    def _recovery_digests(self, person_id: str, codes: list[str]) -> list[bytes]:
        return [self._recovery_digest(person_id, recovery_text(code) or "") for code in codes]

    def _recovery_digest(self, person_id: str, text: str) -> bytes:
        return self._vault.digest("recovery", f"{person_id}\0{text}".encode())


def make_link(conn: Connection, vault: Vault, person_id: str, now_s: float) -> str:
    """The secret of a new link by which the person chooses its credentials; earlier links end."""
    token = secrets.token_urlsafe(32)
    sealed = vault.seal_secret(person_id, new_secret().encode())
    people.add_link(conn, person_id, secret_digest("link", token), sealed, int(now_s) + LINK_S)
    return token


def _offer_digest(session: Session) -> bytes:
    """Under which the secret is kept that a session was offered: no link of an address leads to it."""
    return sha256(b"offer\0" + session.digest).digest()


def is_suspended(conn: Connection, person_id: str) -> bool:
    """Whether the person is shut out now, whatever was read of it when the request came; or is no more."""
    found = people.find_person(conn, person_id)
    return found is None or found.suspended


def _waiting(error: TooManyTries | TooMany) -> Waiting:
    retry_after_s = error.retry_after_s if isinstance(error, TooManyTries) else 1
    refusal = Refusal("sign_in.too_often", "There were too many tries.", "Wait, then try again.")
    return Waiting(refusal, retry_after_s)
