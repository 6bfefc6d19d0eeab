"""Signed checkpoints: size and root of the tree as a C2SP signed note with Ed25519.

Source: https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint. The note ends in signature lines of
any number of keys (the log's, its next one's, witnesses'); one configured key decides, the others are not
looked at.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hub.ledger.merkle import EMPTY_ROOT, HASH_BYTES, SIZE_MAX

NOTE_CHARS_MAX = 262_144
"""A note must be able to carry 16 signatures, and a post-quantum one has nearly 5 kB."""

_ED25519 = b"\x01"
_KEY_ID_BYTES = 4
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_SIGNATURE_LINE = re.compile(r"— (?P<name>[^ ]+) (?P<signature>[^ ]+)")
_VERIFIER_KEY = re.compile(r"(?P<name>[^+]+)\+(?P<key_id>[0-9a-f]{8})\+(?P<key>.+)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log has signed. origin: which log; size: number of leaves; root: 32 bytes."""

    origin: str
    size: int
    root: bytes


def verifier_key(origin: str, public_key: Ed25519PublicKey) -> str:
    """The key as clients configure it: `<origin>+<key id, 8 hex digits>+<base64 of type and key>`.

    origin: not empty, no spaces, plus signs or control characters (ValueError).
    """
    _check_name(origin)
    raw = _ED25519 + public_key.public_bytes_raw()
    return f"{origin}+{_key_id(origin, raw).hex()}+{b64encode(raw).decode()}"


def sign(origin: str, size: int, root: bytes, private_key: Ed25519PrivateKey) -> str:
    """The checkpoint as a note with one signature; the key's name is the origin.

    origin: as in verifier_key. size: leaves, from 0. root: 32 bytes; EMPTY_ROOT if and only if size is 0.
    ValueError otherwise. Never sign a tree that does not extend the last one signed: that ends all trust.
    """
    _check_name(origin)
    if not _is_head(size, root):
        raise ValueError(f"size {size} with root {root.hex()} is no tree head")
    text = f"{origin}\n{size}\n{b64encode(root).decode()}\n"
    key_id = _key_id(origin, _ED25519 + private_key.public_key().public_bytes_raw())
    signature = b64encode(key_id + private_key.sign(text.encode())).decode()
    return f"{text}\n— {origin} {signature}\n"


def verify(note_text: str, vkey: str, *, origin: str | None = None) -> Checkpoint | None:
    """The checkpoint, if the key signed it and it is well formed to the letter; None otherwise.

    note_text: from anyone. vkey: as verifier_key gives it (a malformed one trusts nothing: None).
    origin: which log is expected; the name of the key unless said, for one key may sign several logs.
    """
    key = _parse_verifier_key(vkey)
    parts = _split(note_text)
    if key is None or parts is None:
        return None
    text, signatures = parts
    own = [raw for name, raw in signatures if (name, raw[:_KEY_ID_BYTES]) == (key.name, key.key_id)]
    if not own:
        return None
    try:
        for raw in own:  # One bad signature under our key's name and id condemns the note.
            key.public_key.verify(raw[_KEY_ID_BYTES:], text.encode())
    except InvalidSignature:
        return None
    found = _parse_text(text)
    return found if found and found.origin == (key.name if origin is None else origin) else None


@dataclass(frozen=True, slots=True)
class _Key:
    name: str
    key_id: bytes
    public_key: Ed25519PublicKey


def _parse_verifier_key(vkey: str) -> _Key | None:
    match = _VERIFIER_KEY.fullmatch(vkey)
    if match is None or not _is_name(match["name"]):
        return None
    raw = _base64(match["key"])
    if raw is None or raw[:1] != _ED25519 or _key_id(match["name"], raw).hex() != match["key_id"]:
        return None
    try:
        public_key = Ed25519PublicKey.from_public_bytes(raw[1:])
    except ValueError:
        return None
    return _Key(match["name"], bytes.fromhex(match["key_id"]), public_key)


def _split(note: str) -> tuple[str, list[tuple[str, bytes]]] | None:
    """Signed text and (key name, key id and signature) of each signature line."""
    if len(note) > NOTE_CHARS_MAX or _CONTROL.search(note) or not _is_unicode(note):
        return None
    head, blank, tail = note.rpartition("\n\n")
    if not (head and blank and tail.endswith("\n")):
        return None
    signatures = []
    for line in tail[:-1].split("\n"):
        match = _SIGNATURE_LINE.fullmatch(line)
        raw = _base64(match["signature"]) if match else None
        if match is None or raw is None or not _is_name(match["name"]) or len(raw) <= _KEY_ID_BYTES:
            return None
        signatures.append((match["name"], raw))
    return head + "\n", signatures


def _parse_text(text: str) -> Checkpoint | None:
    """Origin, size and root; extension lines behind them are opaque, and may not be empty."""
    lines = text[:-1].split("\n")
    if len(lines) < 3 or not all(lines) or not _SIZE.fullmatch(lines[1]):
        return None
    size, root = int(lines[1]), _base64(lines[2])
    return Checkpoint(lines[0], size, root) if root is not None and _is_head(size, root) else None


def _is_head(size: int, root: bytes) -> bool:
    return 0 <= size <= SIZE_MAX and len(root) == HASH_BYTES and (size == 0) == (root == EMPTY_ROOT)


def _key_id(name: str, raw: bytes) -> bytes:
    """First bytes of the hash over name and key; raw: type byte and 32 bytes of key."""
    return sha256(name.encode() + b"\n" + raw).digest()[:_KEY_ID_BYTES]


def _check_name(name: str) -> None:
    if not _is_name(name):
        raise ValueError(f"{name!r} cannot name a log: no spaces, plus signs or control characters")


def _is_name(name: str) -> bool:
    if not name or "+" in name or any(map(str.isspace, name)):
        return False
    return not _CONTROL.search(name) and _is_unicode(name)


def _is_unicode(text: str) -> bool:
    """False for lone surrogates: Python's strings may hold them, UTF-8 has none."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _base64(text: str) -> bytes | None:
    """Bytes of canonical, padded base64; None for anything else (another spelling is another note)."""
    try:
        raw = b64decode(text, validate=True)
    except ValueError:
        return None
    return raw if b64encode(raw).decode() == text else None
