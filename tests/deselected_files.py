"""Files that a run does not import, because `-m` deselects all their tests. Some imports take seconds."""

import re
from functools import cache
from pathlib import Path

import pytest

_MODULE_MARKS = re.compile(r"^pytestmark = (.+)$", re.MULTILINE)
_MARK = re.compile(r"pytest\.mark\.(\w+)")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Ignore a file if `-m` excludes one of its module marks, or if it names no mark of the tests that `-m` selects.

    Also ignore a folder of such files. Never ignore a named path.
    """
    excluded_marks = find_excluded_marks(config.option.markexpr)
    wanted_marks = find_wanted_marks(config.option.markexpr)
    named_paths = {Path(argument.partition("::")[0]).resolve() for argument in config.invocation_params.args}
    if not (excluded_marks or wanted_marks) or collection_path in named_paths:
        return None
    files = list(collection_path.rglob("test_*.py")) if collection_path.is_dir() else [collection_path]
    is_needless = [
        read_module_marks(file) & excluded_marks or (wanted_marks and not list_named_marks(file) & wanted_marks)
        for file in files
    ]
    return True if files and all(is_needless) else None


def find_excluded_marks(expression: str) -> set[str]:
    """Return the marks that `-m` excludes by `not MARK`; none if the expression has `or` or brackets."""
    parts = [] if re.search(r"[()]|\bor\b", expression) else expression.split(" and ")
    return {part.removeprefix("not ") for part in parts if part.startswith("not ")}


def find_wanted_marks(expression: str) -> set[str]:
    """Return marks of which each selected test has one; none if `-m` can select a test without marks."""
    if "not (" in expression:
        return set()
    alternatives = [
        {mark for negation, mark in re.findall(r"(not )?(\w+)", part) if not negation and mark != "and"}
        for part in re.sub(r"[()]", "", expression).split(" or ")
    ]
    return set().union(*alternatives) if all(alternatives) else set()


@cache
def list_named_marks(file: Path) -> frozenset[str]:
    """Return every mark that a file names."""
    return frozenset(_MARK.findall(file.read_text(encoding="utf-8")))


@cache
def read_module_marks(file: Path) -> frozenset[str]:
    """Return the marks that a file gives all its tests."""
    marks = _MODULE_MARKS.search(file.read_text(encoding="utf-8"))
    return frozenset(_MARK.findall(marks[1])) if marks else frozenset()
