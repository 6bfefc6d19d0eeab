"""Signatures that must not verify, in the manner of Project Wycheproof: each family next to a good one.

Every case is a compact JWS under the key of its family; `good` says whether it may pass.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from joserfc.jwk import ECKey, OKPKey, RSAKey

from tests.auth.world import base64url

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""n of P-256."""
PRIME = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
"""p of P-256."""
EDWARDS_ORDER = 2**252 + 27742317777372353535851937790883648493
EDWARDS_PRIME = 2**255 - 19
CLAIMS = json.dumps({"iss": "kent", "n": 1}).encode()


@dataclass(frozen=True, slots=True)
class Case:
    """One text, and the public JWK that it is checked with."""

    name: str
    text: str
    jwk: dict[str, Any]
    good: bool = False


def cases() -> Iterator[Case]:
    """All families."""
    yield from ecdsa()
    yield from pss()
    yield from edwards()


def _unsigned(alg: str) -> bytes:
    return f"{base64url(json.dumps({'alg': alg}).encode())}.{base64url(CLAIMS)}".encode()


def _case(name: str, alg: str, signature: bytes, jwk: dict[str, Any], *, good: bool = False) -> Case:
    return Case(f"{alg} {name}", f"{_unsigned(alg).decode()}.{base64url(signature)}", jwk, good)


def _pair(r: int, s: int, size: int = 32) -> bytes:
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def ecdsa() -> Iterator[Case]:
    """ES256: r and s out of range, swapped, moved by n, in other encodings and lengths."""
    private = ec.generate_private_key(ec.SECP256R1())
    jwk: dict[str, Any] = ECKey.import_key(private).as_dict(private=False)
    der = private.sign(_unsigned("ES256"), ec.ECDSA(hashes.SHA256()))
    r, s = decode_dss_signature(der)
    raw = _pair(r, s)
    # Two texts for one statement: what ends a token or counts an assertion goes by jti, never by text.
    yield _case("as signed", "ES256", raw, jwk, good=True)
    yield _case(
        "with n - s (as good to every verifier of the standard)", "ES256", _pair(r, ORDER - s), jwk, good=True
    )
    numbers = {
        "0": 0,
        "1": 1,
        "n - 1": ORDER - 1,
        "n": ORDER,
        "n + 1": ORDER + 1,
        "p": PRIME,
        "all ones": 2**256 - 1,
    }
    for name, value in numbers.items():
        yield _case(f"r = {name}", "ES256", _pair(value, s), jwk)
        yield _case(f"s = {name}", "ES256", _pair(r, value), jwk)
        yield _case(f"r = s = {name}", "ES256", _pair(value, value), jwk)
    for name, value in {"n - r": ORDER - r, "r + n": r + ORDER, "p - r": (PRIME - r) % 2**256}.items():
        if value < 2**256:
            yield _case(f"r = {name}", "ES256", _pair(value, s), jwk)
    yield _case("r and s swapped", "ES256", _pair(s, r), jwk)
    yield _case("in DER", "ES256", der, jwk)
    yield _case("empty but for a byte", "ES256", b"\0", jwk)
    yield _case("leading zeros in r and s", "ES256", _pair(r, s, 33), jwk)
    yield _case("sized for P-384", "ES256", _pair(r, s, 48), jwk)
    yield _case("sized for P-521", "ES256", _pair(r, s, 66), jwk)
    for name, value in {"a byte more": raw + b"\0", "a byte before": b"\0" + raw, "twice": raw * 2}.items():
        yield _case(name, "ES256", value, jwk)
    for size in (1, 16, 31, 32, 33, 63):
        yield _case(f"cut to {size} bytes", "ES256", raw[:size], jwk)
    yield _case("r and s in little endian", "ES256", raw[:32][::-1] + raw[32:][::-1], jwk)
    for bit in (0, 255, 256, 511):
        flipped = int.from_bytes(raw, "big") ^ (1 << bit)
        yield _case(f"bit {bit} flipped", "ES256", flipped.to_bytes(64, "big"), jwk)
    hasher = ec.ECDSA(hashes.SHA512())
    yield _case(
        "over SHA-512", "ES256", _pair(*decode_dss_signature(private.sign(_unsigned("ES256"), hasher))), jwk
    )
    other = ec.generate_private_key(ec.SECP256R1()).sign(_unsigned("ES256"), ec.ECDSA(hashes.SHA256()))
    yield _case("of another key", "ES256", _pair(*decode_dss_signature(other)), jwk)
    wrong = private.sign(CLAIMS, ec.ECDSA(hashes.SHA256()))
    yield _case("over the payload alone", "ES256", _pair(*decode_dss_signature(wrong)), jwk)


def pss() -> Iterator[Case]:
    """PS256: salts, hashes and paddings that are not those of the algorithm; numbers out of range."""
    private = rsa.generate_private_key(65537, 2048)
    jwk: dict[str, Any] = RSAKey.import_key(private).as_dict(private=False)
    unsigned, modulus = _unsigned("PS256"), private.public_key().public_numbers().n
    right, sha256 = padding.MGF1(hashes.SHA256()), hashes.SHA256()
    raw = private.sign(unsigned, padding.PSS(right, 32), sha256)
    yield _case("as signed", "PS256", raw, jwk, good=True)
    for size in (0, 16, 20, 31, 33, 64, 222):
        yield _case(
            f"salt of {size} bytes", "PS256", private.sign(unsigned, padding.PSS(right, size), sha256), jwk
        )
    for mgf in (hashes.SHA1(), hashes.SHA384(), hashes.SHA512()):
        scheme = padding.PSS(padding.MGF1(mgf), 32)
        yield _case(f"mask by {mgf.name}", "PS256", private.sign(unsigned, scheme, sha256), jwk)
    for digest in (hashes.SHA384(), hashes.SHA512()):
        scheme = padding.PSS(padding.MGF1(digest), digest.digest_size)
        yield _case(f"over {digest.name}", "PS256", private.sign(unsigned, scheme, digest), jwk)
    yield _case("with PKCS #1 v1.5", "PS256", private.sign(unsigned, padding.PKCS1v15(), sha256), jwk)
    number = int.from_bytes(raw, "big")
    for name, value in {"0": 0, "1": 1, "n": modulus, "n - 1": modulus - 1}.items():
        yield _case(f"signature {name}", "PS256", value.to_bytes(256, "big"), jwk)
    yield _case("signature + n", "PS256", (number + modulus).to_bytes(257, "big"), jwk)
    yield _case("negative", "PS256", (modulus - number).to_bytes(256, "big"), jwk)
    for name, changed in {
        "a byte more": raw + b"\0",
        "a byte before": b"\0" + raw,
        "cut by a byte": raw[:-1],
        "half": raw[:128],
        "one byte": b"\0",
        "a bit flipped": bytes([raw[0] ^ 1]) + raw[1:],
    }.items():
        yield _case(name, "PS256", changed, jwk)
    stranger = rsa.generate_private_key(65537, 2048)
    yield _case("of another key", "PS256", stranger.sign(unsigned, padding.PSS(right, 32), sha256), jwk)


def edwards() -> Iterator[Case]:
    """Ed25519: S out of range, points of small order, keys and points that are not canonical."""
    private = ed25519.Ed25519PrivateKey.generate()
    jwk: dict[str, Any] = OKPKey.import_key(private).as_dict(private=False)
    for alg in ("Ed25519", "EdDSA"):
        raw = private.sign(_unsigned(alg))
        point, scalar = raw[:32], int.from_bytes(raw[32:], "little")
        yield _case("as signed", alg, raw, jwk, good=True)
        for name, value in {
            "S + L": scalar + EDWARDS_ORDER,
            "S + 8L": scalar + 8 * EDWARDS_ORDER,
            "S = 0": 0,
            "S = L": EDWARDS_ORDER,
            "L - S": EDWARDS_ORDER - scalar,
            "S all ones": 2**256 - 1,
            "S with its top bit": scalar | 1 << 255,
        }.items():
            yield _case(name, alg, point + (value % 2**256).to_bytes(32, "little"), jwk)
        for name, low in _SMALL_ORDER.items():
            yield _case(f"R of small order: {name}", alg, low + raw[32:], jwk)
            yield _case(f"R of small order and S = 0: {name}", alg, low + bytes(32), jwk)
            # With a key of small order a signature of zeros would be anybody's.
            weak = {"kty": "OKP", "crv": "Ed25519", "x": base64url(low)}
            for guess in (low, _SMALL_ORDER["the neutral one"]):
                yield _case(f"key of small order: {name}", alg, guess + bytes(32), weak)
        for name, changed in {
            "a byte more": raw + b"\0",
            "cut by a byte": raw[:-1],
            "R alone": point,
            "one byte": b"\0",
            "all zeros": bytes(64),
            "R and S swapped": raw[32:] + point,
            "R in big endian": point[::-1] + raw[32:],
            "R with the other sign": point[:31] + bytes([point[31] ^ 0x80]) + raw[32:],
        }.items():
            yield _case(name, alg, changed, jwk)
        yield _case("of another key", alg, ed25519.Ed25519PrivateKey.generate().sign(_unsigned(alg)), jwk)
        yield _case("over the payload alone", alg, private.sign(CLAIMS), jwk)


_SMALL_ORDER = {
    "the neutral one": (1).to_bytes(32, "little"),
    "order 2": (EDWARDS_PRIME - 1).to_bytes(32, "little"),
    "order 4": bytes(32),
    "order 4, the other": (1 << 255).to_bytes(32, "little"),
    "order 8": bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    "order 8, the other": bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    "the neutral one, not canonical": (EDWARDS_PRIME + 1).to_bytes(32, "little"),
    "the neutral one with a sign": (1 | 1 << 255).to_bytes(32, "little"),
}
