"""Secrets in files: made once, readable by the owner alone, changed as a whole or not at all."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


class KeyFileBusy(Exception):
    """Another process is changing that file."""


def key_file(folder: Path, name: str, make: Callable[[], bytes]) -> bytes:
    """Bytes of the secret; made by `make` on first use, atomically, so that two processes agree on one.

    The file has mode 0600 in a folder of mode 0700.
    """
    path = folder / name
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _draft(folder, name, make()) as draft:
            try:
                os.link(draft, path)  # Fails when another process was first: its secret stands.
            except FileExistsError:
                return path.read_bytes()
        _keep(folder)
    return path.read_bytes()


def change_key_file(folder: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    """Put what `change` makes of the secret in its place: a crash leaves the old one or the new one, whole.

    Whoever owned the file still does. KeyFileBusy when another process is at it; OSError when there is none.
    """
    path = folder / name
    with open(folder / f".{name}.lock", "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise KeyFileBusy from None
        owner = path.stat()
        with _draft(folder, name, change(path.read_bytes())) as draft:
            if (owner.st_uid, owner.st_gid) != (os.geteuid(), os.getegid()):
                os.chown(draft, owner.st_uid, owner.st_gid)
            os.replace(draft, path)
        _keep(folder)


@contextmanager
def _draft(folder: Path, name: str, content: bytes) -> Iterator[str]:
    """A file of mode 0600 with the content on disk, gone afterwards unless it was moved."""
    descriptor, draft = tempfile.mkstemp(dir=folder, prefix=f".{name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    finally:
        Path(draft).unlink(missing_ok=True)


def _keep(folder: Path) -> None:
    """Names on disk, too."""
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
