"""The recorder of calls, in every protocol."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagemaker_sandbox import Sandbox
from tests.cases import check_cases

pytestmark = pytest.mark.slow


@check_cases(
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
    name = next(key for key, api in client.meta.method_to_api_mapping.items() if api == operation)
    with sandbox.record_calls() as calls:
        ignore_error(getattr(client, name), **parameters)
    (call,) = calls
    assert (call["service"], call["operation"]) == (service, operation)
    assert call["user_agent"].startswith("Boto3/")
    text_parameters = {key: value for key, value in parameters.items() if isinstance(value, str)}
    assert call["parameters"] | text_parameters == call["parameters"]


def ignore_error(call: Callable[..., Any], **parameters: Any) -> None:
    """Make a call, and ignore its error. The call is recorded nevertheless."""
    with suppress(ClientError):
        call(**parameters)


def test_a_refused_call_is_recorded_with_its_status(sandbox: Sandbox) -> None:
    iam = sandbox.client("iam")
    iam.list_roles()
    with sandbox.record_calls() as calls:
        ignore_error(iam.get_role, RoleName="nobody")
        sandbox.inventory()
    iam.list_roles()
    assert [(call["operation"], call["status"]) for call in calls] == [("GetRole", 404)]
