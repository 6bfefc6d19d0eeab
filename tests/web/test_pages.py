"""Pages: their headers, their languages, and what their forms may hold."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from hub.domain.scopes import SCOPES
from hub.web.forms import HOME, safe_next
from hub.web.words import LANGUAGES, language_of, load_words
from tests.web.world import World


async def test_every_page_is_closed_to_foreign_code_and_frames(world: World) -> None:
    browser, guest = await world.member()
    fresh = await world.invite("new@example.org")
    pages = [
        await browser.get(path)
        for path in (
            "/account",
            "/account/confirm",
            "/account/password",
            "/account/authenticator",
            "/graphiql",
            fresh.link,
            "/enrol/none",
        )
    ]
    pages.append(await world.browser().get("/sign-in"))
    for page in pages:
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "base-uri 'none'" in policy
        assert "unsafe" not in policy
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "same-origin"
        assert page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["cross-origin-opener-policy"] == "same-origin"
        assert page.headers["cross-origin-resource-policy"] == "same-origin"
        assert page.headers["strict-transport-security"] == "max-age=31536000"
        assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=", page.text)
    nonces = {re.search(r"nonce-([\w-]+)", page.headers["content-security-policy"])[1] for page in pages}  # type: ignore[index]
    assert len(nonces) == len(pages)
    assert guest.link[7:] not in pages[0].text


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("fr-BE,fr;q=0.9,en;q=0.8", "fr"),
        ("de, es;q=0.5, nl;q=0.7", "nl"),
        ("es;q=0, nl;q=nonsense", "en"),
        ("*", "en"),
        ("fr;q=0.1, " * 50, "fr"),
    ],
)
async def test_pages_speak_the_language_that_the_browser_asks_for(
    world: World, accepted: str, language: str
) -> None:
    assert language_of(accepted) == language
    page = await world.browser().get("/sign-in", **{"Accept-Language": accepted})
    assert f'<html lang="{language}">' in page.text
    assert f"<h1>{load_words()[language]['sign_in']}</h1>" in page.text


def test_every_language_says_everything_with_the_same_places() -> None:
    catalogues = load_words()
    assert set(catalogues) == set(LANGUAGES)
    first = catalogues[LANGUAGES[0]]
    assert {f"scope.{scope}" for scope in SCOPES} <= set(first)
    for words in catalogues.values():
        assert set(words) == set(first)
        for key, text in words.items():
            assert text.strip() == text != ""
            assert places(text) == places(first[key]), key


def places(text: str) -> set[str | None]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


async def test_what_a_person_types_is_shown_as_text(world: World) -> None:
    answer = await world.password_step(world.browser(), '"><script>alert(1)</script>@example.org', "x")
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;" in answer.text


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        ("application/x-www-form-urlencoded", b"email=a&email=b"),
        ("application/x-www-form-urlencoded", b"email=" + b"x" * 20_000),
        ("application/x-www-form-urlencoded", b"email=%ff%fe"),
        ("application/x-www-form-urlencoded", b"\xff\x00"),
        ("application/x-www-form-urlencoded", b"&".join(b"f%d=1" % at for at in range(40))),
    ],
)
async def test_what_is_no_form_of_ours_gets_a_page_that_says_so(
    world: World, content_type: str, body: bytes
) -> None:
    answer = await world.browser().http.post(
        "/sign-in", content=body, headers={"Content-Type": content_type, "Origin": "https://hub.example"}
    )
    assert answer.status_code == 400
    assert "could not be read" in answer.text


async def test_an_empty_form_is_a_wrong_one(world: World) -> None:
    browser = world.browser()
    await browser.get("/sign-in")
    assert (await browser.post("/sign-in")).status_code == 400
    assert (await browser.post("/sign-in", email="\x00", password="\x00" * 13)).status_code == 400


@pytest.mark.parametrize("path", ["/", "/a?b=c&d=%2F", "/graphiql#x", "/a//b"])
def test_paths_of_ours_are_kept(path: str) -> None:
    assert safe_next(path) == path
    assert safe_next(None) == safe_next("") == HOME


async def test_graphiql_shows_who_is_signed_in_and_examples_for_managers(world: World) -> None:
    browser, guest = await world.member()
    page = await browser.get("/graphiql")
    assert f"Signed in as {guest.email} · Manager of all networks" in page.text
    assert page.text.count('<template class="example">') == 8
    assert "query Network" in page.text
    assert 'id="identify"' not in page.text
    out = await browser.post("/account/sign-out-everywhere")
    assert out.status_code == 303
    page = await browser.get("/graphiql")
    assert 'href="/sign-in?next=/graphiql"' in page.text
    assert page.text.count('<template class="example">') == 5
