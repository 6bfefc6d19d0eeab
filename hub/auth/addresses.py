"""From which address a request comes, told so that nobody can choose it.

X-Forwarded-For is written by whoever sends the request; only what a proxy of ours added to it counts, and
which proxies are ours the operator says (HUB_TRUSTED_PROXIES).
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.requests import HTTPConnection

IPV6_PREFIX_BITS = 64
"""What one subscriber is given at least: one who has a single address there has them all."""
UNKNOWN = "unknown"
"""Of a request that comes over no network, such as a Unix socket."""


class Addresses:
    """Reads addresses of requests. trusted: addresses and networks (CIDR) of the operator's proxies."""

    def __init__(self, trusted: Sequence[str] = ()) -> None:
        """ValueError when one of them is neither address nor network."""
        self._trusted = [ip_network(one, strict=False) for one in trusted]

    def of(self, request: HTTPConnection) -> str:
        """The sender's address in its usual spelling; of an IPv6 address its /64 network."""
        hop = _parsed(request.client.host) if request.client else None
        forwarded = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
        # From the nearest hop outwards, as long as the one that told us is ours. What is no address ends
        # it, too: beyond it stands what anybody may have written.
        for told in map(_parsed, reversed(forwarded)):
            if hop is None or told is None or not self._is_trusted(hop):
                break
            hop = told
        return UNKNOWN if hop is None else _bucket(hop)

    def _is_trusted(self, hop: IPv4Address | IPv6Address) -> bool:
        return any(hop in network for network in self._trusted)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _bucket(address: IPv4Address | IPv6Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((int(address), IPV6_PREFIX_BITS), strict=False))
