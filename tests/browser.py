"""A headless browser on PATH, for the reports and the site."""

import shutil
import subprocess
from pathlib import Path

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def find_browser() -> str | None:
    """Return the path of a browser; None without one."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


@pytest.fixture(scope="session")
def browser() -> str:
    """Return the path of a browser."""
    path = find_browser()
    assert path, f"no browser on PATH: install one of {', '.join(_NAMES)}"
    return path


def run_browser(browser: str, url: str, profile: Path, *flags: str) -> str:
    """Open a page without a window, and return the output."""
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}", *flags, url]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=True).stdout
