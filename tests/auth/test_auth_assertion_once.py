"""An assertion is good for one request, also when many come at once."""

from __future__ import annotations

import asyncio

from tests.auth.world import STRANGER, World


async def refused(world: World, assertion: str) -> str:
    """Asserts invalid_client, and returns the description."""
    answer = await world.ask(client_assertion=assertion)
    assert (answer.status_code, answer.json().get("error")) == (401, "invalid_client"), answer.text
    return str(answer.json()["error_description"])


async def test_an_assertion_counts_once(kent: World) -> None:
    assertion = kent.assertion()
    assert (await kent.ask(client_assertion=assertion)).status_code == 200
    assert "used before" in await refused(kent, assertion)


async def test_an_assertion_is_used_up_by_a_request_that_is_refused_for_its_scope(kent: World) -> None:
    assertion = kent.assertion()
    answer = await kent.ask(client_assertion=assertion, scope="nothing")
    assert answer.json()["error"] == "invalid_scope"
    assert "used before" in await refused(kent, assertion)


async def test_a_forged_assertion_uses_nothing_up(kent: World) -> None:
    await refused(kent, kent.assertion(key=STRANGER, jti="j-1"))
    assert (await kent.ask(client_assertion=kent.assertion(jti="j-1"))).status_code == 200


async def test_two_clients_may_choose_the_same_jti(kent: World) -> None:
    await kent.enrol("normandy")
    for name in ("kent", "normandy"):
        assert (await kent.ask(client_assertion=kent.assertion(name, jti="j-1"))).status_code == 200


async def test_of_twenty_requests_at_once_with_one_jti_exactly_one_succeeds(kent: World) -> None:
    assertion = kent.assertion()
    answers = await asyncio.gather(*(kent.ask(client_assertion=assertion) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 19


async def test_a_jti_stays_used_until_its_assertion_has_expired(kent: World) -> None:
    assertion = kent.assertion(exp=int(kent.clock()) + 250)
    assert (await kent.ask(client_assertion=assertion)).status_code == 200
    kent.ahead_s = 200  # Long enough for the store to be purged.
    assert (await kent.ask()).status_code == 200
    assert "used before" in await refused(kent, assertion)
    kent.ahead_s = 260
    assert "expired" in await refused(kent, assertion)
