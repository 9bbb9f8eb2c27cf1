"""The site builds without a warning, shows what the pages contain, and needs no other host."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from clone.synth import list_names
from sustainable_mlops import rules
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.commands import _group
from tools.website import __main__ as website
from tools.website import pages
from tools.website.markdown import convert
from tools.website.pages import read_navigation

pytestmark = pytest.mark.slow
PAGES = [path for path in read_navigation() if not path.startswith("reference/")]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a new build of the site."""
    folder = tmp_path_factory.mktemp("site")
    website.build_site(folder / "pages", folder / "site")
    return folder / "site"


class Counter(HTMLParser):
    """Counts of the elements of a page, and the addresses that it loads or links."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.counts = dict.fromkeys(("li", "table", "pre", "img", "h2", "h3"), 0)
        self.addresses: set[tuple[str, str]] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self.counts:
            self.counts[tag] += 1
        self.addresses |= {(tag, value) for name, value in attrs if name in ("href", "src") and value}


def read_article(site: Path, page: str) -> str:
    """Return the content of a page, without the navigation."""
    file = site / page.replace("README.md", "index.html").replace(".md", ".html")
    match = re.search(r"<article[^>]*>(.*)</article>", file.read_text(encoding="utf-8"), re.S)
    assert match is not None
    return match[1]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_the_lists_tables_and_blocks_of_its_file(page: str, site: Path) -> None:
    rendered = MarkdownIt("commonmark", {"html": True}).enable("table").render((ROOT / page).read_text())
    expected, actual = Counter(rendered).counts, Counter(read_article(site, page)).counts
    if page == "docs/practices.md":  # its table of rules is a page of its own
        expected["table"] -= 1
    assert actual == expected


def test_no_page_loads_anything_from_another_host(site: Path) -> None:
    loaded = {
        address
        for file in site.rglob("*.html")
        for tag, address in Counter(file.read_text(encoding="utf-8")).addresses
        if tag != "a" and re.match(r"(https?:)?//", address)
    }
    assert loaded == set()
    styles = [file for file in site.rglob("*.css") if re.search(r"url\([\"']?(https?:)?//", file.read_text())]
    assert styles == []


def test_the_reference_has_every_command_module_and_rule(site: Path) -> None:
    commands, all_rules = (read_article(site, f"reference/{name}.md") for name in ("commands", "rules"))
    assert [name for name in _group.MODULES if f'id="smlops-{name}"' not in commands] == []
    assert [rule.id for rule in rules.ALL if f'id="{rule.id.lower()}"' not in all_rules] == []
    assert [name for name in list_names()[0] if f"modules/{name}/README.md" not in PAGES] == []


def test_dead_links_fail_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy_pages = pages.copy_pages

    def copy_with_links(folder: Path) -> None:
        copy_pages(folder)
        with (folder / "docs" / "glossary.md").open("a") as page:
            page.write("\n[a](no_page.md) [b](review.md#no-heading) [c](../no_source.py)\n")

    monkeypatch.setattr(website, "copy_pages", copy_with_links)
    with pytest.raises(UserError) as error:
        website.build_site(tmp_path / "pages", tmp_path / "site")
    assert [name for name in ("no_page", "no-heading", "no_source") if name not in str(error.value)] == []


def test_lists_and_blocks_are_indented_by_four_columns() -> None:
    text = "Text\n1. One\n   ```console account\n   $ a\n   ```\n   More\n- Two\n  - Three\n\nEnd"
    expected = (
        'Text\n\n1.  One\n    ```console title="needs an AWS account"\n    $ a\n    ```\n    More\n\n'
        "-   Two\n    -   Three\n\nEnd\n"
    )
    assert convert(text, str) == expected
