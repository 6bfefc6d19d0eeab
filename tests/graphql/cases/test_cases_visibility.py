"""Who sees what of a referral: every viewer, every state, every fate of the consent, every way in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from tests.graphql.cases.world import (
    KENT_SERVICE,
    NORMANDY_SERVICE,
    NORTH,
    VIEWERS,
    Event,
    World,
    consented,
    event,
    firm_id,
    registered,
    requested,
    uuid,
    withdrawn,
)

REASON = {"code": "other", "party": "client", "text": "Private words"}
DONE = {"performed": [{"on": "2026-11-02", "service_id": NORMANDY_SERVICE}], "outcome": {"kind": "none"}}


def _move(what: str, **data: Any) -> tuple[str, dict[str, Any]]:
    return what, data


ACCEPTED, STARTED = _move("accepted"), _move("started")
MOVES: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "draft": [],
    "pool": [],
    "requested": [],
    "claimed": [_move("claimed")],
    "accepted": [ACCEPTED],
    "rejected": [_move("rejected", reason=REASON)],
    "in-progress": [ACCEPTED, STARTED],
    "on-hold": [ACCEPTED, _move("held", reason=REASON, resume_on="2026-12-01")],
    "failed": [ACCEPTED, _move("failed", reason=REASON)],
    "completed": [ACCEPTED, STARTED, _move("completed", **DONE)],
    "cancelled": [_move("cancelled", reason=REASON)],
    "entered-in-error": [_move("annulled")],
}
SHOWN_STATE = {"pool": "REQUESTED", "claimed": "REQUESTED"}
CONSENTS = ("live", "withdrawn", "expired", "none")
"""none: to the referral alone; not to the firm being named."""


@dataclass(frozen=True)
class Expected:
    """What a viewer may see of one case."""

    referral: bool
    sme: bool
    message: bool


def expected(viewer: str, situation: str, consent: str) -> Expected:
    """The rule, in the words of the contract."""
    live = consent == "live"
    if viewer == "requester":
        return Expected(True, True, True)  # Registered the firm and wrote the message.
    if viewer == "manager":
        return Expected(True, live, live)
    if viewer == "owner" and situation not in ("draft", "pool"):
        return Expected(True, live, live)
    if viewer in ("owner", "member") and situation == "pool":
        return Expected(True, False, False)  # Offered, not yet claimed.
    return Expected(False, False, False)


def number(situation: str) -> str:
    """Register number of the firm of a situation."""
    return f"N{list(MOVES).index(situation)}"


async def tell(world: World, consent: str) -> dict[str, int]:
    """One case for each situation; seq of the event that opened it."""
    kent, normandy = VIEWERS["requester"], VIEWERS["owner"]
    terms: dict[str, Any] = {"expires_at": "2026-11-10T09:00:00Z"} if consent == "expired" else {}
    if consent == "none":
        terms = {"categories": ["diagnosis"]}
    seqs = {}
    for situation, moves in MOVES.items():
        firm, id_ = number(situation), uuid(situation)
        await world.accept(kent, registered(firm), consented(firm, "normandy", f"network:{NORTH}", **terms))
        what = "drafted" if situation == "draft" else "requested"
        to = None if situation in ("pool", "claimed") else "normandy"
        if what == "drafted" and consent == "none":
            opening = requested(firm, id_, what=what, to=to, service_id=KENT_SERVICE)
            del opening["data"]["consent_id"]
        else:
            opening = requested(firm, id_, what=what, to=to, service_id=KENT_SERVICE)
        (seqs[situation],) = await world.accept(kent, opening)
        for name, data in moves:
            sender = kent if name in ("cancelled", "annulled") else normandy
            await world.accept(sender, event(f"referral.{name}", id_, **data))
        if consent == "withdrawn":
            await world.accept(kent, withdrawn(firm))
    await world.settle()
    if consent == "expired":
        world.now += timedelta(days=30)
    return seqs


REFERRAL = """query($id: ID!) { referral(id: $id) {
  id state network requester { slug } priority needs service { id } message reason { code text }
  sme { id name contacts { name } } timeline { seq type subject leafHash } } }"""
LIST = """query($filter: ReferralFilter) { referrals(filter: $filter, first: 100) {
  totalCount nodes { id sme { id } message } } }"""


@pytest.mark.parametrize("consent", CONSENTS)
@pytest.mark.parametrize("viewer", VIEWERS)
async def test_viewer_sees_of_each_case_what_its_part_and_the_consent_allow(
    world: World, viewer: str, consent: str
) -> None:
    await tell(world, consent)
    caller = VIEWERS[viewer]
    for situation in MOVES:
        allowed, firm = expected(viewer, situation, consent), number(situation)
        found = (await world.ask(caller, REFERRAL, id=uuid(situation)))["referral"]
        assert (found is not None) == allowed.referral, situation
        if not found:
            continue
        assert found["state"] == SHOWN_STATE.get(situation, situation.upper().replace("-", "_"))
        assert (found["requester"], found["service"]) == ({"slug": "kent"}, {"id": KENT_SERVICE})
        assert (found["sme"] is not None) == allowed.sme, situation
        assert found["message"] == (f"Please help {firm}" if allowed.message else None), situation
        if found["reason"]:
            assert found["reason"]["text"] == ("Private words" if allowed.message else None), situation
        if found["sme"]:
            assert (found["sme"]["id"], found["sme"]["name"]) == (firm_id(firm), f"Firm {firm}")
            contacts = [{"name": f"Contact of {firm}"}] if viewer != "manager" else None
            assert found["sme"]["contacts"] == contacts, situation
        assert [one["subject"] for one in found["timeline"]] == [uuid(situation)] * (
            1 + len(MOVES[situation])
        )


@pytest.mark.parametrize("consent", CONSENTS)
@pytest.mark.parametrize("viewer", VIEWERS)
async def test_lists_counts_and_filters_hold_exactly_what_single_reads_show(
    world: World, viewer: str, consent: str
) -> None:
    seqs = await tell(world, consent)
    caller = VIEWERS[viewer]
    visible = {one for one in MOVES if expected(viewer, one, consent).referral}
    readable = {one for one in MOVES if expected(viewer, one, consent).sme}

    async def listed(**filter: Any) -> set[str]:
        page = (await world.ask(caller, LIST, filter=filter))["referrals"]
        assert page["totalCount"] == len(page["nodes"])
        shown = {one["id"] for one in page["nodes"] if one["sme"]}
        assert shown == {one["id"] for one in page["nodes"]} & {uuid(one) for one in readable}
        return {one for one in MOVES if uuid(one) in {node["id"] for node in page["nodes"]}}

    assert await listed() == visible
    assert await listed(service=KENT_SERVICE) == visible
    assert await listed(service=NORMANDY_SERVICE) == set()
    assert await listed(partner=["kent"]) == visible
    assert await listed(partner=["molise"]) == set()
    assert await listed(partner=["normandy"], role="OWNER") == visible - {"pool"}
    assert await listed(network=["south"]) == set()
    for situation in MOVES:
        by_firm = await listed(sme=firm_id(number(situation)))
        assert by_firm == ({situation} & readable), situation
        firm = (await world.ask(caller, FIRM, id=firm_id(number(situation))))["sme"]
        assert (firm is not None) == (situation in readable), situation
        if firm:
            assert [one["id"] for one in firm["referrals"]] == [uuid(situation)]
    firms = (await world.ask(caller, FIRMS))["smes"]
    assert {one["id"] for one in firms["nodes"]} == {firm_id(number(one)) for one in readable}
    assert firms["totalCount"] == len(readable)
    await _receipts_and_entries_agree(world, viewer, seqs, visible)


FIRM = "query($id: ID!) { sme(id: $id) { id name referrals { id } } }"
FIRMS = "{ smes(first: 100) { totalCount nodes { id name } } }"
LEDGER = """query($after: String) { ledger(first: 100, after: $after) {
  totalCount pageInfo { hasNextPage endCursor } nodes { seq type subject } } }"""
RECEIPT = "query($seq: Int!) { receipt(seq: $seq) { seq subject salt leafHash } }"


async def _receipts_and_entries_agree(
    world: World, viewer: str, seqs: dict[str, int], visible: set[str]
) -> None:
    caller = VIEWERS[viewer]
    entries: dict[int, Event] = {}
    after, total = None, None
    while True:
        page = (await world.ask(caller, LEDGER, after=after))["ledger"]
        entries |= {one["seq"]: one for one in page["nodes"]}
        assert total in (None, page["totalCount"])
        after, total = page["pageInfo"]["endCursor"], page["totalCount"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert len(entries) == total
    audits = viewer == "manager"
    for situation, seq in seqs.items():
        seen = situation in visible or audits
        assert (seq in entries) == seen, situation
        receipt = (await world.ask(caller, RECEIPT, seq=seq))["receipt"]
        answer = await world.receipt(caller, seq)
        assert (receipt is not None, answer.status_code) == (seen, 200 if seen else 404), situation
        if receipt:
            offered = viewer in ("owner", "member") and situation == "pool"
            assert (receipt["salt"] is None) == offered, situation
            assert answer.json()["salt"] == receipt["salt"]
            assert receipt["subject"] == entries[seq]["subject"] == uuid(situation)


async def test_public_has_no_field_for_cases(world: World) -> None:
    await tell(world, "live")
    for query in ("{ referrals { totalCount } }", "{ smes { totalCount } }", "{ ledger { totalCount } }"):
        answer = await world.graphql(None, query)
        assert "data" not in answer
        assert "Cannot query field" in answer["errors"][0]["message"]


async def test_cursor_of_another_viewer_opens_nothing(world: World) -> None:
    await tell(world, "live")
    query = """query($after: String) { referrals(first: 3, after: $after) {
      totalCount nodes { id } pageInfo { endCursor } } }"""
    cursor = (await world.ask(VIEWERS["requester"], query))["referrals"]["pageInfo"]["endCursor"]
    stranger = (await world.ask(VIEWERS["stranger"], query, after=cursor))["referrals"]
    assert (stranger["nodes"], stranger["totalCount"]) == ([], 0)
    member = (await world.ask(VIEWERS["member"], query, after=cursor))["referrals"]
    assert {one["id"] for one in member["nodes"]} <= {uuid("pool")}
    assert member["totalCount"] == 1
