"""The hub's own keys for access tokens: ES256, published as a JWK set, renewed without a break.

A key signs from its hour on, until the next one does, and verifies until the last token that it signed has
ended. All hours stand in the file, so that each process changes over by itself, at the same time
(docs/decisions/0021-signing-keys.md).
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from hub.auth.proofs.jws import BadJws, PublicKey, Unverified, is_signed_by, public_key, sign
from hub.settings import Settings
from hub.store.keyfiles import change_key_file, key_file

ALGORITHM = "ES256"
KEY_FILE = "oauth-signing.json"
"""A JWK set with private keys; `signs_from` of each is in seconds since 1970, 0 when it is absent."""
TOKEN_LIFETIME_S = 300
DOCUMENT_AGE_S = 300
"""How long others may keep the key set and the metadata."""
PUBLISHED_AHEAD_S = 2 * DOCUMENT_AGE_S
"""How long a key is published before it signs: nobody meets a token whose key it has not seen."""
VERIFIES_ON_S = TOKEN_LIFETIME_S + 60
"""How long a key verifies after it has signed last; a minute for clocks that differ."""
LOOK_AGAIN_S = 1.0
"""How soon a process notices that the file has changed."""

log = logging.getLogger(__name__)


class UnderWay(Exception):
    """A key waits to sign already. signs_from_s: when it will, seconds since 1970."""

    def __init__(self, signs_from_s: int) -> None:
        super().__init__(signs_from_s)
        self.signs_from_s = signs_from_s


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key. ends_s: when it no longer verifies, None while no other key follows it."""

    jwk: Mapping[str, Any]
    private: ECKey
    verifier: PublicKey
    signs_from_s: int
    ends_s: int | None

    @property
    def kid(self) -> str:
        """Its name."""
        return str(self.jwk["kid"])

    @property
    def published(self) -> dict[str, Any]:
        """The public JWK, as others see it."""
        return {**self.private.as_dict(private=False), "kid": self.kid, "use": "sig", "alg": ALGORITHM}

    def state(self, now_s: float) -> str:
        """`next`, `current`, `previous` or `ended`."""
        if self.signs_from_s > now_s:
            return "next"
        if self.ends_s is None or now_s < self.ends_s - VERIFIES_ON_S:
            return "current"
        return "previous" if now_s < self.ends_s else "ended"


class Signing:
    """Signs access tokens and knows its own signatures again; keys are found by `kid` alone.

    version: grows when the file has changed.
    """

    def __init__(self, file: Path, clock: Callable[[], float] = time.time) -> None:
        """file: one of KEY_FILE, which exists. clock: seconds since 1970."""
        self._file, self._clock = file, clock
        self._stamp, self._keys = _stamp(file), _read(file)
        self._version, self._look_at_s = 0, time.monotonic() + LOOK_AGAIN_S

    @property
    def version(self) -> int:
        """How often the keys have changed under this process; looks for a change once a second."""
        if time.monotonic() >= self._look_at_s:
            self._look()
        return self._version

    def sign(self, typ: str, claims: Mapping[str, Any]) -> str:
        """A compact JWS of the claims with that `typ`."""
        now_s = self._clock()
        key = next(one for one in self._current() if one.signs_from_s <= now_s)
        return sign({"typ": typ, "alg": ALGORITHM, "kid": key.kid}, claims, key.private)

    def signed(self, statement: Unverified) -> bool:
        """Whether one of the hub's keys that verify now made this signature."""
        kid = statement.header.get("kid")
        if not any(one.kid == kid for one in self._current()):
            self._look()  # Another process may have begun to sign with a key that is new here.
        now_s = self._clock()
        return any(
            one.kid == kid and one.state(now_s) != "ended" and is_signed_by(statement, one.verifier)
            for one in self._keys
        )

    def listed(self) -> list[tuple[SigningKey, str]]:
        """Each key that has not ended, the newest first, with its state."""
        now_s = self._clock()
        states = [(one, one.state(now_s)) for one in self._current()]
        return [(one, state) for one, state in states if state != "ended"]

    def jwks(self) -> dict[str, Any]:
        """The public JWK set (RFC 7517) that `/oauth/jwks` answers with: next, current, previous."""
        return {"keys": [one.published for one, _ in self.listed()]}

    def _current(self) -> tuple[SigningKey, ...]:
        _ = self.version
        return self._keys

    def _look(self) -> None:
        self._look_at_s = time.monotonic() + LOOK_AGAIN_S
        try:
            stamp = _stamp(self._file)
            if stamp != self._stamp:
                self._keys, self._stamp, self._version = _read(self._file), stamp, self._version + 1
        except (OSError, ValueError, TypeError, KeyError, BadJws, JoseError) as error:
            # The keys that are known go on signing; the operator has to mend the file.
            log.error("signing_keys_unreadable", extra={"why": type(error).__name__})


def open_signing(settings: Settings, clock: Callable[[], float] = time.time) -> Signing:
    """The signing keys in the keys folder; a first key is made when there is none."""
    key_file(settings.keys_dir, KEY_FILE, lambda: _written([_new_key(0)]))
    return Signing(settings.keys_dir / KEY_FILE, clock)


def rotate(folder: Path, now_s: int, *, compromised: bool = False) -> str:
    """Publish a new key now, to sign from PUBLISHED_AHEAD_S on; forget those that have ended. The new `kid`.

    compromised: the new key signs at once and no other verifies: every token ends. UnderWay when a key
    waits already; KeyFileBusy when another process is at it.
    """

    new = _new_key(now_s if compromised else now_s + PUBLISHED_AHEAD_S)

    def changed(content: bytes) -> bytes:
        if compromised:
            return _written([new])
        kept = [one for one in _parsed(content) if one.state(now_s) != "ended"]
        if kept[0].state(now_s) == "next":
            raise UnderWay(kept[0].signs_from_s)
        return _written([new, *(one.jwk for one in kept)])

    change_key_file(folder, KEY_FILE, changed)
    return str(new["kid"])


def _read(file: Path) -> tuple[SigningKey, ...]:
    return _parsed(file.read_bytes())


def _parsed(content: bytes) -> tuple[SigningKey, ...]:
    """The keys, the newest first; at least one, and the oldest signs already."""
    jwks = sorted(json.loads(content)["keys"], key=lambda jwk: -int(jwk.get("signs_from", 0)))
    keys: list[SigningKey] = []
    for jwk in jwks:
        private = ECKey.import_key({name: jwk[name] for name in ("kty", "crv", "x", "y", "d")})
        ends_s = keys[-1].signs_from_s + VERIFIES_ON_S if keys else None
        verifier = public_key(private.as_dict(private=False))
        keys.append(SigningKey(jwk, private, verifier, int(jwk.get("signs_from", 0)), ends_s))
    if not keys:
        raise ValueError("there is no key")
    return tuple(keys)


def _written(jwks: Iterable[Mapping[str, Any]]) -> bytes:
    return json.dumps({"keys": [dict(jwk) for jwk in jwks]}).encode()


def _new_key(signs_from_s: int) -> dict[str, Any]:
    jwk = ECKey.generate_key("P-256", auto_kid=True).as_dict(private=True)
    return {**jwk, "signs_from": signs_from_s}


def _stamp(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_mtime_ns, found.st_ino
