"""A copy of all that is held: whole for the firm, handed on by those who may, and nothing of others in it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.domain.principal import Principal
from hub.events.exporting import as_json
from hub.events.rejection import Rejected
from hub.store import exports
from hub.store.exports import export_firm, export_person
from hub.store.viewers import viewer_of
from tests.privacy.told import (
    CASE,
    EENS,
    KENTS,
    MANAGER,
    NORMANDS,
    NUMBER,
    OTHER,
    PERSONAL,
    erase,
    erasure,
    life,
    live,
    named_in_files,
)
from tests.support.messages import (
    EEN,
    KENT,
    NETWORK,
    NORMANDY,
    consent,
    event,
    firm,
    firm_id,
    network_manager,
    partner,
    uuid_of,
)
from tests.support.serving import Served, Session, serving
from tests.support.spine import Spine

PERSON = uuid_of("person")


async def copy(
    spine: Spine, principal: Principal, id_: str = firm_id(NUMBER), find: Any = export_firm
) -> Any:
    """What that caller gets of a firm or person; None for nothing."""
    hub, now = spine.hub, datetime.now(UTC)
    found = await hub.store.inspect(lambda conn: find(conn, viewer_of(conn, principal, now), hub.vault, id_))
    if found is None:
        return None
    return json.loads("".join([part async for part in as_json(hub.store, found)]))


def texts(value: Any) -> Iterable[str]:
    """Every text of a JSON value."""
    if isinstance(value, dict):
        for member in value.values():
            yield from texts(member)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str):
        yield value


async def test_a_managers_copy_holds_everything_that_was_ever_said_and_nothing_sealed(spine: Spine) -> None:
    receipts = await live(spine)
    whole = await copy(spine, network_manager(NETWORK))
    told = set(texts(whole))
    assert not [what for what, text in PERSONAL.items() if text not in told]
    assert not [text for text in told if text.startswith("sealed.")]
    assert whole["version"] == exports.VERSION
    assert [one["seq"] for one in whole["events"]] == [one.seq for one in receipts]
    assert [one["event"]["data"] for one in whole["events"]] == [message["data"] for _, message in life()]
    assert {one["event"]["subject"] for one in whole["events"] if "sme" in one["event"]["type"]} == {
        firm_id(NUMBER)
    }
    assert firm_id(OTHER) not in told


async def test_a_copy_tells_who_could_see_the_firm_and_under_which_consent(spine: Spine) -> None:
    await live(spine)
    recipients = {one["partner"]: one for one in (await copy(spine, MANAGER))["recipients"]}
    assert recipients.keys() == {KENT, NORMANDY}
    assert recipients[KENT]["registered_it"]
    normandy = recipients[NORMANDY]
    assert not normandy["registered_it"]
    assert normandy["named_by_consents"] == [uuid_of("erased-consent")]
    assert {"id": CASE, "roles": ["owner"]} in normandy["referrals"]
    assert normandy["reads_now"]["identity"] == [KENT]


async def test_a_manager_gets_also_what_a_member_only_registered(spine: Spine) -> None:
    await live(spine)
    for caller in (MANAGER, network_manager(NETWORK)):
        whole = await copy(spine, caller, firm_id(OTHER))
        assert [one["name"] for one in whole["registrations"]] == [f"Firm {OTHER}"]
    assert await copy(spine, network_manager("south"), firm_id(OTHER)) is None


async def test_long_histories_come_page_by_page_each_event_once(spine: Spine) -> None:
    await spine.set_up_network()
    count = exports.PAGE_EVENTS + 7
    messages = [firm(KENTS, NUMBER, employees=one) for one in range(count)]
    receipts = await spine.post(KENTS, *messages)
    await spine.verdicts(receipts)
    whole = await copy(spine, MANAGER)
    assert [one["event"]["data"]["employees"] for one in whole["events"]] == list(range(count))


async def test_a_history_is_looked_through_bit_by_bit(spine: Spine) -> None:
    receipts = await live(spine)
    hub, now = spine.hub, datetime.now(UTC)
    found = await hub.store.inspect(
        lambda conn: export_firm(conn, viewer_of(conn, MANAGER, now), hub.vault, firm_id(NUMBER))
    )
    assert found
    seqs, looks, after = list[int](), 0, 0
    while after is not None:
        page, after = await hub.store.inspect(
            lambda conn, after=after: exports.export_events(conn, found, after, window=2)  # type: ignore[misc]
        )
        seqs += [one["seq"] for one in page]
        looks += 1
    assert seqs == [one.seq for one in receipts]
    assert looks > len(receipts) // 2


async def test_a_partner_gets_what_it_said_itself_and_a_stranger_nothing(spine: Spine) -> None:
    await live(spine)
    mine = await copy(spine, KENTS)
    assert {one["partner"] for one in mine["events"]} == {KENT}
    told = set(texts(mine))
    assert PERSONAL["message"] in told
    assert PERSONAL["note"] not in told, "what the owner wrote is the owner's"
    assert mine["recipients"] == []
    assert PERSONAL["note"] in set(texts(await copy(spine, NORMANDS)))
    assert PERSONAL["contact"] not in set(texts(await copy(spine, NORMANDS)))
    assert await copy(spine, EENS) is None


async def test_unknown_unseen_and_erased_firms_get_the_same_answer(spine: Spine) -> None:
    await live(spine)
    assert await copy(spine, MANAGER, firm_id("99999999")) is None
    assert await copy(spine, network_manager("south")) is None
    await erase(spine)
    assert await copy(spine, MANAGER) is None
    assert await copy(spine, KENTS) is None


async def test_a_copy_names_no_other_firm_of_a_group(spine: Spine) -> None:
    await live(spine)
    formed = {
        "name": "Weavers",
        "network": NETWORK,
        "sme_ids": [firm_id(NUMBER), firm_id(OTHER)],
        "experienced_sme_ids": [],
        "strands": ["legal"],
        "starts_on": "2026-12-01",
        "ends_on": "2027-12-01",
    }
    formed_event = event(KENTS, "consortium.formed", uuid_of("group"), formed)
    forged = formed_event | {"trace": "sealed.of-nobody.AAAA"}
    assert await spine.outcome(KENTS, forged) == "applied"
    last = (await copy(spine, MANAGER))["events"][-1]["event"]
    assert last["data"]["sme_ids"] == [firm_id(NUMBER), None]
    assert last["trace"] == "sealed.of-nobody.AAAA", "a text that only looks sealed stays as it was sent"


async def test_a_persons_copy_is_the_managers_of_its_networks(spine: Spine) -> None:
    await spine.set_up_network()
    duty = {"network": NETWORK, "task": "helpdesk", "partner": KENT, "person_id": PERSON}
    duty |= {"person": "Philippa Underhill", "from": "2026-01-01"}
    assert await spine.outcome(MANAGER, event(MANAGER, "responsibility.assigned", uuid_of("d"), duty)) == (
        "applied"
    )
    for caller in (MANAGER, network_manager(NETWORK)):
        whole = await copy(spine, caller, PERSON, export_person)
        assert [one["event"]["data"]["person"] for one in whole["events"]] == ["Philippa Underhill"]
    assert await copy(spine, network_manager("south"), PERSON, export_person) is None
    assert await copy(spine, KENTS, PERSON, export_person) is None
    assert await copy(spine, MANAGER, uuid_of("nobody"), export_person) is None


async def get(served: Served, session: Session, as_: str, path: str) -> httpx.Response:
    """GET as that client; the manager and KENT have the waiver of DPoP."""
    return await session.http.get(path, headers=await session.headers(as_))


async def test_over_http_a_copy_is_recorded_in_the_ledger_before_it_is_told(served: Served) -> None:
    async with Session(served) as session:
        message = firm(KENTS, NUMBER, name=PERSONAL["name of the firm"])
        assert (await session.post(KENT, message, headers={"Prefer": "wait=5"})).status_code == 200
        answer = await get(served, session, "network-manager", f"/privacy/firms/{firm_id(NUMBER)}")
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json()["registrations"][0]["name"] == PERSONAL["name of the firm"]
        assert [one["event"]["type"] for one in answer.json()["events"]][-1:] == ["hub.audit.recorded.v1"]
        assert not named_in_files(served.settings.data_dir), "the record of the copy names the firm in clear"
        for path in (
            f"/privacy/firms/{firm_id('99999999')}",
            "/privacy/firms/x",
            f"/privacy/people/{PERSON}",
        ):
            missing = await get(served, session, "network-manager", path)
            assert (missing.status_code, missing.json()["code"]) == (404, "resource.not_found")
        denied = await get(served, session, KENT, f"/privacy/firms/{firm_id(NUMBER)}")
        assert (denied.status_code, denied.json()["code"]) == (403, "scope.missing")
        assert (await session.http.get(f"/privacy/firms/{firm_id(NUMBER)}")).status_code == 401


@pytest.fixture
def thrifty(tmp_path: Path) -> Iterator[Served]:
    """A hub that gives one large answer, and then little for hours."""
    with serving(tmp_path / "hub", quota_cost_per_s=1) as running:
        yield running


async def test_copies_are_charged_to_the_quota_of_cost_found_or_not(thrifty: Served) -> None:
    async with Session(thrifty) as session:
        path = f"/privacy/firms/{firm_id('99999999')}"
        assert (await get(thrifty, session, "network-manager", path)).status_code == 404
        for again in (path, f"/privacy/people/{PERSON}"):
            refused = await get(thrifty, session, "network-manager", again)
            assert (refused.status_code, refused.json()["code"]) == (429, "quota.exceeded")
            assert int(refused.headers["retry-after"]) > 60


async def test_a_person_confirms_an_erasure_with_its_second_factor(spine: Spine) -> None:
    await live(spine)
    signed_in = replace(MANAGER, person=PERSON)
    with pytest.raises(Rejected) as rejected:
        await spine.post(signed_in, erasure())
    assert (rejected.value.status, rejected.value.code) == (403, "session.unconfirmed")
    assert await spine.outcome(replace(signed_in, confirmed=True), erasure()) == "applied"


async def test_a_recorded_consent_of_a_recipient_opens_no_copy(spine: Spine) -> None:
    await live(spine)
    taken = consent(EENS, NUMBER, EEN, id_=uuid_of("self-given"))
    assert await spine.outcome(EENS, taken) == "refused consent.missing"
    assert await copy(spine, partner(EEN)) is None
