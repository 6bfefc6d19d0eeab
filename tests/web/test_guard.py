"""What pages answer before the page is reached, and what is logged of it."""

from __future__ import annotations

import pytest
from starlette.requests import Request
from starlette.responses import Response

from hub.store.engine import StoreUnavailable
from hub.web.guard import guarded
from tests.web.world import World


@pytest.mark.parametrize("name", ["%00", "a%00b", "%0a", "%7f", "%c3%a9"])
async def test_a_name_in_the_path_that_is_none_of_ours_is_refused(world: World, name: str) -> None:
    browser, _ = await world.member()
    await browser.get("/account")
    answer = await browser.post(f"/account/sessions/{name}/end")
    assert answer.status_code == 400
    assert (await browser.get(f"/enrol/{name}")).status_code == 400
    assert (await browser.who()).status_code == 200


async def test_a_link_that_lives_is_not_logged_in_an_outage(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    @world.app.get("/links/{token}")
    @guarded(world.pages)
    async def out(request: Request) -> Response:
        raise StoreUnavailable(f"no answer to {request.method}")

    assert (await world.browser().get("/links/very-secret")).status_code == 503
    [logged] = [record for record in caplog.records if record.message == "page_unavailable"]
    assert logged.__dict__["route"] == "GET /links/{token}"
    assert "very-secret" not in repr(logged.__dict__)
