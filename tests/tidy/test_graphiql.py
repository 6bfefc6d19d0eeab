"""GraphiQL: the committed files are the released ones, and the page loads nothing from elsewhere."""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from graphql import OperationDefinitionNode, build_schema, parse, validate

from hub.auth.addresses import Addresses
from hub.auth.people.sessions import Sessions
from hub.auth.people.sign_in import SignIn
from hub.events.audit import Auditor
from hub.events.intake import Intake
from hub.events.quotas import Quotas
from hub.settings import Settings
from hub.store.opening import open_store
from hub.store.vault import Vault
from hub.web.graphiql import add_routes
from hub.web.pages import Pages
from tests.tidy.sources import ROOT, VENDORED

WEB = ROOT / "hub" / "web"


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    store = open_store(tmp_path)
    vault = Vault(tmp_path / "keys")
    auditor = Auditor(vault, Intake(store, vault, Quotas()))
    sessions = Sessions(store, Settings(data_dir=tmp_path), auditor)
    app = FastAPI()
    pages = Pages(SignIn(sessions, vault), Addresses())
    add_routes(app.router, pages)
    pages.files.add_routes(app.router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub.example") as client:
        yield client
    await store.close()


def test_vendored_files_are_those_of_the_manifest() -> None:
    manifest = {}
    for line in (VENDORED / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        digest, name = line.split("  ")
        manifest[name] = digest
    committed = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDORED.iterdir()
        if path.name != "SHA256SUMS"
    }
    assert committed == manifest


def test_lock_of_the_browser_packages_has_hashes_and_no_addresses() -> None:
    packages = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    wanted = json.loads((WEB / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    for name, version in wanted.items():
        assert packages[f"node_modules/{name}"]["version"] == version
    for name, package in packages.items():
        assert "resolved" not in package, name
        assert package.get("integrity", "").startswith("sha512-") or not name, name


async def test_page_loads_its_own_files_only(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/graphiql")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    loaded = re.findall(r'<(?:script|link)[^>]* (?:src|href)="([^"]+)"', page.text)
    addresses = [address for address in loaded if not address.startswith("data:")]
    assert len(addresses) == 7
    for address in addresses:
        assert address.startswith(("/graphiql/static/", "/static/")), address
        file = await browser.get(address)
        assert file.status_code == 200, address
        assert file.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert file.headers["x-content-type-options"] == "nosniff"
        expected = "text/css" if address.endswith(".css") else "text/javascript"
        assert file.headers["content-type"] == f"{expected}; charset=utf-8"


async def test_page_runs_no_inline_script_and_may_not_be_framed(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/graphiql")
    rules = dict(rule.strip().split(" ", 1) for rule in page.headers["content-security-policy"].split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["connect-src"] == "'self'"
    assert "unsafe" not in page.headers["content-security-policy"]
    assert rules["frame-ancestors"] == rules["base-uri"] == "'none'"
    for attributes, content in re.findall(r"<script([^>]*)>(.*?)</script>", page.text, re.DOTALL):
        assert "src=" in attributes
        assert content == ""


async def test_nonce_is_used_once_and_is_the_one_of_the_policy(browser: httpx.AsyncClient) -> None:
    pages = [await browser.get("/graphiql") for _ in range(2)]
    nonces = []
    for page in pages:
        (nonce,) = re.findall(r' nonce="([^"]+)"', page.text)
        assert f"style-src 'self' 'nonce-{nonce}'" in page.headers["content-security-policy"]
        assert page.headers["cache-control"] == "no-store"
        nonces.append(nonce)
    assert nonces[0] != nonces[1]


@pytest.mark.parametrize(
    "address",
    [
        "/graphiql/static/0000000000000000/graphiql.js",
        "/graphiql/static/x/../../../graphiql.py",
        "/graphiql/static/x/..%2f..%2f..%2fgraphiql.py",
        "/graphiql/static/%2e%2e/graphiql.py",
        "/graphiql/static/x/SHA256SUMS",
        "/graphiql/static/x/page.html",
    ],
)
async def test_no_other_file_is_served(browser: httpx.AsyncClient, address: str) -> None:
    assert (await browser.get(address)).status_code == 404


async def test_page_opens_each_example_as_a_tab(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/graphiql")
    shown = [
        html.unescape(text)
        for text in re.findall(r'<template class="example">(.*?)</template>', page.text, re.S)
    ]
    names = []
    for text in shown:
        (operation,) = parse(text).definitions
        assert isinstance(operation, OperationDefinitionNode)
        assert operation.name
        names.append(operation.name.value)
    assert names == ["Catalogue", "Eligibility", "Opportunities", "Referrals", "Ledger"]


def test_token_is_kept_in_no_storage() -> None:
    program = (WEB / "static" / "graphiql" / "start.js").read_text(encoding="utf-8")
    assert not re.search(r"localStorage|sessionStorage|document\.cookie|innerHTML|\beval\b", program)


EXAMPLES = sorted((WEB / "static/graphiql/examples").rglob("*.graphql"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_example_fits_the_schema(example: Path) -> None:
    schema = build_schema((ROOT / "schema.graphql").read_text(encoding="utf-8"))
    assert not validate(schema, parse(example.read_text(encoding="utf-8")))
