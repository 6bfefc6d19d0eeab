"""Whose address a request is charged to: what a sender writes itself is never believed."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from starlette.requests import Request

from hub.auth.addresses import UNKNOWN, Addresses
from hub.settings import Settings


def request(peer: str | None, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", one.encode("latin-1")) for one in forwarded]
    client = None if peer is None else (peer, 4711)
    return Request({"type": "http", "method": "GET", "path": "/", "headers": headers, "client": client})


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),  # nobody whom we asked to tell
        ("127.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("127.0.0.1", ["192.0.2.66, 198.51.100.1"], "198.51.100.1"),  # the first was sent by the client
        ("127.0.0.1", ["192.0.2.66", "198.51.100.1"], "198.51.100.1"),  # the same in two headers
        ("127.0.0.1", ["198.51.100.1, 10.1.2.3"], "198.51.100.1"),  # two proxies of ours
        ("127.0.0.1", ["192.0.2.66, nonsense"], "127.0.0.1"),
        ("127.0.0.1", ["192.0.2.66, "], "127.0.0.1"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["10.9.9.9"], "10.9.9.9"),
        ("127.0.0.1", ["2001:db8:1:2:aaaa::1"], "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::2", ["198.51.100.1"], "2001:db8:1:2::/64"),
        ("::ffff:127.0.0.1", ["::ffff:198.51.100.1"], "198.51.100.1"),  # IPv4 as IPv6 writes it
        (None, ["198.51.100.1"], UNKNOWN),
    ],
)
def test_address_is_the_one_that_our_own_proxies_saw(
    peer: str | None, forwarded: list[str], expected: str
) -> None:
    assert Addresses(["127.0.0.1", "10.0.0.0/8"]).of(request(peer, *forwarded)) == expected


def test_nobody_is_believed_unless_the_operator_says_so() -> None:
    assert Addresses().of(request("127.0.0.1", "198.51.100.1")) == "127.0.0.1"


def test_proxies_are_addresses_or_networks() -> None:
    assert Settings(trusted_proxies="127.0.0.1, 10.0.0.0/8").proxies == ("127.0.0.1", "10.0.0.0/8")
    with pytest.raises(ValidationError):
        Settings(trusted_proxies="proxy.example.org")
