"""People of another OpenID provider (Keycloak, Entra, ...): the hub as its client.

Sources: OpenID Connect Core 1.0 section 3.1, Discovery 1.0, RFC 7636, RFC 9207, RFC 9700. An account is
known by (issuer, subject), which an invitation has linked to a person; never by its address, which others may
choose.
"""

from __future__ import annotations

import hmac
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urlsplit

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from cryptography.exceptions import InvalidTag
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from hub.settings import Settings
from hub.store.vault import Vault

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
"""What ID tokens may be signed with: keys of the provider's JWK set alone, so neither none nor HS256."""
ELSEWHERE_PATH = "/sign-in/elsewhere"
BACK_PATH = f"{ELSEWHERE_PATH}/back"
"""Where people leave for the provider, and where it sends them back to."""
LEEWAY_S = 60
REQUEST_S = 10 * 60
"""How long a person may take at the provider."""
DOCUMENTS_S = 3600
"""How long metadata and keys of the provider are believed; keys are asked for again when one is missing."""
KEYS_AGAIN_S = 60
TIMEOUT_S = 10.0
BODY_BYTES_MAX = 256 * 1024
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class NotSignedIn(Exception):
    """The provider's answer does not prove anybody; the text says why, for the log, and quotes nothing."""


@dataclass(frozen=True, slots=True)
class AuthenticationRequest:
    """What was asked of the provider; the browser carries it, sealed. link: of an invitation.

    anew: whether the person was to prove itself again, whatever session it has there.
    """

    state: str
    nonce: str
    verifier: str
    next: str
    link: str
    anew: bool
    ends_at_s: int


@dataclass(frozen=True, slots=True)
class ExternalAccount:
    """An account at the provider. confirmed_at_s: when it showed a second factor there; None: it did not."""

    issuer: str
    subject: str
    confirmed_at_s: int | None


class Provider:
    """The OpenID provider of the settings."""

    def __init__(self, settings: Settings, vault: Vault, clock: Callable[[], float] = time.time) -> None:
        """clock: seconds since 1970."""
        self._issuer, self._client_id = settings.oidc_issuer, settings.oidc_client_id
        self._secret = _secret(settings.oidc_client_secret_file)
        self._factors = frozenset(
            filter(None, (one.strip() for one in settings.oidc_second_factor.split(",")))
        )
        self._back = settings.public_url + BACK_PATH
        self._vault, self._clock = vault, clock
        self._metadata: dict[str, Any] = {}
        self._keys: KeySet | None = None
        self._metadata_at_s = self._keys_at_s = 0.0

    async def leave(self, next_: str, link: str, *, anew: bool) -> tuple[str, str]:
        """Where to send the browser, and the request that it carries; NotSignedIn when nobody answers there.

        anew: the person proves itself there again, whatever session it has.
        """
        metadata = await self._discovered()
        asked = AuthenticationRequest(
            state=secrets.token_urlsafe(24),
            nonce=secrets.token_urlsafe(24),
            verifier=secrets.token_urlsafe(48),
            next=next_,
            link=link,
            anew=anew,
            ends_at_s=int(self._clock()) + REQUEST_S,
        )
        address = prepare_grant_uri(
            metadata["authorization_endpoint"],
            self._client_id,
            "code",
            redirect_uri=self._back,
            scope="openid",
            state=asked.state,
            nonce=asked.nonce,
            code_challenge=create_s256_code_challenge(asked.verifier),
            code_challenge_method="S256",
            **({"prompt": "login", "max_age": "0"} if anew else {}),
        )
        members = {name: getattr(asked, name) for name in AuthenticationRequest.__slots__}
        return address, self._vault.seal_secret("openid", json.dumps(members).encode()).hex()

    async def arrive(
        self, parameters: Mapping[str, str], carried: str
    ) -> tuple[AuthenticationRequest, ExternalAccount]:
        """Who came back with these parameters and that request; NotSignedIn when nobody is proven."""
        asked = self._opened(carried)
        if not hmac.compare_digest(parameters.get("state", "").encode(), asked.state.encode()):
            raise NotSignedIn("state is not that of this browser")
        metadata = await self._discovered()
        told = parameters.get("iss")
        needs = metadata.get("authorization_response_iss_parameter_supported") is True
        if (told is not None or needs) and told != self._issuer:
            raise NotSignedIn("the answer comes from another issuer")
        if "error" in parameters or not parameters.get("code"):
            raise NotSignedIn("the provider refused")
        claims = await self._claims(await self._id_token(metadata, parameters["code"], asked.verifier))
        return asked, self._judged(claims, asked)

    def _opened(self, carried: str) -> AuthenticationRequest:
        try:
            asked = AuthenticationRequest(
                **json.loads(self._vault.open_secret("openid", bytes.fromhex(carried)))
            )
        except (InvalidTag, ValueError, TypeError) as broken:
            raise NotSignedIn("the browser carries no request of ours") from broken
        if asked.ends_at_s <= self._clock():
            raise NotSignedIn("the person took too long")
        return asked

    async def _id_token(self, metadata: Mapping[str, Any], code: str, verifier: str) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._back,
            "code_verifier": verifier,
        }
        methods = metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        basic = "client_secret_basic" in methods
        login = quote_plus(self._client_id), quote_plus(self._secret)  # RFC 6749, 2.3.1
        if not basic:
            form |= {"client_id": self._client_id, "client_secret": self._secret}
        auth = httpx.BasicAuth(*login) if basic else None
        answer = await self._fetch("POST", metadata["token_endpoint"], data=form, auth=auth)
        token = answer.get("id_token")
        if not isinstance(token, str) or len(token) > BODY_BYTES_MAX:
            raise NotSignedIn("the token endpoint gave no ID token")
        return token

    async def _claims(self, token: str) -> dict[str, Any]:
        """Claims of a token that a key of the provider has signed; keys are fetched again when it is new."""
        for last in (False, True):
            keys = await self._provider_keys(again=last)
            try:
                return dict(jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims)
            except (JoseError, ValueError, TypeError) as bad:
                if last:
                    raise NotSignedIn("the ID token was not signed by the provider") from bad
        raise AssertionError("the last try answers or raises")

    def _judged(self, claims: Mapping[str, Any], asked: AuthenticationRequest) -> ExternalAccount:
        """The account of an ID token whose signature holds (OpenID Connect Core, 3.1.3.7)."""
        now_s = self._clock()
        audience, subject = claims.get("aud"), claims.get("sub")
        audiences = [audience] if isinstance(audience, str) else audience
        if claims.get("iss") != self._issuer:
            raise NotSignedIn("the ID token has another iss")
        if not isinstance(audiences, list) or self._client_id not in audiences:
            raise NotSignedIn("the ID token is for somebody else")
        if (len(audiences) > 1 or "azp" in claims) and claims.get("azp") != self._client_id:
            raise NotSignedIn("the ID token was given to somebody else")
        if _seconds(claims, "exp") <= now_s - LEEWAY_S or _seconds(claims, "iat") > now_s + LEEWAY_S:
            raise NotSignedIn("the ID token has ended, or has not begun")
        if _seconds(claims, "iat") < now_s - REQUEST_S:
            raise NotSignedIn("the ID token is old")
        nonce = claims.get("nonce")
        if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), asked.nonce.encode()):
            raise NotSignedIn("the ID token was not made for this request")
        if not isinstance(subject, str) or not 0 < len(subject) <= 255:
            raise NotSignedIn("the ID token names nobody")
        return ExternalAccount(self._issuer, subject, self._confirmed_at_s(claims, asked))

    def _confirmed_at_s(self, claims: Mapping[str, Any], asked: AuthenticationRequest) -> int | None:
        """When a second factor was shown there: by acr or amr, whichever of the two the operator trusts."""
        methods = claims.get("amr")
        told = {claims.get("acr"), *(methods if isinstance(methods, list) else ())}
        if not self._factors.intersection(one for one in told if isinstance(one, str)):
            return None
        now_s = int(self._clock())
        if asked.anew and _seconds(claims, "auth_time") < now_s - LEEWAY_S:
            raise NotSignedIn("the person was to prove itself again, and did not")
        # Without auth_time nobody knows when it was: good for a session, not for what needs it fresh.
        at_s = _seconds(claims, "auth_time") if "auth_time" in claims else 0
        return max(1, min(int(at_s), now_s))

    async def _discovered(self) -> dict[str, Any]:
        """The provider's metadata, checked and kept for an hour."""
        if not self._metadata or self._clock() - self._metadata_at_s > DOCUMENTS_S:
            address = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
            found = await self._fetch("GET", address)
            if found.get("issuer") != self._issuer:
                raise NotSignedIn("the provider calls itself otherwise")
            if not all(_is_safe(found.get(name)) for name in _ENDPOINTS):
                raise NotSignedIn("an endpoint of the provider is not https")
            self._metadata, self._metadata_at_s = found, self._clock()
        return self._metadata

    async def _provider_keys(self, *, again: bool) -> KeySet:
        age_s = self._clock() - self._keys_at_s
        if self._keys is None or age_s > (KEYS_AGAIN_S if again else DOCUMENTS_S):
            document = await self._fetch("GET", (await self._discovered())["jwks_uri"])
            try:
                # Only public keys of signatures: a secret there would let HS256 in through the back door.
                members = [one for one in document["keys"] if one.get("kty") in ("RSA", "EC", "OKP")]
                self._keys = KeySet.import_key_set({"keys": members})
            except (JoseError, KeyError, TypeError, ValueError, AttributeError) as bad:
                raise NotSignedIn("the provider's keys cannot be read") from bad
            self._keys_at_s = self._clock()
        return self._keys

    async def _fetch(self, method: str, address: str, **sent: Any) -> dict[str, Any]:
        """A JSON object from the provider; redirects are not followed."""
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False) as http:
                answer = await http.request(method, address, headers={"Accept": "application/json"}, **sent)
            body = (
                answer.json() if answer.status_code == 200 and len(answer.content) <= BODY_BYTES_MAX else None
            )
        except (httpx.HTTPError, ValueError) as error:
            raise NotSignedIn("the provider does not answer") from error
        if not isinstance(body, dict):
            raise NotSignedIn("the provider refused")
        return body


def account_digest(vault: Vault, account: ExternalAccount) -> bytes:
    """What the store knows of an account elsewhere."""
    return vault.digest("openid", json.dumps([account.issuer, account.subject]).encode())


def _seconds(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NotSignedIn(f"the ID token has no {name}")
    return float(value)


def _is_safe(address: object) -> bool:
    parts = urlsplit(address) if isinstance(address, str) else None
    local = (
        parts is not None and parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost")
    )
    return parts is not None and bool(parts.hostname) and (parts.scheme == "https" or local)


def _secret(file: Path | None) -> str:
    return "" if file is None else file.read_text(encoding="utf-8").strip()
