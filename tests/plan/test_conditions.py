"""Which resources have a pre- or postcondition, as Terraform 1.11 writes it under `checks`."""

from typing import Any

import pytest

from tests.plan.build import change, plan

ENDPOINT = "aws_sagemaker_endpoint.e"


def check(address: str, **where: Any) -> dict[str, Any]:
    """A check of a declared resource, whose instances are told apart below it."""
    found = {"kind": "resource", "mode": "managed", "type": "aws_sagemaker_endpoint", "name": "e", **where}
    return {"address": {**found, "to_display": address}, "status": "pass", "instances": []}


def has_condition(address: str, *checks: Any, **entry: Any) -> bool:
    found = plan(change(address, {"name": "e"}, **entry), checks=list(checks))
    return found.has_condition(found.resources[0])


def test_a_check_of_the_resource_is_one() -> None:
    assert has_condition(ENDPOINT, check(ENDPOINT))


def test_every_instance_of_a_module_has_those_of_its_resource() -> None:
    inside = check(f"module.m.{ENDPOINT}", module="module.m")
    assert has_condition(f'module.m["a"].{ENDPOINT}', inside, index=0)
    assert not has_condition(ENDPOINT, inside)


@pytest.mark.parametrize(
    "other",
    [
        check("check.e", kind="check"),
        check("aws_sagemaker_model.e", type="aws_sagemaker_model"),
        check("aws_sagemaker_endpoint.f", name="f"),
        check(f"module.m.{ENDPOINT}", module="module.m"),
        {"address": None},
        "odd",
    ],
)
def test_any_other_check_is_none(other: Any) -> None:
    assert not has_condition(ENDPOINT, other)
