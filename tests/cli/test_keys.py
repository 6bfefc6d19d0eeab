"""hub keys, beside a running hub."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.auth.oauth.signing import LOOK_AGAIN_S
from tests.support.serving import Served
from tests.support.waiting import PATIENCE_S, soon_here

HUB = str(Path(sys.executable).with_name("hub"))


def hub(served: Served, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command on the data of that hub."""
    environment = {"HUB_DATA_DIR": str(served.settings.data_dir), "PATH": "/usr/bin:/bin"}
    return subprocess.run([HUB, *arguments], env=environment, capture_output=True, text=True, check=False)


def audited(served: Served, act: str, about: dict[str, str]) -> list[dict[str, Any]]:
    """Records of that act on that, once the server has projected one."""

    def found() -> list[dict[str, Any]]:
        rows = json.loads(hub(served, "audit", "--act", act, "--json").stdout)
        return [one for one in rows if one["about"] == about]

    return soon_here(found, (act, about))


def test_a_rotation_shows_in_the_served_key_set_and_a_second_one_is_refused(served: Served) -> None:
    before = httpx.get(f"{served.base_url}/oauth/jwks", timeout=PATIENCE_S).json()["keys"]
    rotated = hub(served, "keys", "rotate", "--json")
    assert rotated.returncode == 0, rotated.stderr
    new, old = json.loads(rotated.stdout)
    assert (new["state"], old["state"], old["kid"]) == ("next", "current", before[0]["kid"])
    assert new["signs_from"] < old["verifies_until"]
    time.sleep(LOOK_AGAIN_S)
    published = httpx.get(f"{served.base_url}/oauth/jwks", timeout=PATIENCE_S).json()["keys"]
    assert [key["kid"] for key in published] == [new["kid"], old["kid"]]
    assert not {"d", "signs_from"} & {member for key in published for member in key}

    again = hub(served, "keys", "rotate")
    assert (again.returncode, again.stdout) == (1, "")
    assert "published already" in again.stderr
    assert json.loads(hub(served, "keys", "list", "--json").stdout) == [new, old]
    [recorded] = audited(served, "key.rotated", {"kind": "signing-key", "id": new["kid"]})
    assert recorded["actor"] == {"audience": "manager", "client_id": "hub"}


@pytest.mark.parametrize(("audience", "scope"), [("manager", "ledger:audit"), ("portal", "catalogue:read")])
def test_a_client_is_not_made_without_a_record_of_it(served: Served, audience: str, scope: str) -> None:
    command = ["client", "add", f"{audience}-tool", "--audience", audience, "--scope", scope, "--json"]
    assert hub(served, *command).returncode == 0
    assert hub(served, *command).returncode == 1
    assert len(audited(served, "client.added", {"kind": "client", "id": f"{audience}-tool"})) == 1


def test_keys_of_no_hub_are_not_made(tmp_path: Path) -> None:
    environment = {"HUB_DATA_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"}
    refused = subprocess.run([HUB, "keys", "rotate"], env=environment, capture_output=True, check=False)
    assert refused.returncode == 1
    assert not list(tmp_path.iterdir())
