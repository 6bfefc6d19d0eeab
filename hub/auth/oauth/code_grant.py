"""The token endpoint's half of the code grant: a code is redeemed, once, for a token of its person.

Sources: RFC 6749 section 4.1, RFC 7636, RFC 9449 section 10, RFC 9700. Clients prove their key; there are no
public clients (docs/decisions/0028-code-for-confidential-clients.md).
"""

from __future__ import annotations

import hmac
import re
import secrets
import time
from collections.abc import Callable
from typing import Any

from authlib.oauth2.rfc6749.errors import InvalidGrantError
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from hub.auth.digests import secret_digest
from hub.auth.oauth.authorization import acts_for
from hub.auth.oauth.calls import Call, Callers
from hub.auth.oauth.tokens import Tokens, token_answer
from hub.store.authorization_codes import AuthorizationCode, find_code, use_code
from hub.store.clients import Client
from hub.store.engine import Store
from hub.store.people import Person

GRANT_TYPE = "authorization_code"

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}", re.ASCII)
_NOT_GOOD = (
    "The code is not good: it is unknown, was used or has ended, or belongs to another client, redirect_uri, "
    "code_verifier or key."
)


class CodeGrant:
    """Redeems codes."""

    def __init__(
        self, store: Store, tokens: Tokens, callers: Callers, clock: Callable[[], float] = time.time
    ) -> None:
        """callers: of the token endpoint. clock: seconds since 1970."""
        self._store, self._tokens, self._callers, self._clock = store, tokens, callers, clock

    async def redeem(self, call: Call) -> dict[str, Any]:
        """The token response for a code; InvalidGrantError, one for all reasons, when it is not good."""
        client = self._callers.prove(call).row
        try:
            self._callers.bind_or_waive(call)
        finally:
            # Used up even when the answer is a no.
            await self._callers.use_up(call)
        digest = secret_digest("code", call.values.get("code", ""))
        jti, now_s = secrets.token_urlsafe(16), int(self._clock())
        found = await self._store.inspect(lambda conn: find_code(conn, digest))
        if found is None or not _fits(found, client, call):
            raise InvalidGrantError(_NOT_GOOD)
        code, person = found
        if not await self._store.write(lambda conn: use_code(conn, digest, jti, now_s)):
            await self._end_what_it_gave(digest)
            raise InvalidGrantError(_NOT_GOOD)
        token = self._tokens.issue_for(
            person, client, code.scope, call.thumbprint, jti=jti, confirmed_at_s=code.confirmed_at_s
        )
        return token_answer(token, code.scope, call.thumbprint)

    async def _end_what_it_gave(self, digest: bytes) -> None:
        """A code came twice: one of the two was a thief's, and nobody knows which (RFC 6749, 10.5)."""
        found = await self._store.inspect(lambda conn: find_code(conn, digest))
        if found and found[0].jti:
            await self._tokens.end(found[0].jti)


def _fits(found: tuple[AuthorizationCode, Person], client: Client, call: Call) -> bool:
    code, person = found
    verifier = call.values.get("code_verifier", "")
    return (
        code.client_id == client.client_id
        and code.redirect_uri == call.values.get("redirect_uri")
        and bool(_VERIFIER.fullmatch(verifier))
        and hmac.compare_digest(create_s256_code_challenge(verifier), code.challenge)
        and code.dpop_jkt in (None, call.thumbprint)
        and code.generation == person.generation
        and not person.suspended
        and acts_for(client, person)
    )
