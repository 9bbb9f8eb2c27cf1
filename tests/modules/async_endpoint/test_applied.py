"""Applies of an asynchronous endpoint: creation, rollback by its alarm, another instance type.

tests/sandbox/test_async_scaling.py covers its scaling to and from zero.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.modules.applied_endpoint import KEY, ROLLED_BACK, AppliedEndpoint
from tests.sandbox.support import wait_until

pytestmark = pytest.mark.apply

ARTIFACTS = "shop-artifacts"
FOLDER = f"s3://{ARTIFACTS}/async-inference/shop"
GIVEN = {
    "account_id": "123456789012",
    "region": "eu-north-1",
    "silicon": "x86",
    "instance_type": "ml.m5.large",
    "s3_uri": f"s3://{ARTIFACTS}/async-inference",
}


class Asynchronous(AppliedEndpoint):
    """An asynchronous endpoint: answers are objects in S3."""

    def send(self) -> tuple[str, str]:
        """Send a request and return the keys of its answer and of its failure."""
        key = f"async-inference/shop/requests/{self.client.make_name('request')}"
        self._put(Bucket=ARTIFACTS, Key=key, Body=b"[]")
        request = {
            "EndpointName": self.name,
            "InputLocation": f"s3://{ARTIFACTS}/{key}",
            "ContentType": "application/json",
        }
        answer = self.client.runtime.invoke_endpoint_async(**request)
        start = len(f"s3://{ARTIFACTS}/")
        return answer["OutputLocation"][start:], answer["FailureLocation"][start:]

    def read_object(self, key: str) -> str:
        """Return the text of an object; empty if it does not exist."""
        try:
            return str(self.client.s3.get_object(Bucket=ARTIFACTS, Key=key)["Body"].read(), "utf-8").strip('"')
        except ClientError:
            return ""

    def read_outcome(self, keys: tuple[str, str]) -> str:
        """Wait for the response or `failed`; move the time while no instance runs."""
        response, failure = keys

        def poll() -> str:
            if not self.instance_count():
                self.sandbox.advance(30)
            return self.read_object(response) or ("failed" if self.read_object(failure) else "")

        return str(wait_until(poll))

    def invoke(self) -> str:
        """Return the response of the model."""
        return self.read_outcome(self.send())

    def wait_for_zero_instances(self) -> None:
        """Move the time without requests until no instance is left."""
        self.sandbox.advance(3600)
        assert self.settled_instances() == 0


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[Asynchronous]:
    with Asynchronous.in_own_sandbox(tmp_path, "async_endpoint", **GIVEN) as endpoint:
        yield endpoint


def check_the_endpoint_has_the_declared_settings(endpoint: Asynchronous) -> None:
    topics = "arn:aws:sns:eu-north-1:123456789012:shop"
    config = configuration(endpoint)
    assert config["KmsKeyId"] == KEY
    assert config["AsyncInferenceConfig"]["OutputConfig"] == {
        "S3OutputPath": f"{FOLDER}/answers",
        "S3FailurePath": f"{FOLDER}/failures",
        "KmsKeyId": KEY,
        "NotificationConfig": {"ErrorTopic": f"{topics}-error", "SuccessTopic": f"{topics}-success"},
    }
    attributes = endpoint.sandbox.client("sns").get_topic_attributes(TopicArn=f"{topics}-error")["Attributes"]
    assert attributes["KmsMasterKeyId"] == KEY
    assert endpoint.single_scaling_bounds() == (0, 2)
    request = {"ServiceNamespace": "sagemaker", "ResourceId": "endpoint/shop/variant/main"}
    scaling = endpoint.sandbox.client("application-autoscaling").describe_scaling_policies(**request)
    policies = {policy["PolicyName"]: policy for policy in scaling["ScalingPolicies"]}
    tracked = policies["backlog-per-instance"]["TargetTrackingScalingPolicyConfiguration"]
    assert tracked["CustomizedMetricSpecification"]["MetricName"] == "ApproximateBacklogSizePerInstance"
    assert tracked["DisableScaleIn"]
    alarms = endpoint.client.cloudwatch.describe_alarms(AlarmNamePrefix="shop-has")["MetricAlarms"]
    assert {alarm["MetricName"]: alarm["AlarmActions"] for alarm in alarms} == {
        "HasBacklogWithoutCapacity": [policies["wake-from-zero"]["PolicyARN"]],
        "ApproximateBacklogSize": [policies["rest-without-backlog"]["PolicyARN"]],
    }
    assert endpoint.invoke() == "first"
    assert endpoint.plan_changes() == {}


def check_the_alarm_rolls_back_a_bad_model(endpoint: Asynchronous) -> None:
    serving = endpoint.serving_configuration()
    with endpoint.start_apply(model_data_url=endpoint.upload_model("")) as failed:
        assert endpoint.wait_for_update()
        answers = set()
        with endpoint.pause_provider():
            while endpoint.status() in ("Updating", "RollingBack"):
                answers.add(endpoint.invoke())
                endpoint.sandbox.advance(20)
        endpoint.pass_time()
    # All requests go to the bad model at once, and back: each fails or gets the old model's answer; none is lost.
    assert {"failed"} <= answers <= {"failed", "first"}
    assert ROLLED_BACK in failed[0]
    assert endpoint.serving_configuration() == endpoint.configuration_in_state() == serving
    assert {endpoint.invoke() for _ in range(3)} == {"first"}
    assert endpoint.plan_changes()["aws_sagemaker_endpoint.this"] == ["update"]

    endpoint.wait_for_zero_instances()  # otherwise the alarm would roll back the next update at once
    endpoint.inputs["model_data_url"] = endpoint.upload_model("second")
    endpoint.apply()
    assert endpoint.invoke() == "second"
    assert endpoint.serving_configuration() == endpoint.configuration_in_state() != serving
    assert len(endpoint.client.sagemaker.list_endpoint_configs()["EndpointConfigs"]) == 1
    assert endpoint.plan_changes() == {}


def check_another_instance_type_replaces_the_scaling(endpoint: Asynchronous) -> None:
    before = endpoint.client.describe(endpoint.name)["CreationTime"]
    endpoint.inputs["instance_type"] = "ml.m5d.large"
    endpoint.write_root_module()
    replaced = ["delete", "create"]
    assert endpoint.plan_changes() == {
        "terraform_data.instance_type": replaced,
        "aws_sagemaker_endpoint_configuration.this": ["create", "delete"],
        "aws_sagemaker_endpoint.this": ["update"],
        "aws_appautoscaling_target.instances": replaced,
        "aws_appautoscaling_policy.backlog": replaced,
        "aws_appautoscaling_policy.rest": replaced,
        "aws_appautoscaling_policy.wake": replaced,
        "aws_cloudwatch_metric_alarm.rest": ["update"],
        "aws_cloudwatch_metric_alarm.wake": ["update"],
    }

    # SageMaker rejects an update while the number of instances changes, and Terraform cannot wait. The scaling is
    # already deleted then, until the next apply.
    assert endpoint.invoke()
    assert endpoint.settled_instances() > 0
    endpoint.sandbox.fault("UpdateEndpointWeightsAndCapacities", status_delay=900)
    wait_until(lambda: endpoint.sandbox.advance(60) and endpoint.status() == "Updating")
    with endpoint.start_apply() as failed:
        pass
    assert "Cannot update in-progress endpoint" in failed[0]
    assert endpoint.scaling_bounds() == []
    assert endpoint.configuration_in_state() != endpoint.serving_configuration()
    endpoint.sandbox.advance(900)
    endpoint.client.wait_until_settled(endpoint.name)
    endpoint.apply()
    assert endpoint.client.describe(endpoint.name)["CreationTime"] == before, "in place"
    assert "KmsKeyId" not in configuration(endpoint), "local disks are always encrypted"
    assert endpoint.single_scaling_bounds() == (0, 2)
    assert endpoint.plan_changes() == {}

    # AWS deletes the scaling of an endpoint with it, even if another endpoint of the same name follows.
    replacement = endpoint.plan_changes("-replace=module.endpoint.aws_sagemaker_endpoint.this")
    for scaling in ("target.instances", "policy.backlog", "policy.rest", "policy.wake"):
        assert replacement[f"aws_appautoscaling_{scaling}"] == replaced


def test_an_asynchronous_endpoint_through_several_applies(endpoint: Asynchronous) -> None:
    """Run the checks in this order; each starts from the last apply of the one before."""
    for check in (
        check_the_endpoint_has_the_declared_settings,
        check_the_alarm_rolls_back_a_bad_model,
        check_another_instance_type_replaces_the_scaling,
    ):
        print(check.__name__)
        check(endpoint)


def configuration(endpoint: Asynchronous) -> Any:
    """Return the serving configuration."""
    return endpoint.client.sagemaker.describe_endpoint_config(EndpointConfigName=endpoint.serving_configuration())
