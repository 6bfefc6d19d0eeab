"""A person's own page: where it leads, and what it changes."""

from __future__ import annotations

import pytest

from hub.store import people
from tests.web.world import PASSWORD, World


@pytest.mark.parametrize(
    "next_",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/%0d%0aSet-Cookie:x",
        "/ok\r\nSet-Cookie: a=b",
        "/\tevil",
        "javascript:alert(1)",
        "evil",
        "/é",
        "/" + "x" * 3_000,
    ],
)
async def test_nobody_is_sent_elsewhere_after_signing_in(world: World, next_: str) -> None:
    browser, guest = await world.member()
    await browser.get("/account")
    await browser.post("/account/sign-out")
    answer = await world.enter(browser, guest, next=next_)
    assert answer.status_code == 303
    target = answer.headers["location"]
    assert target == ("/%0d%0aSet-Cookie:x" if next_.startswith("/%0d") else "/account")
    assert len(answer.headers.get_list("set-cookie")) == 1


async def test_a_password_change_signs_other_browsers_out(world: World) -> None:
    first, guest = await world.member()
    second = world.browser()
    await world.enter(second, guest)
    await first.get("/account/password")
    new = "copper lantern ferry thistle"
    wrong = await first.post("/account/password", current="wrong wrong wrong", password=new)
    assert wrong.status_code == 400
    assert 'id="current-error"' in wrong.text
    done = await first.post("/account/password", current=PASSWORD, password=new)
    assert done.headers["location"] == "/account?saved"
    assert (await first.who()).status_code == 200
    assert (await second.who()).status_code == 401
    assert (await world.password_step(world.browser())).status_code == 400
    assert (await world.password_step(world.browser(), password=new)).status_code == 303


async def test_a_new_authenticator_ends_the_old_one_and_its_recovery_codes(world: World) -> None:
    browser, guest = await world.member()
    old_totp, old_recovery = guest.totp, guest.recovery
    page = await browser.get("/account/authenticator")
    again = await browser.get("/account/authenticator")
    key = page.text.partition('class="key">')[2].partition("<")[0]
    assert key in again.text
    assert old_totp
    guest.totp = type(old_totp)(key.replace(" ", ""))
    answer = await browser.post("/account/authenticator", code=world.code(guest))
    assert answer.status_code == 200
    assert answer.text.count("<li><code>") == people.RECOVERY_CODES
    other = world.browser()
    await other.get((await world.password_step(other)).headers["location"])
    assert (await other.post("/sign-in/code", code=old_recovery[0])).status_code == 400
    assert (await other.post("/sign-in/code", code=old_totp.at(int(world.clock())))).status_code == 400
    assert (await other.post("/sign-in/code", code=world.code(guest))).status_code == 303
