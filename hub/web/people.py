"""Everything that people see who have a login."""

from __future__ import annotations

from fastapi import APIRouter

from hub.auth.access import BY_ITSELF
from hub.auth.addresses import Addresses
from hub.auth.oauth.code_grant import Codes
from hub.auth.oauth.tokens import Tokens
from hub.auth.people.elsewhere import Elsewhere
from hub.auth.people.openid import Provider
from hub.auth.people.sessions import Sessions
from hub.auth.people.sign_in import SignIn
from hub.settings import Settings
from hub.store.engine import Store
from hub.store.vault import Vault
from hub.web import account, authorize, elsewhere, enrolment, graphiql, sign_in
from hub.web.pages import Pages


def open_people(
    settings: Settings, store: Store, vault: Vault, sessions: Sessions, tokens: Tokens, addresses: Addresses
) -> APIRouter:
    """The pages of the settings, GraphiQL among them."""
    signing_in = SignIn(sessions, vault)
    other = (Provider(settings, vault), Elsewhere(signing_in, vault)) if settings.oidc_issuer else None
    pages = Pages(signing_in, addresses, elsewhere=other is not None)
    router = build_router(pages, Codes(store, tokens, None), other)
    router.include_router(graphiql.build_router(pages))
    return router


def build_router(pages: Pages, codes: Codes, other: tuple[Provider, Elsewhere] | None = None) -> APIRouter:
    """Sign-in, invitation, account, consent, and the files that their pages load.

    other: where people may sign in instead, and who its accounts are; None: nowhere.
    """
    router = APIRouter(include_in_schema=False, dependencies=[BY_ITSELF])
    pages.files.add_routes(router)
    sign_in.add_routes(router, pages)
    enrolment.add_routes(router, pages)
    account.add_routes(router, pages)
    authorize.add_routes(router, pages, codes)
    if other is not None:
        elsewhere.add_routes(router, pages, *other)
    return router
