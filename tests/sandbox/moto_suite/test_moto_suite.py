"""What of moto's own tests fails against the sandbox is listed, each with the reason and AWS's page that says so."""

from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from tools.sandbox_coverage import load_moto_tests
from sustainable_mlops.terraform import ROOT
from tests.sandbox.moto_suite import suite

#: A reason for each test that fails; the head of failing.yaml says what they mean.
REASONS = {"lax", "wording", "moto_differs"}
FOUND = load_moto_tests()
GROUPS: list[dict[str, Any]] = [group for groups in FOUND["failing"].values() for group in groups]


def listed() -> list[str]:
    """Every test that may fail, such as `test_sagemaker_models.py::test_delete_model`."""
    failing = FOUND["failing"].items()
    return [f"{file}.py::{test}" for file, groups in failing for group in groups for test in group["tests"]]


@pytest.mark.slow
def test_no_other_of_motos_tests_fails_than_those_listed() -> None:
    with Sandbox.start() as sandbox:
        outcomes = suite.run(sandbox.endpoint)
        # Some look at what is Creating or InProgress, which on a slow machine is another thing by then.
        for _ in range(3):
            if late := [test for test, outcome in outcomes.items() if outcome.passed is (test in listed())]:
                outcomes |= suite.run(sandbox.endpoint, suite.places(late))
    failed = {test: outcome.message for test, outcome in outcomes.items() if not outcome.passed}
    assert {test: message for test, message in failed.items() if test not in listed()} == {}
    assert sorted(set(listed()) - set(failed)) == [], "these pass now: take them out of failing.yaml"
    assert len(outcomes) == FOUND["run"]


def test_every_listed_failure_has_one_reason_and_a_page_of_aws() -> None:
    assert len(set(listed())) == len(listed())
    for group in GROUPS:
        assert set(group) == {"reason", "why", "aws", "tests"}, group
        assert group["reason"] in REASONS, group
        assert group["aws"].startswith("https://docs.aws.amazon.com/"), group


def test_the_archive_is_of_the_moto_in_use() -> None:
    (pinned,) = (line for line in (ROOT / "constraints.txt").read_text().splitlines() if line.startswith("moto=="))
    assert pinned in (ROOT / "tests" / "sandbox" / "moto_suite" / "archive.txt").read_text()
