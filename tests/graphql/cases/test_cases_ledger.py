"""Ledger entries, receipts and proofs: what each caller may see, and that it can be checked."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode
from typing import Any

import pytest
import rfc8785
from sqlalchemy import update

from hub.domain.principal import Principal
from hub.ledger import checkpoint
from hub.ledger.merkle import leaf_hash, verify_inclusion
from hub.store.tables import subject_key
from tests.graphql.cases.world import (
    NORTH,
    ORIGIN,
    SOUTH,
    World,
    consented,
    event,
    firm_id,
    manager,
    partner,
    registered,
    requested,
    uuid,
    withdrawn,
)

KENT, NORMANDY, FRIESLAND, MOLISE = (partner(slug) for slug in ("kent", "normandy", "friesland", "molise"))
CASE = uuid("case")
ENTRIES = """query($first: Int, $after: String) { ledger(first: $first, after: $after) { totalCount
  pageInfo { hasNextPage endCursor }
  nodes { seq leafIndex type partner { slug } subject acceptedAt time status leafHash
    refusal { code message remedy } } } }"""
PROOF = """{ ledger(first: 100) { nodes { leafIndex leafHash
  proof { leafIndex treeSize hashes checkpoint } } } }"""
RECEIPT = """query($seq: Int!) { receipt(seq: $seq) {
  seq status refusal { code } acceptedAt leafIndex leafHash salt subject } }"""


async def opened(world: World) -> list[int]:
    """A case that Kent asks Normandy to take; seqs of registration, consent and request."""
    return await world.post(
        KENT, registered("A"), consented("A", "normandy"), requested("A", CASE, to="normandy")
    )


async def entries(world: World, caller: Principal) -> list[dict[str, Any]]:
    page = (await world.ask(caller, ENTRIES, first=100))["ledger"]
    assert page["totalCount"] == len(page["nodes"])
    return list(page["nodes"])


async def test_partner_sees_what_it_sent_and_what_its_referrals_went_through(world: World) -> None:
    _registration, _consent, request = await opened(world)
    (acceptance,) = await world.post(NORMANDY, event("referral.accepted", CASE))
    seen = {one["seq"]: one for one in await entries(world, NORMANDY)}
    assert {"hub.service.published.v1", "hub.referral.requested.v1", "hub.referral.accepted.v1"} == {
        one["type"] for one in seen.values()
    }
    assert seen[request]["partner"] == {"slug": "kent"}
    assert (seen[acceptance]["partner"], seen[acceptance]["status"]) == ({"slug": "normandy"}, "APPLIED")
    assert {one["type"] for one in await entries(world, MOLISE)} == set()


async def test_entries_come_newest_first_on_every_page_once(world: World) -> None:
    await opened(world)
    whole = [one["seq"] for one in await entries(world, KENT)]
    assert whole == sorted(whole, reverse=True)
    paged: list[int] = []
    after = None
    while True:
        page = (await world.ask(KENT, ENTRIES, first=2, after=after))["ledger"]
        paged += [one["seq"] for one in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert paged == whole


async def test_registration_names_the_firm_to_its_sender_alone(world: World) -> None:
    registration, *_ = await opened(world)
    (own,) = [one for one in await entries(world, KENT) if one["seq"] == registration]
    assert own["subject"] == firm_id("A")
    (audited,) = [one for one in await entries(world, manager(NORTH)) if one["seq"] == registration]
    assert (audited["subject"], audited["status"]) == (None, "APPLIED")
    await world.post(KENT, consented("A", f"network:{NORTH}", id_=uuid("second consent")))
    (readable,) = [one for one in await entries(world, manager(NORTH)) if one["seq"] == registration]
    assert readable["subject"] == firm_id("A")


async def test_entry_is_pending_without_leaf_until_it_is_sequenced_and_projected(world: World) -> None:
    (seq,) = await world.accept(KENT, registered("A"))
    (waiting, *_) = await entries(world, KENT)
    assert (waiting["seq"], waiting["status"], waiting["leafIndex"]) == (seq, "PENDING", None)
    assert len(b64decode(waiting["leafHash"])) == 32
    await world.settle()
    (settled, *_) = await entries(world, KENT)
    assert (settled["status"], settled["leafIndex"]) == ("APPLIED", seq - 1)
    assert settled["leafHash"] == waiting["leafHash"]


async def test_refused_event_keeps_its_place_with_its_verdict(world: World) -> None:
    await opened(world)
    (seq,) = await world.post(KENT, event("referral.accepted", CASE))
    for caller in (KENT, NORMANDY):
        (entry,) = [one for one in await entries(world, caller) if one["seq"] == seq]
        assert (entry["status"], entry["refusal"]["code"]) == ("REFUSED", "referral.illegal_move")
    timeline = "query($id: ID!) { referral(id: $id) { timeline { seq status } } }"
    shown = (await world.ask(NORMANDY, timeline, id=CASE))["referral"]["timeline"]
    assert shown[-1] == {"seq": seq, "status": "REFUSED"}


async def test_who_names_a_referral_of_others_learns_nothing_and_leaves_no_trace_in_it(world: World) -> None:
    await opened(world)
    before = len(await entries(world, NORMANDY))
    (seq, nobody) = await world.post(
        MOLISE, event("referral.accepted", CASE), event("referral.accepted", uuid("no case"))
    )
    own = {one["seq"]: one for one in await entries(world, MOLISE)}
    assert set(own) == {seq, nobody}
    answers = [
        {**one["refusal"], "message": one["refusal"]["message"].replace(one["subject"], "?")}
        for one in own.values()
    ]
    assert answers[0] == answers[1]
    assert answers[0]["code"] == "referral.not_found"
    assert len(await entries(world, NORMANDY)) == before


async def test_auditor_sees_its_networks_and_no_other(world: World) -> None:
    await opened(world)
    (south,) = await world.post(MOLISE, registered("B"))
    north_seen = {one["seq"] for one in await entries(world, manager(NORTH))}
    south_seen = {one["seq"]: one for one in await entries(world, manager(SOUTH))}
    everything = {one["seq"] for one in await entries(world, manager())}
    assert south not in north_seen
    assert south_seen[south]["subject"] is None
    assert {one["partner"] and one["partner"]["slug"] for one in south_seen.values()} == {None, "molise"}
    assert everything == set(range(1, max(everything) + 1))
    assert everything > north_seen
    assert everything > set(south_seen)


async def test_manager_without_audit_sees_its_own_acts_and_the_cases_of_its_network(world: World) -> None:
    *_, request = await opened(world)
    limited = manager(NORTH, without=("ledger:audit",))
    assert [one["seq"] for one in await entries(world, limited)] == [request]
    reason = {"code": "rerouted", "party": "system"}
    (seq,) = await world.post(limited, event("referral.reassigned", CASE, to="normandy", reason=reason))
    assert [one["seq"] for one in await entries(world, limited)] == [seq, request]
    (shown,) = [one for one in await entries(world, NORMANDY) if one["seq"] == seq]
    assert shown["partner"] is None


async def test_proofs_verify_against_the_signed_checkpoint(world: World) -> None:
    await opened(world)
    (pending,) = await world.accept(KENT, registered("B"))
    nodes = (await world.ask(KENT, PROOF))["ledger"]["nodes"]
    assert nodes[0]["proof"] is None
    assert len(nodes) > 3
    for node in nodes[1:]:
        proof = node["proof"]
        origin, size, root, *_ = proof["checkpoint"].split("\n")
        assert (origin, int(size)) == (ORIGIN, proof["treeSize"])
        assert proof["leafIndex"] == node["leafIndex"]
        hashes = [b64decode(one) for one in proof["hashes"]]
        leaf = b64decode(node["leafHash"])
        assert verify_inclusion(leaf, proof["leafIndex"], proof["treeSize"], hashes, b64decode(root))
        assert not verify_inclusion(leaf_hash(b"x"), proof["leafIndex"], int(size), hashes, b64decode(root))
    assert checkpoint.verify(nodes[1]["proof"]["checkpoint"], "no key") is None
    assert pending == len(await entries(world, manager()))


@pytest.mark.parametrize("caller", [KENT, NORMANDY, manager(NORTH)], ids=["sender", "party", "manager"])
async def test_sender_and_parties_can_check_the_commitment(world: World, caller: Principal) -> None:
    *_, seq = await opened(world)
    receipt = (await world.receipt(caller, seq)).json()
    sent = requested("A", CASE, to="normandy")
    content = {**sent, "source": "/partners/kent/crm"}
    entry = {"accepted_at": receipt["accepted_at"], "event": content, "partner": "kent", "seq": seq}
    commitment = hashlib.sha256(b64decode(receipt["salt"]) + rfc8785.dumps(entry)).digest()
    assert b64decode(receipt["leaf_hash"]) == leaf_hash(commitment)
    same = (await world.ask(caller, RECEIPT, seq=seq))["receipt"]
    assert (same["salt"], same["leafHash"]) == (receipt["salt"], receipt["leaf_hash"])


async def test_auditor_gets_the_status_of_a_receipt_and_nothing_to_guess_with(world: World) -> None:
    registration, consent, _ = await opened(world)
    for seq in (registration, consent):
        receipt = (await world.ask(manager(NORTH), RECEIPT, seq=seq))["receipt"]
        assert (receipt["status"], receipt["salt"]) == ("APPLIED", None)
    assert (await world.ask(manager(NORTH), RECEIPT, seq=registration))["receipt"]["subject"] is None
    assert await world.ask(manager(SOUTH), RECEIPT, seq=registration) == {"receipt": None}
    assert await world.ask(NORMANDY, RECEIPT, seq=registration) == {"receipt": None}


async def test_salt_and_subject_are_gone_with_the_key_of_the_firm_and_the_proof_stands(world: World) -> None:
    registration, _, request = await opened(world)
    before = (await world.ask(KENT, RECEIPT, seq=registration))["receipt"]
    await world.store.intake(
        lambda conn: conn.execute(update(subject_key).values(wrapped_key=None, sealed_id=None))
    )
    after = (await world.ask(KENT, RECEIPT, seq=registration))["receipt"]
    assert (after["salt"], after["subject"]) == (None, None)
    assert after["leafHash"] == before["leafHash"]
    erased = """query($id: ID!, $firm: ID!) { referral(id: $id) { state message sme { id } }
      smes { totalCount } sme(id: $firm) { id } referrals(filter: {sme: $firm}) { totalCount } }"""
    for caller in (KENT, NORMANDY):
        assert await world.ask(caller, erased, id=CASE, firm=firm_id("A")) == {
            "referral": {"state": "REQUESTED", "message": None, "sme": None},
            "smes": {"totalCount": 0},
            "sme": None,
            "referrals": {"totalCount": 0},
        }
    assert (await world.ask(NORMANDY, RECEIPT, seq=request))["receipt"]["subject"] == CASE


async def test_timeline_is_in_order_of_acceptance(world: World) -> None:
    await opened(world)
    await world.post(NORMANDY, event("referral.accepted", CASE))
    await world.post(KENT, withdrawn("A"))
    await world.post(NORMANDY, event("referral.started", CASE, note="Private words"))
    query = "query($id: ID!) { referral(id: $id) { timeline { type seq subject } } }"
    timeline = (await world.ask(NORMANDY, query, id=CASE))["referral"]["timeline"]
    assert [one["type"].split(".")[2] for one in timeline] == ["requested", "accepted", "started"]
    assert [one["seq"] for one in timeline] == sorted(one["seq"] for one in timeline)
    assert "Private words" not in json.dumps(timeline)


async def test_sent_time_is_shown_beside_the_time_of_acceptance(world: World) -> None:
    (seq,) = await world.post(KENT, {**registered("A"), "time": "2026-10-31T10:00:00.5+01:00"})
    (entry, *_) = await entries(world, KENT)
    assert (entry["seq"], entry["time"]) == (seq, "2026-10-31T09:00:00.500Z")
    assert entry["acceptedAt"].startswith("2026-11-01T09:00:")
