"""ID tokens that prove nobody: a provider that lies, played by a local server that signs what a test says."""

from __future__ import annotations

import json
import threading
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from hub.auth.people.openid import NotSignedIn, Provider
from hub.settings import Settings
from hub.store.vault import Vault

NOW_S = 1_800_000_000
KEY = ECKey.generate_key("P-256", parameters={"kid": "one"})
OTHER = ECKey.generate_key("P-256", parameters={"kid": "one"})
Make = Callable[[dict[str, Any]], str]


class Liar:
    """A provider: its metadata, its keys, and an ID token made by `make` from good claims."""

    def __init__(self) -> None:
        self.make: Make = signed
        self.metadata: dict[str, Any] = {}
        self.nonce = ""
        liar = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                keys = {"keys": [KEY.as_dict(private=False)]}
                answer(self, keys if self.path == "/keys" else liar.document())

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                answer(
                    self, {"access_token": "x", "token_type": "Bearer", "id_token": liar.make(liar.claims())}
                )

            def log_message(self, *_arguments: object) -> None:
                """Nothing to tell."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"

    def document(self) -> dict[str, Any]:
        good = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }
        return {**good, **self.metadata}

    def claims(self) -> dict[str, Any]:
        return {
            "iss": self.issuer,
            "sub": "ada",
            "aud": "the-hub",
            "nonce": self.nonce,
            "iat": NOW_S,
            "exp": NOW_S + 300,
            "auth_time": NOW_S - 10,
            "amr": ["pwd", "mfa"],
        }


def answer(handler: BaseHTTPRequestHandler, document: dict[str, Any]) -> None:
    body = json.dumps(document).encode()
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def signed(claims: dict[str, Any], key: ECKey = KEY) -> str:
    return jwt.encode({"alg": "ES256", "kid": "one"}, claims, key)


def changed(**members: Any) -> Make:
    """The good claims but for these; None takes one away."""
    return lambda claims: signed({k: v for k, v in {**claims, **members}.items() if v is not None})


def unsigned(claims: dict[str, Any]) -> str:
    parts = ({"alg": "none", "kid": "one"}, claims)
    return ".".join(urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


def by_the_public_key(claims: dict[str, Any]) -> str:
    return jwt.encode(
        {"alg": "HS256"}, claims, OctKey.import_key(KEY.as_pem(private=False)), algorithms=["HS256"]
    )


@pytest.fixture
def liar() -> Iterator[Liar]:
    """A provider that says what a test wants."""
    running = Liar()
    thread = threading.Thread(target=running.server.serve_forever)
    thread.start()
    yield running
    running.server.shutdown()
    thread.join()
    running.server.server_close()


@pytest.fixture
def provider(liar: Liar, tmp_path: Path) -> Provider:
    """The hub's side."""
    secret = tmp_path / "secret"
    secret.write_text("s3cret")
    settings = Settings(
        data_dir=tmp_path,
        public_url="https://hub.example",
        oidc_issuer=liar.issuer,
        oidc_client_id="the-hub",
        oidc_client_secret_file=secret,
    )
    return Provider(settings, Vault(tmp_path / "keys"), lambda: NOW_S)


async def arrive(liar: Liar, provider: Provider, *, anew: bool = False, **more: str) -> Any:
    address, carried = await provider.leave("/account", "", anew=anew)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert asked["code_challenge_method"] == "S256"
    liar.nonce = asked["nonce"]
    return (await provider.arrive({"code": "c", "state": asked["state"], **more}, carried))[1]


async def test_a_good_token_proves_its_subject(liar: Liar, provider: Provider) -> None:
    arrived = await arrive(liar, provider)
    assert (arrived.issuer, arrived.subject, arrived.confirmed_at_s) == (liar.issuer, "ada", NOW_S - 10)


@pytest.mark.parametrize(
    "make",
    [
        unsigned,
        by_the_public_key,
        lambda claims: signed(claims, OTHER),
        lambda claims: signed(claims)[:-4] + "AAAA",
        lambda _claims: "x",
        changed(iss="https://evil.example"),
        changed(iss=None),
        changed(aud="another"),
        changed(aud=["another"]),
        changed(aud=["the-hub", "another"]),
        changed(aud=["the-hub", "another"], azp="another"),
        changed(azp="another"),
        changed(aud=None),
        changed(aud={"the-hub": 1}),
        changed(nonce="another"),
        changed(nonce=None),
        changed(nonce=5),
        changed(exp=NOW_S - 61),
        changed(exp=None),
        changed(exp="later"),
        changed(exp=True),
        changed(iat=NOW_S + 61),
        changed(iat=NOW_S - 601),
        changed(iat=None),
        changed(sub=None),
        changed(sub=""),
        changed(sub=5),
        changed(sub="x" * 256),
    ],
)
async def test_such_a_token_proves_nobody(liar: Liar, provider: Provider, make: Make) -> None:
    liar.make = make
    with pytest.raises(NotSignedIn):
        await arrive(liar, provider)


async def test_two_audiences_are_good_with_ours_as_the_party(liar: Liar, provider: Provider) -> None:
    liar.make = changed(aud=["another", "the-hub"], azp="the-hub")
    assert (await arrive(liar, provider)).subject == "ada"


@pytest.mark.parametrize(
    ("members", "confirmed_at_s"),
    [
        ({"amr": ["pwd"]}, None),
        ({"amr": None}, None),
        ({"amr": "mfa"}, None),
        ({"amr": None, "acr": "mfa"}, NOW_S - 10),
        ({"auth_time": NOW_S + 999}, NOW_S),
        ({"auth_time": None}, 1),
    ],
)
async def test_a_second_factor_counts_from_when_it_was_shown(
    liar: Liar, provider: Provider, members: dict[str, Any], confirmed_at_s: int | None
) -> None:
    liar.make = changed(**members)
    assert (await arrive(liar, provider)).confirmed_at_s == confirmed_at_s


async def test_proving_oneself_again_needs_a_fresh_time(liar: Liar, provider: Provider) -> None:
    assert (await arrive(liar, provider, anew=True)).confirmed_at_s == NOW_S - 10
    for auth_time in (NOW_S - 61, None):
        liar.make = changed(auth_time=auth_time)
        with pytest.raises(NotSignedIn):
            await arrive(liar, provider, anew=True)


async def test_servers_are_not_mixed_up(liar: Liar, provider: Provider) -> None:
    with pytest.raises(NotSignedIn):
        await arrive(liar, provider, iss="https://evil.example")
    with pytest.raises(NotSignedIn):
        await arrive(liar, provider, error="access_denied")
    with pytest.raises(NotSignedIn):
        await arrive(liar, provider, state="another")
    assert (await arrive(liar, provider, iss=liar.issuer)).subject == "ada"


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://elsewhere.example/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": None},
        {"authorization_response_iss_parameter_supported": True},
    ],
)
async def test_metadata_that_cannot_be_right_are_not_used(
    liar: Liar, provider: Provider, metadata: dict[str, Any]
) -> None:
    liar.metadata = metadata
    with pytest.raises(NotSignedIn):
        await arrive(liar, provider)
