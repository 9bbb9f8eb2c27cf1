"""Rules of the scan for idle resources that do not need a whole account."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from sustainable_mlops.operations.idle import IdleAccount, Target, list_cleanups
from sustainable_mlops.operations.idle.endpoints import (
    merge_recommendations,
    read_compute_optimizer,
    read_cost_optimization_hub,
)
from sustainable_mlops.operations.idle.finding import UNKNOWN_MANAGER, IdleFinding, IdleKind, IdleReport
from sustainable_mlops.operations.idle.leftovers import choose_retention
from sustainable_mlops.operations.idle.scope import Scope, find_manager
from sustainable_mlops.operations.idle.studio import find_apps
from tests.cases import check_cases

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 29, tzinfo=UTC)
PLATFORM = {"environment": "dev", "workload": "churn", "owner": "ana", "data_class": "public"}
ARN = "arn:aws:sagemaker:eu-north-1:123456789012:endpoint/"


class RecordedAccount(IdleAccount):
    """An account whose responses are those of a botocore stub, which validates them."""

    def __init__(self, *responses: tuple[str, str, dict[str, Any]]) -> None:
        super().__init__("eu-north-1")
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


def make_scope(account: IdleAccount) -> Scope:
    return Scope(account, Target("eu-north-1"), 7, NOW, {})


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
    variant = {"VariantName": "main", "CurrentInstanceCount": 2}
    time = {"CreationTime": NOW, "LastModifiedTime": NOW}
    endpoint = {
        "EndpointName": "large",
        "EndpointArn": f"{ARN}large",
        "EndpointConfigName": "large",
        "EndpointStatus": "InService",
        "ProductionVariants": [variant],
    }
    configured_variant = {"VariantName": "main", "ModelName": "large", "InstanceType": "ml.m5.4xlarge"}
    configuration = {
        "EndpointConfigName": "large",
        "EndpointConfigArn": "a" * 20,
        "ProductionVariants": [configured_variant],
    }
    scope = make_scope(
        RecordedAccount(
            ("compute-optimizer", "get_enrollment_status", {"status": "Active"}),
            ("compute-optimizer", "get_idle_recommendations", {"idleRecommendations": [idle]}),
            ("cost-optimization-hub", "list_enrollment_statuses", {"items": [{"status": "Active"}]}),
            ("cost-optimization-hub", "list_recommendations", {"items": [build_hub_recommendation(idle), oversized]}),
            ("sagemaker", "describe_endpoint", endpoint | time),
            ("sagemaker", "describe_endpoint_config", configuration | {"CreationTime": NOW}),
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


def build_hub_recommendation(recommendation: dict[str, Any]) -> dict[str, Any]:
    return {"resourceArn": recommendation["resourceArn"], "actionType": "Delete", "estimatedMonthlySavings": 9.0}
