"""People of a real OpenID provider (oidc-provider) sign in to the hub."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlencode, urljoin

import httpx
import pytest

from deploy.local.ports import ReservedPort
from hub.auth.people.openid import Provider
from hub.settings import Settings
from hub.store.opening import open_store
from hub.store.schema import prepare_read_model
from hub.store.vault import Vault
from tests.suites.npm import BIN, installed
from tests.support.waiting import PATIENCE_S
from tests.web.world import HUB, Browser, World

CLIENT_ID, SECRET = "the hub", "a secret with + & %"
BACK = f"{HUB}/sign-in/elsewhere/back"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """A running provider: its issuer."""
    folder, port = installed("oidc-provider"), ReservedPort()
    given = {
        "issuer": f"http://127.0.0.1:{port.number}",
        "port": port.number,
        "client_id": CLIENT_ID,
        "client_secret": SECRET,
        "redirect_uri": BACK,
    }
    node = subprocess.Popen(
        [BIN / "node", "serve.mjs"],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert node.stdin
    assert node.stdout
    try:
        node.stdin.write(json.dumps(given) + "\n")
        node.stdin.flush()
        while node.stdout.readline().strip() != "ready":
            assert node.poll() is None, "the provider did not start"
        yield str(given["issuer"])
    finally:
        node.stdin.close()
        node.wait(PATIENCE_S)
        node.stdout.close()


class Timely(World):
    """Its time is the provider's: the machine's."""

    def clock(self) -> float:
        return time.time() + self.ahead_s


@pytest.fixture
async def world(tmp_path: Path, issuer: str) -> AsyncIterator[World]:
    """A hub whose people may sign in there."""
    secret = tmp_path / "secret"
    secret.write_text(SECRET + "\n")
    settings = Settings(
        data_dir=tmp_path / "hub",
        public_url=HUB,
        oidc_issuer=issuer,
        oidc_client_id=CLIENT_ID,
        oidc_client_secret_file=secret,
    )
    store = open_store(settings.data_dir)
    await prepare_read_model(store, anew=True)
    vault = Vault(settings.keys_dir)
    hub = Timely(store, vault, settings, None, Provider(settings, vault))
    yield hub
    for browser in hub.browsers:
        await browser.http.aclose()
    await store.close()


async def there(address: str, **person: str) -> str:
    """What the provider sends the browser back with, once the person has signed in there."""
    async with httpx.AsyncClient(timeout=PATIENCE_S) as http:
        while not address.startswith(HUB):
            if "/interaction/" in address and person:
                address = f"{address}?{urlencode(person)}"
            answer = await http.get(address)
            assert answer.status_code in (302, 303), answer.text
            address = urljoin(address, answer.headers["location"])
    return address.removeprefix(HUB)


async def sign_in(browser: Browser, path: str, **person: str) -> httpx.Response:
    left = await browser.get(path)
    assert left.status_code == 303, left.text
    return await browser.get(await there(left.headers["location"], **person))


async def test_an_invited_person_links_its_account_and_signs_in_with_it(world: World) -> None:
    browser, guest = world.browser(), await world.invite()
    page = await browser.get(guest.link)
    assert "your organisation" in page.text
    token = guest.link.rpartition("/")[2]
    linked = await sign_in(browser, f"/sign-in/elsewhere?link={token}", account="ada")
    assert linked.headers["location"] == "/account"
    assert (await browser.who()).json()["person"] == guest.id
    assert (await browser.get(guest.link)).status_code == 404
    other = world.browser()
    entered = await sign_in(other, "/sign-in/elsewhere?next=/graphiql", account="ada")
    assert entered.headers["location"] == "/graphiql"
    caller = (await other.who()).json()
    assert (caller["person"], caller["confirmed"]) == (guest.id, True)


async def test_an_account_that_nobody_linked_opens_nothing(world: World) -> None:
    browser = world.browser()
    await world.invite()
    refused = await sign_in(browser, "/sign-in/elsewhere", account="anna.lee@example.org")
    assert refused.status_code == 400
    assert "linked to nobody" in refused.text
    assert browser.cookie is None


async def test_an_account_belongs_to_one_person(world: World) -> None:
    first, second = await world.invite(), await world.invite("other@example.org")
    await sign_in(world.browser(), f"/sign-in/elsewhere?link={first.link[7:]}", account="ada")
    taken = await sign_in(world.browser(), f"/sign-in/elsewhere?link={second.link[7:]}", account="ada")
    assert taken.status_code == 400
    assert (await world.browser().get(second.link)).status_code == 200


async def test_without_a_second_factor_there_nobody_is_let_in(world: World) -> None:
    guest = await world.invite()
    browser = world.browser()
    refused = await sign_in(browser, f"/sign-in/elsewhere?link={guest.link[7:]}", account="ada", amr="pwd")
    assert refused.status_code == 400
    assert "second factor" in refused.text


async def test_confirming_means_signing_in_there_again_as_the_same_person(world: World) -> None:
    guest, stranger = await world.invite(), await world.invite("other@example.org")
    browser = world.browser()
    await sign_in(browser, f"/sign-in/elsewhere?link={guest.link[7:]}", account="ada")
    await sign_in(world.browser(), f"/sign-in/elsewhere?link={stranger.link[7:]}", account="bob")
    before = browser.cookie
    asked = await browser.get("/account/confirm?next=/graphiql")
    assert asked.headers["location"] == "/sign-in/elsewhere?next=%2Fgraphiql&anew"
    wrong = await sign_in(browser, asked.headers["location"], account="bob")
    assert wrong.status_code == 400
    right = await sign_in(browser, asked.headers["location"], account="ada")
    assert right.headers["location"] == "/graphiql"
    assert browser.cookie != before


async def test_what_comes_back_is_of_this_browser_and_good_once(world: World) -> None:
    guest = await world.invite()
    browser, thief = world.browser(), world.browser()
    left = await browser.get(f"/sign-in/elsewhere?link={guest.link[7:]}")
    back = await there(left.headers["location"], account="ada")
    assert (await thief.get(back)).status_code == 400
    await thief.get("/sign-in/elsewhere")
    assert (await thief.get(back)).status_code == 400
    for changed in (back.replace("state=", "state=x"), back + "&state=x", back.replace("iss=", "iss=x")):
        other = world.browser()
        other.http.cookies = httpx.Cookies(browser.http.cookies)
        assert (await other.get(changed)).status_code == 400
    assert (await browser.get(back)).status_code == 303
    assert (await browser.get(back)).status_code == 400
