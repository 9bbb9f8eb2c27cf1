"""Permissions of readers and notifications of the model registry."""

import json
from typing import Any

import pytest

from tests.modules.examples import plan_example

ADDRESS = "module.model_registry"


@pytest.fixture(scope="module")
def planned_values(tmp_path_factory: pytest.TempPathFactory, terraform_environment: dict[str, str]) -> dict[str, Any]:
    """Return the planned values of the complete example, by address."""
    return plan_example("model_registry-complete", tmp_path_factory.mktemp("model_registry"), terraform_environment)


def list_texts(element: str | list[str]) -> list[str]:
    """Return the texts of an element of a policy, which may be one text or a list."""
    return [element] if isinstance(element, str) else element


@pytest.mark.plan
def test_readers_can_only_find_read_and_deploy_packages_of_the_group(planned_values: dict[str, Any]) -> None:
    policies = [address for address in planned_values if "model_package_group_policy" in address]
    assert policies == [f'{ADDRESS}.aws_sagemaker_model_package_group_policy.readers["flight_delay"]']
    statements = json.loads(planned_values[policies[0]]["resource_policy"])["Statement"]
    arn = "arn:aws:sagemaker:eu-north-1:123456789012"
    allowed = {
        (action, resource, principal)
        for statement in statements
        for action in list_texts(statement["Action"])
        for resource in list_texts(statement["Resource"])
        for principal in list_texts(statement["Principal"]["AWS"])
    }
    reader = "arn:aws:iam::210987654321:root"
    assert allowed == {
        ("sagemaker:DescribeModelPackageGroup", f"{arn}:model-package-group/flights-dev-flight-delay", reader),
        ("sagemaker:DescribeModelPackage", f"{arn}:model-package/flights-dev-flight-delay/*", reader),
        ("sagemaker:ListModelPackages", f"{arn}:model-package/flights-dev-flight-delay/*", reader),
        ("sagemaker:CreateModel", f"{arn}:model-package/flights-dev-flight-delay/*", reader),
    }


@pytest.mark.plan
def test_each_group_has_a_rule_for_its_approvals_and_rejections(planned_values: dict[str, Any]) -> None:
    pattern = json.loads(
        planned_values[f'{ADDRESS}.aws_cloudwatch_event_rule.approval["gate_changes"]']["event_pattern"]
    )
    assert pattern == {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Package State Change"],
        "detail": {
            "ModelPackageGroupName": ["flights-dev-gate-changes"],
            "ModelApprovalStatus": ["Approved", "Rejected"],
            "$or": [
                {"UpdatedModelPackageFields": ["ModelApprovalStatus"]},
                {"UpdatedModelPackageFields": [{"exists": False}], "ModelPackageStatus": ["Completed"]},
            ],
        },
    }


@pytest.mark.plan
def test_only_the_rules_of_the_groups_can_assume_the_publishing_role(planned_values: dict[str, Any]) -> None:
    role = planned_values[f'{ADDRESS}.aws_iam_role.publisher["approvals"]']
    (trust,) = json.loads(role["assume_role_policy"])["Statement"]
    assert trust["Principal"] == {"Service": "events.amazonaws.com"}
    assert trust["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"},
        "ArnLike": {"aws:SourceArn": "arn:aws:events:eu-north-1:123456789012:rule/flights-dev-*-approval"},
    }
    policy = json.loads(planned_values[f'{ADDRESS}.aws_iam_role_policy.publisher["approvals"]']["policy"])
    topic = "arn:aws:sns:eu-north-1:123456789012:flights-dev-model-approvals"
    assert [
        (sorted(list_texts(one["Action"])), one["Resource"], one.get("Condition")) for one in policy["Statement"]
    ] == [
        (["sns:Publish"], topic, None),
        (
            ["kms:Decrypt", "kms:GenerateDataKey"],
            "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            {"StringEquals": {"kms:ViaService": "sns.eu-north-1.amazonaws.com"}},
        ),
    ]
    topic_policy = json.loads(planned_values[f'{ADDRESS}.aws_sns_topic_policy.approvals["approvals"]']["policy"])
    assert [one["Effect"] for one in topic_policy["Statement"]] == ["Deny"], "it allows nobody"
