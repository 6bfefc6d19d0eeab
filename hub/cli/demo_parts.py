"""The demo's real parts: Apache Kafka and PostgreSQL on loopback, for as long as the demo runs."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hub.cli.terminal import refuse
from hub.domain.refusal import Refusal

ROOT = Path(__file__).parents[2]
STOP_S_MAX = 60.0


@contextlib.contextmanager
def real_parts(*, kafka: bool, postgres: bool) -> Iterator[dict[str, Any]]:
    """Settings that name the parts, which deploy/local of the checkout runs in a temporary folder."""
    wanted = [*(["--kafka"] if kafka else []), *(["--postgres"] if postgres else [])]
    if not wanted:
        yield {"database_url": "", "kafka_bootstrap": ""}
        return
    if not (ROOT / "deploy" / "local").is_dir():
        message = "The real parts are started by deploy/local, which is in the repository alone."
        refuse(Refusal("demo.parts", message, "Run the demo from a checkout: make demo."))
    with tempfile.TemporaryDirectory(prefix="hub-demo-") as folder:
        command = [sys.executable, "-m", "deploy.local", *wanted, "--folder", folder]
        # It stops when its standard input closes: with us, however we end.
        parts = subprocess.Popen(  # noqa: S603
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert parts.stdin
        assert parts.stdout
        try:
            line = parts.stdout.readline()
            if not line:
                refuse(Refusal("demo.parts", "The real parts did not start.", "See the lines above."))
            told = json.loads(line)
            yield {
                "database_url": told["database_url"] or "",
                "kafka_bootstrap": told["kafka_bootstrap"] or "",
            }
        finally:
            parts.stdin.close()
            parts.wait(STOP_S_MAX)
