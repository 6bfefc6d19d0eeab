"""What the resource lets in: the token is judged strictly, the client's standing is read at that moment."""

from __future__ import annotations

import json
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OctKey
from sqlalchemy import Connection, update

from hub.auth.authenticate import missing_token, scope_denied
from hub.auth.oauth.tokens import Tokens
from hub.domain.scopes import Audience
from hub.store.clients import set_grant, set_suspended
from hub.store.tables import oauth_client
from tests.auth.world import ISSUER, STRANGER, World, base64url, signed_by_hand


async def refused(world: World, token: str) -> str:
    """Asserts 401 token.invalid, and returns the message."""
    answer = await world.who(token)
    assert (answer.status_code, answer.json()["code"]) == (401, "token.invalid"), answer.text
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith('Bearer realm="hub", error="invalid_token", error_description="')
    return str(answer.json()["message"])


async def test_without_a_token_the_caller_is_anyone(world: World) -> None:
    answer = await world.http.get("/who")
    assert (answer.status_code, answer.json()["audience"]) == (200, "public")
    assert (answer.json()["client_id"], answer.json()["scopes"]) == (None, [])


async def test_the_principal_is_the_client_as_recorded(world: World) -> None:
    await world.enrol(
        "portal", partner=None, audience=Audience.PORTAL, networks=frozenset({"normandy", "kent"})
    )
    token = await world.token(client_assertion=world.assertion("portal"), scope="catalogue:read events:read")
    assert (await world.who(token, "bearer")).json() == {
        "client_id": "portal",
        "audience": "portal",
        "partner": None,
        "scopes": ["catalogue:read", "events:read"],
        "networks": ["kent", "normandy"],
        "source_prefix": "/partners/portal/",
    }


async def test_a_shrunken_grant_takes_scopes_from_tokens_already_issued(kent: World) -> None:
    token = await kent.token(scope="catalogue:read events:publish")
    assert (await kent.who(token)).json()["scopes"] == ["catalogue:read", "events:publish"]
    await kent.store.intake(lambda conn: set_grant(conn, "kent", ["catalogue:read"]))
    assert (await kent.who(token)).json()["scopes"] == ["catalogue:read"]


async def test_a_grown_grant_adds_nothing_to_a_token_already_issued(kent: World) -> None:
    token = await kent.token(scope="catalogue:read")
    await kent.store.intake(lambda conn: set_grant(conn, "kent", ["catalogue:read", "partners:admin"]))
    assert (await kent.who(token)).json()["scopes"] == ["catalogue:read"]


async def test_suspension_and_resumption_act_at_once(kent: World) -> None:
    token = await kent.token()
    for suspended, status in ((False, 200), (True, 403), (False, 200)):
        await kent.store.intake(lambda conn, to=suspended: set_suspended(conn, "kent", to))
        assert (await kent.who(token)).status_code == status
    await kent.store.intake(lambda conn: set_suspended(conn, "kent", True))
    assert (await kent.who(token)).json()["code"] == "partner.suspended"


@pytest.mark.parametrize(("column", "value"), [("partner", "normandy"), ("audience", "manager")])
async def test_a_token_from_before_the_client_changed_sides_is_refused(
    kent: World, column: str, value: str
) -> None:
    token = await kent.token()

    def change(conn: Connection) -> None:
        conn.execute(update(oauth_client).values({column: value}))

    await kent.store.intake(change)
    assert "someone else" in await refused(kent, token)


async def test_a_token_of_an_unknown_client_is_refused(kent: World) -> None:
    claims = kent.access_claims(sub="nobody", client_id="nobody")
    assert "gone" in await refused(kent, kent.signing.sign("at+jwt", claims))


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": None},
        {"iss": "https://attacker.example"},
        {"aud": None},
        {"aud": [ISSUER]},
        {"aud": "kent"},
        {"aud": f"{ISSUER}/"},
        {"sub": None},
        {"sub": "normandy"},
        {"client_id": None},
        {"client_id": 5, "sub": 5},
        {"scope": None},
        {"scope": ["events:publish"]},
        {"jti": None},
        {"iat": None},
        {"iat": "now"},
        {"exp": None},
        {"exp": "never"},
        {"exp": 1},
        {"hub_partner": None},
        {"hub_audience": None},
        {"cnf": {}},
        {"cnf": "x"},
        {"cnf": {"jkt": 5}},
        {"cnf": {"x5t#S256": "x"}},
    ],
)
async def test_a_signed_token_with_a_wrong_claim_is_refused(kent: World, claims: dict[str, Any]) -> None:
    assert (await kent.who(kent.signing.sign("at+jwt", kent.access_claims()))).status_code == 200
    await refused(kent, kent.signing.sign("at+jwt", kent.access_claims(**claims)))


@pytest.mark.parametrize("claim", ["iat", "nbf"])
async def test_a_token_that_is_not_yet_valid_is_refused(kent: World, claim: str) -> None:
    claims = kent.access_claims(**{claim: int(kent.clock()) + 60})
    assert "future" in await refused(kent, kent.signing.sign("at+jwt", claims))


async def test_a_token_expires_also_when_its_signature_is_remembered(kent: World) -> None:
    token = await kent.token()
    kent.ahead_s = 298
    assert (await kent.who(token)).status_code == 200
    kent.ahead_s = 300
    assert "expired" in await refused(kent, token)


@pytest.mark.parametrize("typ", ["JWT", "AT+JWT", "application/at+jwt", "dpop+jwt", "jwt", ""])
async def test_a_token_of_another_type_is_refused(kent: World, typ: str) -> None:
    assert "typ" in await refused(kent, kent.signing.sign(typ, kent.access_claims()))


async def test_a_token_without_a_type_is_refused(kent: World) -> None:
    key = signing_key(kent)
    claims = json.dumps(kent.access_claims())
    token = jws.serialize_compact({"alg": "ES256", "kid": key.thumbprint()}, claims, key)
    assert "typ" in await refused(kent, token)


async def test_a_token_made_with_the_key_from_the_file_is_good(kent: World) -> None:
    key = signing_key(kent)
    header = {"typ": "at+jwt", "alg": "ES256", "kid": key.thumbprint()}
    token = jws.serialize_compact(header, json.dumps(kent.access_claims()), key)
    assert (await kent.who(token)).status_code == 200


def signing_key(world: World) -> ECKey:
    """The hub's private key, from its file."""
    assert world.settings.keys_dir
    jwks = json.loads((world.settings.keys_dir / "oauth-signing.json").read_bytes())
    return ECKey.import_key(jwks["keys"][0])


async def test_assertions_and_proofs_are_no_access_tokens(kent: World) -> None:
    for token in (kent.assertion(), kent.assertion(header={"typ": "JWT"}), kent.proof()):
        await refused(kent, token)


async def test_an_assertion_dressed_as_an_access_token_is_refused(kent: World) -> None:
    assert "signed" in await refused(kent, kent.assertion(header={"typ": "at+jwt"}, **kent.access_claims()))


async def test_a_token_signed_by_another_key_is_refused(kent: World) -> None:
    kid = kent.signing.jwks()["keys"][0]["kid"]
    for named in (kid, "../oauth-signing", None):
        header = {"typ": "at+jwt", "alg": "ES256", **({"kid": named} if named else {})}
        token = jws.serialize_compact(header, json.dumps(kent.access_claims()), STRANGER)
        assert "not signed by this hub" in await refused(kent, token)


async def test_a_token_without_a_signature_is_refused(kent: World) -> None:
    header = {"typ": "at+jwt", "alg": "none"}
    token = signed_by_hand(header, kent.access_claims())
    await refused(kent, token)
    await refused(kent, token.rpartition(".")[0] + ".")


async def test_the_published_key_is_no_hmac_secret(kent: World) -> None:
    (jwk,) = kent.signing.jwks()["keys"]
    header = {"typ": "at+jwt", "alg": "HS256", "kid": jwk["kid"]}
    for secret in (json.dumps(jwk), jwk["x"]):
        key = OctKey.import_key(secret)
        token = jws.serialize_compact(header, json.dumps(kent.access_claims()), key, algorithms=["HS256"])
        assert "must be signed with one of ES256" in await refused(kent, token)


async def test_a_changed_token_is_refused(kent: World) -> None:
    header, payload, signature = (await kent.token()).split(".")
    forged = base64url(json.dumps(kent.access_claims(scope="partners:admin")).encode())
    other = ("B" if signature[0] == "A" else "A") + signature[1:]
    for token in (f"{header}.{forged}.{signature}", f"{header}.{payload}.{other}"):
        assert "signed" in await refused(kent, token)
    for token in (
        f"{header}.{payload}.{signature}=",
        f"{header}.{payload}",
        f"{header}.{payload}.",
        "x" * 9_000,
    ):
        await refused(kent, token)


async def test_a_token_in_the_query_or_the_body_is_never_read(kent: World) -> None:
    token = await kent.token()
    for answer in (
        await kent.http.get(f"/who?access_token={token}"),
        await kent.http.post("/who", data={"access_token": token}),
    ):
        assert answer.json()["audience"] == "public"


async def test_two_authorization_headers_are_refused(kent: World) -> None:
    header = ("Authorization", f"Bearer {await kent.token()}")
    answer = await kent.http.get("/who", headers=[header, header])
    assert (answer.status_code, answer.json()["code"]) == (401, "token.invalid")


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic a2VudDpz",
        "Bearer a b",
        "Bearer é",
        "Bearer x, Bearer y",
        "Token x",
        "\x00",
    ],
)
async def test_what_is_no_token_is_refused_and_not_taken_for_the_public(
    kent: World, authorization: str
) -> None:
    answer = await kent.http.get("/who", headers=[(b"Authorization", authorization.encode("latin-1"))])
    assert (answer.status_code, answer.json()["code"]) == (401, "token.invalid")


async def test_remembered_signatures_are_bounded(kent: World) -> None:
    tokens = Tokens(kent.store, kent.settings, kent.signing, kent.clock, remembered_max=3)
    for token in [await kent.token() for _ in range(6)] * 2:
        await tokens.held(token)
    assert len(tokens._verified) == 3


def test_the_answer_to_no_token_offers_both_schemes() -> None:
    denied = missing_token()
    assert (denied.status, denied.refusal.code) == (401, "token.missing")
    assert denied.headers["WWW-Authenticate"].startswith('Bearer realm="hub", DPoP realm="hub", algs="ES256')
    assert "error=" not in denied.headers["WWW-Authenticate"]


def test_the_answer_to_a_missing_scope_names_it() -> None:
    denied = scope_denied("events:publish", "referrals:act")
    assert (denied.status, denied.refusal.code) == (403, "scope.missing")
    assert "events:publish and referrals:act" in denied.refusal.message
    challenge = denied.headers["WWW-Authenticate"]
    assert challenge.endswith('error="insufficient_scope", scope="events:publish referrals:act"')


def test_the_answer_to_missing_alternatives_never_asks_for_all_of_them() -> None:
    denied = scope_denied("partners:self", "partners:admin", one_of=True)
    assert "partners:self or partners:admin" in denied.refusal.message
    assert denied.headers["WWW-Authenticate"].endswith('error="insufficient_scope"')
