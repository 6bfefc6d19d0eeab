"""Secrets in files: made once, readable by the owner alone, never overwritten."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def key_file(folder: Path, name: str, make: Callable[[], bytes]) -> bytes:
    """Bytes of the secret; made by `make` on first use, atomically, so that two processes agree on one.

    The file has mode 0600 in a folder of mode 0700.
    """
    path = folder / name
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(dir=folder, prefix=f".{name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(make())
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(draft, path)  # Fails when another process was first: its secret stands.
            except FileExistsError:
                return path.read_bytes()
        finally:
            os.unlink(draft)
        directory = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    return path.read_bytes()
