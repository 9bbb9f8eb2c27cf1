"""Tables of cases: the report names each failing case, and the other cases still run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cases import check_cases

FILE = """\
import pytest
from tests.cases import check_cases

SEEN = []

@pytest.fixture
def base():
    return 10

@check_cases(("left", "right"), [(1, 1), (2, 3), pytest.param(4, 5, id="named"), (6, 6)])
def test_equal(base, left, right):
    SEEN.append(left)
    assert base + left == base + right

@check_cases("outer", "ab", ids=str.upper)
@check_cases("inner", [1, 2, 3])
def test_combined(outer, inner):
    assert (outer, inner) != ("b", 2)

@check_cases("word", ["one", "two", "three"], ids=str, group=len)
def test_grouped(word):
    assert word != "two", "not two"
    if word == "three":
        pytest.fail("three")

@check_cases("number", [1, 2])
def test_a_case_may_be_skipped(number):
    SEEN.append(number)
    if number == 1:
        pytest.skip("odd")

def test_every_case_ran():
    assert SEEN == [1, 2, 4, 6, 1, 2]
"""


def test_each_case_that_fails_is_named_and_every_other_case_runs(tmp_path: Path, root: Path) -> None:
    file = tmp_path / "test_file.py"
    file.write_text(FILE)
    command = [sys.executable, "-m", "pytest", "-q", "-rA", f"--rootdir={tmp_path}", str(file)]
    environment = {**os.environ, "COLUMNS": "200", "PYTEST_ADDOPTS": "", "PYTHONPATH": str(root)}
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    summary = [line for line in run.stdout.splitlines() if re.match("(SUB)?(PASSED|FAILED|SKIPPED)", line)]
    assert summary == [
        "PASSED test_file.py::test_a_case_may_be_skipped",
        "PASSED test_file.py::test_every_case_ran",
        "SUBSKIPPED(number=1) [1] test_file.py:30: odd",
        "SUBFAILED(left=2, right=3) test_file.py::test_equal - assert (10 + 2) == (10 + 3)",
        "SUBFAILED[named] test_file.py::test_equal - assert (10 + 4) == (10 + 5)",
        "FAILED test_file.py::test_equal - contains 2 failed subtests",
        "SUBFAILED[B; {'inner': 2}] test_file.py::test_combined - AssertionError: assert ('b', 2) != ('b', 2)",
        "FAILED test_file.py::test_combined - contains 1 failed subtest",
        "SUBFAILED[two] test_file.py::test_grouped[3] - AssertionError: not two",
        "FAILED test_file.py::test_grouped[3] - contains 1 failed subtest",
        "SUBFAILED[three] test_file.py::test_grouped[5] - Failed: three",
        "FAILED test_file.py::test_grouped[5] - contains 1 failed subtest",
    ]


def test_a_table_refuses_no_cases_and_cases_with_marks() -> None:
    with pytest.raises(ValueError, match="test_nothing: the table has no case"):

        @check_cases("case", [])
        def test_nothing(case: int) -> None:
            """Do nothing: the table is refused."""

    with pytest.raises(ValueError, match="cannot have a mark"):
        check_cases("case", [pytest.param(1, marks=pytest.mark.slow)])
