"""Emergency access over HTTP and GraphQL: opened by two, for an hour at most, told to whom it concerns."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from hub.domain.principal import Principal
from hub.domain.scopes import Audience
from tests.audit.world import ASKER, CASE, REASON, REFERRAL, SECOND, World
from tests.graphql.cases.world import (
    SOUTH,
    event,
    firm_id,
    manager,
    partner,
    uuid,
)

KENT, NORMANDY, FRIESLAND, MOLISE = (partner(slug) for slug in ("kent", "normandy", "friesland", "molise"))


def person(name: str, client: str = "hub-console", *, confirmed: bool = True) -> Principal:
    """A manager of the north who acts through that client."""
    return replace(ASKER, client_id=client, person=uuid("person", name), confirmed=confirmed)


async def test_firm_is_open_to_who_asked_from_approval_on_and_to_nobody_else(world: World) -> None:
    assert await world.reads() is None
    id_ = await world.ask_access()
    assert await world.reads() is None
    assert (await world.send(SECOND, f"/{id_}/approve")).json()["state"] == "open"
    assert await world.reads() == {
        "id": firm_id("A"),
        "name": "Firm A",
        "identifier": {"code": "A"},
        "contacts": [{"name": "Contact of A", "email": "info@example.com"}],
    }
    shown = (await world.ask(ASKER, REFERRAL, id=CASE))["referral"]["sme"]
    assert shown["contacts"] == [{"name": "Contact of A"}]
    for other in (SECOND, manager(), manager(SOUTH), FRIESLAND, MOLISE):
        assert await world.reads(other) is None


async def test_it_closes_after_the_minutes_that_were_asked_for_and_never_later_than_an_hour(
    world: World,
) -> None:
    await world.break_glass(minutes=10)
    world.later(minutes=9, seconds=59)
    assert await world.reads()
    world.later(seconds=1)
    assert await world.reads() is None
    await world.break_glass()
    world.later(minutes=59, seconds=59)
    assert await world.reads()
    world.later(seconds=1)
    assert await world.reads() is None
    for minutes in (61, 0, -1, 600, 60.5, "60", True):
        answer = await world.send(ASKER, "", {"referral": CASE, "reason": REASON, "minutes": minutes})
        assert (answer.status_code, answer.json()["code"]) == (422, "payload.invalid"), minutes


@pytest.mark.parametrize("who", [ASKER, SECOND], ids=["who asked", "who approved"])
async def test_either_ends_it_and_it_is_closed_in_that_very_moment(world: World, who: Principal) -> None:
    id_ = await world.break_glass()
    assert await world.reads()
    answer = await world.send(who, f"/{id_}/end")
    assert answer.json()["state"] == "ended"
    assert await world.reads() is None
    # Not even to a clock that is behind.
    world.later(minutes=-10)
    assert await world.reads() is None


async def test_who_asks_does_not_approve(world: World) -> None:
    id_ = await world.ask_access()
    answer = await world.send(ASKER, f"/{id_}/approve")
    assert (answer.status_code, answer.json()["code"]) == (409, "breakglass.same_hand")
    assert await world.reads() is None
    assert (await world.acts(ASKER))[-1] == "breakglass.approved breakglass.same_hand"


@pytest.mark.parametrize(
    ("asks", "approves"),
    [
        (person("ada"), person("ada")),
        (person("ada"), person("ada", "another-tool")),
        (person("ada"), SECOND),
        (ASKER, person("ada")),
        (ASKER, person("ada", "manager-north")),
        (ASKER, ASKER),
    ],
)
async def test_nobody_is_two_people_through_two_clients(
    world: World, asks: Principal, approves: Principal
) -> None:
    id_ = await world.ask_access(asks)
    answer = await world.send(approves, f"/{id_}/approve")
    assert (answer.status_code, answer.json()["code"]) == (409, "breakglass.same_hand")


async def test_two_persons_may_use_one_client(world: World) -> None:
    await world.break_glass(person("ada"), person("bob"))
    assert await world.reads(person("ada"))
    assert await world.reads(person("ada", "another-tool")), "the person is the same"
    assert await world.reads(person("bob")) is None
    assert await world.reads(replace(ASKER, client_id="hub-console")) is None


async def test_person_confirms_before_asking_and_deciding(world: World) -> None:
    unconfirmed = person("ada", confirmed=False)
    answer = await world.send(unconfirmed, "", {"referral": CASE, "reason": REASON})
    assert (answer.status_code, answer.json()["code"]) == (403, "session.unconfirmed")
    id_ = await world.ask_access(person("bob"))
    assert (await world.send(unconfirmed, f"/{id_}/approve")).status_code == 403
    assert (await world.send(person("ada"), f"/{id_}/approve")).status_code == 200


async def test_second_manager_refuses_and_it_stays_closed(world: World) -> None:
    id_ = await world.ask_access()
    assert (await world.send(SECOND, f"/{id_}/refuse")).json()["state"] == "refused"
    for move in ("approve", "refuse", "end"):
        answer = await world.send(SECOND, f"/{id_}/{move}")
        assert (answer.status_code, answer.json()["code"]) == (409, "breakglass.decided"), move
    assert await world.reads() is None


async def test_request_lapses_after_an_hour_and_an_approval_is_not_replayed(world: World) -> None:
    id_ = await world.ask_access()
    world.later(hours=1)
    answer = await world.send(SECOND, f"/{id_}/approve")
    assert answer.json()["code"] == "breakglass.decided"
    second = await world.break_glass()
    world.later(minutes=50)
    again = await world.send(SECOND, f"/{second}/approve")
    assert again.json()["code"] == "breakglass.decided", "an approval must not make the hour longer"
    world.later(minutes=10)
    assert await world.reads() is None
    assert (await world.send(SECOND, f"/{second}/approve")).json()["code"] == "breakglass.decided"


async def test_hours_cannot_be_stacked(world: World) -> None:
    id_ = await world.ask_access()
    for body in ({"referral": CASE}, {"sme": firm_id("A")}):
        answer = await world.send(ASKER, "", {**body, "reason": REASON})
        assert (answer.status_code, answer.json()["code"]) == (409, "breakglass.open")
    await world.send(SECOND, f"/{id_}/approve")
    answer = await world.send(ASKER, "", {"referral": CASE, "reason": REASON})
    assert answer.json()["code"] == "breakglass.open"


async def test_two_requests_at_once_have_one_winner(world: World) -> None:
    body = {"referral": CASE, "reason": REASON}
    answers = await asyncio.gather(*(world.send(ASKER, "", body) for _ in range(5)))
    assert sorted(one.status_code for one in answers) == [201, 409, 409, 409, 409]


async def test_right_that_is_taken_away_in_between_closes_it(world: World) -> None:
    await world.break_glass()
    lesser = replace(ASKER, scopes=ASKER.scopes - {"ledger:breakglass"})
    assert await world.reads(lesser) is None
    elsewhere = replace(ASKER, networks=frozenset({SOUTH}))
    assert await world.reads(elsewhere) is None
    assert await world.reads(ASKER)


async def test_managers_of_other_networks_and_strangers_learn_nothing(world: World) -> None:
    id_ = await world.ask_access()
    unknown = await world.send(manager(SOUTH), "", {"sme": firm_id("nobody"), "reason": REASON})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "resource.not_found")
    for body in ({"sme": firm_id("A")}, {"referral": CASE}, {"referral": uuid("no case")}):
        answer = await world.send(manager(SOUTH), "", {**body, "reason": REASON})
        assert (answer.status_code, answer.json()) == (404, unknown.json())
    for move in ("approve", "refuse", "end"):
        for target in (id_, uuid("nothing"), "not-a-uuid", "%0d%0aforged"):
            answer = await world.send(manager(SOUTH), f"/{target}/{move}")
            assert (answer.status_code, answer.json()) == (404, unknown.json())
    for caller in (KENT, NORMANDY):
        answer = await world.send(caller, f"/{id_}/approve")
        assert (answer.status_code, answer.json()["code"]) == (403, "scope.missing")
    assert (await world.send(None, f"/{id_}/approve")).status_code == 401


async def test_partners_cannot_break_glass_whatever_they_are_granted(world: World) -> None:
    granted = replace(KENT, scopes=KENT.scopes | {"ledger:breakglass"}, audience=Audience.PARTNER)
    answer = await world.send(granted, "", {"referral": CASE, "reason": REASON})
    assert answer.status_code in (403, 404)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"referral": CASE},
        {"reason": REASON},
        {"referral": CASE, "sme": firm_id("A"), "reason": REASON},
        {"referral": CASE, "reason": "short"},
        {"referral": CASE, "reason": " " * 20},
        {"referral": CASE, "reason": "x" * 2_001},
        {"referral": "CASE", "reason": REASON},
        {"referral": CASE, "reason": [REASON]},
    ],
)
async def test_request_that_is_not_complete_is_refused_with_its_member(world: World, body: object) -> None:
    answer = await world.send(ASKER, "", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "payload.invalid")
    assert answer.json()["errors"]


async def test_erased_firm_stays_closed_and_is_as_unknown(world: World) -> None:
    waiting = await world.ask_access(person("ada"))
    await world.break_glass()
    await world.post(ASKER, event("sme.erased", firm_id("A"), sme_id=firm_id("A"), reason="request"))
    assert await world.reads() is None
    assert (await world.send(person("bob"), f"/{waiting}/approve")).status_code in (404, 409)
    for asked in ({"sme": firm_id("A")}, {"referral": CASE}):
        answer = await world.send(SECOND, "", {**asked, "reason": REASON})
        assert answer.status_code == 404
    assert "breakglass.approved" in await world.acts(KENT)


async def test_body_that_is_none_of_ours_is_refused_as_everywhere(world: World) -> None:
    answer = await world.send(ASKER, "", {"reason": REASON})
    assert (answer.status_code, answer.json()["code"]) == (422, "payload.invalid")
    assert answer.json()["detail"] == "The body must name either sme or referral."
    misspelt = await world.send(ASKER, "", {"referral": CASE, "reason": REASON, "minuts": 5})
    assert (misspelt.status_code, misspelt.json()["code"]) == (422, "payload.unknown_field")
    assert "minutes" in misspelt.json()["detail"]
    long = await world.send(ASKER, "", {"referral": CASE, "reason": "x" * 40_000})
    assert (long.status_code, long.json()["code"]) == (413, "payload.invalid")
