"""An asynchronous endpoint as it is applied: made as it is asked for, taken back by its alarm, and given another type.

That it goes to zero and wakes by its own policies is in tests/sandbox/test_async_scaling.py.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.modules.serving import GONE_BACK, KEY, Serving
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


class Asynchronous(Serving):
    """One whose answers come later."""

    def send(self) -> tuple[str, str]:
        """A request: the keys at which its answer will be, or why it failed."""
        key = f"async-inference/shop/requests/{self.own.make_name('request')}"
        self._put(Bucket=ARTIFACTS, Key=key, Body=b"[]")
        asked = {
            "EndpointName": self.name,
            "InputLocation": f"s3://{ARTIFACTS}/{key}",
            "ContentType": "application/json",
        }
        answer = self.own.runtime.invoke_endpoint_async(**asked)
        start = len(f"s3://{ARTIFACTS}/")
        return answer["OutputLocation"][start:], answer["FailureLocation"][start:]

    def got(self, key: str) -> str:
        """What is in S3 by now; empty while nothing is."""
        try:
            return str(self.own.s3.get_object(Bucket=ARTIFACTS, Key=key)["Body"].read(), "utf-8").strip('"')
        except ClientError:
            return ""

    def outcome(self, sent: tuple[str, str]) -> str:
        """Who answered, or `failed`; minutes pass where an instance has to wake first."""
        answer, failure = sent

        def look() -> str:
            if not self.instances():
                self.sandbox.advance(30)
            return self.got(answer) or ("failed" if self.got(failure) else "")

        return str(wait_until(look, seconds=240))

    def ask(self) -> str:
        """Who answers."""
        return self.outcome(self.send())

    def sleep(self) -> None:
        """Nobody asks until no instance is left, and nothing scales it any more."""
        self.sandbox.advance(3600)
        assert self.settled() == 0


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[Asynchronous]:
    with Asynchronous.alone(tmp_path, "async_endpoint", **GIVEN) as made:
        yield made


def it_is_as_it_is_asked_for(endpoint: Asynchronous) -> None:
    topics = "arn:aws:sns:eu-north-1:123456789012:shop"
    found = configuration(endpoint)
    assert found["KmsKeyId"] == KEY
    assert found["AsyncInferenceConfig"]["OutputConfig"] == {
        "S3OutputPath": f"{FOLDER}/answers",
        "S3FailurePath": f"{FOLDER}/failures",
        "KmsKeyId": KEY,
        "NotificationConfig": {"ErrorTopic": f"{topics}-error", "SuccessTopic": f"{topics}-success"},
    }
    attributes = endpoint.sandbox.client("sns").get_topic_attributes(TopicArn=f"{topics}-error")["Attributes"]
    assert attributes["KmsMasterKeyId"] == KEY
    assert endpoint.bounds() == (0, 2)
    asked = {"ServiceNamespace": "sagemaker", "ResourceId": "endpoint/shop/variant/main"}
    scaling = endpoint.sandbox.client("application-autoscaling").describe_scaling_policies(**asked)
    policies = {policy["PolicyName"]: policy for policy in scaling["ScalingPolicies"]}
    tracked = policies["backlog-per-instance"]["TargetTrackingScalingPolicyConfiguration"]
    assert tracked["CustomizedMetricSpecification"]["MetricName"] == "ApproximateBacklogSizePerInstance"
    assert tracked["DisableScaleIn"]
    alarms = endpoint.own.cloudwatch.describe_alarms(AlarmNamePrefix="shop-has")["MetricAlarms"]
    assert {alarm["MetricName"]: alarm["AlarmActions"] for alarm in alarms} == {
        "HasBacklogWithoutCapacity": [policies["wake-from-zero"]["PolicyARN"]],
        "ApproximateBacklogSize": [policies["rest-without-backlog"]["PolicyARN"]],
    }
    assert endpoint.ask() == "first"
    assert endpoint.plan() == {}


def it_is_taken_back_by_its_alarm_and_the_next_good_model_is_served(endpoint: Asynchronous) -> None:
    serves = endpoint.following()
    with endpoint.applying(model_data_url=endpoint.model("")) as failed:
        assert endpoint.begun()
        told = set()
        with endpoint.unseen():
            while endpoint.status() in ("Updating", "RollingBack"):
                told.add(endpoint.ask())
                endpoint.sandbox.advance(20)
        endpoint.pass_()
    # All goes to the bad model at once, and back: what is asked meanwhile fails, or the old one answers; none is lost.
    assert {"failed"} <= told <= {"failed", "first"}
    assert GONE_BACK in failed[0]
    assert endpoint.following() == endpoint.in_state() == serves
    assert {endpoint.ask() for _ in range(3)} == {"first"}
    assert endpoint.plan()["aws_sagemaker_endpoint.this"] == ["update"]

    endpoint.sleep()  # and an alarm that is still on would take the next one back at once
    endpoint.given["model_data_url"] = endpoint.model("second")
    endpoint.apply()
    assert endpoint.ask() == "second"
    assert endpoint.following() == endpoint.in_state() != serves
    assert len(endpoint.own.sagemaker.list_endpoint_configs()["EndpointConfigs"]) == 1
    assert endpoint.plan() == {}


def another_type_reaches_it_as_what_scales_it_goes_before(endpoint: Asynchronous) -> None:
    before = endpoint.own.describe(endpoint.name)["CreationTime"]
    endpoint.given["instance_type"] = "ml.m5d.large"
    endpoint.write()
    replaced = ["delete", "create"]
    assert endpoint.plan() == {
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

    # SageMaker refuses an update while an instance comes or goes, and Terraform cannot wait. What scales it is gone by
    # then, until the next apply.
    assert endpoint.ask()
    assert endpoint.settled() > 0
    endpoint.sandbox.fault("UpdateEndpointWeightsAndCapacities", status_delay=900)
    wait_until(lambda: endpoint.sandbox.advance(60) and endpoint.status() == "Updating", seconds=300)
    with endpoint.applying() as failed:
        pass
    assert "Cannot update in-progress endpoint" in failed[0]
    assert endpoint.scaled() == []
    assert endpoint.in_state() != endpoint.following()
    endpoint.sandbox.advance(900)
    endpoint.own.wait_until_settled(endpoint.name)
    endpoint.apply()
    assert endpoint.own.describe(endpoint.name)["CreationTime"] == before, "in place"
    assert "KmsKeyId" not in configuration(endpoint), "a local disk encrypts itself"
    assert endpoint.bounds() == (0, 2)
    assert endpoint.plan() == {}

    # AWS takes the scaling of an endpoint away with it, also where another of its name follows.
    anew = endpoint.plan("-replace=module.endpoint.aws_sagemaker_endpoint.this")
    for scaling in ("target.instances", "policy.backlog", "policy.rest", "policy.wake"):
        assert anew[f"aws_appautoscaling_{scaling}"] == replaced


def test_an_asynchronous_endpoint_as_it_is_applied_again_and_again(endpoint: Asynchronous) -> None:
    """One after the other: what was applied last is where the next begins."""
    for happens in (
        it_is_as_it_is_asked_for,
        it_is_taken_back_by_its_alarm_and_the_next_good_model_is_served,
        another_type_reaches_it_as_what_scales_it_goes_before,
    ):
        print(happens.__name__)
        happens(endpoint)


def configuration(endpoint: Asynchronous) -> Any:
    """The configuration that serves."""
    return endpoint.own.sagemaker.describe_endpoint_config(EndpointConfigName=endpoint.following())
