"""Names of plans that are reviewed together."""

import pytest

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.review.plan_names import name_plans
from tests.cases import check_cases


@check_cases(
    ("plans", "names"),
    [
        (["envs/dev/plan.json"], ["envs/dev/plan.json"]),
        (["-"], ["stdin"]),
        (["envs/dev/plan.json", "envs/prod/plan.json"], ["dev", "prod"]),
        (["out/dev.json", "out/prod.json"], ["dev", "prod"]),
        (["envs/dev/plan.json", "-"], ["plan", "stdin"]),
        (["eu/dev/plan.json", "us/dev/plan.json"], ["eu", "us"]),
        (["a/eu/dev/plan.json", "a/us/dev/plan.json", "a/us/prod/plan.json"], ["eu/dev", "us/dev", "us/prod"]),
        (["plan.json", "dev/plan.json"], ["plan", "dev/plan"]),
        (["a/a.json", "a/a/a.json"], ["a/a.json", "a/a/a.json"]),
        (["a/plan.json", "a/plan.txt"], ["a/plan.json", "a/plan.txt"]),
    ],
)  # fmt: skip
def test_a_single_plan_has_its_path_as_name_and_several_their_distinct_parts(
    plans: list[str], names: list[str]
) -> None:
    assert name_plans(plans, []) == names


def test_explicit_names_apply_in_order() -> None:
    assert name_plans(["a.json", "b.json"], ["test", "live"]) == ["test", "live"]


@check_cases(
    ("plans", "arguments", "expected_text"),
    [
        (["a.json", "b.json"], ["dev"], "--name: 1 names for 2 plans"),
        (["a.json"], ["dev", "prod"], "--name: 2 names for 1 plans"),
        (["a.json", "b.json"], ["dev", "dev"], "--name dev: must be different"),
        (["a.json", "b.json"], ["dev", " "], "--name: is empty"),
        (["a.json", "./a.json"], [], "./a.json: appears twice"),
        (["-", "-"], [], "stdin can be read only once"),
    ],
)
def test_each_plan_has_one_different_name(plans: list[str], arguments: list[str], expected_text: str) -> None:
    with pytest.raises(UserError, match=expected_text):
        name_plans(plans, arguments)
