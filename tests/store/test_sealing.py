"""Sealing: what is stored names nobody, and what a partner holds proves what was stored."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from tests.support.disguises import disguises
from tests.support.messages import (
    EEN,
    KENT,
    NETWORK,
    NORMANDY,
    Message,
    consent,
    event,
    firm,
    firm_id,
    network_manager,
    partner,
    referral,
    service,
    uuid_of,
)
from tests.support.serving import Served, Session
from tests.support.spine import Spine, embedded, running_spine

KENTS, NORMANDS, MANAGER = partner(KENT), partner(NORMANDY), network_manager()
NUMBER = "SC918273"
PUBLIC_NAME = "Valvegate Masterclass"
PERSONAL = {
    "name of the firm": "Quillfeather Größe Ltd",
    "register number": NUMBER,
    "wire id": firm_id(NUMBER),
    "wire id of a firm without number": "3f0c9ed0-5bd8-4cb5-8c1b-5f6f2a0a9c11",
    "contact": "Zebedee Okonkwo",
    "e-mail": "zebedee@quillfeather.example",
    "phone": "+44 1622 555 0199",
    "role": "chief valve whisperer",
    "evidence": "FORM-QX-77",
    "message": "Ring after choir practice",
    "note": "Sounded worried about tariffs",
    "reason text": "Founder is on parental leave",
    "visit note": "Met the twins in the yard",
    "withdrawal": "Dislikes newsletters",
    "extension": "nickname-tuppence",
    "extension attribute": "tracevalue-quokka",
    "person": "Philippa Underhill",
    "mandate": "Cornelius Abernathy",
}


def story() -> Iterator[tuple[Any, Message]]:
    """Everything personal that a payload can hold, each once."""
    p, consent_id, case = PERSONAL, uuid_of("sealing-consent"), uuid_of("sealing-case")
    sme = {"sme_id": firm_id(NUMBER)}
    contact = {"name": p["contact"], "email": p["e-mail"], "phone": p["phone"], "role": p["role"]}
    mandate = {"person_id": uuid_of("p1"), "name": p["mandate"], "from": "2026-01-01"}
    yield MANAGER, event(MANAGER, "network.configured", NETWORK, {"name": {"en": "Kent"}, "manager": mandate})
    duty = {"network": NETWORK, "task": "helpdesk", "partner": KENT, "person_id": uuid_of("p2")}
    duty |= {"person": p["person"], "from": "2026-01-01"}
    yield MANAGER, event(MANAGER, "responsibility.assigned", uuid_of("duty"), duty)
    yield KENTS, service(KENTS, name={"en": PUBLIC_NAME})
    extensions = {"extensions": {"crm": p["extension"]}}
    yield (
        KENTS,
        firm(KENTS, NUMBER, name=p["name of the firm"], contacts=[contact], **extensions)
        | {"trace": p["extension attribute"]},
    )
    plain = {"sme_id": p["wire id of a firm without number"], "name": "Nobody", "country": "GB"}
    yield KENTS, event(KENTS, "sme.registered", plain["sme_id"], plain)
    evidence = {"kind": "form", "reference": p["evidence"]}
    yield KENTS, consent(KENTS, NUMBER, NORMANDY, id_=consent_id, evidence=evidence)
    visit = {**sme, "on": "2026-11-23", "kind": "first-contact", "network": NETWORK, "note": p["visit note"]}
    yield KENTS, event(KENTS, "visit.recorded", uuid_of("v"), {**visit, "signposted_to": [EEN]})
    yield KENTS, referral(KENTS, NUMBER, case, consent_id, message=p["message"])
    yield NORMANDS, event(NORMANDS, "referral.accepted", case, {"note": p["note"]})
    reason = {"code": "missing-information", "party": "client", "text": p["reason text"]}
    yield NORMANDS, event(NORMANDS, "referral.held", case, {"reason": reason, "resume_on": "2026-12-24"})
    withdrawn = {**sme, "withdrawn_at": "2026-11-22T09:00:00Z", "reason": p["withdrawal"]}
    yield KENTS, event(KENTS, "consent.withdrawn", consent_id, withdrawn)


@pytest.fixture
async def told(tmp_path: Path) -> AsyncIterator[tuple[Spine, Path]]:
    """A hub that has been told the story, and its folder."""
    async with running_spine(embedded, tmp_path) as spine:
        await spine.set_up_network()
        for sender, message in story():
            assert await spine.outcome(sender, message) == "applied", message["type"]
        yield spine, tmp_path


async def test_no_file_holds_anything_personal_in_clear(told: tuple[Spine, Path]) -> None:
    _, folder = told
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert {"hub.db", "read.db"} <= files.keys()
    assert any(name.endswith("-wal") and content for name, content in files.items())
    found = [
        (what, name)
        for what, text in PERSONAL.items()
        for name, content in files.items()
        if any(disguise in content for disguise in disguises(text))
    ]
    assert not found


async def test_the_search_finds_what_is_public(told: tuple[Spine, Path]) -> None:
    _, folder = told
    for kind in ("hub.db", "read.db"):
        content = b"".join(path.read_bytes() for path in folder.glob(f"{kind}*"))
        assert any(disguise in content for disguise in disguises(PUBLIC_NAME)), kind


@pytest.mark.parametrize(
    "wrap", [str.encode, lambda t: t.encode("utf-16-le"), lambda t: t.encode().hex().encode()]
)
@pytest.mark.parametrize("before", [b"", b"x", b"xy"])
def test_the_search_knows_every_disguise(wrap: Any, before: bytes) -> None:
    for text in PERSONAL.values():
        assert any(one in before + wrap(text) for one in disguises(text))
        hidden = base64.b64encode(before + text.encode() + b"tail")
        assert any(one in hidden for one in disguises(text))


async def test_a_firm_stands_under_one_surrogate_that_is_not_its_wire_id(told: tuple[Spine, Path]) -> None:
    spine, _ = told
    counts = await spine.counts()
    rows = [await spine.stored(seq) for seq in range(1, counts["inbox"] + 1)]
    case = [row["data"]["sme_id"] for row in rows if "visit" in row["attributes"]["type"]]
    names = [row["data"]["sme_id"] for row in rows if row["data"].get("sme_id")]
    assert names.count(case[0]) > 3
    assert len(set(names)) == 2


async def test_a_receipt_proves_which_event_stands_behind_its_leaf(served: Served) -> None:
    async with Session(served) as session:
        for sender, message in story():
            as_ = sender.client_id or ""
            if as_ == NORMANDY:
                continue
            answer = await session.post(as_, message, headers={"Prefer": "wait=5"})
            assert answer.status_code == 200, answer.text
            (receipt,) = answer.json()["receipts"]
            # An independent recomputation, from what the partner itself holds.
            entry = {
                "accepted_at": receipt["accepted_at"],
                "event": message,
                "partner": sender.identity,
                "seq": receipt["seq"],
            }
            salt = base64.b64decode(receipt["salt"])
            assert len(salt) == 32
            committed = hashlib.sha256(salt + rfc8785.dumps(entry)).digest()
            leaf = hashlib.sha256(b"\x00" + committed).digest()
            assert base64.b64decode(receipt["leaf_hash"]) == leaf, message["type"]
            proof = await session.http.get("/ledger/proof", params={"leaf": receipt["leaf_index"]})
            assert proof.json()["leaf_hash"] == receipt["leaf_hash"]
