"""Signatures, encodings and claims that are almost right; every statement of a client passes this reading."""

from __future__ import annotations

import json
from typing import Any

import pytest
from joserfc.jwk import ECKey

from hub.auth.proofs.jws import BadJws, is_signed_by, public_key, read, sign
from tests.auth.signatures import Case, cases
from tests.auth.world import base64url

CASES = list(cases())
KEY = ECKey.generate_key("P-256")
GOOD = sign({"alg": "ES256"}, {"iss": "kent"}, KEY)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def passes(text: str, jwk: dict[str, Any]) -> bool:
    """Whether the hub takes the text for a statement signed by the key."""
    try:
        statement = read(text, types=frozenset({None}), headers=frozenset({"kid"}))
        return is_signed_by(statement, public_key(jwk))
    except BadJws:
        return False


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_signature_passes_only_as_it_was_made(case: Case) -> None:
    assert passes(case.text, case.jwk) is case.good


def test_every_family_has_a_good_one() -> None:
    good = {case.name.split(" ")[0] for case in CASES if case.good}
    assert good == {"ES256", "PS256", "Ed25519", "EdDSA"} == {case.name.split(" ")[0] for case in CASES}


def _respelt() -> dict[str, str]:
    header, payload, signature = GOOD.split(".")
    # 64 bytes leave four bits of the last letter unused: sixteen letters decode to the same bytes.
    spare = signature[:-1] + ALPHABET[ALPHABET.index(signature[-1]) ^ 1]
    return {
        "padded": f"{header}.{payload}.{signature}==",
        "padded payload": f"{header}.{payload}=.{signature}",
        "newline behind": f"{GOOD}\n",
        "newline inside": f"{header}.{payload}.{signature[:10]}\n{signature[10:]}",
        "carriage return": f"{header}\r.{payload}.{signature}",
        "space behind": f"{GOOD} ",
        "tab before": f"\t{GOOD}",
        "letters of plain base64": GOOD.replace(
            signature, signature.replace("-", "+").replace("_", "/") + "+/"
        ),
        "a letter outside the alphabet": f"{header}.{payload}.{signature[:-1]}!",
        "a letter that looks alike": f"{header}.{payload}.{signature[:-1]}\u0410",
        "a NUL": f"{header}.{payload}.{signature}\0",
        "a letter more": f"{GOOD}A",
        "spare bits": f"{header}.{payload}.{spare}",
        "empty signature": f"{header}.{payload}.",
        "four parts": f"{GOOD}.{signature}",
        "five parts, as encrypted": f"{GOOD}.{signature}.{signature}",
        "no dots": GOOD.replace(".", ""),
    }


@pytest.mark.parametrize(("name", "text"), _respelt().items())
def test_a_good_signature_in_another_spelling_does_not_pass(name: str, text: str) -> None:
    assert passes(GOOD, KEY.as_dict(private=False))
    assert text != GOOD
    assert not passes(text, KEY.as_dict(private=False)), name


@pytest.mark.parametrize(
    "header",
    [
        '{"alg":"ES256","alg":"none"}',
        '{"alg":"none","alg":"ES256"}',
        '{"alg":"ES256","\\u0061lg":"ES256"}',
        '{"alg":["ES256"]}',
        '{"alg":{"ES256":1}}',
        '{"alg":null}',
        '{"alg":"ES256 "}',
        '{"alg":"es256"}',
        '{"ALG":"ES256"}',
        "{}",
        "null",
        '"ES256"',
        '[{"alg":"ES256"}]',
        '{"alg":"ES256"} {}',
        '\ufeff{"alg":"ES256"}',
        '{"alg":"ES256","kid":"k","kid":"l"}',
        '{"alg":"ES256","crit":[]}',
        '{"alg":"ES256","zip":"DEF"}',
        '{"alg":"ES256","b64":true}',
        '{"alg":"ES256","typ":null,"typ":"JWT"}',
    ],
)
def test_a_header_with_two_meanings_does_not_pass_although_it_is_signed(header: str) -> None:
    assert passes(signed('{"alg":"ES256"}', "{}"), KEY.as_dict(private=False))
    assert not passes(signed(header, "{}"), KEY.as_dict(private=False))


@pytest.mark.parametrize(
    "payload",
    [
        '{"iss":"kent","iss":"normandy"}',
        '{"iss":"kent","\\u0069ss":"normandy"}',
        '{"a":{"b":1,"b":2}}',
        '{"exp":NaN}',
        '{"exp":Infinity}',
        '{"exp":1e999, "exp":1}',
        "{'iss':'kent'}",
        '{"iss":"kent",}',
        "[]",
        '"{}"',
        "",
        "{}{}",
        '{"a":' * 3_000 + "1" + "}" * 3_000,
    ],
)
def test_claims_with_two_meanings_do_not_pass_although_they_are_signed(payload: str) -> None:
    assert not passes(signed('{"alg":"ES256"}', payload), KEY.as_dict(private=False))


def signed(header: str, payload: str) -> str:
    """A true ES256 signature over any two texts."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    unsigned = f"{base64url(header.encode())}.{base64url(payload.encode())}"
    private = KEY.private_key
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    r, s = decode_dss_signature(private.sign(unsigned.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{unsigned}.{base64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def test_a_json_text_of_claims_may_be_spaced() -> None:
    assert passes(
        signed('{ "alg" : "ES256" }', json.dumps({"iss": "kent"}, indent=2)), KEY.as_dict(private=False)
    )
