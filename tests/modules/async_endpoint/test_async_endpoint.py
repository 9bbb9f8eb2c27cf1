"""An asynchronous endpoint goes to zero and wakes, follows its model in place, and says what cannot run on what."""

from pathlib import Path
from typing import Any

import boto3
import pytest

from modules.async_endpoint.inputs import Inputs
from modules.endpoints.inputs import LONGEST_NAME
from sustainable_mlops.errors import UserError
from sustainable_mlops.settings import validate
from sustainable_mlops.terraform import Terraform, changes
from tests.modules.examples import Example, examples
from tests.modules.given import furnish

OWN = "123456789012.dkr.ecr.eu-north-1.amazonaws.com"
KEY = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
GIVEN = {
    "name_prefix": "shop",
    "account_id": "123456789012",
    "region": "eu-north-1",
    "image_uri": f"{OWN}/churn:1",
    "kms_key_arn": KEY,
    "role_arn": "arn:aws:iam::123456789012:role/r",
    "s3_uri": "s3://shop-artifacts/async-inference",
}
ADDRESS = "module.async_endpoint"


def example(case: str) -> Example:
    return next(each for each in examples() if (each.module, each.case) == ("async_endpoint", case))


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({"min_instances": 3}, "min_instances: must be at most max_instances, which is 2"),
        ({"requests_per_instance": 1001}, "requests_per_instance: must be less than or equal to 1000"),
        ({"instance_type": "ml.c8g.large"}, "version 5 of the AWS provider refuses ml.c8g.large"),
        ({"image_uri": f"{OWN}/churn:1-gpu-py3"}, "this image is for gpu, and ml.c7g.xlarge is graviton"),
        ({"s3_uri": "s3://shop-artifacts"}, "s3_uri: 's3://shop-artifacts' must be a prefix in a bucket"),
        ({"s3_uri": "s3://shop-artifacts/async/"}, "or a slash at its end"),
        ({"s3_uri": "s3://shop-artifacts/*"}, "without wildcards"),
        ({"model_data_url": "s3://shop-artifacts/*/model.tar.gz"}, "must be a model archive in S3"),
        ({"image_uri": None}, "model_package_arn: give either"),
        ({"inference_specification_name": "graviton"}, "inference_specification_name: it is of a model package"),
        ({"name": "a" * (LONGEST_NAME + 1)}, f"name: must have at most {LONGEST_NAME} characters"),
    ],
)
def test_settings_that_cannot_be_are_refused(inputs: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError) as error:
        validate({**GIVEN, **inputs}, Inputs, "settings.yaml")
    assert told in str(error.value)


@pytest.mark.apply
def test_it_goes_to_zero_and_wakes_and_follows_its_configuration_in_place(
    tmp_path: Path, sandbox: Any, terraform_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    given = example("minimal")
    furnish(sandbox, given.text)
    given.write(tmp_path)
    terraform = Terraform(tmp_path, terraform_environment)
    terraform.init()
    try:
        terraform.apply()
        _is_asked_for()
        _sleeps_and_wakes()

        # Another type: a new configuration, then the endpoint in place; what scales it stays as it is.
        (tmp_path / "main.tf").write_text(
            given.text.replace("role_arn ", 'instance_type = "ml.c6gd.large"\n  role_arn ')
        )
        assert changes(terraform.plan(tmp_path / "tfplan")) == {
            f"{ADDRESS}.aws_sagemaker_endpoint_configuration.this": ["create", "delete"],
            f"{ADDRESS}.aws_sagemaker_endpoint.this": ["update"],
        }
        terraform.run("apply", "tfplan")
        assert "KmsKeyId" not in _configuration(), "a local disk encrypts itself"

        # AWS takes the scaling of an endpoint away with it, also where another of its name follows.
        replaced = changes(terraform.plan(tmp_path / "tfplan", f"-replace={ADDRESS}.aws_sagemaker_endpoint.this"))
        for scaling in ("target.instances", "policy.backlog", "policy.wake"):
            assert replaced[f"{ADDRESS}.aws_appautoscaling_{scaling}"] == ["delete", "create"]
    finally:
        terraform.run("destroy", "-auto-approve")


def _configuration() -> Any:
    sagemaker = boto3.client("sagemaker")
    name = sagemaker.describe_endpoint(EndpointName="shop-churn")["EndpointConfigName"]
    return sagemaker.describe_endpoint_config(EndpointConfigName=name)


def _is_asked_for() -> None:
    found = _configuration()
    folder = "s3://shop-artifacts-123456789012-eu-north-1/async-inference/shop-churn"
    topics = "arn:aws:sns:eu-north-1:123456789012:shop-churn"
    assert found["KmsKeyId"] == KEY
    assert found["AsyncInferenceConfig"]["OutputConfig"] == {
        "S3OutputPath": f"{folder}/answers",
        "S3FailurePath": f"{folder}/failures",
        "KmsKeyId": KEY,
        "NotificationConfig": {"ErrorTopic": f"{topics}-error", "SuccessTopic": f"{topics}-success"},
    }
    attributes = boto3.client("sns").get_topic_attributes(TopicArn=f"{topics}-error")["Attributes"]
    assert attributes["KmsMasterKeyId"] == KEY


def _sleeps_and_wakes() -> None:
    scaling = boto3.client("application-autoscaling")
    variant = "endpoint/shop-churn/variant/main"
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker", ResourceIds=[variant])[
        "ScalableTargets"
    ]
    assert target["MinCapacity"] == 0
    policies = {
        policy["PolicyType"]: policy
        for policy in scaling.describe_scaling_policies(ServiceNamespace="sagemaker", ResourceId=variant)[
            "ScalingPolicies"
        ]
    }
    tracked = policies["TargetTrackingScaling"]["TargetTrackingScalingPolicyConfiguration"]
    assert tracked["CustomizedMetricSpecification"]["MetricName"] == "ApproximateBacklogSizePerInstance"
    (alarm,) = boto3.client("cloudwatch").describe_alarms(AlarmNamePrefix="shop-churn-has")["MetricAlarms"]
    assert alarm["MetricName"] == "HasBacklogWithoutCapacity"
    assert alarm["AlarmActions"] == [policies["StepScaling"]["PolicyARN"]]
