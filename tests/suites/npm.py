"""Suites from npm, on the Node of a PyPI package: installed once into var/suites, as their lock says."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
INSTALL_S_MAX, RUN_S_MAX = 100, 60
UNREACHABLE = (
    "ECONNREFUSED", "ECONNRESET", "EAI_AGAIN", "ENETUNREACH", "EHOSTUNREACH", "ENOTFOUND", "ETIMEDOUT"
)  # fmt: skip
"""What npm says when there is no way to its registry; a proxy that stands in for one may say it otherwise."""


def installed(suite: str) -> Path:
    """Folder of tests/suites/<suite> with its packages; skips where no registry can be reached."""
    source = Path(__file__).parent / suite
    content = b"".join(file.read_bytes() for file in sorted(source.iterdir()) if file.is_file())
    cache = ROOT / "var" / "suites"
    place = cache / f"{suite}-{hashlib.sha256(content).hexdigest()[:16]}"
    if place.exists():
        return place
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as draft:
        folder = Path(draft) / suite
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns("__pycache__"))
        command = [BIN / "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        try:
            subprocess.run(
                command,
                cwd=folder,
                env=_environment(),
                check=True,
                capture_output=True,
                timeout=INSTALL_S_MAX,
            )
        except subprocess.TimeoutExpired:
            pytest.skip(f"npm cannot reach its registry within {INSTALL_S_MAX} s, which {suite} comes from")
        except subprocess.CalledProcessError as error:
            said = error.stderr.decode(errors="replace")
            if not any(one in said for one in UNREACHABLE):
                # A lock or a package of ours that is wrong must not look like a network that is away.
                pytest.fail(f"npm cannot install {suite}: {said[-600:]}")
            pytest.skip(f"npm cannot reach its registry, which {suite} comes from: {said[-300:]}")
        try:
            folder.rename(place)
        except OSError:  # Another worker was first: what it has put there is the same.
            assert place.exists()
    return place


def run(folder: Path, script: str, given: dict[str, Any]) -> Any:
    """What the script writes to stdout as JSON, given its stdin; fails with what it complains of."""
    done = subprocess.run(
        [BIN / "node", script],
        cwd=folder,
        env=_environment(),
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=RUN_S_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _environment() -> dict[str, str]:
    return {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
