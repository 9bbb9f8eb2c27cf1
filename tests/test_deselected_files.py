"""Files that a run does not import."""

import re
from pathlib import Path

from tests.cases import check_cases
from tests.deselected_files import find_excluded_marks, find_wanted_marks, read_module_marks


@check_cases(
    ("expression", "expected"),
    [
        ("", set()),
        ("slow", set()),
        ("not plan and not apply and not slow", {"plan", "apply", "slow"}),
        ("plan and not slow", {"slow"}),
        ("not plan or not slow", set()),
        ("plan or not apply and not slow", set()),
        ("plan and not (apply and not slow)", set()),
        ("not (plan and slow)", set()),
    ],
)
def test_a_mark_is_excluded_only_if_no_test_with_it_can_run(expression: str, expected: set[str]) -> None:
    assert find_excluded_marks(expression) == expected


@check_cases(
    ("expression", "expected"),
    [
        ("", set()),
        ("toolchain", {"toolchain"}),
        ("(toolchain) and not release", {"toolchain"}),
        ("(plan and toolchain or engine) and not release", {"plan", "toolchain", "engine"}),
        ("not plan and not slow", set()),
        ("plan or not slow", set()),
        ("plan and not (slow or apply)", set()),
    ],
)
def test_a_file_is_ignored_only_if_each_selected_test_has_a_mark_that_it_lacks(
    expression: str, expected: set[str]
) -> None:
    assert find_wanted_marks(expression) == expected


def test_the_marks_of_every_file_are_read(root: Path) -> None:
    for file in (root / "tests").rglob("test_*.py"):
        declares = re.search(r"^pytestmark\b", file.read_text(encoding="utf-8"), re.MULTILINE)
        assert bool(read_module_marks(file)) is bool(declares), file
    assert read_module_marks(root / "tests" / "workloads" / "digits" / "test_digits.py") == {"slow"}
