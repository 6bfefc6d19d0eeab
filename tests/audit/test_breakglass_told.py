"""Emergency access: who is told of it, what it leaves closed, and what is written down."""

from __future__ import annotations

import json
from dataclasses import replace

from sqlalchemy import select

from hub.events.rebuild import rebuild
from hub.store.tables import inbox
from tests.audit.world import ASKER, CASE, NOTICES, REASON, SECOND, SECRETS, World
from tests.graphql.cases.world import (
    SOUTH,
    consented,
    event,
    firm_id,
    manager,
    partner,
    registered,
    requested,
    uuid,
)

KENT, NORMANDY, FRIESLAND, MOLISE = (partner(slug) for slug in ("kent", "normandy", "friesland", "molise"))


async def test_parties_are_told_at_once_and_others_are_not(world: World) -> None:
    id_ = await world.break_glass()
    await world.reads()
    for party in (KENT, NORMANDY):
        (notice,) = (await world.ask(party, NOTICES))["me"]["notices"]
        assert (notice["id"], notice["state"], notice["referrals"]) == (id_, "open", [CASE])
        assert (notice["requestedBy"], notice["uses"]) == ({"clientId": ASKER.client_id}, 1)
        assert await world.acts(party) == [
            "breakglass.requested",
            "breakglass.approved",
            "breakglass.used",
        ]
        types = await world.ask(party, "{ ledger(first: 100) { nodes { type } } }")
        assert [one["type"] for one in types["ledger"]["nodes"]].count("hub.audit.recorded.v1") == 3
    for stranger in (FRIESLAND, MOLISE):
        assert (await world.ask(stranger, NOTICES))["me"]["notices"] == []
        assert await world.acts(stranger) == []


async def test_party_of_a_case_in_another_network_is_not_told_and_its_data_stay_closed(world: World) -> None:
    await world.post(
        MOLISE,
        registered("A", name="Firm A as Molise knows it"),
        consented("A", "molise", id_=uuid("molise consent")),
        requested("A", uuid("southern"), network=SOUTH, consent_id=uuid("molise consent"), to="molise"),
    )
    await world.break_glass(sme=firm_id("A"), referral=None)
    assert (await world.reads() or {})["name"] == "Firm A"
    assert (await world.ask(MOLISE, NOTICES))["me"]["notices"] == []
    assert await world.acts(MOLISE) == []
    assert await world.reads(manager(SOUTH)) is None


async def test_reasons_are_read_by_those_who_decide_alone(world: World) -> None:
    await world.break_glass()
    shown = await world.http.get("/breakglass", headers=world._headers(SECOND))
    assert [one["reason"] for one in shown.json()["breakglass"]] == [REASON]
    assert shown.headers["cache-control"] == "no-store"
    everything = """{ me { notices { id state } } auditLog(first: 100) { nodes { act aboutId where code } }
      ledger(first: 100) { nodes { type subject } } }"""
    for caller in (KENT, NORMANDY, replace(SECOND, scopes=SECOND.scopes - {"ledger:breakglass"})):
        assert REASON not in json.dumps(await world.ask(caller, everything))
    other = await world.http.get("/breakglass", headers=world._headers(manager(SOUTH)))
    assert other.json() == {"breakglass": []}


async def test_every_reading_is_recorded_once_a_request_and_none_without_use(world: World) -> None:
    await world.break_glass()
    lists = """{ referrals { totalCount nodes { id state } } ledger { nodes { subject } }
      auditLog { nodes { sme } } me { notices { id } } }"""
    found = await world.ask(ASKER, lists)
    assert {one["sme"] for one in found["auditLog"]["nodes"]} == {None}
    assert firm_id("A") not in json.dumps(found)
    await world.settle()
    assert (await world.acts(ASKER)).count("breakglass.used") == 0
    twice = f'{{ a: sme(id: "{firm_id("A")}") {{ name }} b: sme(id: "{firm_id("A")}") {{ name }} }}'
    await world.ask(ASKER, twice)
    await world.settle()
    assert (await world.acts(ASKER)).count("breakglass.used") == 1


async def test_another_referral_of_the_firm_opens_only_where_it_was_asked_for(world: World) -> None:
    other = uuid("case of friesland")
    await world.post(
        FRIESLAND,
        registered("A", name="Firm A as Friesland knows it"),
        consented("A", "kent", id_=uuid("frisian consent")),
        requested("A", other, consent_id=uuid("frisian consent"), to="kent"),
    )
    await world.break_glass(sme=None, referral=other)
    assert (await world.reads() or {})["name"] == "Firm A as Friesland knows it"
    assert (await world.ask(NORMANDY, NOTICES))["me"]["notices"] == []


async def test_personal_data_and_reasons_are_sealed_in_the_log(world: World) -> None:
    await world.break_glass()
    await world.reads()
    stored = await world.store.inspect(lambda conn: conn.execute(select(inbox.c.event)).scalars().all())
    text = "".join(stored)
    assert "breakglass.used" in text
    for secret in (*SECRETS, REASON, firm_id("A")):
        assert secret not in text


async def test_access_and_its_uses_are_the_same_after_a_rebuild(world: World) -> None:
    id_ = await world.break_glass()
    await world.reads()
    await world.send(SECOND, f"/{id_}/end")
    await world.post(NORMANDY, event("referral.accepted", CASE))
    done = await rebuild(world.store, by_lanes=False)
    assert done.equal
    assert (await world.ask(KENT, NOTICES))["me"]["notices"][0]["uses"] == 1
