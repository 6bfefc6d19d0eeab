"""How partners come in and get on: their clients and keys, and what they ask the network's manager for."""

from __future__ import annotations

from fastapi import APIRouter

from hub.auth.access import Authenticate
from hub.auth.addresses import Addresses
from hub.auth.metering import Meter
from hub.auth.proofs.possession import Possession
from hub.events.spine import Hub
from hub.rest import admissions, applications, clients
from hub.rest.registrar import Registrar


def build_router(hub: Hub, authenticate: Authenticate, meter: Meter, addresses: Addresses) -> APIRouter:
    """All addresses of onboarding. authenticate: raises Denied for a token that does not hold.

    meter: charges the public. addresses: reads where it comes from.
    """
    issuer = hub.settings.public_url
    possession = Possession(hub.vault, issuer)
    registrar = Registrar(hub.store, hub.vault, hub.auditor, hub.intake, possession, authenticate, issuer)
    router = APIRouter()
    router.include_router(clients.build_router(registrar))
    router.include_router(admissions.build_router(registrar))
    router.include_router(applications.build_router(registrar, meter, addresses))
    return router
