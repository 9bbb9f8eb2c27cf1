"""Scaffold of a new module: one log group, with a README, examples and tests."""

import keyword
from collections.abc import Callable

from sustainable_mlops import synth
from sustainable_mlops.errors import UserError
from sustainable_mlops.scaffold.files import check_absent, create_folders, is_name, render
from sustainable_mlops.terraform import ROOT

#: Words with another meaning in a module's Python or HCL.
_RESERVED_NAMES = {"inputs", "module", "output", "outputs", "this"}


def create(name: str, progress: Callable[[str], None]) -> list[str]:
    """Write the module `name`, its tests and its Terraform, and return the folders.

    Raises UserError, and removes the folders, if that fails.
    """
    _check(name)
    folder, tests = ROOT / "modules" / name, ROOT / "tests" / "modules" / name
    values = {
        "name": name,
        "hyphenated": name.replace("_", "-"),
        "class_name": "".join(part.capitalize() for part in name.split("_")),
    }
    module_files = {file: render(f"module/{file}", **values) for file in ("inputs.py", "module.py", "README.md")}
    test_files = {file: render(f"module/{file}", **values) for file in ("addresses.yaml", "minimal.yaml", "full.yaml")}
    test_files[f"test_{name}.py"] = render("module/test.py", **values)
    with create_folders({folder: module_files, tests: test_files}):
        synth.write(synth.synthesize([name], progress))
    return [str(each.relative_to(ROOT)) for each in (folder, tests)]


def _check(name: str) -> None:
    if not is_name(name):
        raise UserError(f"new module: {name!r} must be 3 to 24 lower-case letters, digits and single underscores")
    check_absent(ROOT / "modules" / name, ROOT / "modules" / f"{name}.py", ROOT / "tests" / "modules" / name)
    if name in _RESERVED_NAMES or keyword.iskeyword(name):
        raise UserError(f"new module: {name} has another meaning in a module's code; choose another name")
    if name in synth.list_names()[1]:
        raise UserError(f"new module: an environment is named {name}; choose another name")
