"""Builder of the documentation site.

- `python -m tools.website`: write the site to `out/site`

It copies the Markdown pages and writes the reference to `out/site-pages`, and runs MkDocs on this folder. A dead link,
a missing heading or a page outside the navigation fails the build. The site needs no server and no other host.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from sustainable_mlops.base import program
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import ROOT
from tools.website.pages import copy_pages
from tools.website.reference import write_reference

PAGES = ROOT / "out" / "site-pages"
SITE = ROOT / "out" / "site"


def build_site(pages: Path = PAGES, site: Path = SITE) -> None:
    """Write the pages to a new folder, and the site from them. Raises UserError if a page has a problem."""
    shutil.rmtree(pages, ignore_errors=True)
    pages.mkdir(parents=True)
    copy_pages(pages)
    write_reference(pages / "reference")
    shutil.copytree(ROOT / "docs" / "site", pages / "assets")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", "mkdocs.yml"]
    environment = {**os.environ, "SITE_PAGES": str(pages), "NO_MKDOCS_2_WARNING": "1"}
    process = subprocess.run(
        [*command, "--site-dir", str(site)], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if process.returncode:
        problems = [line for line in process.stderr.splitlines() if not line.startswith("INFO")]
        raise UserError(f"the site has problems: {'; '.join(problems)}")


def main() -> None:
    """Build the site and print its address."""
    build_site()
    print(f"{sum(1 for _ in SITE.rglob('*.html'))} pages: {SITE.relative_to(ROOT)}/index.html")


if __name__ == "__main__":
    program.run(main)
