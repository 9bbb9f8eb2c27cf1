"""Pages of the site: Markdown files of the repository, and the source files that they link.

A page keeps its path, so links between pages stay as they are. A link to a source file leads to a page with its text.
"""

import os.path
import shutil
from pathlib import Path
from urllib.parse import unquote

from mkdocs.utils.yaml import yaml_load

from sustainable_mlops.base.git import list_files
from sustainable_mlops.base.terraform import ROOT
from tools.website.markdown import convert

IMAGES = (".png", ".svg", ".gif", ".jpg")
#: Lines of a source file on its page.
_LINES = 400
_LANGUAGES = {
    ".py": "python", ".tf": "hcl", ".hcl": "hcl", ".json": "json", ".yaml": "yaml", ".yml": "yaml", ".toml": "toml"
}  # fmt: skip
_PRACTICES = "docs/practices.md"
_RULES = "reference/rules.md"


def read_navigation() -> list[str]:
    """Return the paths of all pages of the navigation in `mkdocs.yml`, in order."""
    with (ROOT / "mkdocs.yml").open(encoding="utf-8") as file:
        return _walk(yaml_load(file)["nav"])


def _walk(entry: object) -> list[str]:
    if isinstance(entry, str):
        return [entry]
    entries = entry.values() if isinstance(entry, dict) else entry
    assert not isinstance(entries, str | None)
    return [path for one in entries for path in _walk(one)]  # type: ignore[attr-defined]


def copy_pages(folder: Path) -> None:
    """Write the pages of the navigation, and everything that they link, to the folder."""
    _Copy(folder).run([path for path in read_navigation() if not path.startswith("reference/")])


class _Copy:
    """Copy of the pages in a folder, with the links that are still to follow."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = {name for name in list_files(ROOT) if (ROOT / name).is_file()}
        self._visited_paths: set[str] = set()
        self._open: list[str] = []

    def run(self, pages: list[str]) -> None:
        self._open = [*pages]
        while self._open:
            path = self._open.pop()
            if path not in self._visited_paths:
                self._visited_paths.add(path)
                self._copy(path)

    def _copy(self, path: str) -> None:
        target = self._folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.endswith(IMAGES):
            shutil.copy(ROOT / path, target)
        elif path.endswith(".md"):
            text = (ROOT / path).read_text(encoding="utf-8")
            if path == _PRACTICES:
                text = _link_rules(text)
            target.write_text(convert(text, lambda link: self._change_link(path, link)), encoding="utf-8")
        else:
            page = self._folder / _find_source_page(path)
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(self._render_source(path), encoding="utf-8")

    def _change_link(self, page: str, link: str) -> str:
        """Return the link for the site, and remember its target."""
        name, hash_sign, anchor = unquote(link).partition("#")
        target = os.path.normpath(os.path.join(os.path.dirname(page), name)) if name else page
        if target == _PRACTICES and anchor.startswith("sus_"):
            return f"{os.path.relpath(_RULES, os.path.dirname(page))}#{anchor}"
        if not name or ":" in name.partition("/")[0] or target.startswith("reference/"):
            return link
        if f"{target}/README.md" in self._files:
            target, name = f"{target}/README.md", f"{name.rstrip('/')}/README.md"
        if target not in self._files and not any(file.startswith(f"{target}/") for file in self._files):
            return link  # MkDocs reports it
        self._open.append(target)
        if target.endswith((*IMAGES, ".md")):
            return f"{name}{hash_sign}{anchor}"
        return os.path.relpath(_find_source_page(target), os.path.dirname(page) or ".")

    def _render_source(self, path: str) -> str:
        head = f"---\nsearch:\n  exclude: true\n---\n# {path}\n\n"
        if path not in self._files:
            inside = sorted(file for file in self._files if file.startswith(f"{path}/"))
            return head + "".join(f"- `{file.removeprefix(f'{path}/')}`\n" for file in inside)
        lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
        note = f"The first {_LINES} of {len(lines)} lines.\n\n" if len(lines) > _LINES else ""
        text = "\n".join(line[:500] for line in lines[:_LINES])
        return f"{head}{note}`````{_LANGUAGES.get(Path(path).suffix, 'text')}\n{text}\n`````\n"


def _find_source_page(path: str) -> str:
    return f"source/{path}.md"


def _link_rules(text: str) -> str:
    """Replace the table of rules by a link to the page with all rules."""
    before, heading, _ = text.partition("\n## Rules\n")
    return f"{before}{heading}\n[All rules](../{_RULES}), with their remedies and Terraform code.\n"
