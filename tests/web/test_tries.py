"""How often somebody may try: who guesses is stopped, and stops nobody but itself."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from hub.auth.people.tries import (
    KNOWN_S,
    OF_ACCOUNT_AND_ADDRESS_MAX,
    OF_ACCOUNT_MAX,
    OF_ADDRESS_MAX,
    WINDOW_S,
    TooManyTries,
    Tries,
)
from hub.store.tables import sign_in_try
from tests.web.world import World

ANNA, HOME, ELSEWHERE = "anna", "203.0.113.7", "198.51.100.9"


@pytest.fixture
def tries(world: World) -> Tries:
    return Tries(world.store, world.vault, world.clock)


async def refused(tries: Tries, account: str, address: str, times: int = 1) -> int:
    """How many of so many tries are refused."""
    count = 0
    for _ in range(times):
        try:
            await tries.count("password", account, address)
        except TooManyTries:
            count += 1
    return count


async def rows(world: World) -> int:
    counted = select(func.count()).select_from(sign_in_try)
    return await world.store.inspect(lambda conn: conn.execute(counted).scalar_one())


async def test_one_address_shuts_nobody_out_elsewhere(tries: Tries) -> None:
    times = OF_ACCOUNT_MAX + 5
    assert await refused(tries, ANNA, ELSEWHERE, times) == times - OF_ACCOUNT_AND_ADDRESS_MAX
    assert await refused(tries, ANNA, HOME) == 0
    with pytest.raises(TooManyTries) as often:
        await tries.count("password", ANNA, ELSEWHERE)
    assert 0 < often.value.retry_after_s <= WINDOW_S


async def test_many_addresses_shut_out_strangers_and_not_who_is_known(world: World, tries: Tries) -> None:
    await tries.forget("password", ANNA, HOME)
    for number in range(OF_ACCOUNT_MAX):
        assert await refused(tries, ANNA, f"192.0.2.{number}") == 0
    assert await refused(tries, ANNA, ELSEWHERE) == 1
    # Known where it signed in: its own tries alone count there, and they do count.
    assert await refused(tries, ANNA, HOME, OF_ACCOUNT_AND_ADDRESS_MAX + 1) == 1
    assert await refused(tries, ANNA, ELSEWHERE) == 1
    world.ahead_s += KNOWN_S - 1
    await tries.count("password", ANNA, HOME)
    world.ahead_s += WINDOW_S
    for number in range(OF_ACCOUNT_MAX):
        assert await refused(tries, ANNA, f"192.0.2.{number}") == 0
    assert await refused(tries, ANNA, HOME) == 1


async def test_an_office_full_of_tries_does_not_shut_out_who_is_known_there(tries: Tries) -> None:
    await tries.forget("password", ANNA, HOME)
    for number in range(OF_ADDRESS_MAX):
        assert await refused(tries, f"guess-{number}", HOME) == 0
    assert await refused(tries, "ben", HOME) == 1
    assert await refused(tries, ANNA, HOME) == 0
    # Known for the password is not known for the code.
    with pytest.raises(TooManyTries):
        await tries.count("code", ANNA, HOME)


async def test_what_is_refused_makes_no_rows(world: World, tries: Tries) -> None:
    for number in range(OF_ADDRESS_MAX):
        assert await refused(tries, f"guess-{number}", ELSEWHERE) == 0
    before = await rows(world)
    for number in range(20):
        assert await refused(tries, f"another-{number}", ELSEWHERE) == 1
    assert await rows(world) == before
