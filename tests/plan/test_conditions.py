"""Resources with a precondition or postcondition, as Terraform 1.11 records them under `checks`."""

from typing import Any

from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_plan

ENDPOINT = "aws_sagemaker_endpoint.e"


def build_check(address: str, **where: Any) -> dict[str, Any]:
    """Return a check of a declared resource, with its instances."""
    plan = {"kind": "resource", "mode": "managed", "type": "aws_sagemaker_endpoint", "name": "e", **where}
    return {"address": {**plan, "to_display": address}, "status": "pass", "instances": []}


def has_condition(address: str, *checks: Any, **entry: Any) -> bool:
    plan = build_plan(build_change(address, {"name": "e"}, **entry), checks=list(checks))
    return plan.has_condition(plan.resources[0])


def test_a_check_of_the_resource_is_a_condition() -> None:
    assert has_condition(ENDPOINT, build_check(ENDPOINT))


def test_every_instance_of_a_module_has_the_conditions_of_its_resource() -> None:
    inside = build_check(f"module.m.{ENDPOINT}", module="module.m")
    assert has_condition(f'module.m["a"].{ENDPOINT}', inside, index=0)
    assert not has_condition(ENDPOINT, inside)


@check_cases(
    "other_check",
    [
        build_check("check.e", kind="check"),
        build_check("aws_sagemaker_model.e", type="aws_sagemaker_model"),
        build_check("aws_sagemaker_endpoint.f", name="f"),
        build_check(f"module.m.{ENDPOINT}", module="module.m"),
        {"address": None},
        "odd",
    ],
)
def test_other_checks_are_not_conditions(other_check: Any) -> None:
    assert not has_condition(ENDPOINT, other_check)
