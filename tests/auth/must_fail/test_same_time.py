"""Who is no client, and who is one without its key, cannot be told apart by the work that the hub does."""

from __future__ import annotations

import random
import time
from statistics import median

from hub.auth.oauth.calls import NOT_PROVEN
from hub.auth.proofs.assertions import Prover, read_assertion
from hub.store.clients import find_client
from tests.auth.world import ISSUER, STRANGER, World

ROUNDS = 80
APART_MAX = 0.15
"""Medians of processor time differ by less between a client and nobody; without the decoys by more."""


async def test_an_unknown_client_and_a_bad_key_cost_the_same(kent: World) -> None:
    kinds = {"known": "kent", "unknown": "nobody"}
    spent_s: dict[str, list[float]] = {kind: [] for kind in kinds}
    for number in range(ROUNDS + 10):
        for kind in random.sample(list(kinds), 2):
            assertion = kent.assertion(kinds[kind], key=STRANGER)
            begun_s = time.process_time()
            answer = await kent.ask(client_assertion=assertion)
            took_s = time.process_time() - begun_s
            assert (answer.status_code, answer.json()["error_description"]) == (401, NOT_PROVEN)
            if number >= 10:  # What is done for the first time takes longer.
                spent_s[kind].append(took_s)
    known, unknown = (median(spent_s[kind]) for kind in ("known", "unknown"))
    assert abs(known - unknown) < APART_MAX * max(known, unknown), (known, unknown)


async def test_the_check_of_the_signature_costs_the_same_with_and_without_a_client(kent: World) -> None:
    prover = Prover()
    client = await kent.store.inspect(lambda conn: find_client(conn, "kent"))
    spent_s: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(3 * ROUNDS):
        text = kent.assertion(key=STRANGER)
        assertion = read_assertion(text, ISSUER, kent.clock())
        for is_known in random.sample([True, False], 2):
            begun_s = time.process_time()
            assert not prover.signer(assertion, client if is_known else None)
            spent_s[is_known].append(time.process_time() - begun_s)
    known, unknown = (median(spent_s[kind]) for kind in (True, False))
    assert abs(known - unknown) < APART_MAX * max(known, unknown), (known, unknown)
