"""Mixed events as a network makes them: services, and cases from the firm's registration to the outcome."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from time import perf_counter
from typing import Any
from uuid import uuid4

from hub.domain.firms import firm_wire_id
from hub.domain.principal import Principal
from hub.domain.scopes import DEFAULT_SCOPES, Audience
from hub.domain.services import service_id
from hub.events.accept import accept
from hub.events.check import check
from hub.events.envelope import BATCH, parse
from hub.events.intake import GROUP_EVENTS_MAX
from hub.events.rejection import Rejected
from hub.events.spine import Hub

NETWORK = "bench-network"
PARTNERS = ("bench-north", "bench-south", "bench-east", "bench-west")
NETWORK_EVENTS = 1 + 2 * len(PARTNERS)
CASE_EVENTS = 10
"""Of one firm: four services beside a case of six events."""
CATALOGUE_EVENTS = 4
SENT_AT = "2026-11-22T09:00:00Z"

Message = dict[str, Any]
Sent = tuple[Principal, Message]


def partner(slug: str) -> Principal:
    """A partner's client with the default scopes."""
    granted = frozenset(DEFAULT_SCOPES[Audience.PARTNER])
    return Principal(slug, Audience.PARTNER, slug, granted, None, f"/partners/{slug}/")


MANAGER = Principal(
    "bench-manager",
    Audience.MANAGER,
    None,
    frozenset(DEFAULT_SCOPES[Audience.MANAGER]),
    None,
    "/hub/clients/bench-manager/",
)
SENDERS = {slug: partner(slug) for slug in PARTNERS}


def network_events() -> list[Sent]:
    """The network and its members, which all other events need."""
    joined = {"name": {"en": "Partner"}, "country": "GB", "role": "member", "from": "2026-01-01"}
    messages = [_event(MANAGER, "partner.joined", slug, joined) for slug in PARTNERS]
    messages.append(_event(MANAGER, "network.configured", NETWORK, {"name": {"en": "Network"}}))
    members = {**joined, "network": NETWORK}
    messages += [_event(MANAGER, "partner.joined", slug, members) for slug in PARTNERS]
    return [(MANAGER, message) for message in messages]


def case_events(number: int) -> list[Sent]:
    """CASE_EVENTS events in an order that is accepted. number: of the case, each once."""
    requester, owner = (SENDERS[PARTNERS[(number + step) % len(PARTNERS)]] for step in (0, 1))
    company = f"{number:08d}"
    firm, consent, referral = firm_wire_id("GB-COH", company), str(uuid4()), str(uuid4())
    services = [_service(owner, f"{number}-{at}") for at in range(CATALOGUE_EVENTS)]
    registered = {
        "sme_id": firm,
        "identifier": {"scheme": "GB-COH", "number": company},
        "name": f"Firm {number}",
        "country": "GB",
        "contacts": [{"name": "Export desk", "email": f"desk@firm-{number}.example", "role": "director"}],
    }
    given = {
        "sme_id": firm,
        "purposes": ["referral", "contact"],
        "recipients": [owner.identity],
        "categories": ["identity", "contact"],
        "given_at": "2026-01-01T09:00:00Z",
        "expires_at": "2099-01-01T09:00:00Z",
        "evidence": {"kind": "form"},
    }
    requested = {
        "sme_id": firm,
        "network": NETWORK,
        "to": owner.identity,
        "service_id": services[0]["subject"],
        "consent_id": consent,
        "needs": ["funding"],
        "message": "Please call before noon.",
    }
    return [
        *((owner, one) for one in services),
        (requester, _event(requester, "sme.registered", firm, registered)),
        (requester, _event(requester, "consent.given", consent, given)),
        (requester, _event(requester, "referral.requested", referral, requested)),
        *((owner, _event(owner, f"referral.{what}", referral, {})) for what in ("received", "accepted")),
        (owner, _event(owner, "referral.started", referral, {})),
    ]


def _service(sender: Principal, own_id: str) -> Message:
    data = {
        "own_id": own_id,
        "name": {"en": f"Export workshop {own_id}", "fr": f"Atelier export {own_id}"},
        "description": {"en": "Two days on customs, payment and contracts for a first export."},
        "service_type": "workshop",
        "sectors": [{"scheme": "nace-2.1", "code": "62.10"}],
        "target_countries": ["DE", "NL"],
    }
    return _event(sender, "service.published", service_id(sender.identity, own_id), data)


def _event(sender: Principal, what: str, subject: str, data: Message) -> Message:
    return {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": f"{sender.source_prefix}crm",
        "type": f"hub.{what}.v1",
        "subject": subject,
        "time": SENT_AT,
        "data": data,
    }


async def set_up_network(hub: Hub) -> None:
    """Accept what all cases need."""
    await _accept(hub, network_events())


async def accept_cases(hub: Hub, first: int, end: int) -> float:
    """Accept the cases from that number up to the end, in groups as the intake makes them.

    Returns the seconds spent in transactions: one at a time, over all processes of a hub.
    """
    cases_at_once = GROUP_EVENTS_MAX // CASE_EVENTS
    alone_s = 0.0
    for start in range(first, end, cases_at_once):
        cases = range(start, min(end, start + cases_at_once))
        alone_s += await _accept(hub, [one for number in cases for one in case_events(number)])
    return alone_s


async def _accept(hub: Hub, sent: list[Sent]) -> float:
    """Accept events in one transaction, each read from its bytes and checked as a partner's post is."""
    submissions = [
        check(sender, parse(BATCH, [], json.dumps([message]).encode())) for sender, message in sent
    ]
    begun_s = perf_counter()
    answers = await hub.intake.commit(lambda conn: accept(conn, hub.vault, submissions, datetime.now(UTC)))
    alone_s = perf_counter() - begun_s
    for answer in answers:
        if isinstance(answer, Rejected):
            raise AssertionError(f"the hub does not take it: {answer.code} {answer.message}")
    return alone_s
