"""What `hub partner add` prints runs as it stands: the newcomer's first event, by program and by curl."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from hub.cli.main import app
from tests.onboarding.hands import generate_key, hands, public
from tests.support.messages import EEN, NORMANDY
from tests.support.serving import Served, serving


def run(served: Served, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A command in a folder of the newcomer's, with the hub's settings and this virtual environment."""
    folder.mkdir(exist_ok=True)
    environment = {
        **os.environ,
        "HUB_DATA_DIR": str(served.settings.data_dir),
        "HUB_PUBLIC_URL": served.base_url,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def follow(served: Served, folder: Path, printed: str, name: str) -> tuple[str, str]:
    """Do what the text says; what the program and curl answered."""
    row, _ = json.JSONDecoder().raw_decode(printed)
    (folder / f"{name}.json").write_text(json.dumps(row))
    [program] = re.findall(r"```python\n(.*?)```", printed, re.S)
    [command] = re.findall(r"```sh\n(.*?)```", printed, re.S)
    (folder / f"{name}.py").write_text(program)
    first = run(served, folder, "python", f"{name}.py")
    assert first.returncode == 0, first.stdout + first.stderr
    second = run(served, folder, "sh", "-c", command)
    assert second.returncode == 0, second.stderr
    return first.stdout, second.stdout


needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="the program curl is not installed")


@needs_curl
@pytest.mark.parametrize(("nonce", "waiver"), [("offered", ["--bearer"]), ("required", [])])
def test_a_newcomer_publishes_with_what_is_printed(tmp_path: Path, nonce: str, waiver: list[str]) -> None:
    with serving(tmp_path / "hub", dpop_nonce=nonce) as hub:
        _publish(hub, tmp_path / "newcomer", waiver)


def _publish(hub: Served, folder: Path, waiver: list[str]) -> None:
    added = run(
        hub, folder, "hub", "partner", "add", "acme-exports", "--name", "Acme Exports", "--country", "FR",
        "--network", "acme-net", *waiver,
    )  # fmt: skip
    assert added.returncode == 0, added.stderr
    by_program, by_curl = follow(hub, folder, added.stdout, "acme-exports")
    assert by_program.startswith("200 ")
    assert '"applied"' in by_program
    [receipt] = json.loads(by_curl)["receipts"]
    assert receipt["duplicate"] is True


@needs_curl
def test_a_portal_asks_with_what_is_printed_and_holds_what_portals_hold(
    served: Served, tmp_path: Path
) -> None:
    folder = tmp_path / "portal"
    added = run(served, folder, "hub", "client", "add", "firms-portal", "--audience", "portal")
    assert added.returncode == 0, added.stderr
    by_program, by_curl = follow(served, folder, added.stdout, "firms-portal")
    me = {"audience": "portal", "scopes": ["catalogue:read", "diagnosis:run"]}
    assert json.loads(by_program.removeprefix("200 "))["data"]["me"] == me
    assert json.loads(by_curl)["data"]["me"] == me


def test_the_row_stays_alone_with_json(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_DATA_DIR", str(served.settings.data_dir))
    added = CliRunner().invoke(app, ["partner", "add", "quiet", "--name", "Q", "--country", "FR", "--json"])
    row = json.loads(added.stdout)
    assert set(row) == {
        "client_id",
        "partner",
        "audience",
        "scopes",
        "source_prefix",
        "dpop",
        "private_key_jwk",
    }


def test_keys_and_grants_by_command_beside_a_running_hub(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_DATA_DIR", str(served.settings.data_dir))

    def hub(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["partner", *arguments])

    assert len(json.loads(hub("key", "list", EEN, "--json").stdout)) == 1
    new, file = public(generate_key()), tmp_path / "new.json"
    file.write_text(json.dumps(new))
    assert hub("key", "add", EEN, "--public-key", str(file)).exit_code == 0
    again = hub("key", "add", EEN, "--public-key", str(file))
    assert (again.exit_code, "key.refused" in again.stderr) == (1, True)
    assert hub("key", "retire", EEN, new["kid"]).exit_code == 0
    assert hub("grant", EEN, "--scope", "events:publish", "--scope", "reports:network").exit_code == 0
    shown = json.loads(hub("show", EEN, "--json").stdout)
    assert (shown["scopes"], len(shown["keys"])) == (["events:publish", "reports:network"], 1)
    assert hub("grant", EEN, "--scope", "everything").exit_code == 1
    assert hub("grant", "nobody", "--scope", "events:publish").exit_code == 1
    unknown = hub("approve", "nothing")
    assert (unknown.exit_code, "decision.unknown" in unknown.stderr) == (1, True)


async def test_requests_and_applications_are_decided_by_command(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_DATA_DIR", str(served.settings.data_dir))

    async def hub(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, ["partner", *arguments])

    async with hands(served, NORMANDY) as contact:
        await hub("grant", NORMANDY, "--scope", "partners:self")
        path, reason = f"/clients/{NORMANDY}/scope-requests", "We publish."
        ids = []
        for scope in ("events:publish", "events:read"):
            body = {"scopes": [scope], "reason": reason}
            ids.append((await contact.ask("POST", path, body, scopes=["partners:self"])).json()["id"])
        waiting = json.loads((await hub("requests", "--json")).stdout)
        assert {(one["id"], one["reason"]) for one in waiting} == {(id_, reason) for id_ in ids}
        assert (await hub("approve", ids[0])).exit_code == 0
        assert (await hub("refuse", ids[1], "--reason", "Not yet.")).exit_code == 0
        assert json.loads((await hub("requests", "--json")).stdout) == []
        again = await hub("approve", ids[1])
        assert (again.exit_code, "request.decided" in again.stderr) == (1, True)
        me = (await contact.ask("GET", "/clients/me", scopes=["partners:self"])).json()
        assert me["scopes"] == ["partners:self", "events:publish"]
    assert json.loads((await hub("applications", "--json")).stdout) == []
