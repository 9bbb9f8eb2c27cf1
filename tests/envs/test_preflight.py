"""Demands that the settings of an environment make of an account."""

from typing import Any

from envs import preflight
from envs.settings import EnvironmentSettings
from sustainable_mlops.operations.preflight import EndpointDemand, JobDemand
from sustainable_mlops.terraform import ROOT


def demand(dev: dict[str, Any], **model: Any) -> dict[str, EndpointDemand]:
    """Return the demands of one model's endpoints, by kind."""
    settings = EnvironmentSettings.model_validate({**dev, "models": {"fraud": model}, "pipelines": {}})
    return {one.kind: one for one in preflight._endpoints(settings)}


def test_blue_green_doubles_an_endpoints_instances_and_rolling_adds_a_share(dev: dict[str, Any]) -> None:
    realtime = {"instance_type": "ml.c7g.large", "silicon": "graviton", "latency_slo_ms": 100, "max_instances": 4}
    rolling = {"strategy": "rolling", "step_percent": 50, "wait_seconds": 900, "bake_seconds": 600}
    whole = {"strategy": "canary", "step_percent": 50, "wait_seconds": 900, "bake_seconds": 600}
    canary = demand(dev, realtime_endpoint={**realtime, "deployment": whole})["realtime"]
    shares = demand(dev, realtime_endpoint={**realtime, "deployment": rolling})["realtime"]
    assert (canary.min_instances, canary.max_instances, canary.deployment_instances) == (2, 4, 4)
    assert shares.deployment_instances == 2


def test_variants_and_a_shadow_are_instances_too(dev: dict[str, Any]) -> None:
    image = "662702820516.dkr.ecr.eu-north-1.amazonaws.com/sagemaker-xgboost:3.0-5-graviton"
    said = {"latency_slo_ms": 100, "shadow": {"image_uri": image, "instances": 3}, "max_instances": 2}
    found = demand(dev, realtime_endpoint=said)["realtime"]
    assert (found.min_instances, found.max_instances) == (5, 5)


def test_a_serverless_endpoint_takes_concurrency_and_an_asynchronous_one_wakes(dev: dict[str, Any]) -> None:
    found = demand(dev, serverless_endpoint={"max_concurrency": 7}, async_endpoint={"max_instances": 2})
    assert found["serverless"].max_concurrency == 7
    assert (found["async"].min_instances, found["async"].max_instances) == (0, 2)


def test_steps_take_the_types_that_their_parameters_say(dev: dict[str, Any]) -> None:
    settings = EnvironmentSettings.model_validate(dev)
    found = list(preflight._jobs(settings))
    assert found[1] == JobDemand("spot_training", "ml.m7i.large", 1, "pipeline flight_delay, step Train")
    assert {one.use for one in found} == {"processing", "spot_training"}


def test_an_environment_is_read_with_its_names() -> None:
    target = preflight.read_target(ROOT / "envs" / "staging")
    assert target.buckets[0] == "smlops-staging-artifacts-234567890123-eu-west-3"
    assert "/aws/sagemaker/TrainingJobs" in target.log_groups
    assert target.key_alias == "alias/smlops-staging"
    assert target.feature_groups == ("smlops-staging-flights",)
