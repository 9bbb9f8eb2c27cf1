"""New files from templates. They are created completely or not at all."""

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import jinja2

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import ROOT

_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    undefined=jinja2.StrictUndefined,
    keep_trailing_newline=True,
    autoescape=False,  # noqa: S701  the templates are Python, YAML and Markdown, and the names are checked
)


def is_name(text: str) -> bool:
    """Return True for a valid folder name: 3 to 24 lower-case letters, digits and single underscores."""
    return 3 <= len(text) <= 24 and re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", text) is not None


def render(template: str, **values: object) -> str:
    """Return the rendered template."""
    return _TEMPLATES.get_template(f"{template}.j2").render(values)


def check_absent(*folders: Path) -> None:
    """Raise UserError if one of the folders exists."""
    for folder in folders:
        if folder.exists():
            raise UserError(f"{folder.relative_to(ROOT)}: already exists; choose another name")


@contextmanager
def create_folders(folders: Mapping[Path, Mapping[str, str]]) -> Iterator[None]:
    """Create folders of files, by name and text; remove them if the `with` block fails."""
    check_absent(*folders)
    created: list[Path] = []
    temporary_folders = {folder: ROOT / f".new-{os.getpid()}-{number}" for number, folder in enumerate(folders)}
    try:
        for folder, temporary in temporary_folders.items():
            temporary.mkdir()
            for name, text in folders[folder].items():
                (temporary / name).write_bytes(text.encode())  # bytes keep the line endings of the text
        for folder, temporary in temporary_folders.items():
            folder.parent.mkdir(parents=True, exist_ok=True)
            temporary.rename(folder)
            created.append(folder)
        yield
    except BaseException:
        for folder in (*temporary_folders.values(), *created):
            shutil.rmtree(folder, ignore_errors=True)
        raise
