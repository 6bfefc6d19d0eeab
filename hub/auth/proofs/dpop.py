"""DPoP: the client shows, with each request, that it holds the key to which its token is bound (RFC 9449)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from hub.auth.proofs.jws import BadJws, check_started, is_signed_by, public_key, read, text_claim, time_claim
from hub.auth.proofs.nonces import Nonces
from hub.domain.base64url import base64url

PROOF_TYPE = "dpop+jwt"
WINDOW_S = 60
"""How old a proof may be."""
LEEWAY_S = 10
"""How far a client's clock may run ahead of ours."""

_PERCENT = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]", re.ASCII)
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that holds for one request; it counts only once its `jti` was used up under `issuer`.

    thumbprint: of the key (RFC 7638), as in `cnf.jkt`. expires_at_s: seconds since 1970.
    """

    thumbprint: str
    jti: str
    expires_at_s: int

    @property
    def issuer(self) -> str:
        """Whose `jti` this is; the colon keeps it apart from client ids."""
        return f"dpop:{self.thumbprint}"


class NeedsNonce(BadJws):
    """The proof holds but for its nonce: another one, with the nonce of the answer, will do."""


def read_proof(
    headers: Sequence[str],
    *,
    method: str,
    url: str,
    now_s: float,
    nonces: Nonces,
    access_token: str | None = None,
) -> Proof:
    """Judge the DPoP headers of a request: exactly one proof, made for it; BadJws otherwise.

    url: of the request as the public knows it. access_token: the one that comes along, at a resource.
    NeedsNonce when nothing but the nonce is wrong.
    """
    if len(headers) != 1:
        raise BadJws("must come exactly once, in one header DPoP")
    proof = read(headers[0], types=frozenset({PROOF_TYPE}), headers=frozenset({"jwk", "kid"}))
    jwk, claims = proof.header.get("jwk"), proof.claims
    if not isinstance(jwk, dict):
        raise BadJws("needs the public key as jwk in its header")
    key = public_key(jwk)
    if not is_signed_by(proof, key):
        raise BadJws("has a signature that its own key did not make")
    if claims.get("htm") != method:
        raise BadJws("needs the method of this request as htm")
    if normalised(text_claim(claims, "htu", chars_max=2_048)) != normalised(url):
        raise BadJws("needs the address of this request, without query and fragment, as htu")
    issued_at_s = time_claim(claims, "iat")
    check_started(claims, now_s, LEEWAY_S)
    if issued_at_s < now_s - WINDOW_S:
        raise BadJws(f"has an iat more than {WINDOW_S} seconds ago: make a new one for each request")
    if access_token is not None and claims.get("ath") != token_hash(access_token):
        raise BadJws("needs the SHA-256 of the access token as ath")
    jti = text_claim(claims, "jti")
    if "nonce" in claims or nonces.required:
        _check_nonce(claims, nonces)
    return Proof(key.thumbprint, jti, int(issued_at_s) + WINDOW_S + 1)


def _check_nonce(claims: Mapping[str, Any], nonces: Nonces) -> None:
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not nonces.knows(nonce):
        raise NeedsNonce("needs the nonce of the answer's header DPoP-Nonce as nonce")


def token_hash(access_token: str) -> str:
    """The claim `ath`: SHA-256 of the token's text, base64url without padding."""
    return base64url(sha256(access_token.encode()).digest())


def normalised(url: str) -> str:
    """The address without query and fragment, in one spelling (RFC 3986, 6.2.2): case, escapes, default port.

    BadJws when it is no http or https address, or carries a user name.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BadJws("has an htu that is no address") from None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc:
        raise BadJws("has an htu that is no http or https address")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    place = host if port in (None, _DEFAULT_PORTS[parts.scheme]) else f"{host}:{port}"
    return f"{parts.scheme}://{place}{_PERCENT.sub(_one_spelling, parts.path) or '/'}"


def _one_spelling(escape: re.Match[str]) -> str:
    character = chr(int(escape[1], 16))
    return character if _UNRESERVED.fullmatch(character) else escape[0].upper()
