"""A partner's session at a hub that requires nonces of DPoP proofs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from hub.auth.client import TokenClient
from hub.connectors.session import HubSession, Receipt
from tests.support.messages import NORMANDY, partner, service
from tests.support.serving import Served, serving
from tests.support.waiting import PATIENCE_S


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Served]:
    """A hub that requires nonces."""
    with serving(tmp_path, dpop_nonce="required") as running:
        yield running


async def test_a_session_follows_when_its_nonce_has_become_old(strict: Served) -> None:
    row = strict.rows[NORMANDY]
    assert row["dpop"]
    async with httpx.AsyncClient(timeout=PATIENCE_S) as http:
        endpoint = f"{strict.base_url}/oauth/token"
        auth = TokenClient(http, row, issuer=strict.base_url, token_endpoint=endpoint)
        session = HubSession(http, strict.base_url, auth, row["source_prefix"])
        for number in range(2):
            (answer,) = await session.post_events([service(partner(NORMANDY), f"s-{number}")])
            assert isinstance(answer, Receipt), answer
            assert answer.status == "applied"
            auth.heard(httpx.Response(200, headers={"DPoP-Nonce": "of-long-ago"}))
