"""The one question that tells a ready broker: its metadata, asked in the protocol of Apache Kafka.

Written out so that this folder needs no client library. Old versions of the requests, which have the simple
encoding; every broker of Kafka 4 answers them. Source: kafka.apache.org/protocol, RFC 5802 (SCRAM).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import socket
import struct
from dataclasses import dataclass

METADATA, SASL_HANDSHAKE, SASL_AUTHENTICATE = 3, 17, 36
MECHANISM = "SCRAM-SHA-512"
CLIENT_ID = "deploy-local"
ANSWER_BYTES_MAX = 1 << 20


class NotReady(Exception):
    """No answer, or one that is none: nobody listens, the broker is starting, the user is not known yet."""


@dataclass(frozen=True, slots=True)
class Login:
    """Who asks, where the listener wants to know."""

    username: str
    password: str


def live_brokers(host: str, port: int, login: Login | None, timeout_s: float) -> set[int]:
    """Numbers of the brokers that this one tells its clients about.

    NotReady when it gives no answer; timeout_s bounds each of the few steps.
    """
    try:
        with socket.create_connection((host, port), timeout_s) as connection:
            if login:
                _log_in(connection, login)
            answer = _ask(connection, METADATA, 1, struct.pack(">i", 0))  # Of no topic.
            return _broker_numbers(answer)
    except (OSError, ValueError, KeyError, struct.error) as fault:
        raise NotReady(str(fault)) from fault


def _broker_numbers(answer: bytes) -> set[int]:
    count, position = struct.unpack_from(">i", answer)[0], 4
    numbers = set()
    for _ in range(count):
        number, host_bytes = struct.unpack_from(">ih", answer, position)
        numbers.add(number)
        position += 6 + host_bytes + 4
        rack_bytes = struct.unpack_from(">h", answer, position)[0]
        position += 2 + max(rack_bytes, 0)
    return numbers


def _log_in(connection: socket.socket, login: Login) -> None:
    """SCRAM-SHA-512; ValueError when the broker refuses, or does not know the password itself."""
    mechanism = _ask(connection, SASL_HANDSHAKE, 1, _text(MECHANISM))
    if error := struct.unpack_from(">h", mechanism)[0]:
        raise ValueError(f"the broker refuses {MECHANISM} with error {error}")
    nonce = secrets.token_urlsafe(18)
    opening = f"n={login.username},r={nonce}"
    challenge = _authenticate(connection, f"n,,{opening}")
    fields = dict(field.split("=", 1) for field in challenge.split(","))
    if not fields["r"].startswith(nonce):
        raise ValueError("the broker answers another client's nonce")
    closing = f"c=biws,r={fields['r']}"
    signed = f"{opening},{challenge},{closing}".encode()
    salted = hashlib.pbkdf2_hmac(
        "sha512", login.password.encode(), base64.b64decode(fields["s"]), int(fields["i"])
    )
    client_key = _mac(salted, b"Client Key")
    signature = _mac(hashlib.sha512(client_key).digest(), signed)
    proof = bytes(one ^ other for one, other in zip(client_key, signature, strict=True))
    verdict = _authenticate(connection, f"{closing},p={base64.b64encode(proof).decode()}")
    expected = base64.b64encode(_mac(_mac(salted, b"Server Key"), signed)).decode()
    if verdict != f"v={expected}":
        raise ValueError("the broker does not prove that it knows the password")


def _authenticate(connection: socket.socket, message: str) -> str:
    content = message.encode()
    answer = _ask(connection, SASL_AUTHENTICATE, 0, struct.pack(">i", len(content)) + content)
    error, reason_bytes = struct.unpack_from(">hh", answer)
    if error:
        raise ValueError(answer[4 : 4 + max(reason_bytes, 0)].decode() or f"error {error}")
    position = 4 + max(reason_bytes, 0)
    size = struct.unpack_from(">i", answer, position)[0]
    return answer[position + 4 : position + 4 + size].decode()


def _ask(connection: socket.socket, request: int, version: int, body: bytes) -> bytes:
    """The body of the answer. One request at a time, so that its correlation id tells nothing."""
    message = struct.pack(">hhi", request, version, 0) + _text(CLIENT_ID) + body
    connection.sendall(struct.pack(">i", len(message)) + message)
    size = struct.unpack(">i", _read(connection, 4))[0]
    if not 4 <= size <= ANSWER_BYTES_MAX:
        raise ValueError(f"an answer of {size} bytes")
    return _read(connection, size)[4:]


def _read(connection: socket.socket, size: int) -> bytes:
    content = b""
    while len(content) < size:
        part = connection.recv(size - len(content))
        if not part:
            raise ConnectionError("the broker closed the connection")
        content += part
    return content


def _text(value: str) -> bytes:
    content = value.encode()
    return struct.pack(">h", len(content)) + content


def _mac(key: bytes, content: bytes) -> bytes:
    return hmac.new(key, content, hashlib.sha512).digest()
