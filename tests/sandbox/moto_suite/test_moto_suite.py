"""The list of moto's failing tests is complete, and each has a reason and AWS's page about it."""

from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from sustainable_mlops.terraform import ROOT
from tests.sandbox.moto_suite import suite
from tools.sandbox_coverage import load_moto_tests

#: Reasons of failing tests. The head of failing.yaml explains them.
REASONS = {"lax", "wording", "moto_differs"}
MOTO_TESTS = load_moto_tests()
GROUPS: list[dict[str, Any]] = [group for groups in MOTO_TESTS["failing"].values() for group in groups]


def list_failing() -> list[str]:
    """Return every test that may fail, such as `test_sagemaker_models.py::test_delete_model`."""
    failing = MOTO_TESTS["failing"].items()
    return [f"{file}.py::{test}" for file, groups in failing for group in groups for test in group["tests"]]


@pytest.mark.release
@pytest.mark.slow
def test_only_listed_tests_of_moto_fail() -> None:
    with Sandbox.start() as sandbox:
        outcomes = suite.run_tests(sandbox.endpoint)
        # Some tests expect Creating or InProgress, which may be over on a slow computer.
        for _ in range(3):
            if late := [test for test, outcome in outcomes.items() if outcome.passed is (test in list_failing())]:
                outcomes |= suite.run_tests(sandbox.endpoint, suite.list_node_ids(late))
    failed = {test: outcome.message for test, outcome in outcomes.items() if not outcome.passed}
    assert {test: message for test, message in failed.items() if test not in list_failing()} == {}
    assert sorted(set(list_failing()) - set(failed)) == [], "these pass now: take them out of failing.yaml"
    assert len(outcomes) == MOTO_TESTS["run"]


def test_every_listed_failure_has_one_reason_and_a_page_of_aws() -> None:
    assert len(set(list_failing())) == len(list_failing())
    for group in GROUPS:
        assert set(group) == {"reason", "why", "aws", "tests"}, group
        assert group["reason"] in REASONS, group
        assert group["aws"].startswith("https://docs.aws.amazon.com/"), group


def test_the_archive_has_the_version_of_moto_in_use() -> None:
    (pinned,) = (line for line in (ROOT / "constraints.txt").read_text().splitlines() if line.startswith("moto=="))
    assert pinned in (ROOT / "tests" / "sandbox" / "moto_suite" / "archive.txt").read_text()
