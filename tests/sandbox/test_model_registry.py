"""The model registry: versions, approval and what is told of it, policies, and what must not be lost."""

import json
from collections.abc import Callable
from typing import Any

from modules import event_patterns
from sagemaker_sandbox import Sandbox
from tests.sandbox.support import IMAGE, hear, refusal, until

Fresh = Callable[[str], str]

CONTAINERS = {"Containers": [{"Image": IMAGE}]}


def test_versions_count_up_and_are_never_given_twice(sagemaker: Any, fresh: Fresh) -> None:
    group = fresh("group")
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    arns = [register(sagemaker, group) for _ in range(2)]
    assert [arn.rsplit("/", 1)[1] for arn in arns] == ["1", "2"]
    sagemaker.delete_model_package(ModelPackageName=arns[1])
    assert register(sagemaker, group).endswith(f"model-package/{group}/3")


def test_a_version_waits_for_approval_unless_it_is_given(sagemaker: Any, fresh: Fresh) -> None:
    group = fresh("group")
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    arn = register(sagemaker, group)
    assert sagemaker.describe_model_package(ModelPackageName=arn)["ModelApprovalStatus"] == "PendingManualApproval"
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="good")
    register(sagemaker, group)
    approved = {"ModelPackageGroupName": group, "ModelApprovalStatus": "Approved"}
    listed = sagemaker.list_model_packages(**approved)["ModelPackageSummaryList"]
    assert [package["ModelPackageArn"] for package in listed] == [arn]
    assert sagemaker.describe_model_package(ModelPackageName=arn)["ApprovalDescription"] == "good"


def test_approval_is_told_to_eventbridge(sandbox: Sandbox, sagemaker: Any, fresh: Fresh) -> None:
    group, sqs = fresh("group"), sandbox.client("sqs")
    pattern = {"source": ["aws.sagemaker"], "detail": {"ModelPackageGroupName": [group]}}
    url = hear(sandbox, fresh("queue"), pattern)
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    arn = register(sagemaker, group)
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    received: list[Any] = []

    def both_came() -> bool:
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        received.extend(json.loads(message["Body"]) for message in messages)
        return len(received) == 2

    until(both_came)
    assert [event["detail"]["ModelApprovalStatus"] for event in received] == ["PendingManualApproval", "Approved"]
    assert {event["detail-type"] for event in received} == {"SageMaker Model Package State Change"}


def test_an_approval_is_announced_once_and_an_edit_of_metadata_is_not(
    sandbox: Sandbox, sagemaker: Any, fresh: Fresh
) -> None:
    group, sqs = fresh("group"), sandbox.client("sqs")
    url = hear(sandbox, fresh("approvals"), event_patterns.build_approval_pattern({"ModelPackageGroupName": [group]}))
    everything = hear(
        sandbox, fresh("all"), {"source": ["aws.sagemaker"], "detail": {"ModelPackageGroupName": [group]}}
    )
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    arn = register(sagemaker, group)
    update = sagemaker.update_model_package
    update(ModelPackageArn=arn, CustomerMetadataProperties={"owner": "a"})
    update(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    update(ModelPackageArn=arn, CustomerMetadataProperties={"owner": "b"})
    update(ModelPackageArn=arn, CustomerMetadataPropertiesToRemove=["owner"])
    update(ModelPackageArn=arn, ApprovalDescription="as agreed")
    other = sagemaker.create_model_package(
        ModelPackageGroupName=group, ModelApprovalStatus="Approved", InferenceSpecification=CONTAINERS
    )["ModelPackageArn"]

    def details(queue: str, number: int) -> list[Any]:
        found: list[Any] = []

        def all_came() -> bool:
            messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
            found.extend(json.loads(message["Body"])["detail"] for message in messages)
            return len(found) >= number

        until(all_came)
        return found

    changed = [one.get("UpdatedModelPackageFields") for one in details(everything, 7)]
    metadata = ["CustomerMetadataProperties"]
    assert changed == [None, metadata, ["ModelApprovalStatus"], metadata, metadata, ["ApprovalDescription"], None]
    assert [one["ModelPackageArn"] for one in details(url, 2)] == [arn, other]


def test_a_group_with_packages_is_not_deleted(sagemaker: Any, fresh: Fresh) -> None:
    group = fresh("group")
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    arn = register(sagemaker, group)
    code, message = refusal(sagemaker.delete_model_package_group, ModelPackageGroupName=group)
    assert (code, "still contains Model Packages" in message) == ("ConflictException", True)
    sagemaker.delete_model_package(ModelPackageName=arn)
    sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    assert "does not exist" in refusal(sagemaker.describe_model_package_group, ModelPackageGroupName=group)[1]


def test_a_groups_policy_comes_and_goes(sagemaker: Any, fresh: Fresh) -> None:
    group = fresh("group")
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    where = {"ModelPackageGroupName": group}
    assert "Cannot find resource policy" in refusal(sagemaker.get_model_package_group_policy, **where)[1]
    sagemaker.put_model_package_group_policy(**where, ResourcePolicy='{"Version": "2012-10-17"}')
    assert sagemaker.get_model_package_group_policy(**where)["ResourcePolicy"] == '{"Version": "2012-10-17"}'
    sagemaker.delete_model_package_group_policy(**where)
    assert "Cannot find resource policy" in refusal(sagemaker.get_model_package_group_policy, **where)[1]


def register(sagemaker: Any, group: str) -> str:
    answer = sagemaker.create_model_package(ModelPackageGroupName=group, InferenceSpecification=CONTAINERS)
    return str(answer["ModelPackageArn"])
