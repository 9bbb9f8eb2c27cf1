"""Work in a background process gives the same result as in the first one, and its errors reach the caller."""

import json
import os
import signal
from datetime import date
from pathlib import Path

import pytest

from sustainable_mlops.plan import load
from sustainable_mlops.review import review_all
from sustainable_mlops.review.background_process import run_in_background
from sustainable_mlops.rules import Finding, Outcome
from tools.bench import BASE, multiply_plan

TODAY = date(2026, 7, 1)


def test_a_large_plan_gets_the_same_review_from_two_processes(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(multiply_plan(600, json.loads(BASE.read_text()))))
    (one,) = review_all([load(file)], today=TODAY)
    (two,) = review_all([load(file)], today=TODAY, two_processes=True)
    assert two.findings == one.findings
    assert two.rules_passed == one.rules_passed > 0
    assert two.gates == one.gates


def test_the_result_comes_from_another_process() -> None:
    get_process = run_in_background(os.getpid)
    get_finding = run_in_background(lambda: Finding("SUS_TAGS", "aws_s3_bucket.b", Outcome.FAIL, "no tags" * 100_000))
    assert get_process() != os.getpid()
    assert get_finding().outcome is Outcome.FAIL


def test_an_error_of_the_second_process_is_raised_in_the_first_one(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise KeyError("missing")

    wait = run_in_background(fail)
    with pytest.raises(KeyError, match="missing"):
        wait()
    assert capfd.readouterr() == ("", "")


def test_the_first_process_works_itself_if_the_second_one_is_killed() -> None:
    first = os.getpid()

    def work() -> int:
        if os.getpid() != first:
            os.kill(os.getpid(), signal.SIGKILL)
        return os.getpid()

    assert run_in_background(work)() == first
