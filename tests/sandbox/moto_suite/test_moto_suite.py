"""What of moto's own tests fails against the sandbox is listed, each with the reason and AWS's page that says so."""

from typing import Any

import pytest
import yaml

from sustainable_mlops.sandbox import Sandbox
from sustainable_mlops.terraform import ROOT
from tests.sandbox.moto_suite import suite
from tests.sandbox.moto_suite.suite import Outcome

LISTED = ROOT / "tests" / "sandbox" / "moto_suite" / "failing.yaml"
#: Why a test may fail: moto takes what AWS refuses; the same in other words; the sandbox refuses the operation; moto's
#: behaviour differs from AWS's documented one.
REASONS = {"lax", "wording", "refused", "moto_differs"}


@pytest.fixture(scope="session")
def outcomes() -> dict[str, Outcome]:
    with Sandbox.start() as sandbox:
        return suite.run(sandbox.endpoint)


@pytest.fixture(scope="session")
def listed() -> dict[str, dict[str, Any]]:
    entries: dict[str, dict[str, Any]] = yaml.safe_load(LISTED.read_text())
    return {f"{file}.py::{test}": entry for file, tests in entries.items() for test, entry in tests.items()}


@pytest.mark.slow
def test_no_other_of_motos_tests_fails_than_those_listed(
    outcomes: dict[str, Outcome], listed: dict[str, dict[str, Any]]
) -> None:
    failed = {test: outcome.message for test, outcome in outcomes.items() if not outcome.passed}
    assert {test: message for test, message in failed.items() if test not in listed} == {}
    assert sorted(set(listed) - set(failed)) == [], "these pass now: take them out of failing.yaml"


def test_every_listed_failure_has_a_reason_and_a_page_of_aws(listed: dict[str, dict[str, Any]]) -> None:
    for test, entry in listed.items():
        assert set(entry) == {"reason", "why", "aws"}, test
        assert entry["reason"] in REASONS, test
        assert entry["aws"].startswith("https://docs.aws.amazon.com/"), test


def test_the_archive_is_of_the_moto_in_use() -> None:
    (pinned,) = (line for line in (ROOT / "constraints.txt").read_text().splitlines() if line.startswith("moto=="))
    assert pinned in (ROOT / "tests" / "sandbox" / "moto_suite" / "archive.txt").read_text()
