"""Keys of firms and persons: what is sealed under a key can be read only while the key exists.

Each subject has a random surrogate and a random AES-256 key, wrapped by the hub's key-encryption key. Its
wire id survives as a keyed digest alone, so that later events on an erased subject are recognised.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, select

from hub.domain.marks import Sealed
from hub.store.bulk import Rows, write
from hub.store.keyfiles import key_file
from hub.store.lookup import Lookup
from hub.store.tables import subject_key

NONCE_BYTES = 12
PREFIX = "sealed"


_KEYS = select(subject_key.c.digest, subject_key.c.surrogate, subject_key.c.wrapped_key)
BY_DIGEST = Lookup(_KEYS, subject_key.c.digest)
_BY_SURROGATE = Lookup(_KEYS, subject_key.c.surrogate)
_SEALED_IDS = Lookup(
    select(subject_key.c.surrogate, subject_key.c.wrapped_key, subject_key.c.sealed_id).where(
        subject_key.c.wrapped_key.is_not(None)
    ),
    subject_key.c.surrogate,
)


@dataclass(frozen=True, slots=True)
class Subject:
    """A firm or person; cipher is None once it is erased."""

    surrogate: str
    cipher: AESGCM | None


class Vault:
    """Seals, and finds the keys to do it with. Secrets: files `kek` and `digest` of the keys folder."""

    def __init__(self, keys_dir: Path) -> None:
        self._kek = AESGCM(key_file(keys_dir, "kek", lambda: os.urandom(32)))
        self._digest_key = key_file(keys_dir, "digest", lambda: os.urandom(32))

    def digest(self, purpose: str, content: bytes) -> bytes:
        """Keyed digest: equal for equal content, and of no use to one who guesses at content."""
        return hmac.digest(self._digest_key, purpose.encode() + b"\0" + content, hashlib.sha256)

    def subject_digest(self, wire_id: str) -> bytes:
        """Digest that a subject is found by."""
        return self.digest("subject", wire_id.encode())

    def seal_secret(self, name: str, content: bytes) -> bytes:
        """Seal a secret that the hub itself must be able to read, under the hub's own key and that name."""
        return _encrypt(self._kek, content, f"secret:{name}")

    def open_secret(self, name: str, content: bytes) -> bytes:
        """Undo seal_secret; the name must be the same."""
        return _decrypt(self._kek, content, f"secret:{name}")

    def seal_parked(self, id_: str, content: bytes) -> bytes:
        """Seal what nobody can read, and which may therefore be about anybody, under the hub's own key."""
        return _encrypt(self._kek, content, f"parked:{id_}")

    def open_parked(self, id_: str, content: bytes) -> bytes:
        """Undo seal_parked."""
        return _decrypt(self._kek, content, f"parked:{id_}")

    def subjects(self, conn: Connection, wire_ids: Iterable[str]) -> dict[str, Subject]:
        """Subjects by wire id, those that exist."""
        digests = self.digests(wire_ids)
        return self.found(digests, BY_DIGEST.rows(conn, digests))

    def digests(self, wire_ids: Iterable[str]) -> dict[bytes, str]:
        """Wire ids by the digest that BY_DIGEST finds them by."""
        return {self.subject_digest(one): one for one in wire_ids}

    def found(self, digests: Mapping[bytes, str], rows: Iterable[Any]) -> dict[str, Subject]:
        """Subjects by wire id, of rows that BY_DIGEST found."""
        return {digests[row.digest]: self._subject(row.surrogate, row.wrapped_key) for row in rows}

    def by_surrogate(self, conn: Connection, surrogates: Iterable[str]) -> dict[str, Subject]:
        """Subjects by surrogate, those that exist."""
        return {
            row.surrogate: self._subject(row.surrogate, row.wrapped_key)
            for row in _BY_SURROGATE.rows(conn, set(surrogates))
        }

    def make(self, wire_id: str) -> tuple[Subject, dict[str, Any]]:
        """A new subject with a surrogate and a key of its own, and the row to keep it by."""
        surrogate, key = str(uuid4()), os.urandom(32)
        cipher = AESGCM(key)
        row = {
            "surrogate": surrogate,
            "digest": self.subject_digest(wire_id),
            "wrapped_key": _encrypt(self._kek, key, surrogate),
            "sealed_id": _encrypt(cipher, wire_id.encode(), surrogate),
        }
        return Subject(surrogate, cipher), row

    def wire_ids(self, conn: Connection, surrogates: Iterable[str]) -> dict[str, str]:
        """Wire ids by surrogate; erased subjects are absent."""
        return {
            row.surrogate: _decrypt(
                AESGCM(_decrypt(self._kek, row.wrapped_key, row.surrogate)), row.sealed_id, row.surrogate
            ).decode()
            for row in _SEALED_IDS.rows(conn, set(surrogates))
        }

    def _subject(self, surrogate: str, wrapped_key: bytes | None) -> Subject:
        if wrapped_key is None:
            return Subject(surrogate, None)
        return Subject(surrogate, AESGCM(_decrypt(self._kek, wrapped_key, surrogate)))


def seal(subject: Subject, value: Any) -> Sealed:
    """A JSON value as cipher text that names its subject."""
    content = json.dumps(value, ensure_ascii=False).encode()
    return Sealed(f"{PREFIX}.{subject.surrogate}.{_text(seal_bytes([subject], content))}")


def save_subjects(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Keep new subjects."""
    write(conn, made(rows))


def made(rows: Sequence[dict[str, Any]]) -> Rows:
    """New subjects, to be written."""
    return Rows(subject_key, rows)


def seal_bytes(subjects: Iterable[Subject], content: bytes) -> bytes:
    """Bytes sealed under each subject in turn: readable only while all of them exist."""
    for subject in subjects:
        # What is still said of an erased subject is sealed under a key that nobody keeps.
        cipher = subject.cipher or AESGCM(os.urandom(32))
        content = _encrypt(cipher, content, subject.surrogate)
    return content


def open_bytes(subjects: Iterable[Subject], content: bytes) -> bytes | None:
    """Undo seal_bytes, given the same subjects in the same order; None when one is erased."""
    for subject in reversed(list(subjects)):
        if subject.cipher is None:
            return None
        content = _decrypt(subject.cipher, content, subject.surrogate)
    return content


def surrogate_of(sealed: str) -> str:
    """Surrogate of the subject that a value is sealed under."""
    return sealed.split(".", 2)[1]


def unseal(sealed: str, subjects: dict[str, Subject]) -> Any:
    """The JSON value; None when its subject is erased or not among those given (by surrogate)."""
    subject = subjects.get(surrogate_of(sealed))
    if subject is None or subject.cipher is None:
        return None
    return json.loads(_decrypt(subject.cipher, _bytes(sealed.split(".", 2)[2]), subject.surrogate))


def _encrypt(cipher: AESGCM, content: bytes, surrogate: str) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, content, surrogate.encode())


def _decrypt(cipher: AESGCM, content: bytes, surrogate: str) -> bytes:
    return cipher.decrypt(content[:NONCE_BYTES], content[NONCE_BYTES:], surrogate.encode())


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text)
