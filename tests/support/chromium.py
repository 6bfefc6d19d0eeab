"""A real browser for tests of pages: HUB_TEST_CHROMIUM, one on the PATH, Playwright's own, or npm's."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, expect, sync_playwright

from tests.suites.own_chromium import own_chromium
from tests.support.waiting import PATIENCE_S

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """The browser until the end of the block. Where there is none to be had, the test is skipped."""
    expect.set_options(timeout=PATIENCE_S * 1_000)
    with sync_playwright() as playwright:
        path, environment = _program(Path(playwright.chromium.executable_path))
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS), env=environment)
        try:
            yield browser
        finally:
            browser.close()


def _program(playwrights: Path) -> tuple[Path, dict[str, str | float | bool]]:
    """The first that is there, and its environment. A path in HUB_TEST_CHROMIUM is taken at its word."""
    if wanted := os.environ.get("HUB_TEST_CHROMIUM"):
        return Path(wanted), {**os.environ}
    if found := next(filter(None, map(shutil.which, NAMES)), None):
        return Path(found), {**os.environ}
    if playwrights.exists():
        return playwrights, {**os.environ}
    path, environment = own_chromium()
    return path, {**environment}
