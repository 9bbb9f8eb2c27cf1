"""Scaffold of a new module: one log group, with a page, examples, tests and a row in README.md."""

import keyword
import re
from collections.abc import Callable

from clone import synth
from clone.scaffold.files import check_absent, create_folders, is_name, render
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.files import write_file
from sustainable_mlops.base.terraform import ROOT

#: Words with another meaning in a module's Python or HCL.
_RESERVED_NAMES = {"inputs", "module", "output", "outputs", "this"}
#: Row of a module in the table of README.md.
_ROW = re.compile(r"^\| \[\w+\]\(modules/(?P<name>\w+)/README\.md\) \|.*\n", re.M)
_CONTENT = "a log group with a retention, encrypted with your key"


def create(name: str, progress: Callable[[str], None]) -> list[str]:
    """Write the module `name`, its tests, its Terraform and its row in README.md, and return the files and folders.

    Raises UserError, and removes the folders, if that fails.
    """
    _check_name(name)
    page = ROOT / "README.md"
    text = _add_row(page.read_text(), name)
    folder, tests = ROOT / "modules" / name, ROOT / "tests" / "modules" / name
    module_files, test_files = render_files(name)
    with create_folders({folder: module_files, tests: test_files}):
        synth.write(synth.synthesize([name], progress))
        write_file(page, text)
    return [str(each.relative_to(ROOT)) for each in (folder, tests, page)]


def render_files(name: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the files of the module and of its tests, by name, before synthesis."""
    values = {
        "name": name,
        "hyphenated": name.replace("_", "-"),
        "class_name": "".join(part.capitalize() for part in name.split("_")),
    }
    module_files = {file: render(f"module/{file}", **values) for file in ("inputs.py", "module.py", "README.md")}
    test_files = {file: render(f"module/{file}", **values) for file in ("minimal.yaml", "complete.yaml")}
    test_files[f"test_{name}.py"] = render("module/test.py", **values)
    return module_files, test_files


def _check_name(name: str) -> None:
    if not is_name(name):
        raise UserError(f"new module: {name!r} must be 3 to 24 lower-case letters, digits and single underscores")
    check_absent(ROOT / "modules" / name, ROOT / "modules" / f"{name}.py", ROOT / "tests" / "modules" / name)
    if name in _RESERVED_NAMES or keyword.iskeyword(name):
        raise UserError(f"new module: {name} is a reserved word; choose another name")
    if name in synth.list_names()[1]:
        raise UserError(f"new module: an environment is named {name}; choose another name")


def _add_row(text: str, name: str) -> str:
    """Return the text of README.md with a row for the module at the end of the table of modules."""
    rows = list(_ROW.finditer(text))
    if not rows:
        raise UserError(
            "README.md: has no table of modules; add a row with the link [storage](modules/storage/README.md)"
        )
    if name in {row["name"] for row in rows}:
        return text
    end = rows[-1].end()
    return f"{text[:end]}| [{name}](modules/{name}/README.md) | {_CONTENT} |\n{text[end:]}"
