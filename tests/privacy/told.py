"""A firm's whole life, told to a hub below HTTP, and its end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import select

from hub.domain.principal import Principal
from hub.events.accept import Receipt
from hub.events.rebuild import fold_all
from hub.store.erasing import condemned
from hub.store.tables import subject_key
from hub.store.vault import Vault
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
    uuid_of,
)
from tests.support.spine import OpenHub, Spine, running_spine
from tests.support.waiting import soon

KENTS, NORMANDS, EENS, MANAGER = partner(KENT), partner(NORMANDY), partner(EEN), network_manager()
NUMBER, OTHER = "SC918273", "07495895"
CASE, LATER_CASE = uuid_of("erased-case"), uuid_of("case-named-before-it-was-requested")
PERSONAL = {
    "name of the firm": "Quillfeather Größe Ltd",
    "register number": NUMBER,
    "wire id": firm_id(NUMBER),
    "contact": "Zebedee Okonkwo",
    "e-mail": "zebedee@quillfeather.example",
    "phone": "+44 1622 555 0199",
    "evidence": "FORM-QX-77",
    "message": "Ring after choir practice",
    "note": "Sounded worried about tariffs",
    "early note": "The owner told me on the ferry",
    "reason text": "Founder is on parental leave",
    "visit note": "Met the twins in the yard",
    "extension": "nickname-tuppence",
    "extension attribute": "tracevalue-quokka",
    "schema of its data": "https://quillfeather.example/schema",
    "content type": "application/json; of=quillfeather",
}


def life() -> Iterator[tuple[Principal, Message]]:
    """Everything personal that a firm's events can hold; all are applied but for the early note."""
    p, consent_id, sme = PERSONAL, uuid_of("erased-consent"), {"sme_id": firm_id(NUMBER)}
    # Said of a referral before anybody knew whose it is: sealed under a key of the referral's own.
    yield NORMANDS, event(NORMANDS, "referral.received", LATER_CASE, {"note": p["early note"]})
    contact = {"name": p["contact"], "email": p["e-mail"], "phone": p["phone"]}
    registered = firm(KENTS, NUMBER, name=p["name of the firm"], contacts=[contact])
    registered["data"]["extensions"] = {"crm": p["extension"]}
    yield KENTS, registered | {"trace": p["extension attribute"]}
    evidence = {"kind": "form", "reference": p["evidence"]}
    yield KENTS, consent(KENTS, NUMBER, NORMANDY, id_=consent_id, evidence=evidence)
    visit = {**sme, "on": "2026-11-23", "kind": "first-contact", "network": NETWORK, "note": p["visit note"]}
    kinds = {"dataschema": p["schema of its data"], "datacontenttype": p["content type"]}
    yield KENTS, event(KENTS, "visit.recorded", uuid_of("erased-visit"), visit) | kinds
    yield KENTS, referral(KENTS, NUMBER, CASE, consent_id, message=p["message"])
    yield NORMANDS, event(NORMANDS, "referral.accepted", CASE, {"note": p["note"]})
    reason = {"code": "missing-information", "party": "client", "text": p["reason text"]}
    yield NORMANDS, event(NORMANDS, "referral.held", CASE, {"reason": reason, "resume_on": "2026-12-24"})
    yield KENTS, referral(KENTS, NUMBER, LATER_CASE, consent_id)


async def live(spine: Spine) -> list[Receipt]:
    """Tell the hub a firm's life, and that there is another firm; receipts of the first one's events."""
    await spine.set_up_network()
    receipts = []
    for sender, message in life():
        receipts += await spine.post(sender, message)
    other = await spine.post(KENTS, firm(KENTS, OTHER))
    verdicts = await spine.verdicts([*receipts, *other])
    assert verdicts == ["refused referral.not_found", *["applied"] * len(receipts)]
    return receipts


def erasure(sender: Principal = MANAGER, number: str = NUMBER, **members: Any) -> Message:
    """The event that erases a firm."""
    data = {"sme_id": firm_id(number), "reason": "request", **members}
    return event(sender, "sme.erased", firm_id(number), data)


async def erase(spine: Spine) -> Receipt:
    """Erase the firm."""
    (receipt,) = await spine.post(MANAGER, erasure())
    assert await spine.verdicts([receipt]) == ["applied"]
    return receipt


def named_in_files(folder: Path) -> list[str]:
    """Files of a hub that hold the firm's wire id in clear."""
    wire_id = firm_id(NUMBER).encode()
    return [str(one) for one in folder.rglob("*") if one.is_file() and wire_id in one.read_bytes()]


async def keys(spine: Spine, wire_id: str) -> tuple[bytes | None, bytes | None, str | None]:
    """What is stored of a subject: wrapped key, sealed wire id, when it was erased."""
    vault: Vault = spine.hub.vault
    query = select(subject_key.c.wrapped_key, subject_key.c.sealed_id, subject_key.c.erased_at)
    wanted = query.where(subject_key.c.digest == vault.subject_digest(wire_id))
    found = await spine.hub.store.inspect(lambda conn: conn.execute(wanted).one())
    return found.wrapped_key, found.sealed_id, found.erased_at


async def until_erased(spine: Spine, wire_id: str) -> None:
    """Wait until the end of the subject is noted."""

    async def is_noted() -> bool:
        return (await keys(spine, wire_id))[2] is not None

    await soon(is_noted)


async def folded_and_dead(open_backbone: OpenHub, folder: Path) -> None:
    """A hub that folded the erasure, and died before it destroyed anything."""
    async with running_spine(open_backbone, folder) as spine:
        await live(spine)
    hub = open_backbone(folder)
    try:
        async with hub.running(working=False):
            await Spine(hub).post(MANAGER, erasure())
        while await hub.sequencer.step():
            continue
        await fold_all(hub.store)
        assert all((await keys(Spine(hub), firm_id(NUMBER)))[:2])
        assert len((await hub.store.inspect(lambda conn: condemned(conn, hub.vault))).subjects) == 2
    finally:
        await hub.store.close()
