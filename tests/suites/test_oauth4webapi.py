"""A certified client (oauth4webapi) gets a token, uses it, examines it and ends it, in each way there is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc.jwk import OKPKey, RSAKey

from hub.auth.proofs.jws import registered_jwk
from hub.events.spine import open_hub
from hub.settings import Settings
from hub.store.clients import add_key
from tests.suites.npm import installed, run
from tests.support.messages import KENT, NORMANDY
from tests.support.serving import Served, enrol, serving

MORE_KEYS = {
    "Ed25519": OKPKey.generate_key("Ed25519", auto_kid=True).as_dict(private=True),
    "PS256": RSAKey.generate_key(2048, auto_kid=True).as_dict(private=True),
}
PRIVATE = {"d", "p", "q", "dp", "dq", "qi"}


async def _enrol(settings: Settings) -> dict[str, dict[str, Any]]:
    """The usual clients, two of them with a second key of another kind."""
    hub = open_hub(settings)
    try:
        rows = await enrol(hub)
        for client, jwk in ((KENT, MORE_KEYS["Ed25519"]), (NORMANDY, MORE_KEYS["PS256"])):
            public = registered_jwk({name: value for name, value in jwk.items() if name not in PRIVATE})
            await hub.store.write(
                lambda conn, client=client, public=public: add_key(conn, client, public, datetime.now(UTC))
            )
        return rows
    finally:
        await hub.store.close()


@pytest.fixture(scope="module", params=["offered", "required"])
def hub(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A hub that offers nonces, or requires them."""
    with serving(tmp_path_factory.mktemp("suite"), _enrol, dpop_nonce=request.param) as running:
        yield running


@pytest.mark.parametrize(
    ("client", "alg"), [(KENT, "ES256"), (KENT, "Ed25519"), (NORMANDY, "ES256"), (NORMANDY, "PS256")]
)
def test_a_certified_client_gets_uses_examines_and_ends_a_token(hub: Served, client: str, alg: str) -> None:
    dpop = client == NORMANDY
    told = run(
        installed("oauth4webapi"),
        "run.mjs",
        {
            "issuer": hub.base_url,
            "client_id": client,
            "jwk": MORE_KEYS.get(alg, hub.rows[client]["private_key_jwk"]),
            "alg": alg,
            "scope": "catalogue:read events:read",
            "dpop": dpop,
            "resource": f"{hub.base_url}/graphql",
        },
    )
    asked = ["token"] if dpop and hub.settings.dpop_nonce == "required" else []
    assert told["nonces_asked_for"] == asked  # Each answer brings the nonce of the next proof.
    kind = "dpop" if dpop else "bearer"
    assert told["token"] == {"token_type": kind, "scope": "catalogue:read events:read", "expires_in": 300}
    assert told["resource"] == {"status": 200, "body": {"data": {"me": {"partner": {"slug": client}}}}}
    assert told["validated"]["client_id"] == told["introspected"]["client_id"] == client
    assert told["validated"]["jti"] == told["introspected"]["jti"]
    assert ("cnf" in told["validated"]) is dpop
    assert told["introspected"]["active"] is True
    assert told["introspected_after"] == {"active": False}
    assert told["resource_after"]["status"] == 401
