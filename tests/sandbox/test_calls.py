"""The record of calls: what is sent in every protocol, and what is left out."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagemaker_sandbox import Sandbox

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("s3", "HeadBucket", {"Bucket": "calls"}),
        ("s3", "GetBucketTagging", {"Bucket": "calls"}),
        ("s3", "GetObject", {"Bucket": "calls", "Key": "a/b"}),
        ("s3control", "ListStorageLensConfigurations", {"AccountId": "123456789012"}),
        ("sagemaker", "DescribeModel", {"ModelName": "calls"}),
        ("sagemaker-runtime", "InvokeEndpoint", {"EndpointName": "calls", "Body": b"1"}),
        ("iam", "GetRole", {"RoleName": "calls"}),
        ("cloudwatch", "DescribeAlarms", {"AlarmNamePrefix": "calls"}),
        ("logs", "DescribeLogGroups", {"logGroupNamePrefix": "calls"}),
        ("scheduler", "GetSchedule", {"Name": "calls"}),
        ("service-quotas", "GetServiceQuota", {"ServiceCode": "sagemaker", "QuotaCode": "L-96300102"}),
        ("application-autoscaling", "DescribeScalableTargets", {"ServiceNamespace": "sagemaker"}),
    ],
)
def test_a_call_is_recorded_by_its_service_operation_parameters_and_agent(
    sandbox: Sandbox, service: str, operation: str, parameters: dict[str, Any]
) -> None:
    client = sandbox.client(service)
    name = next(one for one, api in client.meta.method_to_api_mapping.items() if api == operation)
    with sandbox.record_calls() as calls:
        quietly(getattr(client, name), **parameters)
    (call,) = calls
    assert (call["service"], call["operation"]) == (service, operation)
    assert call["user_agent"].startswith("Boto3/")
    sent = {one: value for one, value in parameters.items() if isinstance(value, str)}
    assert call["parameters"] | sent == call["parameters"]


def quietly(call: Callable[..., Any], **parameters: Any) -> None:
    """Make a call that may be refused: it is recorded all the same."""
    with suppress(ClientError):
        call(**parameters)


def test_a_refusal_is_recorded_with_its_status_and_nothing_before_or_after(sandbox: Sandbox) -> None:
    iam = sandbox.client("iam")
    iam.list_roles()
    with sandbox.record_calls() as calls:
        quietly(iam.get_role, RoleName="nobody")
        sandbox.inventory()
    iam.list_roles()
    assert [(call["operation"], call["status"]) for call in calls] == [("GetRole", 404)]
