"""Invitation, password, code: who gets in, and who does not."""

from __future__ import annotations

import asyncio
import re

import httpx
import pyotp
import pytest
from sqlalchemy import Connection, select

from hub.auth.people.passwords import Passwords
from hub.auth.people.tries import OF_ACCOUNT_AND_ADDRESS_MAX, WINDOW_S
from hub.domain.scopes import DEFAULT_SCOPES, Audience
from hub.store import people
from hub.store.tables import person, person_link, person_recovery, person_session, sign_in_try
from tests.web.world import PASSWORD, World


async def test_a_person_enrols_signs_out_and_signs_in(world: World) -> None:
    browser, guest = await world.member()
    assert len(set(guest.recovery)) == people.RECOVERY_CODES
    assert (await browser.get("/account")).status_code == 200
    assert guest.email in browser.page.text  # type: ignore[union-attr]
    gone = await browser.post("/account/sign-out")
    assert gone.headers["location"] == "/sign-in?signed-out"
    assert browser.cookie is None
    assert (await browser.get("/account")).headers["location"] == "/sign-in?next=%2Faccount"
    entered = await world.enter(browser, guest, next="/graphiql")
    assert entered.headers["location"] == "/graphiql"
    who = (await browser.who()).json()
    assert who == {
        "audience": "manager",
        "client_id": "hub-console",
        "person": guest.id,
        "partner": None,
        "networks": None,
        "scopes": sorted(DEFAULT_SCOPES[Audience.MANAGER]),
        "source_prefix": f"/hub/people/{guest.id}/",
        "confirmed": True,
    }


async def test_an_adviser_acts_for_its_partner(world: World) -> None:
    await world.partner()
    browser, guest = await world.member(audience=Audience.PARTNER, partner="kent", scopes=("events:read",))
    who = (await browser.who()).json()
    assert (who["audience"], who["partner"], who["scopes"]) == ("partner", "kent", ["events:read"])
    assert who["source_prefix"] == f"/partners/kent/people/{guest.id}/"


async def test_the_password_alone_opens_nothing(world: World) -> None:
    _, guest = await world.member()
    thief = world.browser()
    assert (await world.password_step(thief)).headers["location"].startswith("/sign-in/code")
    assert (await thief.who()).json()["audience"] == "public"
    assert (await thief.get("/account")).status_code == 303
    world.ahead_s += 6 * 60
    await thief.get("/sign-in/code")
    late = await thief.post("/sign-in/code", code=world.code(guest))
    assert late.status_code in (303, 403)
    assert (await thief.http.get("/account")).status_code == 303


async def test_unknown_and_known_accounts_get_the_same_answer(world: World) -> None:
    await world.member()
    pages = []
    for email in ("anna.lee@example.org", "nobody@example.org"):
        answer = await world.password_step(world.browser(), email, "wrong wrong wrong")
        assert answer.status_code == 400
        pages.append(re.sub(r'nonce[=-]"?[\w-]+|value="[^"]*"', "", answer.text))
    assert pages[0] == pages[1]


async def test_a_code_is_good_once(world: World) -> None:
    _, guest = await world.member()
    code = world.code(guest)
    assert (await enter_with(world, code)).status_code == 303
    assert (await enter_with(world, code)).status_code == 400
    assert (await enter_with(world, "000000")).status_code == 400


async def test_one_code_sent_at_once_lets_one_in(world: World) -> None:
    _, guest = await world.member()
    code = world.code(guest)
    browsers = [world.browser() for _ in range(4)]
    for browser in browsers:
        await browser.get((await world.password_step(browser)).headers["location"])
    answers = await asyncio.gather(*(browser.post("/sign-in/code", code=code) for browser in browsers))
    assert sorted(answer.status_code for answer in answers) == [303, 400, 400, 400]


async def test_a_recovery_code_is_good_once_and_for_its_person_alone(world: World) -> None:
    _, guest = await world.member()
    _, other = await world.member(email="other@example.org")
    assert (await enter_with(world, guest.recovery[0])).status_code == 303
    assert (await enter_with(world, guest.recovery[0])).status_code == 400
    assert (await enter_with(world, other.recovery[0])).status_code == 400
    assert (await enter_with(world, guest.recovery[1].upper().replace("-", " "))).status_code == 303


async def test_guessing_is_stopped_by_account_and_address_and_only_for_a_while(world: World) -> None:
    _, guest = await world.member()
    thief = world.browser("198.51.100.9")
    for _ in range(OF_ACCOUNT_AND_ADDRESS_MAX):
        assert (await world.password_step(thief, password="wrong wrong wrong")).status_code == 400
    refused = await world.password_step(thief)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= WINDOW_S
    unknown = world.browser("198.51.100.10")
    for _ in range(OF_ACCOUNT_AND_ADDRESS_MAX):
        await world.password_step(unknown, "nobody@example.org")
    assert (await world.password_step(unknown, "nobody@example.org")).status_code == 429
    # The person itself, elsewhere, is not shut out.
    assert (await world.enter(world.browser(), guest)).status_code == 303
    world.ahead_s += WINDOW_S + 1
    assert (await world.password_step(thief)).status_code == 303


async def test_codes_cannot_be_guessed_at_length(world: World) -> None:
    _, guest = await world.member()
    browser = world.browser()
    await browser.get((await world.password_step(browser)).headers["location"])
    answers = [await browser.post("/sign-in/code", code="123456") for _ in range(OF_ACCOUNT_AND_ADDRESS_MAX)]
    assert {answer.status_code for answer in answers} == {400}
    assert (await browser.post("/sign-in/code", code=world.code(guest))).status_code == 429


@pytest.mark.parametrize(
    ("password", "field"),
    [
        ("short", "too short"),
        ("motdepasse123", "everybody tries first"),
        ("aaaaaaaaaaaaaaaa", "everybody tries first"),
        ("abcdefghijklmnop", "everybody tries first"),
        ("my anna.lee password", "your name or address"),
        ("x" * 201, "too long"),
    ],
)
async def test_bad_passwords_are_refused_with_the_reason_at_the_field(
    world: World, password: str, field: str
) -> None:
    guest = await world.invite()
    answer = await world.enrol(world.browser(), guest, password)
    assert answer.status_code == 400
    assert field in answer.text
    assert 'aria-describedby="password-error password-hint"' in answer.text
    # The link is still good: nothing was chosen.
    assert (await world.enrol(world.browser(), guest)).status_code == 200


async def test_a_link_works_once_and_for_a_day(world: World) -> None:
    _, guest = await world.member()
    assert (await world.browser().get(guest.link)).status_code == 404
    other = await world.invite("late@example.org")
    world.ahead_s += 24 * 60 * 60 + 1
    assert (await world.browser().get(other.link)).status_code == 404
    assert (await world.browser().get("/enrol/no-such-link")).status_code == 404


async def test_a_link_used_by_two_at_once_is_one_persons(world: World) -> None:
    guest, browsers = await world.invite(), [world.browser(), world.browser()]
    for browser in browsers:
        await browser.get(guest.link)
    key = re.search(r'class="key">([A-Z2-7 ]+)<', browsers[0].page.text)  # type: ignore[union-attr]
    guest.totp = pyotp.TOTP(key[1].replace(" ", ""))  # type: ignore[index]
    code = world.code(guest)
    answers = await asyncio.gather(
        *(browser.post(guest.link, password=PASSWORD, code=code) for browser in browsers)
    )
    assert sorted(answer.status_code for answer in answers) == [200, 404]


async def test_nothing_that_proves_a_person_is_kept_as_it_is(world: World) -> None:
    browser, guest = await world.member()
    found = await world.store.inspect(lambda conn: people.find_person(conn, guest.id))
    secret = guest.totp.secret if guest.totp else ""
    kept = repr(found) + repr(await world.store.inspect(everything))
    for told in (
        PASSWORD,
        secret,
        guest.email,
        "Anna",
        browser.cookie or "?",
        guest.link[7:],
        *guest.recovery,
    ):
        assert told not in kept
        assert told.replace("-", "") not in kept


async def test_passwords_are_argon2id_and_kept_with_new_parameters_at_the_next_sign_in(world: World) -> None:
    _, guest = await world.member()
    hashes = []
    for _ in range(2):
        found = await world.store.inspect(lambda conn: people.find_person(conn, guest.id))
        assert found
        hashes.append(found.password or "")
        world.sign_in._passwords = Passwords()
        assert (await world.enter(world.browser(), guest)).status_code == 303
    assert hashes[0].startswith("$argon2id$v=19$m=8192,t=1,")
    assert hashes[1].startswith("$argon2id$v=19$m=65536,t=3,")


def everything(conn: Connection) -> list[tuple[object, ...]]:
    """Every row of every table of people."""
    tables = (person, person_link, person_recovery, person_session, sign_in_try)
    return [tuple(row) for table in tables for row in conn.execute(select(table))]


async def enter_with(world: World, code: str) -> httpx.Response:
    """Sign in with the password and this code, in a browser of its own."""
    browser = world.browser()
    await browser.get((await world.password_step(browser)).headers["location"])
    return await browser.post("/sign-in/code", code=code)
