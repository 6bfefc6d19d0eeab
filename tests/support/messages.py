"""Events as partners send them, with no more members than they need."""

from __future__ import annotations

import json
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

from hub.domain.firms import firm_wire_id
from hub.domain.principal import Principal
from hub.domain.scopes import DEFAULT_SCOPES, Audience
from hub.domain.services import service_id

KENT, NORMANDY, EEN = (
    "kent-international-business",
    "team-france-export-normandy",
    "enterprise-europe-network",
)
PARTNERS = (KENT, NORMANDY, EEN)
NETWORK = "kent"
Message = dict[str, Any]


def partner(slug: str = KENT, *, scopes: frozenset[str] | None = None) -> Principal:
    """A partner's client with the default scopes, or those given."""
    granted = frozenset(DEFAULT_SCOPES[Audience.PARTNER]) if scopes is None else scopes
    return Principal(slug, Audience.PARTNER, slug, granted, None, f"/partners/{slug}/")


def network_manager(*networks: str) -> Principal:
    """A manager's client; without networks it is bound to none."""
    return Principal(
        "network-manager",
        Audience.MANAGER,
        None,
        frozenset(DEFAULT_SCOPES[Audience.MANAGER]),
        frozenset(networks) or None,
        "/hub/clients/network-manager/",
    )


def event(sender: Principal, what: str, subject: str, data: Message, **attributes: Any) -> Message:
    """A structured event; what: the type without hub. and .v1. An attribute of None is left out."""
    full = {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": f"{sender.source_prefix}crm",
        "type": f"hub.{what}.v1",
        "subject": subject,
        **attributes,
        "data": data,
    }
    return {name: value for name, value in full.items() if value is not None}


def service(sender: Principal, own_id: str = "export-first-steps", **members: Any) -> Message:
    """A service that the sender publishes."""
    data = {
        "own_id": own_id,
        "name": {"en": "Export first steps"},
        "description": {"en": "A workshop"},
        "service_type": "workshop",
        **members,
    }
    return event(sender, "service.published", service_id(sender.identity, own_id), data)


def firm_id(number: str) -> str:
    """Wire id of a British company."""
    return firm_wire_id("GB-COH", number)


def firm(sender: Principal, number: str, **members: Any) -> Message:
    """A British company that the sender registers."""
    id_ = firm_id(number)
    identifier = {"scheme": "GB-COH", "number": number}
    data = {"sme_id": id_, "identifier": identifier, "name": f"Firm {number}", "country": "GB", **members}
    return event(sender, "sme.registered", id_, data)


def consent(sender: Principal, number: str, *recipients: str, id_: str, **members: Any) -> Message:
    """A firm's consent to everything, for a year."""
    data = {
        "sme_id": firm_id(number),
        "purposes": ["referral", "contact"],
        "recipients": list(recipients),
        "categories": ["identity", "contact", "diagnosis", "roadmap"],
        "given_at": "2026-01-01T09:00:00Z",
        "expires_at": "2099-01-01T09:00:00Z",
        "evidence": {"kind": "form"},
        **members,
    }
    return event(sender, "consent.given", id_, data)


def referral(sender: Principal, number: str, id_: str, consent_id: str, **members: Any) -> Message:
    """A request for help, to NORMANDY unless told otherwise."""
    data = {
        "sme_id": firm_id(number),
        "network": NETWORK,
        "to": NORMANDY,
        "consent_id": consent_id,
        **members,
    }
    return event(sender, "referral.requested", id_, {k: v for k, v in data.items() if v is not None})


def network_events(manager: Principal, members: tuple[str, ...] = PARTNERS) -> list[Message]:
    """The network and its members."""
    joined = {"name": {"en": "Partner"}, "country": "GB", "role": "member", "from": "2026-01-01"}
    return [
        *(event(manager, "partner.joined", slug, joined) for slug in members),
        event(manager, "network.configured", NETWORK, {"name": {"en": "Kent"}}),
        *(event(manager, "partner.joined", slug, {**joined, "network": NETWORK}) for slug in members),
    ]


def body(message: Any) -> bytes:
    """As it goes over the wire."""
    return json.dumps(message).encode()


def uuid_of(name: str) -> str:
    """The same UUID for the same name."""
    return str(uuid5(NAMESPACE_URL, name))
