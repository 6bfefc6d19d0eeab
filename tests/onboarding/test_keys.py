"""Keys that a client adds and retires itself: never by a token alone, never without the other key."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import OKPKey

from hub.auth.client import TokenRefused
from hub.auth.proofs.jws import sign
from hub.store.thumbprint import thumbprint
from tests.onboarding.hands import Hands, generate_key, hands, problem, public, statement
from tests.support.messages import EEN, KENT, NORMANDY
from tests.support.serving import MANAGER, Served, serving

INVALID, CONFLICT = (422, "credential.invalid"), (409, "credential.conflict")


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path / "hub") as served:
        yield served


@pytest.fixture(params=[KENT, NORMANDY], ids=["bearer", "dpop"])
async def contact(hub: Served, request: pytest.FixtureRequest) -> AsyncIterator[Hands]:
    """The technical contact of a partner, with each kind of token."""
    async with hands(hub, request.param) as client:
        yield client


@pytest.fixture
async def fresh(hub: Served) -> AsyncIterator[Hands]:
    """A client whose keys the test changes."""
    async with hands(hub, KENT) as client:
        yield client


@pytest.fixture
async def kent(served: Served) -> AsyncIterator[Hands]:
    """A client whose keys no test changes."""
    async with hands(served, KENT) as client:
        yield client


async def test_a_key_is_changed_without_a_moment_in_which_none_works(contact: Hands) -> None:
    new = generate_key()
    added = await contact.add(new)
    assert added.status_code == 201, added.text
    assert {key["kid"] for key in added.json()["keys"]} == {contact.key["kid"], new["kid"]}
    later = contact.with_key(new)
    assert (await contact.ask("GET", "/clients/me")).status_code == 200
    assert (await later.ask("GET", "/clients/me")).status_code == 200
    retired = await later.retire(contact.key, by=new)
    assert retired.status_code == 200, retired.text
    assert await later.kids() == {new["kid"]}
    with pytest.raises(TokenRefused, match="invalid_client"):
        await contact.with_key(contact.key).ask("GET", "/clients/me")


async def test_a_client_sees_itself_and_nobody_else(contact: Hands) -> None:
    me = (await contact.ask("GET", "/clients/me")).json()
    assert (me["client_id"], me["partner"], me["audience"]) == (contact.id, contact.id, "partner")
    assert set(me["scopes"]) == set(contact.row["scopes"])
    assert me["dpop"] is contact.row["dpop"]
    assert [(key["kid"], key["thumbprint"]) for key in me["keys"]] == [
        (contact.key["kid"], thumbprint(contact.key))
    ]
    assert {quota["name"] for quota in me["quotas"]} == {"events", "bytes", "cost"}
    assert [one["client_id"] for one in (await contact.ask("GET", "/clients")).json()["clients"]] == [
        contact.id
    ]
    for path in (f"/clients/{EEN}", "/clients/nobody", f"/clients/{MANAGER}"):
        answer = await contact.ask("GET", path)
        assert problem(answer) == (404, "resource.not_found")
        assert EEN not in answer.text


async def test_another_partner_can_do_nothing_to_the_keys_and_learns_nothing(served: Served) -> None:
    async with hands(served, EEN) as een, hands(served, KENT) as kent:
        body = await kent.new_key(generate_key())
        answers = [await een.ask("POST", f"/clients/{client}/keys", body) for client in (KENT, "nobody")]
        answers += [await een.ask("POST", f"/clients/{KENT}/keys/challenge")]
        answers += [await een.ask("DELETE", f"/clients/{KENT}/keys/{kent.key['kid']}")]
        assert {problem(answer) for answer in answers} == {(404, "resource.not_found")}
        assert len({answer.content for answer in answers}) == 1
        assert await kent.kids() == {kent.key["kid"]}


async def test_a_manager_sees_the_client_of_a_partner_and_cannot_give_it_a_key(served: Served) -> None:
    async with hands(served, MANAGER) as manager, hands(served, KENT) as kent:
        body = await kent.new_key(generate_key())
        assert (await manager.ask("GET", f"/clients/{KENT}")).status_code == 200
        answer = await manager.ask("POST", f"/clients/{KENT}/keys", body)
        assert problem(answer) == (404, "resource.not_found")


async def test_a_token_alone_never_adds_a_key(kent: Hands) -> None:
    """A stolen token, or one with few scopes, would become a key with the whole grant."""
    new = generate_key()
    body = await kent.new_key(new)
    own_word = {**body, "approval": body["proof"]}
    for given in (
        {**body, "approval": None},
        {**body, "approval": statement(new, **kent.claims("x", new))},
        own_word,
    ):
        answer = await kent.ask("POST", f"/clients/{KENT}/keys", given, scopes=["partners:self"])
        assert problem(answer) == INVALID
    assert await kent.kids() == {kent.key["kid"]}


async def test_a_token_without_the_scope_does_nothing_here(kent: Hands) -> None:
    body = await kent.new_key(generate_key())
    others = [scope for scope in kent.row["scopes"] if scope != "partners:self"]
    for method, path in (("GET", "/clients/me"), ("POST", f"/clients/{KENT}/keys"), ("GET", "/clients")):
        answer = await kent.ask(method, path, body, scopes=others)
        assert problem(answer) == (403, "scope.missing")
    assert problem(await kent.http.get("/clients/me")) == (401, "token.missing")


WRONG: dict[str, Any] = {
    "another audience": {"aud": "https://elsewhere.example"},
    "audience as a list": {"aud": ["http://127.0.0.1"]},
    "another client": {"sub": "somebody-else"},
    "another act": {"act": "retire"},
    "another key": {"jkt": "x" * 43},
    "no challenge": {"nonce": None},
    "a made-up challenge": {"nonce": "A" * 75},
    "a challenge that is no text": {"nonce": 7},
    "more than it means": {"scope": "partners:admin"},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
@pytest.mark.parametrize("whose", ["proof", "approval"])
async def test_a_statement_that_says_something_else_is_refused(
    kent: Hands, wrong: dict[str, Any], whose: str
) -> None:
    new, challenge = generate_key(), await kent.challenge()
    good = kent.claims(challenge, new)
    bad = {name: value for name, value in {**good, **wrong}.items() if value is not None}
    body = {
        "jwk": public(new),
        "proof": statement(new, **(bad if whose == "proof" else good)),
        "approval": statement(kent.key, **(bad if whose == "approval" else good)),
    }
    assert problem(await kent.ask("POST", f"/clients/{KENT}/keys", body)) == INVALID
    assert await kent.kids() == {kent.key["kid"]}


HEADERS: dict[str, dict[str, Any]] = {
    "assertion": {"typ": "JWT"},
    "dpop proof": {"typ": "dpop+jwt"},
    "no type": {"typ": None},
    "embedded key": {"jwk": {"kty": "EC"}},
    "key set elsewhere": {"jku": "https://elsewhere.example/jwks"},
    "unknown key": {"kid": "../../keys/kek"},
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS.keys())
async def test_what_was_signed_for_another_purpose_is_refused(kent: Hands, header: dict[str, Any]) -> None:
    new, challenge = generate_key(), await kent.challenge()
    claims = kent.claims(challenge, new)
    body = {
        "jwk": public(new),
        "proof": statement(new, **claims),
        "approval": statement(kent.key, header=header, **claims),
    }
    assert problem(await kent.ask("POST", f"/clients/{KENT}/keys", body)) == INVALID


async def test_a_key_is_not_taken_from_one_who_does_not_hold_it(kent: Hands) -> None:
    new, other, challenge = generate_key(), generate_key(), await kent.challenge()
    claims = kent.claims(challenge, new)
    body = {
        "jwk": public(new),
        "proof": statement(other, **claims),
        "approval": statement(kent.key, **claims),
    }
    assert problem(await kent.ask("POST", f"/clients/{KENT}/keys", body)) == INVALID


async def test_ed25519_keys_come_in_as_well(fresh: Hands) -> None:
    key = OKPKey.generate_key("Ed25519", auto_kid=True)
    jwk = dict(key.as_dict(private=False))
    claims = fresh.claims(await fresh.challenge(), jwk)
    proof = sign({"typ": "hub-key+jwt", "alg": "Ed25519"}, claims, key)
    body = {"jwk": jwk, "proof": proof, "approval": statement(fresh.key, **claims)}
    answer = await fresh.ask("POST", f"/clients/{KENT}/keys", body)
    assert answer.status_code == 201, answer.text


KEYS: dict[str, dict[str, Any]] = {
    "private": {"d": "x"},
    "another curve": {"crv": "P-384"},
    "for encryption": {"use": "enc"},
    "a kid with a line break": {"kid": "a\r\nb"},
    "a kid of megabytes": {"kid": "a" * 10_000},
    "certificates": {"x5u": "https://elsewhere.example/cert"},
    "no numbers": {"x": "", "y": ""},
}


@pytest.mark.parametrize("members", KEYS.values(), ids=KEYS.keys())
async def test_a_key_that_could_do_harm_or_no_good_is_refused(kent: Hands, members: dict[str, Any]) -> None:
    body = await kent.new_key(generate_key())
    body["jwk"] |= members
    answer = await kent.ask("POST", f"/clients/{KENT}/keys", body)
    assert problem(answer) == INVALID


async def test_a_challenge_counts_once_also_at_the_same_moment(fresh: Hands) -> None:
    challenge = await fresh.challenge()
    bodies = [await fresh.new_key(generate_key(), challenge) for _ in range(2)]
    answers = await asyncio.gather(*(fresh.ask("POST", f"/clients/{KENT}/keys", body) for body in bodies))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [201, 422]
    assert problem(max(answers, key=lambda answer: answer.status_code)) == INVALID
    assert len(await fresh.kids()) == 2


async def test_of_two_keys_that_come_at_once_one_finds_the_place_taken(fresh: Hands) -> None:
    bodies = [await fresh.new_key(generate_key()) for _ in range(3)]
    answers = await asyncio.gather(*(fresh.ask("POST", f"/clients/{KENT}/keys", body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert len(await fresh.kids()) == 2


async def test_a_key_belongs_to_one_client_and_never_comes_back(hub: Served, fresh: Hands) -> None:
    new = generate_key()
    assert (await fresh.add(new)).status_code == 201
    async with hands(hub, EEN) as een:
        assert problem(await een.add(new)) == CONFLICT
        assert problem(await een.add({**new, "kid": "another-name"})) == CONFLICT
    assert (await fresh.retire(new, by=fresh.key)).status_code == 200
    assert problem(await fresh.add({**new, "kid": "another-name"})) == CONFLICT


async def test_the_last_key_stays_and_no_key_retires_itself(fresh: Hands) -> None:
    assert problem(await fresh.retire(fresh.key, by=fresh.key)) == INVALID
    new = generate_key()
    await fresh.add(new)
    assert problem(await fresh.retire(new, by=new)) == INVALID
    without = await fresh.ask("DELETE", f"/clients/{KENT}/keys/{new['kid']}")
    assert problem(without) == INVALID
    assert await fresh.kids() == {fresh.key["kid"], new["kid"]}


async def test_of_two_keys_that_retire_each_other_one_stays(fresh: Hands) -> None:
    new = generate_key()
    await fresh.add(new)
    challenges = [await fresh.challenge() for _ in range(2)]
    answers = await asyncio.gather(
        fresh.retire(new, by=fresh.key, challenge=challenges[0]),
        fresh.retire(fresh.key, by=new, challenge=challenges[1]),
    )
    assert sorted(answer.status_code for answer in answers) in ([200, 409], [200, 422])
    survivor = fresh.key if answers[0].status_code == 200 else new
    assert await fresh.with_key(survivor).kids() == {survivor["kid"]}


async def test_an_approval_to_add_one_key_adds_no_other(kent: Hands) -> None:
    meant, other, challenge = generate_key(), generate_key(), await kent.challenge()
    body = {
        "jwk": public(other),
        "proof": statement(other, **kent.claims(challenge, other)),
        "approval": statement(kent.key, **kent.claims(challenge, meant)),
    }
    assert problem(await kent.ask("POST", f"/clients/{KENT}/keys", body)) == INVALID


BODIES: dict[str, tuple[bytes, tuple[int, str]]] = {
    "not JSON": (b"{", (400, "payload.invalid")),
    "a list": (b"[]", (400, "payload.invalid")),
    "a doubled member": (b'{"jwk": {}, "jwk": {}}', (400, "payload.invalid")),
    "not UTF-8": (b'{"jwk": "\xff"}', (400, "payload.invalid")),
    "deep": (b'{"jwk": ' + b'{"a":' * 500 + b"1" + b"}" * 501, (400, "payload.invalid")),
    "large": (b" " * 5_000_000, (413, "payload.invalid")),
    "nothing": (b"{}", (422, "payload.invalid")),
    "an unknown member": (
        json.dumps({"jwk": {}, "proof": "x", "aproval": "x"}).encode(),
        (422, "payload.unknown_field"),
    ),
}


@pytest.mark.parametrize(("body", "expected"), BODIES.values(), ids=BODIES.keys())
async def test_bodies_are_bounded_and_strict(kent: Hands, body: bytes, expected: tuple[int, str]) -> None:
    assert problem(await kent.ask("POST", f"/clients/{KENT}/keys", body)) == expected
