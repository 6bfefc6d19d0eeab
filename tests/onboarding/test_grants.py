"""Scopes are asked for by partners and granted by managers, within what each of them may decide."""

from __future__ import annotations

import asyncio

import pytest

from tests.onboarding.conftest import BOTH, MANAGER, NARROW, NONE, NORTHERN, ONE, SOUTHERN
from tests.onboarding.hands import Hands, hands, problem
from tests.support.serving import Served

NOT_FOUND, EXCEEDED = (404, "resource.not_found"), (403, "scope.exceeded")
WANTED = ["catalogue:publish", "events:read"]


async def request_of(partner: Hands, *scopes: str) -> str:
    body = {"scopes": list(scopes) or WANTED, "reason": "We publish our workshops. Call Anna Verdi."}
    answer = await partner.ask("POST", f"/clients/{partner.id}/scope-requests", body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_what_is_approved_acts_at_once(networks: Served) -> None:
    async with hands(networks, ONE) as one, hands(networks, NORTHERN) as manager:
        id_ = await request_of(one)
        assert (await one.ask("GET", "/clients/me")).json()["requested_scopes"] == WANTED
        [shown] = (await manager.ask("GET", "/scope-requests")).json()["scope_requests"]
        assert (shown["id"], shown["client_id"], shown["scopes"]) == (id_, ONE, WANTED)
        assert "Anna Verdi" in shown["reason"]
        approved = await manager.ask("POST", f"/scope-requests/{id_}/approve")
        assert (approved.status_code, approved.json()["state"]) == (200, "approved")
        me = (await one.ask("GET", "/clients/me", scopes=["partners:self", *WANTED])).json()
        assert (sorted(me["scopes"]), me["requested_scopes"]) == (sorted(NARROW + WANTED), [])
        assert (await manager.ask("GET", "/scope-requests")).json() == {"scope_requests": []}


async def test_a_refusal_says_why_and_changes_nothing(networks: Served) -> None:
    async with hands(networks, ONE) as one, hands(networks, MANAGER) as manager:
        id_ = await request_of(one)
        answer = await manager.ask("POST", f"/scope-requests/{id_}/refuse", {"reason": "Not before May."})
        assert (answer.json()["state"], answer.json()["answer"]) == ("refused", "Not before May.")
        assert sorted((await one.ask("GET", "/clients/me")).json()["scopes"]) == sorted(NARROW)


async def test_a_request_is_decided_once_also_at_the_same_moment(networks: Served) -> None:
    async with hands(networks, ONE) as one, hands(networks, MANAGER) as manager:
        id_ = await request_of(one)
        answers = await asyncio.gather(
            manager.ask("POST", f"/scope-requests/{id_}/approve"),
            manager.ask("POST", f"/scope-requests/{id_}/approve"),
            manager.ask("POST", f"/scope-requests/{id_}/refuse", {"reason": "No."}),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
        late = await manager.ask("POST", f"/scope-requests/{id_}/refuse", {"reason": "No."})
        assert problem(late) == (409, "request.decided")


async def test_managers_know_nothing_of_other_networks(networks: Served) -> None:
    async with hands(networks, ONE) as one, hands(networks, SOUTHERN) as southern:
        id_ = await request_of(one)
        assert (await southern.ask("GET", "/scope-requests")).json() == {"scope_requests": []}
        answers = [
            await southern.ask("POST", f"/scope-requests/{id_}/approve"),
            await southern.ask("POST", "/scope-requests/none/approve"),
        ]
        assert {problem(answer) for answer in answers} == {NOT_FOUND}
        assert answers[0].content == answers[1].content
        grant = {"scopes": ["events:publish"]}
        foreign = await southern.ask("PUT", f"/clients/{ONE}/grant", grant)
        assert problem(foreign) == NOT_FOUND
        shown = (await southern.ask("GET", "/clients")).json()["clients"]
        assert {client["client_id"] for client in shown} == {BOTH, SOUTHERN}


async def test_a_grant_that_acts_in_another_network_too_is_not_one_manager_s_to_change(
    networks: Served,
) -> None:
    async with hands(networks, BOTH) as both, hands(networks, NORTHERN) as northern:
        id_ = await request_of(both)
        answers = [
            await northern.ask("POST", f"/scope-requests/{id_}/approve"),
            await northern.ask("PUT", f"/clients/{BOTH}/grant", {"scopes": ["events:publish"]}),
        ]
        assert {problem(answer) for answer in answers} == {EXCEEDED}
        assert sorted((await both.ask("GET", "/clients/me")).json()["scopes"]) == sorted(NARROW)
        async with hands(networks, MANAGER) as manager:
            assert (await manager.ask("POST", f"/scope-requests/{id_}/approve")).status_code == 200


@pytest.mark.parametrize(
    "scope", ["partners:admin", "ledger:breakglass", "privacy:export", "reports:network", "*"]
)
async def test_nobody_gets_more_than_partners_may_hold(networks: Served, scope: str) -> None:
    async with hands(networks, NONE) as none, hands(networks, MANAGER) as manager:
        body = {"scopes": [scope], "reason": "Why not."}
        asked = await none.ask("POST", f"/clients/{NONE}/scope-requests", body)
        granted = await manager.ask("PUT", f"/clients/{NONE}/grant", {"scopes": [*NARROW, scope]})
        assert {problem(asked), problem(granted)} == {EXCEEDED}


async def test_a_manager_widens_neither_itself_nor_another_manager(networks: Served) -> None:
    async with hands(networks, MANAGER) as manager, hands(networks, NORTHERN) as northern:
        for who, whose in ((manager, MANAGER), (manager, NORTHERN), (northern, NORTHERN)):
            answer = await who.ask("PUT", f"/clients/{whose}/grant", {"scopes": ["events:publish"]})
            assert problem(answer) == EXCEEDED
        assert (
            problem(await northern.ask("PUT", f"/clients/{MANAGER}/grant", {"scopes": ["events:publish"]}))
            == NOT_FOUND
        )


async def test_a_partner_decides_nothing(networks: Served) -> None:
    async with hands(networks, ONE) as one:
        id_ = await request_of(one)
        grant = {"scopes": WANTED}
        for method, path, body in (
            ("POST", f"/scope-requests/{id_}/approve", None),
            ("GET", "/scope-requests", None),
            ("PUT", f"/clients/{ONE}/grant", grant),
        ):
            assert problem(await one.ask(method, path, body)) == (403, "scope.missing")


async def test_what_is_taken_away_is_gone_from_tokens_that_are_out(networks: Served) -> None:
    async with hands(networks, ONE) as one, hands(networks, MANAGER) as manager:
        assert (await one.ask("GET", "/clients/me")).status_code == 200
        answer = await manager.ask("PUT", f"/clients/{ONE}/grant", {"scopes": ["events:publish"]})
        assert answer.json()["scopes"] == ["events:publish"]
        assert problem(await one.ask("GET", "/clients/me")) == (403, "scope.missing")


async def test_requests_that_wait_are_bounded(networks: Served) -> None:
    async with hands(networks, ONE) as one:
        for _ in range(5):
            await request_of(one)
        body = {"scopes": WANTED, "reason": "Again."}
        answer = await one.ask("POST", f"/clients/{ONE}/scope-requests", body)
        assert problem(answer) == (409, "credential.conflict")
