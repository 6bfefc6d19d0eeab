"""A page's answer to what is refused before the page itself is reached: a page, never a bare document."""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable

from fastapi.responses import Response
from starlette.requests import Request

from hub.auth.denied import Denied
from hub.store.engine import StoreUnavailable
from hub.web.forms import Malformed
from hub.web.pages import Pages

Handler = Callable[[Request], Awaitable[Response]]

log = logging.getLogger(__name__)


def guarded(pages: Pages) -> Callable[[Handler], Handler]:
    """Turn refusals and outages into pages."""

    def guard(handler: Handler) -> Handler:
        @functools.wraps(handler)
        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except Denied as denied:
                return pages.denied(request, denied)
            except Malformed:
                return pages.refused(request, 400, "page.malformed", {})
            except StoreUnavailable as error:
                log.warning("page_unavailable", extra={"path": request.url.path, "why": str(error)})
                return pages.refused(request, 503, "hub.unavailable", {"Retry-After": "1"})

        return answer

    return guard
