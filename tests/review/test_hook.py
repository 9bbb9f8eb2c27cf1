"""The pre-commit hook."""

from pathlib import Path

import pytest

from sustainable_mlops.review import hook
from tests.plan.test_load import FIXTURES

CHANGE = str(FIXTURES / "change.json")


def test_a_push_without_a_plan_is_not_blocked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = str(tmp_path / "a b" / "plan.json")
    assert hook.main([plan, "--fail-on", "data"]) == 0
    assert capsys.readouterr().out == (
        f"no plan to review at {plan}; create one with: terraform '-chdir={tmp_path}/a b' plan -out plan.tfplan && "
        f"terraform '-chdir={tmp_path}/a b' show -json plan.tfplan > '{plan}'\n"
    )


def test_the_plans_that_are_there_are_reviewed_by_the_options(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = str(tmp_path / "plan.json")
    assert hook.main([missing, CHANGE, "--json"]) == 1
    assert capsys.readouterr().out.startswith(f"no plan to review at {missing}; ")


def test_options_alone_are_the_reviewers_matter(capsys: pytest.CaptureFixture[str]) -> None:
    assert hook.main(["--json"]) == 2
    assert "required: plan" in capsys.readouterr().err
