"""Everything that people see who have a login."""

from __future__ import annotations

from fastapi import APIRouter

from hub.auth.access import BY_ITSELF
from hub.auth.oauth.authorization import AuthorizationRequests
from hub.auth.people.linked_accounts import LinkedAccounts
from hub.auth.people.openid import Provider
from hub.web import account, authorize, elsewhere, enrolment, graphiql, sign_in
from hub.web.pages import Pages


def build_router(
    pages: Pages, requests: AuthorizationRequests, other: tuple[Provider, LinkedAccounts] | None
) -> APIRouter:
    """Sign-in, invitation, account, consent, GraphiQL, and the files that their pages load.

    other: where people may sign in instead, and who its accounts are; None: nowhere.
    """
    router = APIRouter(include_in_schema=False, dependencies=[BY_ITSELF])
    pages.files.add_routes(router)
    sign_in.add_routes(router, pages)
    enrolment.add_routes(router, pages)
    account.add_routes(router, pages)
    authorize.add_routes(router, pages, requests)
    graphiql.add_routes(router, pages)
    if other is not None:
        elsewhere.add_routes(router, pages, *other)
    return router
