"""The model registry: versions, approval and its events, policies."""

import json
from collections.abc import Callable
from typing import Any

from modules import event_patterns
from sagemaker_sandbox import Sandbox
from tests.sandbox.support import IMAGE, catch_error, subscribe_queue, wait_until

Fresh = Callable[[str], str]

CONTAINERS = {"Containers": [{"Image": IMAGE}]}


def test_version_numbers_increase_and_are_never_reused(sagemaker: Any, fresh: Fresh) -> None:
    group = fresh("group")
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    arns = [register(sagemaker, group) for _ in range(2)]
    assert [arn.rsplit("/", 1)[1] for arn in arns] == ["1", "2"]
    sagemaker.delete_model_package(ModelPackageName=arns[1])
    assert register(sagemaker, group).endswith(f"model-package/{group}/3")


def test_a_version_is_pending_until_it_is_approved(sagemaker: Any, fresh: Fresh) -> None:
    group = fresh("group")
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    arn = register(sagemaker, group)
    assert sagemaker.describe_model_package(ModelPackageName=arn)["ModelApprovalStatus"] == "PendingManualApproval"
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="good")
    register(sagemaker, group)
    approved = {"ModelPackageGroupName": group, "ModelApprovalStatus": "Approved"}
    summaries = sagemaker.list_model_packages(**approved)["ModelPackageSummaryList"]
    assert [package["ModelPackageArn"] for package in summaries] == [arn]
    assert sagemaker.describe_model_package(ModelPackageName=arn)["ApprovalDescription"] == "good"


def test_eventbridge_receives_the_approval(sandbox: Sandbox, sagemaker: Any, fresh: Fresh) -> None:
    group, sqs = fresh("group"), sandbox.client("sqs")
    pattern = {"source": ["aws.sagemaker"], "detail": {"ModelPackageGroupName": [group]}}
    url = subscribe_queue(sandbox, fresh("queue"), pattern)
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    arn = register(sagemaker, group)
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    received: list[Any] = []

    def has_both_events() -> bool:
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        received.extend(json.loads(message["Body"]) for message in messages)
        return len(received) >= 2

    wait_until(has_both_events)
    assert [event["detail"]["ModelApprovalStatus"] for event in received] == ["PendingManualApproval", "Approved"]
    assert {event["detail-type"] for event in received} == {"SageMaker Model Package State Change"}


def test_only_an_approval_matches_the_approval_pattern(sandbox: Sandbox, sagemaker: Any, fresh: Fresh) -> None:
    group, sqs = fresh("group"), sandbox.client("sqs")
    url = subscribe_queue(
        sandbox, fresh("approvals"), event_patterns.build_approval_pattern({"ModelPackageGroupName": [group]})
    )
    all_events_url = subscribe_queue(
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

    def read_details(queue: str, number: int) -> list[Any]:
        events: list[Any] = []

        def has_all_events() -> bool:
            messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
            events.extend(json.loads(message["Body"])["detail"] for message in messages)
            return len(events) >= number

        wait_until(has_all_events)
        return events

    changed_fields = [event.get("UpdatedModelPackageFields") for event in read_details(all_events_url, 7)]
    metadata = ["CustomerMetadataProperties"]
    assert changed_fields == [
        None,
        metadata,
        ["ModelApprovalStatus"],
        metadata,
        metadata,
        ["ApprovalDescription"],
        None,
    ]
    assert [event["ModelPackageArn"] for event in read_details(url, 2)] == [arn, other]


def test_a_group_with_packages_is_not_deleted(sagemaker: Any, fresh: Fresh) -> None:
    group = fresh("group")
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    arn = register(sagemaker, group)
    code, message = catch_error(sagemaker.delete_model_package_group, ModelPackageGroupName=group)
    assert (code, "still contains Model Packages" in message) == ("ConflictException", True)
    sagemaker.delete_model_package(ModelPackageName=arn)
    sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    assert "does not exist" in catch_error(sagemaker.describe_model_package_group, ModelPackageGroupName=group)[1]


def test_the_policy_of_a_group_is_set_and_deleted(sagemaker: Any, fresh: Fresh) -> None:
    group = fresh("group")
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    group_name = {"ModelPackageGroupName": group}
    assert "Cannot find resource policy" in catch_error(sagemaker.get_model_package_group_policy, **group_name)[1]
    sagemaker.put_model_package_group_policy(**group_name, ResourcePolicy='{"Version": "2012-10-17"}')
    assert sagemaker.get_model_package_group_policy(**group_name)["ResourcePolicy"] == '{"Version": "2012-10-17"}'
    sagemaker.delete_model_package_group_policy(**group_name)
    assert "Cannot find resource policy" in catch_error(sagemaker.get_model_package_group_policy, **group_name)[1]


def register(sagemaker: Any, group: str) -> str:
    response = sagemaker.create_model_package(ModelPackageGroupName=group, InferenceSpecification=CONTAINERS)
    return str(response["ModelPackageArn"])
