"""What a route asks of its caller: declared in its signature, enforced here, shown in /openapi.json.

Every route declares one of these; tests/tidy/test_access.py fails on one that does not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from fastapi import Depends, Request, Security
from fastapi.openapi.models import OAuth2 as OAuth2Model
from fastapi.openapi.models import OAuthFlowAuthorizationCode, OAuthFlowClientCredentials, OAuthFlows
from fastapi.routing import APIRoute
from fastapi.security.base import SecurityBase
from starlette.responses import Response

from hub.auth.authenticate import missing_token, scope_denied
from hub.auth.oauth.authorization import AUTHORIZE_PATH
from hub.auth.oauth.server import TOKEN_PATH
from hub.domain.principal import Principal
from hub.domain.scopes import SCOPES, Audience

Authenticate = Callable[[Request], Awaitable[Principal]]

SCHEME = "hub"
_SCOPES = dict.fromkeys(sorted(SCOPES), "docs/scopes.md")
_MODEL = OAuth2Model(
    flows=OAuthFlows(
        clientCredentials=OAuthFlowClientCredentials(tokenUrl=TOKEN_PATH, scopes=_SCOPES),
        authorizationCode=OAuthFlowAuthorizationCode(
            authorizationUrl=AUTHORIZE_PATH, tokenUrl=TOKEN_PATH, scopes=_SCOPES
        ),
    ),
    description=(
        "private_key_jwt (RFC 7523) and DPoP (RFC 9449); bearer tokens for clients with the recorded waiver."
    ),
)


class Caller(SecurityBase):
    """Who sends the request; as a dependency, the Principal. Made by `needs` and `may_be_anyone`."""

    model = _MODEL
    scheme_name = SCHEME

    def __init__(
        self,
        authenticate: Authenticate,
        scopes: tuple[str, ...],
        *,
        anyone: bool = False,
        one_of: bool = False,
    ) -> None:
        self._authenticate, self.scopes, self._anyone, self._one_of = authenticate, scopes, anyone, one_of

    async def __call__(self, request: Request) -> Principal:
        """The caller; Denied 401 without a token that holds, 403 without the scopes."""
        principal = await self._authenticate(request)
        if self._anyone:
            return principal
        if principal.audience is Audience.PUBLIC:
            raise missing_token()
        held = principal.scopes.intersection(self.scopes)
        if len(held) < (1 if self._one_of else len(self.scopes)):
            raise scope_denied(*self.scopes, one_of=self._one_of)
        return principal


def needs(authenticate: Authenticate, *scopes: str) -> Any:
    """For routes of clients and persons that hold all of these scopes; none: of any that is known."""
    return Security(Caller(authenticate, scopes), scopes=list(scopes))


def needs_one(authenticate: Authenticate, *scopes: str) -> Any:
    """For routes where each of these scopes opens something: what is one's own, or what one manages."""
    return Security(Caller(authenticate, scopes, one_of=True))


def may_be_anyone(authenticate: Authenticate) -> Any:
    """For routes that answer the public, too, and others by their rights; a token that is wrong is 401."""
    return Security(Caller(authenticate, (), anyone=True))


async def _open() -> None:
    """Nothing is asked."""


async def _by_itself() -> None:
    """The route looks for itself."""


class Direct(APIRoute):
    """A route of a function that takes the request and its declared caller, and is called with no more ado.

    FastAPI solves dependencies and keeps stacks of what to close: a tenth of what a single event costs.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers a request."""
        (caller,) = (one for one in self.dependant.dependencies if isinstance(one.call, Caller))
        ask, name, answer = caller.call, caller.name, self.endpoint
        assert ask is not None
        assert name is not None

        async def handle(request: Request) -> Response:
            response: Response = await answer(request, **{name: await ask(request)})
            return response

        return handle


OPEN = Depends(_open)
"""For routes that give everybody the same answer."""
BY_ITSELF = Depends(_by_itself)
"""For routes whose caller is known by what the request itself proves: OAuth endpoints, log-in, links."""


def declared(route: APIRoute) -> str | None:
    """Scopes that a route needs, or `known`, `anyone`, `open`, `by itself`; None when it declares nothing."""
    for one in route.dependant.dependencies:
        if isinstance(one.call, Caller):
            return "anyone" if one.call._anyone else " ".join(one.call.scopes) or "known"
        if one.call in (_open, _by_itself):
            return "open" if one.call is _open else "by itself"
    return None
