"""Files that a run does not import, because `-m` deselects all their tests: some import packages for seconds."""

import re
from functools import cache
from pathlib import Path

import pytest

_MODULE_MARKS = re.compile(r"^pytestmark = (.+)$", re.MULTILINE)
_MARK = re.compile(r"pytest\.mark\.(\w+)")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Ignore a file whose module marks `-m` excludes, and a folder of such files, unless the command names them."""
    excluded = find_excluded_marks(config.option.markexpr)
    named = {Path(argument.partition("::")[0]).resolve() for argument in config.invocation_params.args}
    if not excluded or collection_path in named:
        return None
    files = list(collection_path.rglob("test_*.py")) if collection_path.is_dir() else [collection_path]
    return True if files and all(read_module_marks(file) & excluded for file in files) else None


def find_excluded_marks(expression: str) -> set[str]:
    """Return the marks that `-m` excludes by `not MARK`, if it only joins marks by `and`."""
    parts = [] if re.search(r"[()]|\bor\b", expression) else expression.split(" and ")
    return {part.removeprefix("not ") for part in parts if part.startswith("not ")}


@cache
def read_module_marks(file: Path) -> frozenset[str]:
    """Return the marks that a file gives all its tests."""
    marks = _MODULE_MARKS.search(file.read_text(encoding="utf-8"))
    return frozenset(_MARK.findall(marks[1])) if marks else frozenset()
