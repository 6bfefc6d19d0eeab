"""Signed statements (compact JWS with a JSON object inside), read more strictly than the standard asks.

Assertions, DPoP proofs and access tokens all come through `read`. What a library would have to guess is
refused: doubled members, unlisted headers, other algorithms, keys of the wrong kind or size.
"""

from __future__ import annotations

import json
import math
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jws as jose
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode

from hub.store.clients import PRIVATE_MEMBERS

KEY_TYPES = {"ES256": "EC", "PS256": "RSA", "EdDSA": "OKP", "Ed25519": "OKP"}
"""Type of the key (`kty`) that fits each algorithm."""
ALGORITHMS = tuple(KEY_TYPES)
"""What clients may sign with (FAPI 2.0). EdDSA is the older name of Ed25519 (RFC 9864), no other curve."""
JWS_CHARS_MAX = 8_192
RSA_BITS = (2_048, 4_096)
"""Smallest and largest RSA modulus: less is unsafe, and with more a stranger could burn our time."""

Key = ECKey | RSAKey | OKPKey

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
_MEMBERS = {"EC": ("crv", "x", "y"), "RSA": ("e", "n"), "OKP": ("crv", "x")}
_CURVES = {"EC": "P-256", "OKP": "Ed25519"}


class BadJws(Exception):
    """A statement or key that the hub does not accept; the text says why, in plain ASCII, quoting nothing."""


@dataclass(frozen=True, slots=True)
class Unverified:
    """A well-formed statement: nothing in it is proven before `is_signed_by` said so."""

    text: str
    header: dict[str, Any]
    claims: dict[str, Any]

    @property
    def alg(self) -> str:
        """Algorithm of the header, one of those asked for."""
        return str(self.header["alg"])


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key, the algorithms that fit it, and its RFC 7638 thumbprint."""

    key: Key
    algorithms: frozenset[str]
    thumbprint: str


def read(
    text: str,
    *,
    types: frozenset[str | None],
    headers: frozenset[str],
    algorithms: tuple[str, ...] = ALGORITHMS,
) -> Unverified:
    """Take a statement apart; BadJws when it is not exactly one.

    types: values of `typ` that may stand, None for its absence. headers: members that may stand besides.
    """
    if len(text) > JWS_CHARS_MAX:
        raise BadJws(f"is longer than {JWS_CHARS_MAX} characters")
    if not _COMPACT.fullmatch(text):
        raise BadJws("is not a compact JWS: three parts in base64url, joined by dots")
    # One statement, one spelling: with spare bits set, sixteen texts would carry the same signature.
    first, second, _ = (_bytes(part) for part in text.split("."))
    header, claims = _json_object(first, "header"), _json_object(second, "payload")
    if header.get("alg") not in algorithms:
        raise BadJws(f"must be signed with one of {', '.join(algorithms)}")
    # Any JSON may stand here: a tuple compares where a set would have to hash.
    if header.get("typ") not in tuple(types):
        raise BadJws(f"has another typ in its header than {' or '.join(sorted(typ for typ in types if typ))}")
    if header.keys() - headers - {"alg", "typ"}:
        raise BadJws("has a header member that is not allowed here")
    return Unverified(text, header, claims)


def is_signed_by(statement: Unverified, public: PublicKey) -> bool:
    """Whether the signature is that key's; False also when key and algorithm do not fit."""
    if statement.alg not in public.algorithms:
        return False
    signed, _, signature = statement.text.rpartition(".")
    # What the library would do besides, taking the statement apart again, was done by `read`.
    algorithm = _REGISTRY.get_alg(statement.alg)
    try:
        return bool(algorithm.verify(signed.encode(), _bytes(signature), public.key))
    except (JoseError, ValueError):
        return False


def sign(header: Mapping[str, Any], claims: Mapping[str, Any], key: Key) -> str:
    """A compact JWS of the claims; the header names `alg`, which fits the key."""
    payload = json.dumps(dict(claims), separators=(",", ":"))
    return jose.serialize_compact(dict(header), payload, key, registry=_REGISTRY)


def public_key(jwk: Mapping[str, Any]) -> PublicKey:
    """A client's key from its public JWK: P-256, RSA or Ed25519, for signatures; BadJws otherwise."""
    kty = jwk.get("kty")
    if not isinstance(kty, str) or kty not in _MEMBERS:
        raise BadJws("has a key that is neither EC, RSA nor OKP")
    if PRIVATE_MEMBERS & jwk.keys():
        raise BadJws("has a private or secret key where a public one belongs")
    members, algorithms = _MEMBERS[kty], frozenset(alg for alg in ALGORITHMS if KEY_TYPES[alg] == kty)
    if not all(isinstance(jwk.get(name), str) for name in members):
        raise BadJws(f"has an {kty} key that lacks one of {', '.join(members)}")
    if kty in _CURVES and jwk["crv"] != _CURVES[kty]:
        raise BadJws(f"has an {kty} key on another curve than {_CURVES[kty]}")
    operations = jwk.get("key_ops", ["verify"])
    if jwk.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        raise BadJws("has a key that is not meant for signatures")
    if jwk.get("alg") not in (None, *algorithms):
        raise BadJws(f"has an {kty} key that names another algorithm than {' or '.join(sorted(algorithms))}")
    numbers = {name: _number(kty, jwk[name]) for name in members if name != "crv"}
    if kty == "RSA":
        _check_rsa(numbers["n"], numbers["e"])
    elif kty == "OKP":
        _check_edwards(numbers["x"])
    # Only what makes the key: a name or purpose beside it was judged above, and differs between libraries.
    bare = {"kty": kty, **{name: jwk[name] for name in members}}
    try:
        key = _IMPORTERS[kty].import_key(bare)
    except (JoseError, ValueError):
        raise BadJws(f"has an {kty} key whose numbers are no key") from None
    return PublicKey(key, algorithms, key.thumbprint())


def registered_jwk(jwk: Mapping[str, Any]) -> dict[str, Any]:
    """The JWK as it may be recorded for a client: judged, and named by its thumbprint unless it has a `kid`.

    BadJws, which says why, when no assertion could ever be verified with it.
    """
    return {"kid": public_key(jwk).thumbprint, **jwk}


def text_claim(claims: Mapping[str, Any], name: str, *, chars_max: int = 256) -> str:
    """A claim that must be a text of 1 to chars_max characters; BadJws otherwise."""
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= chars_max:
        raise BadJws(f"needs the claim {name}, a text of 1 to {chars_max} characters")
    return value


def time_claim(claims: Mapping[str, Any], name: str) -> float:
    """A claim that must be a NumericDate, in seconds since 1970; BadJws otherwise."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _TIME_MAX_S:
        raise BadJws(f"needs the claim {name}, a time in seconds since 1970")
    return value


def check_started(claims: Mapping[str, Any], now_s: float, leeway_s: float) -> None:
    """Honour `nbf` and `iat`, where present: BadJws when one lies ahead by more than the leeway."""
    for name in ("nbf", "iat"):
        if name in claims and time_claim(claims, name) > now_s + leeway_s:
            raise BadJws(f"has the claim {name} in the future: compare your clock with the header Date")


_COORDINATE_BYTES = 32
_EDWARDS_PRIME = 2**255 - 19
# The y of the eight points whose order divides 8: two have order 8, by either sign.
_ORDER_8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL_ORDER = frozenset({0, 1, _EDWARDS_PRIME - 1, _ORDER_8, _EDWARDS_PRIME - _ORDER_8})
_TIME_MAX_S = math.ldexp(1, 53)
_IMPORTERS: dict[str, type[ECKey] | type[RSAKey] | type[OKPKey]] = {"EC": ECKey, "RSA": RSAKey, "OKP": OKPKey}


class _Registry(JWSRegistry):
    """joserfc's limits, raised for the RSA key in a proof's header (512 bytes unless told)."""

    max_header_length = 4_096
    max_payload_length = JWS_CHARS_MAX

    def get_alg(self, name: str) -> Any:
        # The library's EdDSA warns on each use, for it takes Ed448 too; ours is Ed25519 by either name.
        return super().get_alg("Ed25519" if name == "EdDSA" else name)


_REGISTRY = _Registry(algorithms=ALGORITHMS)


def _number(kty: str, text: str) -> bytes:
    """A number of a key, in its one spelling: a thumbprint is taken over the text (RFC 7518, section 6).

    With another spelling a key that was retired would come back under another name.
    """
    value = _bytes(text)
    if kty == "RSA" and value[:1] in (b"", b"\0"):
        raise BadJws("has an RSA key whose numbers begin with a zero byte")
    if kty != "RSA" and len(value) != _COORDINATE_BYTES:
        raise BadJws(f"has an {kty} key whose numbers are not {_COORDINATE_BYTES} bytes long")
    return value


def _check_rsa(modulus: bytes, exponent: bytes) -> None:
    smallest, largest = RSA_BITS
    if not smallest <= int.from_bytes(modulus, "big").bit_length() <= largest:
        raise BadJws(f"has an RSA key of another size than {smallest} to {largest} bits")
    if exponent != b"\x01\x00\x01":
        raise BadJws("has an RSA key with another exponent than 65537")


def _check_edwards(x: bytes) -> None:
    """A point of small order would make one signature good for everything, and anybody could write it."""
    point = int.from_bytes(x, "little") & ~(1 << 255)
    if point >= _EDWARDS_PRIME or point in _SMALL_ORDER:
        raise BadJws("has an OKP key whose numbers are no key")


def _bytes(part: str) -> bytes:
    """What base64url stands for; BadJws when it is spelt otherwise than an encoder would."""
    try:
        value = urlsafe_b64decode(part.encode())
    except ValueError:
        raise BadJws("has a part that is no base64url") from None
    if urlsafe_b64encode(value).rstrip(b"=") != part.encode():
        raise BadJws("has a part in base64url with spare bits that are not 0")
    return value


def _json_object(part: bytes, name: str) -> dict[str, Any]:
    try:
        # As text: from bytes the library would guess UTF-16 and a byte order mark, too.
        value = json.loads(part.decode(), object_pairs_hook=_no_doubles, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise BadJws(f"has a {name} that is not JSON, or not unambiguous") from None
    if not isinstance(value, dict):
        raise BadJws(f"has a {name} that is not a JSON object")
    return value


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("doubled member")
    return members


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
