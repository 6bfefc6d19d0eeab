"""What happens in the demo: every step is an HTTP request with the partner's own token."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import rfc8785

from hub.cli.demo_clients import Network
from hub.domain.firms import firm_wire_id
from hub.domain.services import service_id
from hub.ledger import checkpoint, merkle

KENT, NORMANDY, EEN = (
    "kent-international-business",
    "team-france-export-normandy",
    "enterprise-europe-network",
)
MANAGER = "network-manager"
NETWORK = "kent"
CATALOGUE_ROWS = 12


@dataclass(frozen=True, slots=True)
class Member:
    """A partner that joins, and the feed that it publishes through a connector."""

    slug: str
    name: str
    country: str
    role: str
    connector: str
    feed: str


async def found(network: Network, members: Sequence[Member]) -> None:
    """The manager configures the network, and its partners join."""
    today = str(datetime.now(UTC).date())
    await network.post(
        MANAGER,
        "hub.network.configured.v1",
        NETWORK,
        {
            "name": {"en": "Kent one-stop shop"},
            "lead": KENT,
            "clocks": {"first_answer": {"days": 3, "calendar": "business"}},
            "time_zone": "Europe/London",
            "country": "GB",
        },
    )
    for member in members:
        joined = {"name": {"en": member.name}, "country": member.country, "role": member.role}
        await network.post(
            MANAGER, "hub.partner.joined.v1", member.slug, {**joined, "network": NETWORK, "from": today}
        )


@dataclass(frozen=True, slots=True)
class Story:
    """The referral that was made; confirmation: the last event with its receipt."""

    referral: str
    confirmation: dict[str, Any]


async def refer(network: Network) -> Story:
    """A firm registers, consents, is diagnosed, referred, helped, and confirms the outcome."""
    today, now = datetime.now(UTC).date(), datetime.now(UTC)
    firm, consent, referral = firm_wire_id("GB-COH", "09876543"), str(uuid4()), str(uuid4())
    about = {"sme_id": firm}
    await network.post(KENT, "hub.sme.registered.v1", firm, {**about, **_FIRM})
    await network.post(
        KENT,
        "hub.consent.given.v1",
        consent,
        {
            **about,
            "purposes": ["referral", "contact"],
            "recipients": [NORMANDY],
            "categories": ["identity", "contact"],
            "given_at": now.isoformat(),
            "expires_at": (now + timedelta(days=365)).isoformat(),
            "evidence": {"kind": "form", "reference": "F-1"},
        },
    )
    answers = [{"question": f"q{number}", "answer": number % 5} for number in range(1, 13)]
    await network.post(
        KENT,
        "hub.diagnosis.submitted.v1",
        str(uuid4()),
        {
            **about,
            "network": NETWORK,
            "questionnaire": "self-diagnosis",
            "questionnaire_version": 1,
            "answers": answers,
        },
    )
    service = await _a_grant(network)
    await network.post(
        KENT,
        "hub.referral.requested.v1",
        referral,
        {
            **about,
            "network": NETWORK,
            "to": NORMANDY,
            "service_id": service,
            "consent_id": consent,
            "needs": ["funding"],
            "message": "Please call before noon.",
        },
    )
    for what in ("received", "accepted", "started"):
        await network.post(NORMANDY, f"hub.referral.{what}.v1", referral, {})
    await network.post(NORMANDY, "hub.referral.completed.v1", referral, _completion(service, today))
    confirmation = await network.post(
        KENT,
        "hub.outcome.confirmed.v1",
        referral,
        {"kind": "funding-obtained", "confirmed_by": "requester"},
    )
    return Story(referral, confirmation)


_FIRM: dict[str, Any] = {
    "identifier": {"scheme": "GB-COH", "number": "09876543"},
    "name": "Medway Valves Ltd",
    "country": "GB",
    "size": "small",
    "experience": "indirect",
    "sectors": [{"scheme": "nace-2.1", "code": "28.14"}],
    "area": "UKJ4",
    "contacts": [{"name": "Export desk", "email": "export@medway-valves.example", "role": "director"}],
}


def _completion(service: str, day: date) -> dict[str, Any]:
    return {
        "performed": [{"service_id": service, "on": str(day)}],
        "outcome": {
            "kind": "funding-obtained",
            "value": {"amount": "20000.00", "currency": "EUR"},
            "countries": ["DE"],
        },
    }


async def _a_grant(network: Network) -> str:
    """A grant of Normandy's, found as a portal would find it."""
    found = await network.query(
        None,
        "query Grant($partner: [String!]) {"
        " services(filter: {partner: $partner, serviceType: [GRANT]}, first: 1) { nodes { id ownId } } }",
        partner=[NORMANDY],
    )
    node = found["services"]["nodes"][0]
    assert node["id"] == service_id(NORMANDY, node["ownId"])
    return str(node["id"])


@dataclass(slots=True)
class Summary:
    """What the demo shows at its end."""

    counts: dict[str, Any] = field(default_factory=dict)
    catalogue: list[tuple[str, str, str]] = field(default_factory=list)
    timeline: list[tuple[str, str, str, str, str]] = field(default_factory=list)


async def summarise(network: Network, story: Story) -> Summary:
    """Counts, the catalogue, the referral's ledger, and the proof, all read from outside."""
    shown = await network.query(None, _CATALOGUE)
    manager = await network.query(MANAGER, _MANAGER, id=story.referral)
    head, verified = await prove(network, story.confirmation)
    listed = [
        (one["partner"]["name"], one["kind"].lower().replace("_", " "), one["name"])
        for one in [*shown["services"]["nodes"], *shown["opportunities"]["nodes"]]
    ]
    step = max(1, len(listed) // CATALOGUE_ROWS)
    return Summary(
        counts={
            "services": shown["services"]["totalCount"],
            "opportunities": shown["opportunities"]["totalCount"],
            "partners": len(shown["partners"]),
            "referrals": manager["referrals"]["totalCount"],
            "ledger_size": head.size,
            "root_hash": base64.b64encode(head.root).decode(),
            "proof_verified": verified,
        },
        catalogue=listed[::step],
        timeline=[
            (
                str(entry["seq"]),
                (entry["partner"] or {}).get("slug", "hub"),
                entry["type"],
                entry["status"].lower(),
                str(entry["leafIndex"]),
            )
            for entry in manager["referral"]["timeline"]
        ],
    )


async def prove(network: Network, posted: dict[str, Any]) -> tuple[checkpoint.Checkpoint, bool]:
    """Check, with the sender's receipt and what is public, that an event stands in the signed ledger."""
    event, receipt = posted["event"], posted["receipt"]
    key = (await network.http.get("/ledger/key")).text.strip()
    head = checkpoint.verify((await network.http.get("/ledger/checkpoint")).text, key)
    if head is None:
        raise RuntimeError("the checkpoint is not signed by the ledger's key")
    partner = event["source"].split("/")[2]
    entry = {
        "accepted_at": receipt["accepted_at"],
        "event": event,
        "partner": partner,
        "seq": receipt["seq"],
    }
    commitment = hashlib.sha256(base64.b64decode(receipt["salt"]) + rfc8785.dumps(entry)).digest()
    leaf, index = merkle.leaf_hash(commitment), receipt["leaf_index"]
    answer = await network.http.get("/ledger/proof", params={"leaf": index, "size": head.size})
    hashes = [base64.b64decode(one) for one in answer.json()["hashes"]]
    verified = base64.b64decode(receipt["leaf_hash"]) == leaf and merkle.verify_inclusion(
        leaf, index, head.size, hashes, head.root
    )
    return head, verified


_CATALOGUE = """
query Catalogue {
  services(first: 100, sort: NAME) {
    totalCount nodes { name(language: "en") kind: serviceType partner { name(language: "en") } }
  }
  opportunities(first: 100) {
    totalCount nodes { name: title(language: "en") kind: opportunityType partner { name(language: "en") } }
  }
  partners { slug }
}"""
_MANAGER = """
query Ledger($id: ID!) {
  referrals { totalCount }
  referral(id: $id) { state timeline { seq type status leafIndex partner { slug } } }
}"""
