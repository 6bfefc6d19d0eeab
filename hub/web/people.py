"""Everything that people see who have a login."""

from __future__ import annotations

from fastapi import APIRouter

from hub.auth.access import BY_ITSELF
from hub.auth.code_grant import Codes
from hub.web import account, authorize, enrolment, sign_in
from hub.web.pages import Pages


def build_router(pages: Pages, codes: Codes) -> APIRouter:
    """Sign-in, invitation, account, consent, and the files that their pages load."""
    router = APIRouter(include_in_schema=False, dependencies=[BY_ITSELF])
    pages.files.add_routes(router)
    sign_in.add_routes(router, pages)
    enrolment.add_routes(router, pages)
    account.add_routes(router, pages)
    authorize.add_routes(router, pages, codes)
    return router
