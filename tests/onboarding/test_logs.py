"""A hub at its most talkative level logs nothing that opens anything, and nobody's personal data."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from deploy.local.ports import ReservedPort
from hub.settings import Settings
from tests.onboarding.conftest import NORTH
from tests.onboarding.hands import Hands, generate_key, public, statement
from tests.onboarding.test_applications import EMAIL, apply
from tests.support.messages import KENT, NORMANDY, event, firm, network_manager, partner
from tests.support.serving import MANAGER, Served, enrol_on
from tests.support.waiting import PATIENCE_S, soon_here

TALKATIVE = """
import logging
from hub.cli.serve import log_to_stderr, server
from hub.settings import Settings
log_to_stderr(logging.DEBUG)
server(Settings()).run()
"""
FIRM = "Officine Bianchi Torni"
PERSON = {"name": "Anna Verdi", "email": "a.verdi@torni.example", "phone": "+39 041 555 0199"}


@contextmanager
def talking(settings: Settings, log: Path) -> Iterator[None]:
    """A hub in a process of its own, so that what its clients log is not in its log."""
    environment = {
        **os.environ,
        "HUB_DATA_DIR": str(settings.data_dir),
        "HUB_PORT": str(settings.port),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    with log.open("wb") as file:
        process = subprocess.Popen([sys.executable, "-c", TALKATIVE], env=environment, stderr=file)
        try:
            soon_here(lambda: _answers(settings) or process.poll() is not None, "the hub answers")
            assert process.poll() is None, log.read_text()
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def _answers(settings: Settings) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"{settings.public_url}/healthz", timeout=PATIENCE_S).is_success
    return False


def test_nothing_secret_and_nobody_is_in_the_log(tmp_path: Path) -> None:
    port = ReservedPort()
    settings = Settings(data_dir=tmp_path / "hub", port=port.number)
    served = Served(settings.public_url, settings, asyncio.run(enrol_on(settings)))
    log = tmp_path / "log"
    with talking(settings, log):
        told = asyncio.run(_everything(served))
    written = log.read_text()
    levels = {json.loads(line)["level"] for line in written.splitlines()}
    assert "debug" in levels, "the hub did not talk: the test looks at nothing"
    assert len(told) > 20, "hardly anything was sent: the test looks for nothing"
    found = [secret for secret in told if secret in written]
    assert not found


async def _everything(served: Served) -> set[str]:
    """Use the hub in all ways; what must not be in its log."""
    seen: list[str] = []

    async def remember(request: httpx.Request) -> None:
        seen.extend(request.headers.get(name, "") for name in ("authorization", "dpop", "key-approval"))
        seen.append((await request.aread()).decode(errors="replace"))

    hooks: Any = {"request": [remember]}
    async with httpx.AsyncClient(base_url=served.base_url, timeout=PATIENCE_S, event_hooks=hooks) as http:
        kent, normandy, manager = (
            Hands(served, http, served.rows[name]) for name in (KENT, NORMANDY, MANAGER)
        )
        new = generate_key()
        await kent.add(new)
        await kent.with_key(new).retire(kent.key, by=new)
        kent = kent.with_key(new)
        await normandy.ask("GET", "/clients/me")
        sender = replace(network_manager(), source_prefix=manager.row["source_prefix"])
        network = event(sender, "network.configured", NORTH, {"name": {"en": "North"}})
        assert (await manager.ask("POST", "/events", network, headers=EVENT)).status_code == 202
        registered = firm(partner(KENT), "12345678", name=FIRM, contacts=[PERSON])
        answer = await kent.ask("POST", "/events", registered, headers=EVENT)
        assert answer.status_code == 202, answer.text
        body = {"scopes": ["events:read"], "reason": "Ask Giulia Bianchi."}
        await kent.ask("POST", f"/clients/{KENT}/scope-requests", body)
        applied = await apply(http, generate_key())
        secret = applied.json()["status_url"].rsplit("/", 1)[1]
        await http.get(f"/applications/status/{secret}")
        query = {
            "query": "query($n: String) { services(search: $n) { totalCount } }",
            "variables": {"n": "Anna"},
        }
        await manager.ask("POST", "/graphql", query)
        await _misuse(http, kent)
        secrets = {part for text in seen for part in _parts(text)} | {secret}
    keys = {row["private_key_jwk"]["d"] for row in served.rows.values()} | {new["d"]}
    people = {EMAIL, "Giulia Bianchi", FIRM, *PERSON.values()}
    return secrets | keys | people


EVENT = {"Content-Type": "application/cloudevents+json"}


async def _misuse(http: httpx.AsyncClient, kent: Hands) -> None:
    """Requests that are refused: their secrets are others' as well."""
    token = (await kent.tokens.headers("GET", "/"))["Authorization"]
    await http.get("/clients/me", params={"access_token": token.split()[1]})
    await http.get("/clients/me", headers={"Authorization": token + "x"})
    await http.get("/clients/me", headers={"Authorization": token, "X-Note": "a\tb"})
    assertion = statement(kent.key, iss=KENT, sub=KENT, aud="elsewhere", exp=1, jti="x")
    await http.post("/oauth/token", data={"grant_type": "client_credentials", "client_assertion": assertion})
    await http.post("/oauth/token", content=b'{"client_secret": "hunter2-hunter2"}')
    await kent.ask("POST", "/events", b'{"data": {"name": "Giulia Bianchi"', headers=EVENT)
    await kent.ask("POST", f"/clients/{KENT}/keys", {"jwk": public(kent.key), "proof": "hunter2-hunter2"})


def _parts(text: str) -> set[str]:
    """Compact JWS and passwords of a header or a body, whole and by their parts that open something."""
    words = text.replace('"', " ").replace("&", " ").replace("=", " ").split()
    return {word for word in words if word.count(".") == 2 and len(word) > 80} | (
        {"hunter2-hunter2"} if "hunter2" in text else set()
    )
