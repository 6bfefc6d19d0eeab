"""Records of acts and refusals on real parts: one commit with the act, bounded, and nothing lost."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from hub.domain.audit import TYPE
from hub.domain.principal import ANYONE, Principal
from hub.domain.refusal import Refusal
from hub.domain.scopes import Audience
from hub.events.audit import Acted
from hub.events.rejection import Rejected
from hub.store.tables import inbox, reference
from tests.support.messages import KENT, event, firm, firm_id, network_manager, partner
from tests.support.spine import Spine, embedded, running_spine
from tests.support.waiting import PATIENCE_S, soon

MANAGER = network_manager("kent")
PERSON = Principal(
    "hub-console",
    Audience.MANAGER,
    networks=frozenset({"kent"}),
    person="7f1c1e02-94d8-4a9e-8a3e-6d6d0a1f6f53",
)


async def records(spine: Spine) -> list[dict[str, Any]]:
    """Records in order of acceptance: topic, key, subject and data as stored."""
    rows = await spine.hub.store.inspect(
        lambda conn: conn.execute(select(inbox).where(inbox.c.type == TYPE).order_by(inbox.c.seq)).all()
    )
    return [
        {"seq": row.seq, "topic": row.topic, "key": row.key, "partner": row.partner}
        | {"source": json.loads(row.event)["attributes"]["source"], "subject": row.subject}
        | json.loads(row.event)["data"]
        for row in rows
    ]


async def test_act_of_a_person_is_an_entry_of_the_ledger(spine: Spine) -> None:
    await spine.hub.auditor.act(PERSON, "key.added", Acted(about=("key", "kid-1"), partner=KENT))
    (one,) = await records(spine)
    assert await spine.hub.progress.reached([one["seq"]], PATIENCE_S)
    assert (one["partner"], one["source"]) == ("hub", "/hub/audit")
    assert (one["topic"], one["key"], one["subject"]) == ("hub.network.v1", PERSON.person, PERSON.person)
    assert one["actor"] == {
        "audience": "manager",
        "client_id": "hub-console",
        "person_id": PERSON.person,
        "networks": ["kent"],
    }
    assert (one["act"], one["about"]) == ("key.added", {"kind": "key", "id": "kid-1", "partner": KENT})


async def test_act_about_a_firm_is_in_the_order_of_its_case_and_its_reason_is_sealed(spine: Spine) -> None:
    await spine.set_up_network()
    await spine.outcome(partner(), firm(partner(), "01234567"))
    reason = "The owner fell ill abroad"
    await spine.hub.auditor.act(MANAGER, "firm.exported", Acted(sme_id=firm_id("01234567"), reason=reason))
    (one,) = await records(spine)
    key = await spine.hub.store.inspect(
        lambda conn: conn.execute(
            select(inbox.c.key).where(inbox.c.type == "hub.sme.registered.v1")
        ).scalar_one()
    )
    assert (one["topic"], one["key"], one["sme_id"]) == ("hub.cases.v1", key, key)
    assert one["reason"].startswith(f"sealed.{key}.")
    assert await spine.verdicts([type("R", (), {"seq": one["seq"]})()]) == ["applied"]


async def test_no_record_names_a_firm_beside_the_member_that_is_kept_as_a_surrogate(spine: Spine) -> None:
    for with_firm in (None, firm_id("01234567")):
        told = Acted(about=("firm", firm_id("01234567")), sme_id=with_firm)
        with pytest.raises(Rejected) as caught:
            await spine.hub.auditor.act(MANAGER, "firm.exported", told)
        assert [one.field for one in caught.value.errors] == ["/data/about/kind"]
    assert await records(spine) == []


async def test_work_and_its_record_are_one_commit(spine: Spine) -> None:
    def work(conn: Connection, name: str = "first") -> str:
        conn.execute(reference.insert().values(kind="act", id=name, owner="", target="", live=True))
        return "done"

    def failing(conn: Connection) -> None:
        work(conn, "second")
        raise ZeroDivisionError

    auditor = spine.hub.auditor
    assert await auditor.act_with(MANAGER, "key.rotated", None, work) == "done"
    with pytest.raises(ZeroDivisionError):
        await auditor.act_with(MANAGER, "key.rotated", None, failing)
    # A record that cannot be written takes the work back.
    with pytest.raises(Rejected):
        await auditor.act_with(
            MANAGER, "key.rotated", Acted(about=("key", "\r\nforged: line")), lambda conn: work(conn, "third")
        )
    assert len(await records(spine)) == 1
    acts = select(reference.c.id).where(reference.c.kind == "act")
    assert await spine.hub.store.inspect(lambda conn: conn.execute(acts).scalars().all()) == ["first"]


async def test_work_that_is_refused_is_recorded_as_refused(spine: Spine) -> None:
    refusal = Refusal("scope.missing", "no", "ask")
    assert await spine.hub.auditor.act_with(MANAGER, "grant.changed", None, lambda _: refusal) is refusal
    (one,) = await records(spine)
    assert (one["outcome"], one["code"]) == ("refused", "scope.missing")


async def test_nobody_but_the_hub_records_acts(spine: Spine) -> None:
    data = {"act": "session.started", "actor": {"audience": "manager", "person_id": PERSON.person}}
    for sender in (MANAGER, partner()):
        with pytest.raises(Rejected) as caught:
            await spine.post(sender, event(sender, "audit.recorded", "someone", data))
        assert (caught.value.status, caught.value.code) == (403, "scope.missing")
    assert await records(spine) == []


async def test_refusal_is_recorded_soon_and_never_waited_for(spine: Spine) -> None:
    spine.hub.auditor.refused(partner(), "scope.missing", "Query.sme")

    async def told() -> bool:
        return bool(await records(spine))

    await soon(told)
    (one,) = await records(spine)
    assert (one["act"], one["outcome"], one["code"]) == ("right.refused", "refused", "scope.missing")
    assert (one["where"], one["count"], one["subject"]) == ("Query.sme", 1, KENT)


async def test_anonymous_refusals_are_counted_and_not_recorded(spine: Spine) -> None:
    spine.hub.auditor.refused(ANYONE, "token.missing", "POST /events")
    spine.hub.auditor.refused(partner(), "scope.missing", "Query.sme")

    async def told() -> bool:
        return bool(await records(spine))

    await soon(told)
    assert [one["code"] for one in await records(spine)] == ["scope.missing"]


async def test_flood_of_refusals_makes_few_entries_and_holds_nothing_up(spine: Spine) -> None:
    begun_s = time.process_time()
    for number in range(100_000):
        spine.hub.auditor.refused(partner(), "scope.missing", f"Query.field{number % 100}")
    assert time.process_time() - begun_s < 5.0

    async def told() -> bool:
        return len(await records(spine)) >= 33

    await soon(told)
    found = await records(spine)
    assert len(found) == 33
    assert sum(one["count"] for one in found) == 100_000


async def test_what_was_counted_is_told_before_the_process_ends(tmp_path: Path) -> None:
    async with running_spine(embedded, tmp_path / "hub") as spine:
        for _ in range(7):
            spine.hub.auditor.refused(partner(), "scope.missing", "Query.sme")
        await asyncio.sleep(0)
    async with running_spine(embedded, tmp_path / "hub") as spine:
        assert sum(one["count"] for one in await records(spine)) == 7


async def test_records_survive_and_fold_again_to_the_same_rows(spine: Spine) -> None:
    await spine.hub.auditor.act(PERSON, "session.started")
    await spine.hub.auditor.act(PERSON, "session.ended")
    found = await records(spine)
    assert await spine.hub.progress.reached([one["seq"] for one in found], PATIENCE_S)
    size = await spine.hub.store.inspect(
        lambda conn: conn.execute(select(func.count()).select_from(inbox)).scalar_one()
    )
    assert [one["act"] for one in found] == ["session.started", "session.ended"]
    assert size == 2
