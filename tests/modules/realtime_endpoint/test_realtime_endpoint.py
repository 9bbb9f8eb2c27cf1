"""Input validation and resources of a real-time endpoint."""

from typing import Any

import pytest

from modules.async_endpoint import iam_statements as async_endpoint
from modules.realtime_endpoint import iam_statements as realtime_endpoint
from modules.realtime_endpoint.inputs import Inputs
from sustainable_mlops.authoring import bind_inputs
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.settings import validate
from tests.cases import check_cases

OWN = "123456789012.dkr.ecr.eu-north-1.amazonaws.com"
GIVEN = {
    "name_prefix": "shop",
    "account_id": "123456789012",
    "region": "eu-north-1",
    "image_uri": f"{OWN}/churn:1",
    "kms_key_arn": "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "latency_slo_ms": 100,
    "role_arn": "arn:aws:iam::123456789012:role/r",
}
HOURS = {"begin": "cron(0 20 ? * MON-FRI *)", "end": "cron(0 6 ? * MON-FRI *)", "timezone": "Europe/Stockholm"}
CHALLENGER = {"image_uri": f"{OWN}/churn:2", "weight": 50}
STEP = {"hostname": "one", "image_uri": f"{OWN}/churn:1"}
INFERENTIA = {"silicon": "inferentia2", "instance_type": "ml.inf2.xlarge"}
ONE = {"min_instances": 1, "one_instance_because": "Callers ask again a minute later."}


@check_cases(
    ("inputs", "message"),
    [
        ({"name": "a" * 64}, f"name: '{'a' * 64}' must be 1 to 63 letters, digits and hyphens"),
        ({"min_instances": 5}, "min_instances: must be at most max_instances, which is 4."),
        (
            {"min_instances": 1},
            "min_instances: one instance is in one Availability Zone; use two, or set one_instance_because to",
        ),
        (ONE, "deployment: rolling moves at most half of the instances at a time, so it needs two; use all_at_once"),
        ({**ONE, "deployment": {"strategy": "canary"}}, "deployment: canary moves at most half of the instances"),
        (
            {"deployment": {"step_percent": 20}},
            "deployment: step_percent, 20, of 2 instances is less than one instance; increase it.",
        ),
        (
            {"deployment": {"error_percent": 50}},
            "error_percent: must be less than step_percent, 50: a bad model cannot",
        ),
        (
            {"min_instances": 4, "max_instances": 20, "deployment": {"strategy": "linear", "step_percent": 9}},
            "step_percent: a linear step must be at least 10 percent.",
        ),
        (
            {"min_instances": 4, "deployment": {"strategy": "linear", "step_percent": 25, "wait_seconds": 700}},
            "wait_seconds: the AWS provider waits one hour for a deployment, and the steps and bake",
        ),
        ({"deployment": {"step_percent": 60}}, "deployment.step_percent: must be less than or equal to 50"),
        (
            {"challengers": {"b": CHALLENGER}},
            "deployment: SageMaker has no rolling deployment for several variants; use canary",
        ),
        ({"challengers": {"main": CHALLENGER}}, "challengers: the name main belongs to the variant of image_uri"),
        (
            {"challengers": dict.fromkeys("bcdef", CHALLENGER), "deployment": {"strategy": "canary"}},
            "challengers: SageMaker allows 10 rollback alarms, and each variant has two; remove some.",
        ),
        (
            {"challengers": {"b": {**CHALLENGER, "image_uri": f"{OWN}/churn:2-gpu-py3"}}},
            "challengers: b: the image is not for graviton, the silicon of all variants; use an image for graviton.",
        ),
        ({"challengers": {"b": {"weight": 10}}}, "challengers.b.model_package_arn: set either a model package"),
        (
            {"challengers": {"b": CHALLENGER}, "shadow": {"image_uri": f"{OWN}/churn:3"}},
            "shadow: SageMaker allows a shadow only next to a single variant; remove challengers.",
        ),
        (
            {"models_s3_uri": "s3://shop/models/", "shadow": {"image_uri": f"{OWN}/churn:3"}},
            "shadow: SageMaker allows a shadow only next to one model in one container",
        ),
        (
            {
                "image_uri": None,
                "containers": [STEP, {**STEP, "hostname": "two"}],
                "shadow": {"image_uri": f"{OWN}/churn:3"},
            },
            "shadow: SageMaker allows a shadow only next to one model in one container",
        ),
        (
            {"shadow": {"image_uri": f"{OWN}/churn:3-neuronx"}},
            "shadow: its image is not for graviton; use an image for graviton.",
        ),
        ({"off_hours": {**HOURS, "timezone": "Europe/Stokholm"}}, "Europe/Stokholm is not the canonical"),
        *(
            ({"off_hours": {**HOURS, "timezone": alias}}, f"off_hours.timezone: {alias} is not the canonical")
            for alias in ("US/Pacific", "Etc/UTC")
        ),
        (
            {"off_hours": {**HOURS, "begin": "cron(99 99 ? * FOO *)"}},
            "off_hours.begin: cron(99 99 ? * FOO *) has invalid days of the week, hours, minutes.",
        ),
        (
            {"off_hours": {**HOURS, "begin": "0 20 * * *"}},
            "off_hours.begin: '0 20 * * *' must be a cron expression of six",
        ),
        ({"off_hours": {**HOURS, "begin": "cron(0 20 * * *)"}}, "off_hours.begin: 'cron(0 20 * * *)' must be a cron"),
        ({"off_hours": {**HOURS, "end": "cron(0 6 * * * *)"}}, "? for the day of the month or of the week: cron("),
        ({"off_hours": {**HOURS, "instances": 3}}, "off_hours: instances must be at most min_instances, which is 2."),
        ({"image_uri": None}, "model_package_arn: set one of: a model package; image_uri"),
        ({"models_s3_uri": "s3://shop/models/", "model_data_url": "s3://shop/m/model.tar.gz"}, "set one of"),
        ({"models_s3_uri": "s3://shop/models"}, "must be a prefix in a bucket with a slash at its end"),
        ({"containers": [STEP, STEP]}, "model_package_arn: set one of"),
        ({"image_uri": None, "containers": [STEP]}, "containers: a list needs at least two containers"),
        (
            {"image_uri": None, "containers": [STEP, {"hostname": "two", "image_uri": f"{OWN}/churn:1-neuronx"}]},
            "containers: two: the image is not for graviton; use an image for graviton.",
        ),
        (
            {"image_uri": None, **INFERENTIA, "containers": [STEP, {**STEP, "hostname": "two"}]},
            "containers: Inferentia runs only Neuron images, whose names contain neuron; use one",
        ),
        ({"inference_ami_version": "al2-ami-sagemaker-inference-gpu-2"}, "these drivers are only for GPUs; remove it."),
        (
            {"vpc_config": {"security_group_ids": ["sg-01234567"], "subnets": ["subnet-01234567"]}},
            "vpc_config.subnets: ",
        ),
        ({"data_capture": {"s3_uri": "s3://shop/captures/"}}, "data_capture.s3_uri: 's3://shop/captures/' must be a"),
        ({"latency_slo_ms": 60001}, "latency_slo_ms: must be less than or equal to 60000"),
    ],
)
def test_invalid_settings_are_rejected(inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as error:
        validate({**GIVEN, **inputs}, Inputs, "settings.yaml")
    assert message in str(error.value)


@check_cases(
    "inputs",
    [
        {**ONE, "deployment": {"strategy": "all_at_once"}},
        {"min_instances": 4, "deployment": {"strategy": "canary", "step_percent": 25}},
        {"image_uri": None, "containers": [STEP, {**STEP, "hostname": "two"}], "containers_mode": "Direct"},
        {
            "image_uri": None,
            **INFERENTIA,
            "containers": [
                {"hostname": "prepare", "image_uri": f"{OWN}/sagemaker-scikit-learn:1.2-1-cpu-py3"},
                {"hostname": "classify", "image_uri": f"{OWN}/churn:1-neuronx-amd64"},
            ],
        },
        {"models_s3_uri": "s3://shop/models/"},
        {"challengers": {"b": CHALLENGER}, "deployment": {"strategy": "linear"}},
        {"off_hours": HOURS},
        {"off_hours": {**HOURS, "timezone": "Etc/GMT+9"}},
    ],
)
def test_valid_settings_are_accepted(inputs: dict[str, Any]) -> None:
    assert validate({**GIVEN, **inputs}, Inputs, "settings.yaml")


def test_alarms_use_the_endpoint_name_and_the_endpoint_references_them(synthesized: dict[str, Any]) -> None:
    resources = synthesized["realtime_endpoint"]["resource"]
    for label in ("errors", "latency"):
        alarm = resources["aws_cloudwatch_metric_alarm"][label]
        assert "aws_sagemaker" not in str(alarm)
        assert alarm["dimensions"] == {"EndpointName": "${local.name}", "VariantName": "${each.key}"}
    deployment = resources["aws_sagemaker_endpoint"]["this"]["deployment_config"]
    expression = str(deployment["auto_rollback_configuration"]["dynamic"]["alarms"]["for_each"])
    assert {"errors", "latency"} == {name for name in ("errors", "latency") if f"metric_alarm.{name}" in expression}


@pytest.mark.parametrize(
    ("module", "own"), [(async_endpoint, ["failures"]), (realtime_endpoint, ["main-errors", "main-latency"])]
)
def test_the_role_can_describe_only_the_rollback_alarms(module: Any, own: list[str]) -> None:
    place = {"name_prefix": "shop", "account_id": "123456789012", "region": "eu-north-1"}
    more = {"s3_uri": "s3://shop/async"} if module is async_endpoint else {}
    inputs = bind_inputs(
        module.Inputs, **place, **more, kms_key_arn=GIVEN["kms_key_arn"], more_rollback_alarms=["quality"]
    )
    (watching,) = (one for one in module.build_statements(inputs)["inference"] if one["sid"] == "WatchAlarms")
    alarms = "arn:aws:cloudwatch:eu-north-1:123456789012:alarm"
    assert watching["resources"] == [*(f"{alarms}:shop-{name}" for name in own), f"{alarms}:quality"]


@pytest.mark.parametrize("module", ["async_endpoint", "realtime_endpoint"])
def test_inferentia_uses_an_ami_with_its_drivers(module: str, synthesized: dict[str, Any]) -> None:
    configured = synthesized[module]["resource"]["aws_sagemaker_endpoint_configuration"]["this"]
    assert "${local.inference_ami_version}" in str(configured)
    assert "al2-ami-sagemaker-inference-neuron-2" in synthesized[module]["locals"]["inference_ami_version"]


@check_cases("module", ["async_endpoint", "realtime_endpoint", "serverless_endpoint"])
def test_a_rolled_back_endpoint_fails_the_apply(module: str, synthesized: dict[str, Any]) -> None:
    endpoint = synthesized[module]["resource"]["aws_sagemaker_endpoint"]["this"]
    condition = endpoint["lifecycle"]["postcondition"]
    followed = "aws_sagemaker_endpoint_configuration.this.name"
    assert condition["condition"] == f"${{self.endpoint_config_name == {followed}}}"
    assert endpoint["endpoint_config_name"] == f"${{{followed}}}"
    assert "was rolled back" in condition["error_message"]


@check_cases("module", ["async_endpoint", "realtime_endpoint", "serverless_endpoint"])
def test_scaling_references_the_endpoint_and_is_replaced_with_it(module: str, synthesized: dict[str, Any]) -> None:
    for target in synthesized[module]["resource"]["aws_appautoscaling_target"].values():
        assert "${aws_sagemaker_endpoint.this.name}" in target["resource_id"]
        assert "aws_sagemaker_endpoint.this.id" in target["lifecycle"]["replace_triggered_by"]
