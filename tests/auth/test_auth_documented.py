"""The program in docs/authorization.md runs as it stands, also against a hub that requires nonces."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.messages import KENT, NORMANDY
from tests.support.serving import serving
from tests.support.waiting import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("nonce", ["offered", "required"])
def test_the_documented_client_learns_who_it_is(tmp_path: Path, nonce: str) -> None:
    text = (ROOT / "docs" / "authorization.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    with serving(tmp_path / "hub", dpop_nonce=nonce) as served:
        script = tmp_path / "dpop_client.py"
        script.write_text(program.replace("http://127.0.0.1:8000", served.base_url), encoding="utf-8")
        for client in (NORMANDY, KENT):
            row = tmp_path / f"{client}.json"
            row.write_text(json.dumps(served.rows[client]), encoding="utf-8")
            run = subprocess.run(
                [sys.executable, script, row], capture_output=True, text=True, timeout=PATIENCE_S, check=False
            )
            assert run.returncode == 0, run.stderr
            assert json.loads(run.stdout) == {"data": {"me": {"partner": {"slug": client}}}}
