"""Demands of an environment's settings on the account."""

from typing import Any

from envs import preflight
from envs.settings import EnvironmentSettings
from sustainable_mlops.account.preflight import EndpointDemand, JobDemand
from sustainable_mlops.base.terraform import ROOT


def demand(dev: dict[str, Any], **model: Any) -> dict[str, EndpointDemand]:
    """Return the demands of one model's endpoints, by kind."""
    settings = EnvironmentSettings.model_validate({**dev, "models": {"fraud": model}, "pipelines": {}})
    return {one.kind: one for one in preflight._list_endpoint_demands(settings)}


def test_blue_green_doubles_instances_and_rolling_adds_a_share(dev: dict[str, Any]) -> None:
    realtime = {"instance_type": "ml.c7g.large", "silicon": "graviton", "latency_slo_ms": 100, "max_instances": 4}
    rolling = {"strategy": "rolling", "step_percent": 50, "wait_seconds": 900, "bake_seconds": 600}
    whole = {"strategy": "canary", "step_percent": 50, "wait_seconds": 900, "bake_seconds": 600}
    canary = demand(dev, realtime_endpoint={**realtime, "deployment": whole})["realtime"]
    shares = demand(dev, realtime_endpoint={**realtime, "deployment": rolling})["realtime"]
    assert (canary.min_instances, canary.max_instances, canary.deployment_instances) == (2, 4, 4)
    assert shares.deployment_instances == 2


def test_challengers_and_shadows_need_instances(dev: dict[str, Any]) -> None:
    image = "662702820516.dkr.ecr.eu-north-1.amazonaws.com/sagemaker-xgboost:3.0-5-graviton"
    options = {"latency_slo_ms": 100, "shadow": {"image_uri": image, "instances": 3}, "max_instances": 2}
    demands = demand(dev, realtime_endpoint=options)["realtime"]
    assert (demands.min_instances, demands.max_instances) == (5, 5)


def test_serverless_endpoints_need_concurrency_and_asynchronous_ones_instances(dev: dict[str, Any]) -> None:
    demands = demand(dev, serverless_endpoint={"max_concurrency": 7}, async_endpoint={"max_instances": 2})
    assert demands["serverless"].max_concurrency == 7
    assert (demands["async"].min_instances, demands["async"].max_instances) == (0, 2)


def test_pipeline_steps_use_the_instance_types_of_their_parameters(dev: dict[str, Any]) -> None:
    settings = EnvironmentSettings.model_validate(dev)
    demands = list(preflight._list_job_demands(settings))
    assert demands[1] == JobDemand("spot_training", "ml.m7i.large", 1, "pipeline flight_delay, step Train")
    assert {one.use for one in demands} == {"processing", "spot_training"}


def test_the_services_of_purposes_and_of_the_list_have_their_full_names(dev: dict[str, Any]) -> None:
    endpoints = {
        "vpc_id": "vpc-0123456789abcdef0",
        "route_table_ids": ["rtb-0123456789abcdef0"],
        "purposes": ["feature_store"],
        "services": ["kms", "aws.sagemaker.eu-north-1.studio"],
    }
    subnets = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
    network = {"subnet_ids": subnets, "vpc_endpoints": endpoints}
    settings = {**dev, "network": network, "models": {}, "pipelines": {}}
    assert preflight._list_endpoint_services(EnvironmentSettings.model_validate(settings)) == [
        "aws.sagemaker.eu-north-1.studio",
        "com.amazonaws.eu-north-1.kms",
        "com.amazonaws.eu-north-1.sagemaker.featurestore-runtime",
    ]
    assert preflight._list_endpoint_services(EnvironmentSettings.model_validate(dev)) == []


def test_loading_an_environment_includes_its_names() -> None:
    target = preflight.read_target(ROOT / "envs" / "staging")
    assert target.buckets[0] == "smlops-staging-artifacts-234567890123-eu-north-1"
    assert "/aws/sagemaker/TrainingJobs" in target.log_groups
    assert target.key_alias == "alias/smlops-staging"
    assert target.feature_groups == ("smlops-staging-flights",)
