"""hub keys, beside a running hub."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import httpx

from hub.auth.oauth.signing import LOOK_AGAIN_S
from tests.support.serving import Served

HUB = str(Path(sys.executable).with_name("hub"))


def hub(served: Served, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command on the data of that hub."""
    environment = {"HUB_DATA_DIR": str(served.settings.data_dir), "PATH": "/usr/bin:/bin"}
    return subprocess.run([HUB, *arguments], env=environment, capture_output=True, text=True, check=False)


def test_a_rotation_shows_in_the_served_key_set_and_a_second_one_is_refused(served: Served) -> None:
    before = httpx.get(f"{served.base_url}/oauth/jwks").json()["keys"]
    rotated = hub(served, "keys", "rotate", "--json")
    assert rotated.returncode == 0, rotated.stderr
    new, old = json.loads(rotated.stdout)
    assert (new["state"], old["state"], old["kid"]) == ("next", "current", before[0]["kid"])
    assert new["signs_from"] < old["verifies_until"]
    time.sleep(LOOK_AGAIN_S)
    published = httpx.get(f"{served.base_url}/oauth/jwks").json()["keys"]
    assert [key["kid"] for key in published] == [new["kid"], old["kid"]]
    assert not {"d", "signs_from"} & {member for key in published for member in key}

    again = hub(served, "keys", "rotate")
    assert (again.returncode, again.stdout) == (1, "")
    assert "published already" in again.stderr
    assert json.loads(hub(served, "keys", "list", "--json").stdout) == [new, old]


def test_keys_of_no_hub_are_not_made(tmp_path: Path) -> None:
    environment = {"HUB_DATA_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"}
    refused = subprocess.run([HUB, "keys", "rotate"], env=environment, capture_output=True, check=False)
    assert refused.returncode == 1
    assert not list(tmp_path.iterdir())
