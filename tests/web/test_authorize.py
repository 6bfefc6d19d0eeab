"""The authorization code: whom it is given to, what it is good for, and every way in which it is not."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from hub.store import people
from hub.store.clients import set_grant
from tests.web.tool import (
    BACK,
    CHALLENGE,
    KEY,
    LOOPBACK,
    PROOF_KEY,
    allow,
    ask,
    proof,
    query,
    ready,
    redeem,
    token_of,
    told,
    tool,
    who,
)
from tests.web.world import HUB, World


async def test_a_person_lets_a_tool_act_for_it(world: World) -> None:
    browser, guest = await ready(world)
    page = await ask(browser)
    assert "Let tool act for you?" in page.text
    assert "read referrals that concern you" in page.text
    assert "form-action 'self' https://tool.example;" in page.headers["content-security-policy"]
    given = await allow(browser)
    assert (given["state"], given["iss"], given["x"]) == ("s-1", HUB, "1")
    answer = await redeem(world, given["code"])
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert (body["token_type"], body["expires_in"], body["scope"]) == (
        "Bearer",
        300,
        "events:read referrals:read",
    )
    caller = (await who(world, body["access_token"])).json()
    assert (caller["client_id"], caller["person"], caller["audience"]) == ("tool", guest.id, "manager")
    assert caller["scopes"] == ["events:read", "referrals:read"]
    assert caller["source_prefix"] == f"/hub/people/{guest.id}/"
    assert caller["confirmed"] is True
    world.ahead_s += 290
    assert (await who(world, body["access_token"])).status_code == 200


async def test_who_is_not_signed_in_comes_back_to_the_question(world: World) -> None:
    browser, guest = await ready(world)
    browser.http.cookies.clear()
    sent = await ask(browser)
    assert sent.headers["location"].startswith("/sign-in?next=%2Foauth%2Fauthorize%3F")
    back = parse_qs(urlsplit(sent.headers["location"]).query)["next"][0]
    entered = await world.enter(browser, guest, next=back)
    assert entered.headers["location"] == back
    assert "Let tool act for you?" in (await browser.get(back)).text


async def test_a_person_may_refuse(world: World) -> None:
    browser, _ = await ready(world)
    answer = await allow(browser, "refuse")
    assert (answer["error"], answer["state"], answer["iss"]) == ("access_denied", "s-1", HUB)


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "nobody"},
        {"client_id": None},
        {"redirect_uri": None},
        {"redirect_uri": "https://evil.example/back"},
        {"redirect_uri": BACK + "&y=2"},
        {"redirect_uri": "https://tool.example/back"},
        {"redirect_uri": "https://tool.example/back?x=1/"},
        {"redirect_uri": "https://tool.example:8443/back?x=1"},
        {"redirect_uri": "https://tool.example.evil.example/back?x=1"},
        {"redirect_uri": "https://tool.example@evil.example/back?x=1"},
        {"redirect_uri": "http://tool.example/back?x=1"},
        {"redirect_uri": "http://127.0.0.1/back?x=1"},
        {"redirect_uri": "http://localhost/back"},
        {"redirect_uri": "https://tool.example/back?x=1\r\nSet-Cookie: a=b"},
        {"redirect_uri": "javascript:alert(1)"},
    ],
)
async def test_nobody_is_sent_to_a_place_that_was_not_registered(
    world: World, changes: dict[str, str | None]
) -> None:
    browser, _ = await ready(world)
    page = await ask(browser, **changes)
    assert page.status_code == 400
    assert "location" not in page.headers
    posted = await browser.post("/oauth/authorize", query=urlencode(query(**changes)), decision="allow")
    assert posted.status_code in (400, 403)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "unsupported_response_type"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "*"}, "invalid_scope"),
        ({"scope": "events:read  referrals:read"}, "invalid_scope"),
        ({"scope": "events:read privacy:erase"}, "invalid_scope"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"request": "x.y.z"}, "request_not_supported"),
        ({"request_uri": "urn:x"}, "request_uri_not_supported"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"dpop_jkt": "x"}, "invalid_request"),
    ],
)
async def test_a_wrong_request_is_answered_to_the_client(
    world: World, changes: dict[str, str | None], error: str
) -> None:
    browser, _ = await ready(world)
    answer = told(await ask(browser, **changes))
    assert (answer["error"], answer["state"], answer["iss"]) == (error, "s-1", HUB)
    assert "code" not in answer


async def test_state_comes_back_as_it_was_and_is_not_made_up(world: World) -> None:
    browser, _ = await ready(world)
    assert "state" not in await allow(browser, state=None)
    strange = "a b&c=d%0d%0a#?'\""
    assert (await allow(browser, state=strange))["state"] == strange
    for state in ("x\r\nSet-Cookie: a=b", "é"):
        assert (await ask(browser, state=state)).status_code == 400
    doubled = await browser.get(f"/oauth/authorize?{urlencode(query())}&state=s-2")
    assert doubled.status_code == 400
    doubled = await browser.get(f"/oauth/authorize?{urlencode(query())}&scope=events:read")
    assert told(doubled)["error"] == "invalid_request"


async def test_the_consent_cannot_be_given_by_another_site(world: World) -> None:
    browser, _ = await ready(world)
    await ask(browser)
    evil = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    fields = {"query": urlencode(query()), "decision": "allow"}
    assert (await browser.post("/oauth/authorize", evil, **fields)).status_code == 403
    assert (await browser.post("/oauth/authorize", csrf="x", **fields)).status_code == 403


@pytest.mark.parametrize(
    "changes",
    [
        {"code": "made-up"},
        {"code": None},
        {"code_verifier": None},
        {"code_verifier": "w" * 43},
        {"code_verifier": CHALLENGE},
        {"code_verifier": "v" * 42},
        {"redirect_uri": None},
        {"redirect_uri": LOOPBACK},
        {"redirect_uri": BACK + "&y=2"},
    ],
)
async def test_a_code_is_good_for_nothing_else_than_it_was_given_for(
    world: World, changes: dict[str, str | None]
) -> None:
    browser, _ = await ready(world)
    code = (await allow(browser))["code"]
    refused = await redeem(world, **{"code": code, **changes})  # type: ignore[arg-type]
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


async def test_a_code_is_of_one_client_and_lives_a_minute(world: World) -> None:
    browser, _ = await ready(world)
    await tool(world, "other")
    code = (await allow(browser))["code"]
    assert (await redeem(world, code, "other")).json()["error"] == "invalid_grant"
    assert (await redeem(world, code)).status_code == 200
    late = (await allow(browser))["code"]
    world.ahead_s += 61
    assert (await redeem(world, late)).json()["error"] == "invalid_grant"


async def test_a_code_that_comes_twice_ends_what_it_gave(world: World) -> None:
    browser, _ = await ready(world)
    code = (await allow(browser))["code"]
    token = (await redeem(world, code)).json()["access_token"]
    assert (await who(world, token)).status_code == 200
    assert (await redeem(world, code)).json()["error"] == "invalid_grant"
    assert (await who(world, token)).status_code == 401


async def test_one_code_sent_at_once_gives_one_token(world: World) -> None:
    browser, _ = await ready(world)
    code = (await allow(browser))["code"]
    answers = await asyncio.gather(*(redeem(world, code) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400, 400]


async def test_a_code_bound_to_a_key_needs_that_key(world: World) -> None:
    await tool(world, bearer=False)
    browser, _ = await world.member()
    jkt = PROOF_KEY.thumbprint()
    code = (await allow(browser, dpop_jkt=jkt))["code"]
    assert (await redeem(world, code)).json()["error"] == "invalid_dpop_proof"
    assert (await redeem(world, code, proof=proof(world, KEY))).json()["error"] == "invalid_grant"
    answer = await redeem(world, code, proof=proof(world, PROOF_KEY))
    assert answer.json()["token_type"] == "DPoP"


async def test_a_token_is_worth_what_its_person_and_its_client_are_worth_now(world: World) -> None:
    browser, guest = await ready(world)
    token = await token_of(world, browser)
    await world.store.write(lambda conn: people.set_grant(conn, guest.id, ["events:read", "ops:read"]))
    assert (await who(world, token)).json()["scopes"] == ["events:read"]
    await world.store.write(lambda conn: set_grant(conn, "tool", ["referrals:read"]))
    assert (await who(world, token)).json()["scopes"] == []
    await world.store.write(lambda conn: people.set_suspended(conn, guest.id, True))
    assert (await who(world, token)).json()["code"] == "person.suspended"
    assert told(await ask(browser))["error"] in ("access_denied", "invalid_scope")
    await world.store.write(lambda conn: people.set_suspended(conn, guest.id, False))
    assert (await who(world, token)).status_code == 200
    await browser.get("/account")
    await browser.post("/account/sign-out-everywhere")
    assert (await who(world, token)).json()["code"] == "token.invalid"


async def test_a_code_given_before_signing_out_everywhere_is_dead(world: World) -> None:
    browser, _ = await ready(world)
    code = (await allow(browser))["code"]
    await browser.get("/account")
    await browser.post("/account/sign-out-everywhere")
    assert (await redeem(world, code)).json()["error"] == "invalid_grant"
