"""Dynamic blocks, whose items only Terraform knows, locals and references of a resource to itself."""

from typing import TYPE_CHECKING, Any

import pytest

from sustainable_mlops.authoring import Field, ModuleInputs, rule
from sustainable_mlops.authoring.expressions import Dynamic, contains, get, local_table, self_reference
from sustainable_mlops.authoring.expressions.expression import to_hcl
from sustainable_mlops.authoring.expressions.scopes import input_expressions
from sustainable_mlops.base.errors import UserError

if TYPE_CHECKING:
    from sustainable_mlops.authoring.resources import Module, Outputs

pytestmark = pytest.mark.slow  # jsii takes seconds to start


class Inputs(ModuleInputs):
    tests: dict[str, str] = Field({}, description="Tests.")
    topics: list[str] = Field([], description="Topics.")


def _build_module(condition: dict[str, Any]) -> "Module[Inputs]":
    # This import starts jsii, so it must not run during collection.
    from cdktn_provider_aws.data_aws_iam_policy_document import DataAwsIamPolicyDocument

    from sustainable_mlops.authoring.resources import Module, Output

    class NestedPolicy(Module[Inputs]):
        def build(self, var: Inputs) -> "Outputs":
            tests = Dynamic(var.tests, lambda test: {"test": "StringEquals", "variable": test.key, **condition})
            document = self.add(
                DataAwsIamPolicyDocument,
                "this",
                statement=Dynamic(var.topics, lambda topic: {"resources": [topic.value], "condition": tests}),
            )
            return {"json": Output(document.json, "Policy.")}

    return NestedPolicy("policy").synthesize()


def test_dynamic_blocks_can_be_nested() -> None:
    module = _build_module({"values": ["yes"]})
    hcl = " ".join(module.render_files()["main.tf"].split())
    assert (
        'dynamic "statement" { for_each = var.topics iterator = topic content { resources = [topic.value] '
        'dynamic "condition" { for_each = var.tests iterator = test content { '
        'test = "StringEquals" variable = test.key values = ["yes"] } } } }'
    ) in hcl
    condition = module.to_json()["data"]["aws_iam_policy_document"]["this"]["dynamic"]["statement"]["content"][
        "dynamic"
    ]
    assert condition["condition"]["for_each"] == "${var.tests}"


def test_errors_in_nested_blocks_are_reported() -> None:
    with pytest.raises(UserError, match=r"has no argument 'value' .*did you mean 'values'"):
        _build_module({"value": ["yes"]})


def test_dynamic_blocks_can_follow_static_blocks_and_ignore_the_item() -> None:
    from cdktn_provider_aws.data_aws_iam_policy_document import DataAwsIamPolicyDocument

    from sustainable_mlops.authoring.resources import Module, Output

    class StaticAndDynamicPolicy(Module[Inputs]):
        def build(self, var: Inputs) -> "Outputs":
            more = Dynamic(var.topics, lambda _topic: {"sid": "more"})
            document = self.add(DataAwsIamPolicyDocument, "this", statement=[{"sid": "always"}, more])
            return {"json": Output(document.json, "Policy.")}

    module = StaticAndDynamicPolicy("policy").synthesize()
    hcl = " ".join(module.render_files()["main.tf"].split())
    assert 'statement { sid = "always" } dynamic "statement" { for_each = var.topics content { sid = "more"' in hcl
    body = module.to_json()["data"]["aws_iam_policy_document"]["this"]
    assert body["statement"] == [{"sid": "always"}]
    assert body["dynamic"]["statement"] == {"for_each": "${var.topics}", "content": {"sid": "more"}}


def test_a_table_of_a_rule_without_a_local_is_an_error() -> None:
    from sustainable_mlops.authoring.resources import Module

    class Sized(Inputs):
        size: int = Field(1, description="Size.")

        rules = (rule("size", lambda v: contains(local_table("sizes", [1, 2]), v.size), "must be another"),)

    class Without(Module[Sized]):
        def build(self, var: Sized) -> "Outputs":  # noqa: ARG002
            return {}

    class With(Module[Sized]):
        def build(self, var: Sized) -> "Outputs":  # noqa: ARG002
            self.local("sizes", [1, 2])
            return {}

    with pytest.raises(UserError, match=r"a rule reads local.sizes, which build does not add"):
        Without("sized").synthesize()
    assert With("sized").synthesize()


def test_locals_keep_null_values() -> None:
    from sustainable_mlops.authoring.resources import Module, Output

    class Trial(Module[Inputs]):
        def build(self, var: Inputs) -> "Outputs":
            usual = self.local("usual", {"percentile": None, "periods": [1, None]})
            return {"usual": Output(get(var.tests, "a", usual.percentile), "Usual.")}

    module = Trial("trial").synthesize()
    assert "percentile = null\nperiods = [1, null]" in module.render_files()["main.tf"]
    assert module.to_json()["locals"]["usual"] == {"percentile": "${null}", "periods": [1, "${null}"]}


def test_an_expression_can_name_the_resource_itself() -> None:
    from cdktn_provider_aws.s3_bucket import S3Bucket

    class Named(Inputs):
        word: str = Field(description="Word.")

    assert to_hcl(self_reference(S3Bucket).arn == input_expressions(Named).word) == "self.arn == var.word"
