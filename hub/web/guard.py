"""A page's answer to what is refused before the page itself is reached: a page, never a bare document."""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable

from fastapi.responses import Response
from starlette.requests import Request

from hub.auth.denied import Denied
from hub.rest.problems import place_of
from hub.store.engine import StoreUnavailable
from hub.store.sessions import Session
from hub.web.forms import Malformed
from hub.web.pages import Pages, to_confirm, to_sign_in

Handler = Callable[[Request], Awaitable[Response]]
SessionHandler = Callable[[Request, Session], Awaitable[Response]]

log = logging.getLogger(__name__)


def guarded(pages: Pages) -> Callable[[Handler], Handler]:
    """Turn refusals and outages into pages."""

    def guard(handler: Handler) -> Handler:
        @functools.wraps(handler)
        async def answer(request: Request) -> Response:
            try:
                _check_path(request)
                return await handler(request)
            except Denied as denied:
                return pages.denied(request, denied)
            except Malformed:
                return pages.refused(request, 400, "page.malformed", {})
            except StoreUnavailable as error:
                log.warning("page_unavailable", extra={"route": place_of(request), "why": str(error)})
                return pages.refused(request, 503, "hub.unavailable", {"Retry-After": "1"})

        return answer

    return guard


def confirmed(pages: Pages, path: str) -> Callable[[SessionHandler], Handler]:
    """The same, and hand over the session of who has shown a second factor of late; others go and show it.

    path: where they come back to.
    """

    def guard(handler: SessionHandler) -> Handler:
        @guarded(pages)
        async def answer(request: Request) -> Response:
            session = await pages.signed_in(request)
            if session is None:
                return to_sign_in(path)
            if not pages.sessions.is_confirmed(session):
                return to_confirm(path)
            return await handler(request, session)

        return answer

    return guard


def _check_path(request: Request) -> None:
    """Malformed for a name in the path that is none of ours: databases take no NUL, for one."""
    if not all(value.isascii() and value.isprintable() for value in request.path_params.values()):
        raise Malformed
