"""What commands do to a data folder: nothing that its owner did not ask for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hub.cli.serve import hold
from hub.events.spine import open_hub
from hub.events.unfit import Unfit
from hub.settings import Settings
from hub.store.projection import positions
from tests.support.messages import KENT, partner, service
from tests.support.spine import embedded, running_spine

KENTS = partner(KENT)


def hub(*arguments: str, data_dir: Path) -> subprocess.CompletedProcess[str]:
    """Run the command line on a data folder."""
    environment = {**os.environ, "HUB_DATA_DIR": str(data_dir)}
    command = [sys.executable, "-c", "from hub.cli import main; main()", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_demo_leaves_a_folder_alone_that_holds_something_else(tmp_path: Path) -> None:
    (tmp_path / "hub.db").write_bytes(b"a hub of ours")
    done = hub("demo", "--once", "--json", "--data", str(tmp_path), data_dir=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "demo.folder" in done.stderr
    assert (tmp_path / "hub.db").read_bytes() == b"a hub of ours"


def test_demo_shows_the_whole_story_and_leaves_a_hub_that_goes_on(tmp_path: Path) -> None:
    environment = {**os.environ, "HUB_PORT": "8461"}
    command = [sys.executable, "-c", "from hub.cli import main; main()", "demo", "--once", "--json"]
    done = subprocess.run(
        [*command, "--data", str(tmp_path / "demo")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=90,
        check=True,
    )
    report = json.loads(done.stdout.splitlines()[0])
    assert report["services"] + report["opportunities"] >= 36
    assert (report["partners"], report["referrals"], report["proof_verified"]) == (3, 1, True)
    credentials = Path(report["credentials"])
    assert credentials.stat().st_mode & 0o777 == 0o600
    rows = {row["client_id"]: row for row in json.loads(credentials.read_text())["clients"]}
    assert len(rows) == 5
    assert not any(row["dpop"] for row in rows.values())
    rebuilt = hub("rebuild", "--json", data_dir=tmp_path / "demo")
    assert json.loads(rebuilt.stdout) | {"live_hash": "", "rebuilt_hash": ""} == {
        "swapped": False,
        "events": report["ledger_size"],
        "live_hash": "",
        "rebuilt_hash": "",
        "equal": True,
    }


def test_commands_that_read_make_no_hub(tmp_path: Path) -> None:
    done = hub("partner", "list", data_dir=tmp_path / "nothing")
    assert done.returncode == 1
    assert "folder.empty" in done.stderr
    assert not (tmp_path / "nothing").exists()


def test_a_folder_is_served_by_one_process(tmp_path: Path) -> None:
    with hold(tmp_path):
        done = hub("serve", data_dir=tmp_path)
    assert done.returncode == 1
    assert f"in use by process {os.getpid()}" in " ".join(done.stderr.split())


@pytest.mark.parametrize("key", ["kek", "digest", "ledger"])
def test_a_lost_key_is_not_made_anew_beside_its_data(tmp_path: Path, key: str) -> None:
    settings = Settings(data_dir=tmp_path)
    open_hub(settings)
    (settings.keys_dir / key).unlink()
    with pytest.raises(Unfit, match="is missing"):
        open_hub(settings)
    assert not (settings.keys_dir / key).exists()


async def test_the_ledger_keeps_its_name_whatever_the_port(tmp_path: Path) -> None:
    async with running_spine(embedded, tmp_path) as spine:
        await spine.verdicts(await spine.post(KENTS, service(KENTS)))
        named = spine.hub.ledger_origin
    assert open_hub(Settings(data_dir=tmp_path, port=8999)).ledger_origin == named
    with pytest.raises(Unfit, match="is named"):
        open_hub(Settings(data_dir=tmp_path, ledger_origin="hub.example/ledger"))


def restore(data_dir: Path, backup: bytes) -> None:
    """Put an older truth into the folder, as from a backup."""
    for rest in data_dir.glob("hub.db*"):
        rest.unlink()
    (data_dir / "hub.db").write_bytes(backup)


async def test_a_restored_truth_is_not_shown_through_a_newer_read_model(tmp_path: Path) -> None:
    async with running_spine(embedded, tmp_path) as spine:
        await spine.verdicts(await spine.post(KENTS, service(KENTS)))
    backup = (tmp_path / "hub.db").read_bytes()
    async with running_spine(embedded, tmp_path) as spine:
        await spine.verdicts(await spine.post(KENTS, service(KENTS, "another")))
    restore(tmp_path, backup)
    async with running_spine(embedded, tmp_path) as spine:
        receipts = await spine.post(KENTS, service(KENTS, "after the restore"))
        assert await spine.verdicts(receipts) == ["applied"]
        found = await spine.hub.store.inspect(positions)
        assert found["inbox"].leaf == receipts[-1].seq


def test_a_setting_of_the_wrong_form_is_named(tmp_path: Path) -> None:
    environment = {**os.environ, "HUB_PORT": "80a"}
    command = [sys.executable, "-c", "from hub.cli import main; main()", "doctor"]
    done = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "HUB_PORT is '80a'" in done.stderr
    assert "Traceback" not in done.stderr
