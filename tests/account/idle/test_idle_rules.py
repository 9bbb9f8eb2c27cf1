"""Rules of the scan for idle resources that do not need a whole account."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from typer.testing import CliRunner

from sustainable_mlops.account.idle import AccountReader, IdleScanTarget, list_cleanups
from sustainable_mlops.account.idle.endpoints import (
    AwsRecommendation,
    merge_recommendations,
    read_compute_optimizer,
    read_cost_optimization_hub,
)
from sustainable_mlops.account.idle.finding import UNKNOWN_MANAGER, IdleFinding, IdleKind, IdleReport, SkippedPart
from sustainable_mlops.account.idle.scope import IdleScanScope, find_manager
from sustainable_mlops.account.idle.studio import find_apps
from sustainable_mlops.account.idle.unused_resources import choose_retention
from sustainable_mlops.commands import _idle, find_idle
from tests.cases import check_cases

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 29, tzinfo=UTC)
PLATFORM = {"environment": "dev", "workload": "churn", "owner": "ana", "data_class": "public"}
ARN = "arn:aws:sagemaker:eu-north-1:123456789012:endpoint/"


class RecordedAccount(AccountReader):
    """An account whose responses are those of a botocore stub, which validates them."""

    def __init__(self, *responses: tuple[str, str, dict[str, Any]]) -> None:
        super().__init__("eu-north-1", account_id="123456789012")
        credentials = dict.fromkeys(("aws_access_key_id", "aws_secret_access_key"), "none")
        for service in dict.fromkeys(service for service, _, _ in responses):
            region = "us-east-1" if service == "cost-optimization-hub" else "eu-north-1"
            client = boto3.client(service, region_name=region, **credentials)  # type: ignore[call-overload]
            stub = Stubber(client)
            for name, operation, response in responses:
                if name == service:
                    stub.add_response(operation, response)
            stub.activate()
            self._clients[service, region] = client


def make_scope(account: AccountReader) -> IdleScanScope:
    return IdleScanScope(account, IdleScanTarget("eu-north-1"), 7, NOW, {})


@check_cases(
    ("tags", "manager"),
    [
        ({}, ""),
        (PLATFORM, "Terraform"),
        (PLATFORM | {"run_key": "abc"}, ""),
        ({"environment": "dev", "owner": "ana"}, ""),
        ({"managed-by": "terraform"}, "Terraform"),
        ({"ManagedBy": "OpenTofu 1.12"}, "OpenTofu"),
        ({"managed_by": "ana"}, ""),
        ({"Terraform": "true"}, "Terraform"),
        ({"aws:cloudformation:stack-name": "stack"}, "CloudFormation"),
    ],
)
def test_tags_show_the_tool_that_manages_a_resource(tags: dict[str, str], manager: str) -> None:
    assert find_manager(tags) == manager


@check_cases(("age", "days"), [(0, 30), (29.9, 30), (30, 60), (200, 365), (5000, 3653)])
def test_a_new_retention_deletes_no_event_at_once(age: float, days: int) -> None:
    assert choose_retention(NOW - timedelta(days=age), NOW) == days


@check_cases(
    ("kind", "manager", "include", "text"),
    [
        (IdleKind.MODEL, "", [], "delete model x: unused"),
        (IdleKind.MODEL, "Terraform", [], "keep model x: Terraform manages it by its tags; set the_input"),
        (IdleKind.MODEL, UNKNOWN_MANAGER, [], "keep model x: its tags cannot be read, so Terraform may manage it"),
        (IdleKind.APP, "Terraform", [], "stop app x: unused"),
        (IdleKind.ENDPOINT, "", [], "keep endpoint x: pass --include endpoints to delete it; or set the_input"),
        (IdleKind.ENDPOINT, "", ["endpoints"], "delete endpoint x: unused"),
        (
            IdleKind.ENDPOINT,
            "Terraform",
            ["endpoints"],
            "keep endpoint x: Terraform manages it by its tags; set the_input",
        ),
        (IdleKind.CHECKPOINTS, "", ["endpoints"], "keep checkpoints x: it holds data; set the_input"),
        (IdleKind.OVERSIZED_ENDPOINT, "", ["endpoints"], "keep oversized endpoint x: it is in use; set the_input"),
    ],
)
def test_clean_ends_only_unmanaged_resources_without_data(
    kind: IdleKind, manager: str, include: list[str], text: str
) -> None:
    report = IdleReport("eu-north-1", "", 7, NOW, [IdleFinding(kind, "x", "unused", "the_input", manager=manager)])
    assert [str(one) for one in list_cleanups(report, include)] == [text]


@check_cases(
    ("activity", "check", "types"),
    [
        (8, 8, ["IdleFinding"]),
        (8, 0, ["IdleFinding"]),
        (1, 0, []),
        (1, None, []),
        (0, 0, ["str"]),
        (None, 0, ["str"]),
    ],
)
def test_a_health_check_does_not_count_as_activity_of_an_app(
    activity: int | None, check: int | None, types: list[str]
) -> None:
    def subtract_days(days: int | None) -> datetime | None:
        return None if days is None else NOW - timedelta(days=days)

    identity = {"DomainId": "d-1", "SpaceName": "lab", "AppType": "JupyterLab", "AppName": "default"}
    app = identity | {"Status": "InService", "ResourceSpec": {"InstanceType": "ml.t3.medium"}}
    times = {"LastUserActivityTimestamp": subtract_days(activity), "LastHealthCheckTimestamp": subtract_days(check)}
    description = (
        app
        | {"AppArn": "arn", "CreationTime": subtract_days(9)}
        | {key: time for key, time in times.items() if time is not None}
    )
    lists: dict[str, Any] = {"list_domains": [], "list_apps": [app]}
    account: Any = SimpleNamespace(
        list_all=lambda _, operation, *__: lists[operation], call=lambda *_, **__: description
    )
    assert [type(one).__name__ for one in find_apps(make_scope(account))] == types


def describe_running_endpoint(name: str) -> tuple[tuple[str, str, dict[str, Any]], ...]:
    """Return the responses about an endpoint in service with two instances."""
    endpoint = {
        "EndpointName": name,
        "EndpointArn": f"{ARN}{name}",
        "EndpointConfigName": name,
        "EndpointStatus": "InService",
        "ProductionVariants": [{"VariantName": "main", "CurrentInstanceCount": 2}],
        "CreationTime": NOW,
        "LastModifiedTime": NOW,
    }
    configuration = {
        "EndpointConfigName": name,
        "EndpointConfigArn": "a" * 20,
        "ProductionVariants": [{"VariantName": "main", "ModelName": name, "InstanceType": "ml.m5.4xlarge"}],
        "CreationTime": NOW,
    }
    return ("sagemaker", "describe_endpoint", endpoint), ("sagemaker", "describe_endpoint_config", configuration)


def test_findings_of_aws_are_merged_by_endpoint() -> None:
    idle = {
        "resourceArn": f"{ARN}known",
        "resourceType": "SageMakerEndpoint",
        "finding": "Idle",
        "lookBackPeriodInDays": 14.0,
    }
    oversized = {
        "resourceArn": f"{ARN}large",
        "actionType": "Rightsize",
        "recommendedResourceSummary": "ml.m5.large",
        "estimatedMonthlySavings": 42.0,
    }
    scope = make_scope(
        RecordedAccount(
            ("compute-optimizer", "get_enrollment_status", {"status": "Active"}),
            ("compute-optimizer", "get_idle_recommendations", {"idleRecommendations": [idle]}),
            ("cost-optimization-hub", "list_enrollment_statuses", {"items": [{"status": "Active"}]}),
            ("cost-optimization-hub", "list_recommendations", {"items": [build_hub_recommendation(idle), oversized]}),
            *describe_running_endpoint("large"),
        )
    )
    findings = [IdleFinding(IdleKind.ENDPOINT, "known", "unused", "the_input", arn=f"{ARN}known")]
    for read in (read_compute_optimizer, read_cost_optimization_hub):
        recommendations = read(scope)
        assert not isinstance(recommendations, str)
        findings = merge_recommendations(scope, findings, recommendations)
    first, second = findings
    assert first.sources == ("Compute Optimizer", "Cost Optimization Hub")
    assert (second.kind, second.problem) == (
        IdleKind.OVERSIZED_ENDPOINT,
        "Cost Optimization Hub: Rightsize ml.m5.large",
    )
    assert second.estimate.figures["cost"].central == 42.0
    assert second.estimate.get("total") is None, "AWS reports no carbon of it"


@check_cases(("part", "is_complete"), [("endpoints", False), ("tags", False), ("Compute Optimizer", True)])
def test_a_skipped_part_fails_the_check_unless_it_is_a_service(part: str, is_complete: bool) -> None:
    report = IdleReport("eu-north-1", "", 7, NOW, skipped=[SkippedPart(part, "denied")])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_idle, "scan_account", lambda *_: (None, report))
        command = ["--region", "eu-north-1", "--check"]
        assert CliRunner().invoke(find_idle.app, command).exit_code == (0 if is_complete else 1)
        assert CliRunner().invoke(find_idle.app, command[:-1]).exit_code == 0


def build_hub_recommendation(recommendation: dict[str, Any]) -> dict[str, Any]:
    return {"resourceArn": recommendation["resourceArn"], "actionType": "Delete", "estimatedMonthlySavings": 9.0}


@check_cases(
    ("action", "kind"),
    [("Delete", IdleKind.ENDPOINT), ("Stop", IdleKind.ENDPOINT), ("ScaleIn", IdleKind.OVERSIZED_ENDPOINT)],
)
def test_only_actions_that_end_an_endpoint_make_it_idle(action: str, kind: IdleKind) -> None:
    recommendation = {"resourceArn": f"{ARN}churn", "actionType": action, "estimatedMonthlySavings": 9.0}
    scope = make_scope(
        RecordedAccount(
            ("cost-optimization-hub", "list_enrollment_statuses", {"items": [{"status": "Active"}]}),
            ("cost-optimization-hub", "list_recommendations", {"items": [recommendation]}),
            *describe_running_endpoint("churn"),
        )
    )
    recommendations = read_cost_optimization_hub(scope)
    assert not isinstance(recommendations, str)
    assert [one.kind for one in merge_recommendations(scope, [], recommendations)] == [kind]


@check_cases("arn", [ARN.replace("123456789012", "222222222222"), ARN.replace("eu-north-1", "eu-west-1")])
def test_recommendations_for_another_account_or_region_are_ignored(arn: str) -> None:
    scope = make_scope(RecordedAccount(*describe_running_endpoint("churn")))
    recommendation = AwsRecommendation("Cost Optimization Hub", f"{arn}churn", 9.0, True, "Delete")
    assert merge_recommendations(scope, [], [recommendation]) == []


def test_a_recommendation_for_a_deleted_endpoint_does_not_discard_the_others() -> None:
    account = RecordedAccount(*describe_running_endpoint("churn"))
    sagemaker = account.client("sagemaker")
    describe = sagemaker.describe_endpoint

    def describe_endpoint(**request: str) -> Any:
        if request["EndpointName"] == "deleted":
            error = {"Code": "ValidationException", "Message": "Could not find endpoint"}
            raise ClientError({"Error": error}, "DescribeEndpoint")  # type: ignore[typeddict-item]
        return describe(**request)

    sagemaker.describe_endpoint = describe_endpoint
    recommendations = [
        AwsRecommendation("Compute Optimizer", f"{ARN}{name}", 9.0, True, "idle") for name in ("deleted", "churn")
    ]
    assert [one.name for one in merge_recommendations(make_scope(account), [], recommendations)] == ["churn"]
