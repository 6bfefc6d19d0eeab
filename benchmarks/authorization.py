"""Tokens: the endpoint over real HTTP on durable PostgreSQL, and what their check costs a request.

The endpoint verifies an assertion, uses it up durably and signs a token; the check is that of every request
with a bearer token, in this process. Costs are of processor time, which a busy machine does not lengthen
as it does waits. Peer in the same run: bare ES256 by the same library.
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import psutil
import uvloop
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc.jwk import ECKey

from benchmarks.load import HOST, PARTNER, Load, closed_loop
from benchmarks.rows import Row, figure, percentile
from benchmarks.serving import Place, enrol, place, real_parts, running, scratch
from hub.auth.oauth.signing import open_signing
from hub.auth.oauth.tokens import Tokens
from hub.auth.proofs.assertions import ASSERTION_TYPE
from hub.auth.proofs.jws import sign
from hub.store.clients import find_client
from hub.store.opening import open_store

LANES, RUN_S, REQUESTS_MAX = 8, 3.0, 6_000
CHECKS, ROUNDS = 400, 5
TOKENS_TARGET_PER_S, P99_TARGET_MS = 400, 20.0
CHECK_TARGET_MS, REMEMBERED_TARGET_MS = 0.3, 0.1
VERIFY, BOTH = "one bare ES256 verification", "a bare ES256 verification and signature"


def measure() -> list[Row]:
    """The endpoint, then the check on both engines."""
    with scratch() as folder, real_parts(folder, kafka=False) as (postgres, _):
        url = postgres.create_database("hub")
        # Nothing listens there: no worker shares the processor with what is measured.
        where = place(
            folder / "data", database_url=url, kafka_bootstrap="127.0.0.1:9", quota_tokens_per_s="0"
        )
        embedded = place(folder / "embedded")
        enrol(where)
        enrol(embedded)
        with running(where, "serve") as server:
            assert server.pid is not None
            rows = uvloop.run(_endpoint(where, psutil.Process(server.pid)))
        for name, one in (("PostgreSQL", where), ("SQLite", embedded)):
            rows += uvloop.run(_check(name, one))
        return rows


async def _endpoint(where: Place, server: psutil.Process) -> list[Row]:
    await closed_loop(where.port, _requests(where, 300), LANES, RUN_S, 200)
    requests, begun_s = _requests(where, REQUESTS_MAX), _cpu_s(server)
    load: Load = await closed_loop(where.port, requests, LANES, RUN_S, 200)
    cost_ms = (_cpu_s(server) - begun_s) * 1000 / len(load.latencies_s)
    verify_ms, sign_ms = _bare_ms()
    name, p99_ms = "tokens: ", percentile(load.latencies_s, 0.99) * 1000
    return [
        figure(
            f"{name}a core, private_key_jwt, PostgreSQL",
            1000 / cost_ms,
            "tokens/s",
            peer=BOTH,
            ratio=(verify_ms + sign_ms) / cost_ms,
            target=TOKENS_TARGET_PER_S,
        ),
        figure(f"{name}{LANES} connections", load.rate, "tokens/s"),
        figure(f"{name}{LANES} connections, p99", p99_ms, "ms", target=P99_TARGET_MS, at_most=True),
    ]


async def _check(engine: str, where: Place) -> list[Row]:
    """Milliseconds of processor time of a check, one request after the other."""
    settings = where.opened()
    store = open_store(settings.data_dir, settings.database_url)
    tokens = Tokens(store, settings, open_signing(settings))
    client = await store.inspect(lambda conn: find_client(conn, PARTNER))
    assert client is not None
    rows = []
    try:
        for name, target, renewed in (
            ("for the first time", CHECK_TARGET_MS, True),
            ("seen before", REMEMBERED_TARGET_MS, False),
        ):
            batches = [
                [tokens.issue(client, "events:publish", None) for _ in range(CHECKS if renewed else 1)]
                for _ in range(ROUNDS)
            ]
            cost_ms = min([await _cost_ms(tokens.held, batch, CHECKS // len(batch)) for batch in batches])
            rows.append(
                figure(
                    f"token check, {name}, {engine}",
                    cost_ms,
                    "ms",
                    peer=VERIFY,
                    ratio=_bare_ms()[0] / cost_ms,
                    target=target,
                    at_most=True,
                )
            )
    finally:
        await store.close()
    return rows


async def _cost_ms(held: Callable[[str], Awaitable[Any]], batch: list[str], times: int) -> float:
    if times > 1:
        await held(batch[0])
    begun_s = time.process_time()
    for _ in range(times):
        for token in batch:
            await held(token)
    return (time.process_time() - begun_s) * 1000 / (times * len(batch))


def _requests(where: Place, number: int) -> list[bytes]:
    """Token requests with an assertion each, as they go over the wire."""
    row = json.loads((Path(where.data_dir) / "client.json").read_text(encoding="utf-8"))
    jwk = row["private_key_jwk"]
    key, now_s = ECKey.import_key(jwk), int(time.time())
    claims = {"iss": PARTNER, "sub": PARTNER, "aud": where.base_url, "exp": now_s + 240}
    requests = []
    for _ in range(number):
        assertion = sign({"alg": "ES256", "kid": jwk["kid"]}, {**claims, "jti": str(uuid4())}, key)
        body = urlencode(
            {
                "grant_type": "client_credentials",
                "scope": "events:publish",
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": assertion,
            }
        ).encode()
        head = (
            f"POST /oauth/token HTTP/1.1\r\nhost: {HOST}\r\n"
            "content-type: application/x-www-form-urlencoded\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        )
        requests.append(head.encode() + body)
    return requests


def _bare_ms() -> tuple[float, float]:
    """Processor time of a bare verification, and of a bare signature."""
    key, algorithm, text = ec.generate_private_key(ec.SECP256R1()), ec.ECDSA(hashes.SHA256()), b"x" * 500
    signature, public = key.sign(text, algorithm), key.public_key()
    costs_ms = []
    for act in (lambda: public.verify(signature, text, algorithm), lambda: key.sign(text, algorithm)):
        rounds = []
        for _ in range(ROUNDS):
            begun_s = time.process_time()
            for _ in range(CHECKS):
                act()
            rounds.append((time.process_time() - begun_s) * 1000 / CHECKS)
        costs_ms.append(min(rounds))
    return costs_ms[0], costs_ms[1]


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
