"""Compute Optimizer and Cost Optimization Hub: enrollment, and recommendations for endpoints without requests."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.base.clock import Clock
from sagemaker_sandbox.services.cloudwatch import metrics
from sagemaker_sandbox.services.idle_endpoints import ComputeOptimizerOperations, CostOptimizationHubOperations
from sagemaker_sandbox.services.registry import ServiceRequest
from tests.sandbox.support import catch_error

pytestmark = pytest.mark.slow

ACCOUNT, REGION = "444455556666", "eu-north-1"
NOW = datetime.now(UTC)


def describe(account: str, region: str, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the response of SageMaker for two old endpoints and a new one."""
    del account, region
    if operation == "ListEndpoints":
        return {"Endpoints": [{"EndpointName": name} for name in ("idle", "busy", "new")]}
    if operation == "DescribeEndpointConfig":
        return {"ProductionVariants": [{"VariantName": "main", "InstanceType": "ml.m5.large"}]}
    name = request["EndpointName"]
    return {
        "EndpointName": name,
        "EndpointArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/{name}",
        "EndpointConfigName": name,
        "EndpointStatus": "InService",
        "CreationTime": NOW - timedelta(days=1 if name == "new" else 30),
        "ProductionVariants": [{"VariantName": "main", "CurrentInstanceCount": 2}],
    }


def test_enrolled_accounts_get_the_endpoints_without_requests_in_two_weeks() -> None:
    dimensions = [{"Name": "EndpointName", "Value": "busy"}, {"Name": "VariantName", "Value": "main"}]
    metrics.put(
        ACCOUNT,
        REGION,
        "AWS/SageMaker",
        [{"MetricName": "Invocations", "Value": 1.0, "Dimensions": dimensions}],
        NOW - timedelta(days=2),
    )
    optimizer = ComputeOptimizerOperations(describe, Clock())
    hub = CostOptimizationHubOperations(describe, Clock(), lambda _: [REGION])

    def request(**parameters: Any) -> ServiceRequest:
        return ServiceRequest(ACCOUNT, REGION, parameters)

    hub.update_enrollment_status(request(status="Active"))
    assert hub.list_recommendations(request()) == {"items": []}, "they come from Compute Optimizer"
    optimizer.update_enrollment_status(request(status="Active"))
    (recommendation,) = optimizer.get_idle_recommendations(request())["idleRecommendations"]
    assert (recommendation["resourceId"], recommendation["finding"]) == ("idle", "Idle")
    assert recommendation["savingsOpportunity"]["estimatedMonthlySavings"]["value"] > 100
    other = [{"name": "ResourceType", "values": ["EC2Instance"]}]
    assert optimizer.get_idle_recommendations(request(filters=other))["idleRecommendations"] == []
    (item,) = hub.list_recommendations(request(filter={"regions": [REGION]}))["items"]
    assert (item["resourceId"], item["actionType"], item["source"]) == ("idle", "Delete", "ComputeOptimizer")
    assert hub.list_recommendations(request(filter={"regions": ["eu-west-1"]})) == {"items": []}


def test_accounts_that_are_not_enrolled_are_refused(sandbox: Sandbox) -> None:
    optimizer, hub = (sandbox.client(name) for name in ("compute-optimizer", "cost-optimization-hub"))
    assert catch_error(optimizer.get_idle_recommendations)[0] == "OptInRequiredException"
    assert catch_error(hub.list_recommendations)[0] == "AccessDeniedException"
    assert catch_error(optimizer.update_enrollment_status, status="Pending")[0] == "ValidationException"
    for client in (optimizer, hub):
        client.update_enrollment_status(status="Active")
    assert optimizer.get_enrollment_status()["status"] == "Active"
    assert [one["status"] for one in hub.list_enrollment_statuses()["items"]] == ["Active"]
    for client in (optimizer, hub):
        client.update_enrollment_status(status="Inactive")
    assert optimizer.get_enrollment_status()["status"] == "Inactive"
