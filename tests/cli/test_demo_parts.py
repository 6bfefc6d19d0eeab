"""The demo on real parts: the same story through PostgreSQL and Apache Kafka, and nothing left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest


@pytest.mark.timeout(240)
def test_the_demo_tells_the_same_story_on_real_parts(tmp_path: Path) -> None:
    command = "from hub.cli import main; main()"
    arguments = ["demo", "--once", "--json", "--kafka", "--postgres", "--data", str(tmp_path / "demo")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    done = subprocess.run(
        [sys.executable, "-c", command, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    report = json.loads(done.stdout)
    assert (report["services"], report["opportunities"], report["partners"]) == (33, 15, 3)
    assert (report["referrals"], report["ledger_size"], report["proof_verified"]) == (1, 69, True)
    assert "Apache Kafka is ready" in done.stderr
    assert "PostgreSQL is ready" in done.stderr
    assert not (tmp_path / "demo" / "hub.db").exists()
    assert not [one for one in psutil.process_iter(["cmdline"]) if "hub-demo-" in str(one.info["cmdline"])]
