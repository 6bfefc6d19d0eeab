"""Access tokens (RFC 9068): made for five minutes, known again, and worth what their client is worth now."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from hub.auth.oauth.signing import ALGORITHM, TOKEN_LIFETIME_S, Signing
from hub.auth.proofs.jws import BadJws, check_started, read, text_claim, time_claim
from hub.settings import Settings
from hub.store.clients import Client
from hub.store.engine import Store
from hub.store.people import Person, find_people
from hub.store.standing import TokenStanding, revoke, standings
from hub.store.together import Together

TOKEN_TYPE = "at+jwt"  # noqa: S105 (a media type, no secret)
LEEWAY_S = 10
"""How far the clock of another process of the hub may run ahead of ours."""
REMEMBERED_TOKENS_MAX = 4_096
"""Tokens whose signature is not checked again; some 2 KB each."""


@dataclass(frozen=True, slots=True)
class Held:
    """A token that holds now, and its client as it stands now; a suspended client still holds its token.

    scopes: of the token, cut down to the grant. bound_to: thumbprint of its DPoP key, None for bearer.
    person: who lets the client act, as it stands now; None: the client acts for itself.
    """

    claims: Mapping[str, Any]
    client: Client
    scopes: frozenset[str]
    bound_to: str | None
    person: Person | None = None


class Tokens:
    """Makes the hub's access tokens, and tells what one is worth.

    Suspension, revocation, a shrunken grant and a withdrawn waiver act on tokens already issued, in every
    process from their commit on: only the verification of a signature is remembered, never how the client
    stands (docs/decisions/0020-glances.md).
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        signing: Signing,
        clock: Callable[[], float] = time.time,
        *,
        remembered_max: int = REMEMBERED_TOKENS_MAX,
    ) -> None:
        """clock: seconds since 1970. remembered_max: tokens whose signature is not checked again."""
        self._store, self._signing, self._clock = store, signing, clock
        self._issuer, self._remembered_max = settings.public_url, remembered_max
        self._verified: OrderedDict[bytes, dict[str, Any]] = OrderedDict()
        self._verified_by = signing.version
        self._standings: Together[tuple[str, str], TokenStanding] = Together(
            lambda asked: standings(store, asked)
        )
        self._people: Together[str, Person | None] = Together(
            lambda ids: store.inspect(lambda conn: find_people(conn, ids))
        )

    def issue(self, client: Client, scope: str, bound_to: str | None) -> str:
        """A new token. scope: space-delimited. bound_to: thumbprint of the DPoP key, None for bearer."""
        return self._sign(
            bound_to,
            sub=client.client_id,
            client_id=client.client_id,
            scope=scope,
            jti=secrets.token_urlsafe(16),
            hub_partner=client.partner,
            hub_audience=client.audience.value,
        )

    def issue_for(
        self,
        person: Person,
        client: Client,
        scope: str,
        bound_to: str | None,
        *,
        jti: str,
        confirmed_at_s: int,
    ) -> str:
        """A new token by which the client acts for a person, who showed a second factor at confirmed_at_s."""
        return self._sign(
            bound_to,
            sub=person.id,
            client_id=client.client_id,
            scope=scope,
            jti=jti,
            auth_time=confirmed_at_s,
            hub_partner=person.partner,
            hub_audience=person.audience.value,
            hub_generation=person.generation,
        )

    def _sign(self, bound_to: str | None, **claims: Any) -> str:
        now_s = int(self._clock())
        claims |= {"iss": self._issuer, "aud": self._issuer, "iat": now_s, "exp": now_s + TOKEN_LIFETIME_S}
        if bound_to is not None:
            claims["cnf"] = {"jkt": bound_to}
        return self._signing.sign(TOKEN_TYPE, claims)

    async def held(self, token: str) -> Held:
        """What the token is worth; BadJws, which says why, when nothing."""
        claims = self._claims(token)
        client, revoked = await self._standings.ask((claims["client_id"], claims["jti"]))
        if revoked:
            raise BadJws("was revoked")
        if client is None:
            raise BadJws("belongs to a client that is gone")
        person = await self._person(claims) if claims["sub"] != claims["client_id"] else None
        holder = person or client
        if claims["hub_partner"] != holder.partner or claims["hub_audience"] != holder.audience:
            raise BadJws("was issued when its holder spoke for someone else")
        bound_to = _thumbprint(claims)
        if bound_to is None and not client.bearer:
            raise BadJws("is bound to no key, and the client has no waiver for that")
        scopes = frozenset(claims["scope"].split(" ")).intersection(client.scopes, holder.scopes)
        return Held(claims, client, scopes, bound_to, person)

    async def _person(self, claims: Mapping[str, Any]) -> Person:
        """The person whom a token speaks for, as it stands now; BadJws when its tokens have ended."""
        person = await self._people.ask(claims["sub"])
        if person is None or claims.get("hub_generation") != person.generation:
            raise BadJws("ended when its person signed out everywhere")
        return person

    async def end(self, jti: str) -> None:
        """End the token of that id in every process."""
        end_s = int(self._clock()) + TOKEN_LIFETIME_S + 1
        await self._store.write(lambda conn: revoke(conn, jti, end_s))

    async def revoke(self, token: str, client_id: str) -> None:
        """End a token of that client in every process; what is no token of it is left alone."""
        try:
            claims = self._claims(token)
        except BadJws:
            return
        if claims["client_id"] == client_id:
            jti, end_s = claims["jti"], int(claims["exp"]) + 1
            await self._store.write(lambda conn: revoke(conn, jti, end_s))

    def _claims(self, token: str) -> dict[str, Any]:
        """Claims of a token that this hub signed and that has not expired; BadJws otherwise."""
        if self._verified_by != self._signing.version:
            self._verified.clear()  # A key that was taken away takes along what it signed.
            self._verified_by = self._signing.version
        digest, now_s = sha256(token.encode()).digest(), self._clock()
        claims = self._verified.get(digest)
        if claims is None:
            claims = self._checked(token, now_s)
            self._verified[digest] = claims
            if len(self._verified) > self._remembered_max:
                self._verified.popitem(last=False)
        if claims["exp"] <= now_s:
            del self._verified[digest]
            raise BadJws("has expired")
        return claims

    def _checked(self, token: str, now_s: float) -> dict[str, Any]:
        """Claims of a token that this hub signed for itself, its end not yet looked at; BadJws otherwise."""
        statement = read(
            token, types=frozenset({TOKEN_TYPE}), headers=frozenset({"kid"}), algorithms=(ALGORITHM,)
        )
        if not self._signing.signed(statement):
            raise BadJws("was not signed by this hub")
        claims = statement.claims
        if claims.get("iss") != self._issuer or claims.get("aud") != self._issuer:
            raise BadJws("was not issued by this hub for this hub alone")
        for name in ("sub", "client_id", "jti", "hub_audience"):
            text_claim(claims, name)
        text_claim(claims, "scope", chars_max=2_048)
        of_person = "hub_generation" in claims and "auth_time" in claims
        if (claims["sub"] != claims["client_id"]) != of_person or "hub_partner" not in claims:
            raise BadJws("does not say whom it speaks for")
        if "cnf" in claims and _thumbprint(claims) is None:
            raise BadJws("is bound to something else than a DPoP key")
        time_claim(claims, "exp")
        time_claim(claims, "iat")
        check_started(claims, now_s, LEEWAY_S)
        return claims


def token_answer(token: str, scope: str, bound_to: str | None) -> dict[str, Any]:
    """A token as the token endpoint hands it out. bound_to: as for `Tokens.issue`."""
    return {
        "access_token": token,
        "token_type": "Bearer" if bound_to is None else "DPoP",
        "expires_in": TOKEN_LIFETIME_S,
        "scope": scope,
    }


def _thumbprint(claims: Mapping[str, Any]) -> str | None:
    confirmation = claims.get("cnf")
    jkt = confirmation.get("jkt") if isinstance(confirmation, dict) else None
    return jkt if isinstance(jkt, str) else None
