"""A manager at a real browser, on a hub over real HTTP: what no test without a browser can tell.

Cookies with __Host- on the loopback address, policies that a browser enforces, forms without and with script.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from hub.cli.people import add_person
from hub.domain.scopes import DEFAULT_SCOPES, Audience
from hub.events.spine import open_hub
from hub.settings import Settings
from hub.store.people import NewPerson
from tests.support.chromium import chromium
from tests.support.serving import Served, enrol_on, serving

EMAIL = "anna.lee@example.org"
PASSWORD = "violet anchor crumbs orbit"


@pytest.fixture(scope="module")
def invited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, str]]:
    """A running hub with its partners, and the link of an invited manager."""
    links = []

    async def prepare(settings: Settings) -> dict[str, dict[str, Any]]:
        rows = await enrol_on(settings)
        hub = open_hub(settings)
        scopes = DEFAULT_SCOPES[Audience.MANAGER]
        made = await add_person(hub, NewPerson(EMAIL, "Anna Lee", Audience.MANAGER, None, None, scopes))
        await hub.store.close()
        assert isinstance(made, dict)
        links.append(made["link"])
        return rows

    with serving(tmp_path_factory.mktemp("people"), prepare) as served:
        yield served, links[0]


@pytest.fixture(scope="module")
def browser(invited: tuple[Served, str]) -> Iterator[Browser]:
    """A real browser; started after the hub, because Playwright runs an event loop in this thread."""
    with chromium() as running:
        yield running


def watched(browser: Browser, **options: Any) -> tuple[Page, list[str]]:
    """A page of a fresh profile, and what its console says went wrong, but for statuses that are answers."""
    page, wrong = browser.new_context(**options).new_page(), list[str]()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "console",
        lambda message: (
            wrong.append(message.text)
            if message.type == "error" and "Failed to load resource" not in message.text
            else None
        ),
    )
    return page, wrong


def test_a_manager_signs_in_sees_the_network_and_is_signed_out_everywhere(
    browser: Browser, invited: tuple[Served, str]
) -> None:
    served, link = invited
    page, wrong = watched(browser)
    page.goto(link)
    totp = pyotp.TOTP(page.locator("code.key").inner_text().replace(" ", ""))
    page.get_by_label("Password", exact=True).fill("passwordpassword")
    page.get_by_label("Code").fill(totp.now())
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_label("Password", exact=True)).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_label("Password", exact=True)).to_have_attribute("type", "text")
    page.get_by_label("Code").fill(totp.now())
    page.get_by_role("button", name="Continue").click()
    recovery = page.locator("ol.codes code").all_inner_texts()
    assert len(recovery) == 10
    page.get_by_role("link", name="I have kept them").click()
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies()}
    assert cookies["__Host-hub-session"]["httpOnly"]
    assert cookies["__Host-hub-session"]["secure"]
    assert page.evaluate("document.cookie") == ""

    page.get_by_role("link", name="Explore the network").click()
    expect(page.get_by_text(f"Signed in as {EMAIL}")).to_be_visible()
    page.locator(".graphiql-execute-button").click()
    expect(page.locator(".result-window")).to_contain_text('"audience": "manager"')

    other, also_wrong = watched(browser, java_script_enabled=False, locale="fr-FR")
    other.goto(f"{served.base_url}/sign-in?next=/graphiql")
    other.get_by_label("Adresse électronique").fill(EMAIL)
    other.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
    other.get_by_role("button", name="Se connecter").click()
    other.get_by_label("Code").fill(recovery[0])
    other.get_by_role("button", name="Continuer").click()
    assert other.url == f"{served.base_url}/graphiql"
    other.get_by_role("button", name="Se déconnecter partout").click()
    assert other.url.endswith("/sign-in?signed-out-everywhere")

    page.locator(".graphiql-execute-button").click()
    page.wait_for_url(re.compile(r"/sign-in\?ended"))
    expect(page.get_by_role("status")).to_contain_text("Your session has ended")
    assert wrong == also_wrong == []


@pytest.mark.parametrize("width", [320, 1_280])
def test_pages_fit_their_window_and_are_told_to_readers(
    browser: Browser, invited: tuple[Served, str], width: int
) -> None:
    served, _ = invited
    page, wrong = watched(browser, viewport={"width": width, "height": 800})
    page.goto(f"{served.base_url}/sign-in")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("document.documentElement.lang") == "en"
    unlabelled = (
        "[...document.querySelectorAll('input:not([type=hidden])')].filter(i => !i.labels.length).length"
    )
    assert page.evaluate(unlabelled) == 0
    small = """[...document.querySelectorAll('button, .button, input:not([type=hidden])')]
        .filter(e => !e.hidden && e.getBoundingClientRect().height < 24).length"""
    assert page.evaluate(small) == 0
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    assert wrong == []


def test_the_page_of_another_site_can_neither_frame_nor_post(
    browser: Browser, invited: tuple[Served, str], tmp_path: Path
) -> None:
    served, _ = invited
    page, _ = watched(browser)
    evil = tmp_path / "evil.html"
    evil.write_text(
        f"""<iframe src="{served.base_url}/sign-in"></iframe>
        <form method="post" action="{served.base_url}/sign-in"><input name="email" value="x">
        <input name="password" value="y"><button>Win</button></form>"""
    )
    page.goto(evil.as_uri())
    assert page.frames[1].locator("form").count() == 0
    page.get_by_role("button", name="Win").click()
    expect(page.get_by_role("alert")).to_contain_text("out of date")
