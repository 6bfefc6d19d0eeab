"""The only wiring of the web application: settings in, the whole application out."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from fastapi import APIRouter, FastAPI

from hub import graphql
from hub.auth import routes as oauth
from hub.auth.addresses import Addresses
from hub.auth.authenticate import Authenticator
from hub.auth.metering import open_meter
from hub.auth.oauth.authorization import AuthorizationRequests
from hub.auth.oauth.key_uses import KeyUses
from hub.auth.oauth.signing import open_signing
from hub.auth.oauth.tokens import Tokens
from hub.auth.people.linked_accounts import LinkedAccounts
from hub.auth.people.openid import Provider
from hub.auth.people.sessions import Sessions
from hub.auth.people.sign_in import SignIn
from hub.auth.proofs.nonces import OfferNonce, open_nonces
from hub.events.breakglass import EmergencyAccess
from hub.events.spine import Hub, open_hub
from hub.ledger.checkpoint import verifier_key
from hub.rest import breakglass, events, ledger, onboarding, operations, privacy, problems, receipts
from hub.rest.methods import HeadAsGet
from hub.rest.metrics import CountRequests
from hub.settings import Settings
from hub.web import routes as web
from hub.web.pages import Pages


def build_app(settings: Settings, hub: Hub | None = None, *, working: bool = True) -> FastAPI:
    """The application; with `hub` given, on parts that the caller has opened.

    working: whether its process sequences and projects, too.
    """
    hub = hub or open_hub(settings)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with hub.running(working=working), key_uses.keeping():
            yield
        await hub.store.close()

    app = FastAPI(
        title="Partner network hub",
        description="One service catalogue and one referral ledger for a network of export helpers.",
        lifespan=lifespan,
        responses=problems.DESCRIBED,
        docs_url=None,
        redoc_url=None,
    )
    refused = hub.auditor.refused
    problems.install(app, refused)
    app.add_middleware(CountRequests)
    app.add_middleware(HeadAsGet)
    signing = open_signing(settings)
    nonces = open_nonces(settings)
    app.add_middleware(OfferNonce, nonces=nonces)
    sessions, addresses = Sessions(hub.store, settings, hub.auditor), Addresses(settings.proxies)
    key_uses = KeyUses(hub.store)
    tokens = Tokens(hub.store, settings, signing)
    who = Authenticator(hub.store, settings, tokens, nonces, sessions).principal
    meter = open_meter(settings, hub.intake.quotas, addresses)
    access = EmergencyAccess(hub.store, hub.vault, hub.auditor, hub.progress)
    checkpoints = verifier_key(hub.ledger_origin, hub.ledger_key.public_key())
    app.include_router(events.build_router(hub.store, hub.vault, hub.intake, hub.progress, who, hub.auditor))
    app.include_router(receipts.build_router(hub.store, hub.vault, who))
    app.include_router(
        graphql.build_router(
            hub.store,
            hub.vault,
            who,
            quotas=hub.intake.quotas,
            meter=meter,
            note_refusal=refused,
            record_reading=access.used,
            graphiql_mutations=settings.graphiql_mutations,
        )
    )
    app.include_router(breakglass.build_router(access, who))
    app.include_router(onboarding.build_router(hub, who, meter, addresses))
    app.include_router(privacy.build_router(hub, who, meter))
    app.include_router(
        oauth.build_router(hub.store, settings, signing, tokens, nonces, addresses, key_uses, refused)
    )
    app.include_router(ledger.build_router(hub.store, checkpoints))
    app.include_router(operations.build_router(hub))
    app.include_router(_pages(settings, hub, sessions, addresses))
    return app


def _pages(settings: Settings, hub: Hub, sessions: Sessions, addresses: Addresses) -> APIRouter:
    """Pages of people, with the other OpenID provider where there is one."""
    sign_in = SignIn(sessions, hub.vault)
    other = (
        (Provider(settings, hub.vault), LinkedAccounts(sign_in, hub.vault)) if settings.oidc_issuer else None
    )
    pages = Pages(sign_in, addresses, elsewhere=other is not None)
    return web.build_router(pages, AuthorizationRequests(hub.store), other)


def build_work_app(settings: Settings) -> FastAPI:
    """Health and metrics of a process that works and serves nothing else; it works as long as it serves."""
    hub = open_hub(settings)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with hub.running(serving=False):
            yield
        await hub.store.close()

    app = FastAPI(title="Partner network hub: worker", lifespan=lifespan, docs_url=None, redoc_url=None)
    problems.install(app)
    app.include_router(operations.build_router(hub, operations.WORKER_NEEDS))
    return app
