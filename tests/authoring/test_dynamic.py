"""Nested blocks for items that only Terraform knows."""

from typing import Any

import pytest

from sustainable_mlops.authoring import Field, ModuleInputs
from sustainable_mlops.authoring.expressions import Dynamic
from sustainable_mlops.authoring.resources import Module, Output, Outputs
from sustainable_mlops.errors import UserError


class Inputs(ModuleInputs):
    tests: dict[str, str] = Field({}, description="Tests.")
    topics: list[str] = Field([], description="Topics.")


def _document(condition: dict[str, Any]) -> Module[Inputs]:
    # Starts jsii, and so not while tests are collected.
    from cdktn_provider_aws.data_aws_iam_policy_document import DataAwsIamPolicyDocument

    class Policy(Module[Inputs]):
        def build(self, var: Inputs) -> Outputs:
            tests = Dynamic(var.tests, lambda test: {"test": "StringEquals", "variable": test.key, **condition})
            document = self.add(
                DataAwsIamPolicyDocument,
                "this",
                statement=Dynamic(var.topics, lambda topic: {"resources": [topic.value], "condition": tests}),
            )
            return {"json": Output(document.json, "Policy.")}

    return Policy("policy").synthesize()


def test_a_dynamic_block_may_hold_another() -> None:
    module = _document({"values": ["yes"]})
    written = " ".join(module.main().split())
    assert (
        'dynamic "statement" { for_each = var.topics iterator = topic content { resources = [topic.value] '
        'dynamic "condition" { for_each = var.tests iterator = test content { '
        'test = "StringEquals" variable = test.key values = ["yes"] } } } }'
    ) in written
    condition = module.json()["data"]["aws_iam_policy_document"]["this"]["dynamic"]["statement"]["content"]["dynamic"]
    assert condition["condition"]["for_each"] == "${var.tests}"


def test_a_mistake_in_an_inner_block_is_told() -> None:
    with pytest.raises(UserError, match=r"has no argument 'value' .*did you mean 'values'"):
        _document({"value": ["yes"]})
