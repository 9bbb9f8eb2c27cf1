"""New files: rendered from templates, and there whole or not at all."""

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import jinja2

from sustainable_mlops.errors import UserError
from sustainable_mlops.terraform import ROOT

_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    undefined=jinja2.StrictUndefined,
    keep_trailing_newline=True,
    autoescape=False,  # noqa: S701  they are Python, YAML and Markdown, made from names that were checked
)


def is_name(text: str) -> bool:
    """Whether a folder of code may be called so: 3 to 24 lower-case letters, digits and single underscores."""
    return 3 <= len(text) <= 24 and re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", text) is not None


def render(template: str, **values: object) -> str:
    """The template of this name with these values in it."""
    return _TEMPLATES.get_template(f"{template}.j2").render(values)


def check_absent(*folders: Path) -> None:
    """Raise UserError where one of the folders is there already."""
    for folder in folders:
        if folder.exists():
            raise UserError(f"{folder.relative_to(ROOT)}: is there already; choose another name")


@contextmanager
def create_folders(folders: Mapping[Path, Mapping[str, str]]) -> Iterator[None]:
    """New folders of files, by name and text, each there at once; gone again where the `with` block fails."""
    check_absent(*folders)
    created: list[Path] = []
    temporary_folders = {folder: ROOT / f".new-{os.getpid()}-{number}" for number, folder in enumerate(folders)}
    try:
        for folder, temporary in temporary_folders.items():
            temporary.mkdir()
            for name, text in folders[folder].items():
                (temporary / name).write_bytes(text.encode())  # as bytes, since the ends of lines are the text's
        for folder, temporary in temporary_folders.items():
            folder.parent.mkdir(parents=True, exist_ok=True)
            temporary.rename(folder)
            created.append(folder)
        yield
    except BaseException:
        for folder in (*temporary_folders.values(), *created):
            shutil.rmtree(folder, ignore_errors=True)
        raise
