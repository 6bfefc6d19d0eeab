"""What a sender writes into headers and names moves no address, no answer and no line of the log."""

from __future__ import annotations

import io
import json
import logging
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from hub.cli.serve import JsonLines
from tests.auth.must_fail.partner import HOLDER, STRANGER, Partner
from tests.support.messages import KENT, NORMANDY
from tests.support.serving import Served
from tests.support.waiting import PATIENCE_S

EVIL = "attacker.example"
SPOOFED = {
    "Host": EVIL,
    "X-Forwarded-Host": EVIL,
    "X-Forwarded-Proto": "https",
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Prefix": "/evil",
    "Forwarded": f"for=203.0.113.9;host={EVIL};proto=https",
    "X-Original-URL": "/oauth/token",
    "X-HTTP-Method-Override": "GET",
}


@pytest.mark.parametrize("header", SPOOFED)
@pytest.mark.parametrize("path", ["/.well-known/oauth-authorization-server", "/oauth/jwks"])
def test_documents_name_the_operators_address_whatever_a_sender_says(
    served: Served, header: str, path: str
) -> None:
    plain = httpx.get(f"{served.base_url}{path}", timeout=PATIENCE_S)
    spoofed = httpx.get(f"{served.base_url}{path}", headers={header: SPOOFED[header]}, timeout=PATIENCE_S)
    assert (spoofed.status_code, spoofed.json()) == (200, plain.json())
    assert EVIL not in str(spoofed.headers)


@pytest.mark.parametrize("header", SPOOFED)
def test_no_header_makes_an_assertion_or_a_proof_for_another_place_good(served: Served, header: str) -> None:
    partner, spoofed = Partner(served, NORMANDY), {header: SPOOFED[header]}
    for scheme in ("http", "https"):
        elsewhere = f"{scheme}://{EVIL}"
        answer = partner.ask(
            headers={**spoofed, "DPoP": partner.proof()}, client_assertion=partner.assertion(aud=elsewhere)
        )
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        proof = partner.proof(htu=f"{elsewhere}/oauth/token")
        answer = partner.ask(headers={**spoofed, "DPoP": proof})
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")
    assert partner.ask(headers={**spoofed, "DPoP": partner.proof()}).status_code == 200


def test_a_proof_is_for_the_address_of_the_hub_also_when_a_proxy_names_another_host(served: Served) -> None:
    partner = Partner(served, NORMANDY)
    token = partner.token(bound=True)
    answer = partner.me(f"DPoP {token}", DPoP=partner.proof("/graphql", token=token), Host="inside:8000")
    assert answer.status_code == 200, answer.text


@pytest.fixture
def lines(served: Served) -> Iterator[io.StringIO]:
    """The log as hub serve writes it, of everything down to DEBUG."""
    stream = io.StringIO()
    handler, root = logging.StreamHandler(stream), logging.getLogger()
    handler.setFormatter(JsonLines())
    # The partner's side runs in this process, too.
    handler.addFilter(lambda record: not record.name.startswith(("httpx", "httpcore")))
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


FORGED = 'x\r\n{"at": "2026", "level": "info", "event": "forged"}\r\nSet-Cookie: forged=1'


def test_nothing_that_a_sender_names_breaks_a_line_of_the_log_or_of_the_answer(
    served: Served, lines: io.StringIO
) -> None:
    partner = Partner(served, KENT)
    logging.getLogger("tests").warning("begun")
    answers = [
        partner.ask(client_assertion=partner.assertion({"kid": FORGED})),
        partner.ask(client_assertion=partner.assertion(iss=FORGED, sub=FORGED)),
        partner.ask(client_assertion=partner.assertion(jti=FORGED)),
        partner.ask(scope=FORGED),
        partner.ask(grant_type=FORGED),
        partner.ask(client_id=FORGED),
        partner.ask(headers={"User-Agent": "x\tforged"}),
        httpx.get(f"{served.base_url}/oauth/jwks%0d%0aSet-Cookie:%20forged=1", timeout=PATIENCE_S),
        httpx.get(f"{served.base_url}/receipts/%0d%0aforged", timeout=PATIENCE_S),
        partner.me("Bearer " + partner.assertion({"kid": FORGED})),
    ]
    for answer in answers:
        assert "set-cookie" not in answer.headers
        assert not any("forged" in value for value in answer.headers.values())
    written = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert written
    assert not [line for line in written if line["event"] == "forged"]


def test_raw_line_breaks_in_a_header_are_no_request(served: Served, lines: io.StringIO) -> None:
    place = urlsplit(served.base_url)
    for broken in (b"DPoP: a\rSet-Cookie: forged=1", b"DPoP: a\0b", b"Authorization: Bearer a\n b"):
        with socket.create_connection((place.hostname, place.port or 80), 5) as connection:
            connection.sendall(
                b"GET /oauth/jwks HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n" + broken + b"\r\n\r\n"
            )
            answer = b"".join(iter(lambda c=connection: c.recv(65_536), b""))  # type: ignore[misc]
        assert b"forged" not in answer
    for line in lines.getvalue().splitlines():
        json.loads(line)


def test_no_token_assertion_proof_or_key_is_in_the_log_at_any_level(
    served: Served, lines: io.StringIO
) -> None:
    kent, normandy = Partner(served, KENT), Partner(served, NORMANDY)
    assertion, forged, proof = kent.assertion(), kent.assertion(key=STRANGER), normandy.proof()
    token = kent.ask(client_assertion=assertion).json()["access_token"]
    bound = normandy.ask(headers={"DPoP": proof}).json()["access_token"]
    secrets = [assertion, forged, proof, token, bound]
    for answer in (
        kent.ask(client_assertion=assertion),
        kent.ask(client_assertion=forged),
        kent.ask("/oauth/introspect", token=token),
        kent.ask("/oauth/revoke", token=token),
        kent.me(f"Bearer {token}"),
        kent.me(f"Bearer {bound}"),
        httpx.get(f"{served.base_url}/receipts/1?access_token={bound}", timeout=PATIENCE_S),
    ):
        assert answer.status_code < 500
    logging.getLogger("tests").warning("ended")
    text = lines.getvalue()
    assert '"ended"' in text
    keys = [row["private_key_jwk"]["d"] for row in served.rows.values()]
    for secret in [*secrets, *keys, HOLDER.as_dict(private=True)["d"]]:
        for part in str(secret).split("."):
            assert len(part) < 20 or part not in text
