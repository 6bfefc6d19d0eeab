"""What a session is good for, how long, and what ends it."""

from __future__ import annotations

import asyncio
import logging

import pytest
from sqlalchemy import Connection, update

from hub.auth.people.sessions import ABSOLUTE_S, CONFIRMED_S
from hub.domain.scopes import Audience
from hub.store import people
from hub.store.sessions import IDLE_S, SESSIONS_MAX
from hub.store.tables import oauth_client
from tests.web.world import COOKIE, HUB, PASSWORD, World

SAME = {"Origin": HUB, "Sec-Fetch-Site": "same-origin"}


async def test_the_cookie_is_bound_to_this_host_and_hidden_from_scripts(world: World) -> None:
    browser, guest = await world.member()
    answer = await world.enter(browser, guest)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert cookie.partition("; ")[2] == "Path=/; Secure; HttpOnly; SameSite=Lax"


async def test_a_session_gets_a_new_secret_at_each_step(world: World) -> None:
    browser, guest = await world.member()
    seen = [browser.cookie]
    await browser.get("/account")
    await browser.post("/account/sign-out")
    await world.password_step(browser)
    seen.append(browser.cookie)
    await browser.get("/sign-in/code")
    await browser.post("/sign-in/code", code=world.code(guest))
    seen.append(browser.cookie)
    await browser.get("/account/confirm")
    await browser.post("/account/confirm", code=world.code(guest))
    seen.append(browser.cookie)
    assert len(set(seen)) == 4
    for value in seen[:3]:
        old = world.browser()
        old.http.cookies.set(COOKIE, value or "", domain="hub.example")
        assert (await old.who()).status_code == 401


async def test_a_planted_cookie_is_worth_nothing(world: World) -> None:
    attacker = world.browser("198.51.100.9")
    await world.member(browser=attacker, email="mallory@example.org")
    victim, guest = await world.member()
    await victim.post("/account/sign-out")
    planted = attacker.cookie or ""
    await victim.get("/sign-in")
    victim.http.cookies.set(COOKIE, planted, domain="hub.example")
    refused = await victim.post("/sign-in", email=guest.email, password=PASSWORD)
    assert refused.status_code == 403
    assert (await world.enter(victim, guest)).status_code == 303
    assert victim.cookie != planted
    assert (await victim.who()).json()["person"] == guest.id
    # Two cookies of the name, of which one may be planted, are none.
    twice = {"Cookie": f"{COOKIE}={planted}; {COOKIE}={victim.cookie}"}
    assert (await world.browser().who(**twice)).json()["audience"] == "public"


async def test_a_made_up_cookie_is_refused_once_and_taken_away(world: World) -> None:
    browser = world.browser()
    browser.http.cookies.set(COOKIE, "made-up", domain="hub.example")
    answer = await browser.who()
    assert (answer.status_code, answer.json()["code"]) == (401, "session.ended")
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert (await browser.who()).json()["audience"] == "public"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Hub-CSRF": "TOKEN"},
        {**SAME},
        {**SAME, "X-Hub-CSRF": "x"},
        {"Origin": "https://evil.example", "X-Hub-CSRF": "TOKEN"},
        {"Origin": "null", "X-Hub-CSRF": "TOKEN"},
        {"Origin": f"{HUB}.evil.example", "X-Hub-CSRF": "TOKEN"},
        {"Origin": "http://hub.example", "X-Hub-CSRF": "TOKEN"},
        {"Sec-Fetch-Site": "cross-site", "X-Hub-CSRF": "TOKEN"},
        {"Sec-Fetch-Site": "same-site", "X-Hub-CSRF": "TOKEN"},
        {"Sec-Fetch-Site": "none", "X-Hub-CSRF": "TOKEN"},
        {"Origin": HUB, "Sec-Fetch-Site": "cross-site", "X-Hub-CSRF": "TOKEN"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin", "X-Hub-CSRF": "TOKEN"},
        {"Origin": "https://evil.example", "Host": "evil.example", "X-Hub-CSRF": "TOKEN"},
        {"Origin": "https://evil.example", "X-Forwarded-Host": "evil.example", "X-Hub-CSRF": "TOKEN"},
    ],
)
async def test_a_post_that_no_page_of_the_hub_made_is_refused(world: World, headers: dict[str, str]) -> None:
    browser, _ = await world.member()
    await browser.get("/account")
    sent = {name: browser.csrf if value == "TOKEN" else value for name, value in headers.items()}
    refused = await browser.who("POST", **sent)
    assert (refused.status_code, refused.json()["code"]) == (403, "session.cross_site")
    assert (await browser.who("POST", **SAME, **{"X-Hub-CSRF": browser.csrf})).status_code == 200


async def test_another_sessions_token_does_not_count(world: World) -> None:
    browser, _ = await world.member()
    other, _ = await world.member(email="other@example.org")
    await other.get("/account")
    refused = await browser.who("POST", **SAME, **{"X-Hub-CSRF": other.csrf})
    assert refused.json()["code"] == "session.cross_site"


async def test_forms_of_other_sites_are_refused_with_a_page(world: World) -> None:
    browser, guest = await world.member()
    await browser.get("/account")
    evil = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    for path in ("/account/sign-out-everywhere", "/account/sign-out", "/account/confirm"):
        answer = await browser.post(path, evil, code=world.code(guest))
        assert answer.status_code == 403
        assert "out of date" in answer.text
    # Signing somebody in as another is an attack, too; there is no session yet to bind a token to.
    stranger = world.browser()
    fields = {"email": guest.email, "password": "x"}
    assert (await stranger.http.post("/sign-in", data=fields, headers=evil)).status_code == 403
    assert (await stranger.http.post("/sign-in", data=fields)).status_code == 403
    assert (await browser.who()).status_code == 200


async def test_a_request_with_a_token_is_judged_by_the_token_alone(world: World) -> None:
    browser, _ = await world.member()
    answer = await browser.who(Authorization="Bearer nonsense")
    assert (answer.status_code, answer.json()["code"]) == (401, "token.invalid")


async def test_a_session_ends_when_nobody_is_there_and_after_half_a_day(world: World) -> None:
    browser, guest = await world.member()
    world.ahead_s += IDLE_S - 60
    assert (await browser.who()).status_code == 200
    world.ahead_s += IDLE_S - 60
    assert (await browser.who()).status_code == 200
    world.ahead_s += IDLE_S + 60
    assert (await browser.who()).json()["code"] == "session.ended"
    await world.enter(browser, guest)
    for _ in range(ABSOLUTE_S // (IDLE_S - 60)):
        world.ahead_s += IDLE_S - 60
        assert (await browser.who()).status_code == 200
    # Confirming does not begin the session anew.
    await browser.get("/account/confirm")
    await browser.post("/account/confirm", code=world.code(guest))
    world.ahead_s += IDLE_S - 60
    assert (await browser.who()).json()["code"] == "session.ended"


async def test_a_second_factor_counts_for_five_minutes(world: World) -> None:
    browser, guest = await world.member()
    assert (await browser.who()).json()["confirmed"] is True
    world.ahead_s += CONFIRMED_S + 1
    assert (await browser.who()).json()["confirmed"] is False
    asked = await browser.get("/account/password")
    assert asked.headers["location"] == "/account/confirm?next=%2Faccount%2Fpassword"
    await browser.get(asked.headers["location"])
    wrong = await browser.post("/account/confirm", code="000000", next="/account/password")
    assert wrong.status_code == 400
    right = await browser.post("/account/confirm", code=world.code(guest), next="/account/password")
    assert right.headers["location"] == "/account/password"
    assert (await browser.who()).json()["confirmed"] is True


async def test_one_act_ends_every_session_while_requests_run(world: World) -> None:
    first, guest = await world.member()
    browsers = [first, *[world.browser() for _ in range(3)]]
    for browser in browsers[1:]:
        await world.enter(browser, guest)
    await first.get("/account")
    ended = asyncio.Event()
    after: list[int] = []

    async def ask_on(value: str) -> None:
        # The hub takes the cookie away with its first refusal; a thief would keep it.
        browser, late = world.browser(), False
        while not late:
            late = ended.is_set()  # Only what begins after the answer counts.
            status = (await browser.who(Cookie=f"{COOKIE}={value}")).status_code
            if late:
                after.append(status)

    async def end() -> None:
        await asyncio.sleep(0.05)
        await first.post("/account/sign-out-everywhere")
        ended.set()

    await asyncio.gather(*(ask_on(browser.cookie or "") for browser in browsers), end())
    assert after == [401, 401, 401, 401]


async def test_a_session_that_opens_while_all_are_ended_is_dead(world: World) -> None:
    _, guest = await world.member()
    before = await world.store.inspect(lambda conn: people.find_person(conn, guest.id))
    assert before
    await world.sessions.end_everywhere(before)
    # The sign-in had read the person before; its session comes after the end.
    value = await world.sessions.open(before, "?", confirmed_at_s=int(world.clock()), act=None)
    assert await world.sessions.find_by(value) is None


async def test_another_browser_is_signed_out_from_the_list(world: World) -> None:
    first, guest = await world.member()
    second = world.browser()
    await world.enter(second, guest)
    listed = await first.get("/account")
    session_id = listed.text.partition("/account/sessions/")[2].partition("/")[0]
    stranger, _ = await world.member(email="other@example.org")
    await stranger.get("/account")
    await stranger.post(f"/account/sessions/{session_id}/end")
    assert (await second.who()).status_code == 200
    await first.get("/account")
    await first.post(f"/account/sessions/{session_id}/end")
    assert (await second.who()).status_code == 401
    assert (await first.who()).status_code == 200


async def test_suspension_and_a_smaller_grant_act_on_a_live_session(world: World) -> None:
    await world.partner()
    browser, guest = await world.member(
        audience=Audience.PARTNER, partner="kent", scopes=("events:read", "referrals:read")
    )
    await world.store.write(lambda conn: people.set_grant(conn, guest.id, ["referrals:read"]))
    assert (await browser.who()).json()["scopes"] == ["referrals:read"]
    await world.store.write(lambda conn: people.set_suspended(conn, guest.id, True))
    assert (await browser.who()).json()["code"] == "person.suspended"
    await world.store.write(lambda conn: people.set_suspended(conn, guest.id, False))
    assert (await browser.who()).status_code == 200
    await world.store.write(suspend_kent)
    assert (await browser.who()).json()["code"] == "person.suspended"
    again = world.browser()
    assert (await world.password_step(again)).status_code == 400


def suspend_kent(conn: Connection) -> None:
    conn.execute(update(oauth_client).values(suspended=True))


async def test_a_person_has_a_bounded_number_of_sessions(world: World) -> None:
    first, guest = await world.member()
    found = await world.store.inspect(lambda conn: people.find_person(conn, guest.id))
    assert found
    for _ in range(SESSIONS_MAX):
        world.ahead_s += 1
        await world.sessions.open(found, "?", confirmed_at_s=int(world.clock()), act=None)
    assert len(await world.sessions.of(found)) == SESSIONS_MAX
    assert (await first.who()).status_code == 401


async def test_nothing_secret_is_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        browser, guest = await world.member()
        await world.enter(browser, guest)
        await browser.get("/account")
    text = caplog.text
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("hub"))
    for told in ("violet anchor", browser.cookie or "?", *guest.recovery):
        assert told not in text
    assert guest.email not in ours
