"""Reports with hostile names in a real headless browser: no script runs. `make browser` runs this.

Not collected with the other tests, as it needs Chromium on PATH.
"""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from sustainable_mlops.review import review
from sustainable_mlops.review.formats import render
from tests.review.hostile import SCRIPT, TODAY, hostile

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
#: What the attacks do to the page where they run.
RAN = 'data-run="1"'


@pytest.fixture(scope="module")
def browser() -> str:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    assert found, f"no browser on PATH: install one of {', '.join(BROWSERS)}"
    return found


def page_after_loading(browser: str, html: str, folder: Path) -> str:
    """The page as it is after everything that would run has run."""
    file = folder / "page.html"
    file.write_text(html)
    flags = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
    flags += ["--virtual-time-budget=3000", "--dump-dom"]
    done = subprocess.run([browser, *flags, file.as_uri()], capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


def test_the_attack_runs_where_nothing_stops_it(browser: str, tmp_path: Path) -> None:
    assert RAN in page_after_loading(browser, f"<!doctype html><html><body>{SCRIPT}</body></html>", tmp_path)


def test_no_script_runs_in_the_html_report(browser: str, tmp_path: Path) -> None:
    page = render(review(hostile(), today=TODAY), "html")
    # Without the policy that forbids all scripts: the escaping alone must hold.
    unguarded = page.replace("Content-Security-Policy", "x-nothing")
    assert unguarded != page
    loaded = page_after_loading(browser, unguarded, tmp_path)
    assert "Data at risk" in loaded
    assert RAN not in loaded


def test_no_script_runs_in_the_comment(browser: str, tmp_path: Path) -> None:
    comment = render(review(hostile(), today=TODAY), "markdown")
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(comment)
    loaded = page_after_loading(browser, f"<!doctype html><html><body>{html}</body></html>", tmp_path)
    assert "Data at risk" in loaded
    assert RAN not in loaded


def test_no_script_runs_where_a_viewer_takes_sarif_for_html(browser: str, tmp_path: Path) -> None:
    sarif = render(review(hostile(), today=TODAY), "sarif")
    loaded = page_after_loading(browser, f"<!doctype html><html><body>{json.loads(sarif)}</body></html>", tmp_path)
    assert "ruleId" in loaded
    assert RAN not in loaded
