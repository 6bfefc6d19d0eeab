"""What people do is in the ledger, by their id; and what cannot be taken back needs a second factor first."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from hub.app import build_app
from hub.auth.people.cookies import CSRF_HEADER, csrf_token
from hub.auth.people.sessions import CONFIRMED_S, CONSOLE
from hub.domain.audit import TYPE
from hub.domain.principal import Principal
from hub.domain.scopes import DEFAULT_SCOPES, Audience
from hub.events.check import check
from hub.events.envelope import STRUCTURED, parse
from hub.events.rejection import Rejected
from hub.settings import Settings
from hub.store.tables import inbox, person_session
from tests.support.spine import Spine, embedded, running_spine
from tests.web.world import HUB, NOW_S, Browser, World

PERSON = "7f1c1e02-94d8-4a9e-8a3e-6d6d0a1f6f53"


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[tuple[World, Spine]]:
    """A hub with people whose acts are recorded."""
    async with running_spine(embedded, tmp_path / "hub") as spine:
        settings = Settings(data_dir=tmp_path / "hub", public_url=HUB)
        world = World(spine.hub.store, spine.hub.vault, settings, spine.hub.auditor)
        yield world, spine
        for browser in world.browsers:
            await browser.http.aclose()


async def test_each_act_of_a_person_is_an_entry_that_names_nobody(kept: tuple[World, Spine]) -> None:
    world, spine = kept
    browser, guest = await world.member()
    await browser.get("/account/confirm")
    await browser.post("/account/confirm", code=world.code(guest))
    await browser.get("/account")
    await browser.post("/account/sign-out")
    await world.enter(browser, guest)
    await browser.get("/account")
    await browser.post("/account/sign-out-everywhere")
    rows = await spine.hub.store.inspect(
        lambda conn: conn.execute(
            select(inbox.c.event).where(inbox.c.type == TYPE).order_by(inbox.c.seq)
        ).all()
    )
    entries = [json.loads(row.event)["data"] for row in rows]
    assert [entry["act"] for entry in entries] == [
        "person.enrolled",
        "session.started",
        "factor.confirmed",
        "session.ended",
        "session.started",
        "sessions.ended",
    ]
    assert {entry["actor"]["person_id"] for entry in entries} == {guest.id}
    assert guest.email not in str(rows)


async def test_what_cannot_be_taken_back_needs_a_second_factor_of_the_last_five_minutes(
    kept: tuple[World, Spine],
) -> None:
    """Over a real cookie, on the application as it is wired to serve."""
    world, spine = kept
    scopes = (*DEFAULT_SCOPES[Audience.MANAGER], "ledger:breakglass")
    world.ahead_s = time.time() - NOW_S  # The application goes by the clock of the machine.
    signed_in, _ = await world.member(scopes=scopes)
    browser = Browser(build_app(world.settings, spine.hub))
    world.browsers.append(browser)
    assert signed_in.cookie
    browser.http.cookies = signed_in.http.cookies
    headers = {"Origin": HUB, "Sec-Fetch-Site": "same-origin", CSRF_HEADER: csrf_token(signed_in.cookie)}

    async def answers() -> list[tuple[int, str]]:
        wanted: list[tuple[str, str, dict[str, Any]]] = [
            ("POST", "/breakglass", {"referral": PERSON, "reason": "The owner fell ill abroad"}),
            ("POST", f"/breakglass/{PERSON}/approve", {}),
            ("POST", f"/breakglass/{PERSON}/refuse", {}),
            ("PUT", "/clients/nobody/grant", {"scopes": ["catalogue:read"]}),
            ("POST", f"/scope-requests/{PERSON}/approve", {}),
            ("POST", f"/scope-requests/{PERSON}/refuse", {"reason": "It is not needed."}),
        ]
        found = [await browser.http.request(one[0], one[1], json=one[2], headers=headers) for one in wanted]
        return [(one.status_code, one.json()["code"]) for one in found]

    assert set(await answers()) == {(404, "resource.not_found")}
    older = update(person_session).values(confirmed_at_s=int(time.time()) - CONFIRMED_S - 1)
    await spine.hub.store.write(lambda conn: conn.execute(older))
    assert set(await answers()) == {(403, "session.unconfirmed")}


def test_a_person_erases_only_with_a_second_factor_shown_just_now() -> None:
    erase = json.dumps(
        {
            "specversion": "1.0",
            "id": "e-1",
            "source": f"/hub/people/{PERSON}/console",
            "type": "hub.sme.erased.v1",
            "subject": "0b0a3c0e-7c2e-5d56-8a0e-2f1a5a3a9f10",
            "data": {"sme_id": "0b0a3c0e-7c2e-5d56-8a0e-2f1a5a3a9f10"},
        }
    ).encode()
    person = Principal(
        CONSOLE,
        Audience.MANAGER,
        scopes=frozenset({"events:publish", "privacy:erase"}),
        source_prefix=f"/hub/people/{PERSON}/",
        person=PERSON,
    )
    assert refusal_of(person, erase) == "session.unconfirmed"
    assert refusal_of(dataclasses.replace(person, confirmed=True), erase) != "session.unconfirmed"
    # A system proves its key with every request, and has no second factor.
    assert refusal_of(dataclasses.replace(person, person=None), erase) != "session.unconfirmed"


def refusal_of(principal: Principal, message: bytes) -> str | None:
    try:
        check(principal, parse(STRUCTURED, [("content-type", STRUCTURED)], message))
    except Rejected as rejected:
        return rejected.code
    return None
