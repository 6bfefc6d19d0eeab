"""A person that is suspended while it is signed in: nothing is open to it but the way out."""

from __future__ import annotations

import httpx
import pytest
from pyotp import TOTP

from hub.auth.digests import secret_digest
from hub.auth.people.sign_in import SUSPENDED
from hub.store import people
from hub.store.sessions import Session, find_sessions
from tests.web.world import PASSWORD, Browser, Guest, World

NEW = "copper lantern ferry thistle"


async def suspend(world: World, guest: Guest, *, suspended: bool = True) -> None:
    await world.store.write(lambda conn: people.set_suspended(conn, guest.id, suspended))


async def credentials(world: World, guest: Guest) -> tuple[object, ...]:
    """What the person proves itself by, as it is kept."""
    found = await world.store.inspect(lambda conn: people.find_person(conn, guest.id))
    assert found
    return found.password, found.totp, found.generation


async def session_of(world: World, browser: Browser) -> Session:
    digest = secret_digest("session", browser.cookie or "")
    [found] = await world.store.inspect(lambda conn: find_sessions(conn, [digest]))
    assert found
    return found


@pytest.mark.parametrize(
    "path", ["/account", "/account/password", "/account/authenticator", "/account/confirm", "/graphiql"]
)
async def test_no_page_is_open_and_each_shows_the_way_out(world: World, path: str) -> None:
    browser, guest = await world.member()
    await suspend(world, guest)
    refused = await browser.get(path)
    assert refused.status_code == 403
    assert "Your access is suspended" in refused.text
    left = await browser.post("/account/sign-out")
    assert left.headers["location"] == "/sign-in?signed-out"
    await suspend(world, guest, suspended=False)
    assert (await browser.get("/account")).status_code == 303


async def test_no_form_changes_what_the_person_proves_itself_by(world: World) -> None:
    browser, guest = await world.member()
    await browser.get("/account/authenticator")
    before = await credentials(world, guest)
    await suspend(world, guest)

    async def status(path: str, **fields: str) -> int:
        answer: httpx.Response = await browser.post(path, **fields)
        return answer.status_code

    assert await status("/account/password", current=PASSWORD, password=NEW) == 403
    assert await status("/account/authenticator", code="000000") == 403
    assert await status("/account/confirm", code=world.code(guest)) == 403
    assert await credentials(world, guest) == before


async def test_a_suspension_between_request_and_commit_decides(world: World) -> None:
    browser, guest = await world.member()
    session = await session_of(world, browser)
    totp = TOTP(await world.sign_in.offer_authenticator(session))
    other = await world.invite("late@example.org")
    token = other.link.removeprefix("/enrol/")
    link = await world.sign_in.link(token)
    assert link
    key = TOTP(world.sign_in.offered(link))
    before = await credentials(world, guest), await credentials(world, other)
    for one in (guest, other):
        await suspend(world, one)

    answer = await world.sign_in.change_password(session, PASSWORD, NEW, address="203.0.113.7")
    assert answer is SUSPENDED
    now = int(world.clock())
    assert await world.sign_in.change_authenticator(session, totp.at(now)) is SUSPENDED
    assert await world.sign_in.enrol(token, NEW, key.at(now), device="?") is SUSPENDED
    assert (await credentials(world, guest), await credentials(world, other)) == before
    # The link is not used up: it is good once the person is resumed.
    kept = await world.store.inspect(lambda conn: people.find_link(conn, secret_digest("link", token), now))
    assert kept is not None


async def test_who_is_suspended_still_signs_out_everywhere(world: World) -> None:
    browser, guest = await world.member()
    second = world.browser()
    await world.enter(second, guest)
    await browser.get("/account")
    await suspend(world, guest)
    await browser.post("/account/sign-out-everywhere")
    await suspend(world, guest, suspended=False)
    assert (await second.who()).status_code == 401
