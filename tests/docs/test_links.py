"""Every relative link of a page leads to a file, and every anchor to a heading."""

import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote

from sustainable_mlops.base.terraform import ROOT
from tests.cases import check_cases
from tests.cloned_repository import git

PAGES = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "*.md").splitlines()
LINK = re.compile(r"\]\(([^)\s]+)(?: \"[^\"]*\")?\)")
FENCE = re.compile(r"^( *)```.*?^\1```$", re.M | re.S)


@cache
def list_anchors(page: Path) -> set[str]:
    """Return the anchors of a page, as GitHub makes them from headings, and its explicit `id` attributes."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    anchors = set(re.findall(r'<a (?:id|name)="([^"]+)"', text))
    for heading in re.findall(r"^#+ +(.+?)\s*$", text, re.M):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        anchors.add(slug if slug not in anchors else f"{slug}-1")
    return anchors


@check_cases("page", PAGES)
def test_links_of_a_page_lead_somewhere(page: str) -> None:
    text = FENCE.sub("", (ROOT / page).read_text(encoding="utf-8"))
    broken = []
    for link in LINK.findall(text):
        if re.match(r"[a-z][a-z0-9+.-]*:", link):
            continue
        name, _, anchor = unquote(link).partition("#")
        target = (ROOT / page).parent / name if name else ROOT / page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in list_anchors(target)):
            broken.append(link)
    assert broken == []


def test_a_missing_heading_has_no_anchor(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One `code` heading\n\n```\n# no heading\n```\n\n## A [link](x.md), too\n")
    assert list_anchors(page) == {"one-code-heading", "a-link-too"}
