"""The hub's own keys: published before they sign, verifying as long as a token of theirs lives."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey

from hub.auth.oauth import signing as signing_module
from hub.auth.oauth.signing import (
    KEY_FILE,
    LOOK_AGAIN_S,
    PUBLISHED_AHEAD_S,
    TOKEN_LIFETIME_S,
    VERIFIES_ON_S,
    Signing,
    UnderWay,
    open_signing,
    rotate,
)
from hub.auth.proofs.jws import read, sign
from hub.settings import Settings
from hub.store.engine import Store
from hub.store.keyfiles import KeyFileBusy
from tests.auth.world import World

NOW_S = 1_800_000_000


class Clock:
    """Seconds since 1970, moved by hand."""

    now_s: float = NOW_S

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    open_signing(Settings(data_dir=tmp_path))
    return tmp_path / "keys"


def process(folder: Path, clock: Callable[[], float]) -> Signing:
    """As one process has them."""
    return Signing(folder / KEY_FILE, clock)


def kid(token: str) -> Any:
    return _read(token).header["kid"]


def _read(token: str) -> Any:
    return read(token, types=frozenset({"at+jwt"}), headers=frozenset({"kid"}))


def states(signing: Signing) -> list[str]:
    return [state for _, state in signing.listed()]


def test_a_rotation_is_published_then_signs_then_is_all_there_is(folder: Path, clock: Clock) -> None:
    signing = process(folder, clock)
    first = signing.sign("at+jwt", {})
    rotate(folder, NOW_S)
    signing = process(folder, clock)
    assert states(signing) == ["next", "current"]
    assert [key["kid"] for key in signing.jwks()["keys"]][1] == kid(first)

    clock.now_s = NOW_S + PUBLISHED_AHEAD_S - 1
    last = signing.sign("at+jwt", {})
    assert kid(last) == kid(first)
    clock.now_s += 1
    assert states(signing) == ["current", "previous"]
    assert kid(signing.sign("at+jwt", {})) == signing.jwks()["keys"][0]["kid"] != kid(first)

    clock.now_s += TOKEN_LIFETIME_S  # The last token of the old key ends here, and not earlier.
    assert signing.signed(_read(last))
    clock.now_s = NOW_S + PUBLISHED_AHEAD_S + VERIFIES_ON_S
    assert states(signing) == ["current"]
    assert not signing.signed(_read(last))


def test_others_have_met_a_key_before_they_meet_its_token() -> None:
    assert PUBLISHED_AHEAD_S > signing_module.DOCUMENT_AGE_S + LOOK_AGAIN_S


def test_next_current_and_previous_can_be_published_together(folder: Path, clock: Clock) -> None:
    rotate(folder, NOW_S)
    clock.now_s += PUBLISHED_AHEAD_S + 10
    rotate(folder, int(clock.now_s))
    assert states(process(folder, clock)) == ["next", "current", "previous"]


def test_a_second_rotation_is_refused_while_a_key_waits_to_sign(folder: Path) -> None:
    rotate(folder, NOW_S)
    before = (folder / KEY_FILE).read_bytes()
    with pytest.raises(UnderWay) as waiting:
        rotate(folder, NOW_S + 1)
    assert waiting.value.signs_from_s == NOW_S + PUBLISHED_AHEAD_S
    assert (folder / KEY_FILE).read_bytes() == before


def test_a_key_that_has_ended_is_forgotten_by_the_next_rotation(folder: Path) -> None:
    at_s = NOW_S
    for _ in range(4):
        rotate(folder, at_s)
        at_s += PUBLISHED_AHEAD_S + VERIFIES_ON_S
    assert len(json.loads((folder / KEY_FILE).read_bytes())["keys"]) == 2


def test_two_rotations_at_once_are_one(folder: Path) -> None:
    with open(folder / f".{KEY_FILE}.lock", "a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(KeyFileBusy):
            rotate(folder, NOW_S)
    rotate(folder, NOW_S)


def test_a_rotation_that_fails_leaves_the_file_and_no_draft(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (folder / KEY_FILE).read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        rotate(folder, NOW_S)
    assert (folder / KEY_FILE).read_bytes() == before
    assert not [
        file for file in folder.iterdir() if file.name.startswith(f".{KEY_FILE}.") and file.stat().st_size
    ]


def test_the_file_stays_its_owners_alone(folder: Path) -> None:
    rotate(folder, NOW_S)
    assert stat.S_IMODE((folder / KEY_FILE).stat().st_mode) == 0o600


def test_a_running_process_follows_within_its_bound(folder: Path) -> None:
    running = process(folder, time.time)
    rotate(folder, int(time.time()))
    time.sleep(LOOK_AGAIN_S)
    assert len(running.jwks()["keys"]) == 2


def test_a_process_that_has_not_looked_yet_knows_a_token_of_one_that_has(folder: Path, clock: Clock) -> None:
    running = process(folder, clock)
    rotate(folder, NOW_S)
    clock.now_s += PUBLISHED_AHEAD_S
    token = process(folder, clock).sign("at+jwt", {})
    assert running.signed(_read(token))


def test_a_file_that_cannot_be_read_leaves_the_keys_that_are_known(folder: Path, clock: Clock) -> None:
    running = process(folder, clock)
    token = running.sign("at+jwt", {})
    for broken in (b"", b"[]", b'{"keys": []}', b'{"keys": [{"kty": "EC"}]}'):
        (folder / KEY_FILE).write_bytes(broken)
        assert not running.signed(_read(token.replace(token.split(".")[0], _header("unknown"))))
        assert running.signed(_read(token))
    (folder / KEY_FILE).unlink()
    assert running.signed(_read(token))


def _header(name: str) -> str:
    key = ECKey.generate_key("P-256")
    return sign({"typ": "at+jwt", "alg": "ES256", "kid": name}, {}, key).split(".")[0]


async def test_a_compromised_key_takes_its_tokens_along(store: Store, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, public_url="http://127.0.0.1:8000")
    kent = World(store, settings, open_signing(settings))
    await kent.enrol()
    token = await kent.token()
    assert (await kent.who(token)).status_code == 200
    rotate(settings.keys_dir, int(time.time()), compromised=True)
    await asyncio.sleep(LOOK_AGAIN_S)
    assert (await kent.who(token)).status_code == 401
    assert (await kent.who(await kent.token())).status_code == 200
    assert len(kent.signing.jwks()["keys"]) == 1
    await kent.http.aclose()
