"""An environment with a network: its jobs, pipelines and endpoints on instances are in subnets of a VPC."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from clone import synth
from envs.components import pipelines
from envs.components.access import Access
from envs.components.model_registry import ModelRegistry
from envs.components.network import Network
from envs.components.pipelines import Pipelines
from envs.components.platform import PlatformParameter
from envs.components.realtime_endpoints import RealtimeEndpoints
from envs.components.storage import Storage
from envs.settings import EnvironmentSettings
from sustainable_mlops.base.terraform import ROOT, list_changes
from sustainable_mlops.jobs.kinds import TRAINING
from sustainable_mlops.jobs.launch import prepare, start
from tests.cases import check_cases
from tests.envs.test_golden_path import register_package, write_root_module
from tests.modules.examples import apply, plan, terraform
from tests.modules.prerequisites import create_network
from tests.sandbox.support import IMAGE, wait_until

SUBNETS = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
GROUPS = ["sg-0123456789abcdef0"]
EXISTING: dict[str, Any] = {"subnet_ids": SUBNETS, "security_group_ids": GROUPS}
CREATED: dict[str, Any] = {
    "subnet_ids": SUBNETS,
    "vpc_endpoints": {"vpc_id": "vpc-0123456789abcdef0", "route_table_ids": ["rtb-0123456789abcdef0"]},
}
REALTIME = {"latency_slo_ms": 1000, "silicon": "x86", "instance_type": "ml.m5.large"}
OWN = {"subnets": ["subnet-0000000a", "subnet-0000000b"], "security_group_ids": ["sg-0000000a"]}
DEFINITION = {
    "Version": "2020-12-01",
    "Parameters": [{"Name": "DataPreparationRoleArn", "Type": "String"}],
    "Steps": [
        {
            "Name": "Prepare",
            "Type": "Processing",
            "Arguments": {
                "RoleArn": {"Get": "Parameters.DataPreparationRoleArn"},
                "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["true"]},
                "ProcessingResources": {
                    "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
                },
            },
        }
    ],
}
JOB = {
    "name": "delay",
    "platform": "/sustainable-mlops/dev/platform",
    "source": {"entry_point": "train.py"},
    "image": IMAGE,
    "compute": {"instance_type": "ml.m5.large", "spot": False},
    "limits": {"max_runtime_minutes": 5},
    "data": {"train": "raw/"},
}


@check_cases(
    ("network", "model", "message"),
    [
        ({"subnet_ids": SUBNETS}, {}, "network: set either security_group_ids or vpc_endpoints"),
        ({**EXISTING, **CREATED}, {}, "network: set either security_group_ids or vpc_endpoints"),
        ({**EXISTING, "subnet_ids": SUBNETS[:1]}, {}, "at least 2 items"),
        (
            EXISTING,
            {"serverless_endpoint": {}},
            "models.delay.serverless_endpoint: a serverless endpoint cannot join the network of the environment; use "
            "another kind of endpoint, or set models.delay.vpc to false",
        ),
    ],
)
def test_a_network_that_cannot_work_is_reported_in_the_settings(
    dev: dict[str, Any], network: dict[str, Any], model: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        EnvironmentSettings.model_validate({**dev, "models": {"delay": model}, "pipelines": {}, "network": network})


def test_each_endpoint_and_pipeline_is_in_the_network_unless_its_settings_differ(
    environment: Callable[..., Any], dev: dict[str, Any]
) -> None:
    models = {
        "delay": {"realtime_endpoint": REALTIME, "async_endpoint": {}},
        "size": {"realtime_endpoint": {**REALTIME, "vpc_config": OWN}},
        "price": {"realtime_endpoint": REALTIME, "serverless_endpoint": {}, "vpc": False},
    }
    more = {"subnet_ids": OWN["subnets"], "security_group_ids": OWN["security_group_ids"]}
    flows = {"flight_delay": {**dev["pipelines"]["flight_delay"], "model": "delay"}}
    body = environment(models=models, pipelines=flows, network=EXISTING, access={"vpc": more}).to_json()
    network = "${local.vpc_config}"
    assert body["locals"]["vpc_config"] == {"subnets": SUBNETS, "security_group_ids": GROUPS}
    realtime = body["locals"]["realtime_endpoints"]
    assert {key: one.get("vpc_config") for key, one in realtime.items()} == {
        "delay": network,
        "size": OWN,
        "price": None,
    }
    assert body["locals"]["async_endpoints"]["delay"]["vpc_config"] == network
    assert body["module"]["pipeline_flight_delay"]["vpc_config"] == network
    assert set(body["module"]["access"]["vpc"]) == set(more)
    assert "subnet-0000000b" in str(body["module"]["access"]["vpc"]["subnet_ids"])
    assert set(body["locals"]["platform"]["vpc"]) == {"subnet_ids", "security_group_ids"}


def test_the_s3_endpoint_of_an_environment_admits_the_models_of_its_registries(environment: Callable[..., Any]) -> None:
    public = "arn:aws:s3:::jumpstart-cache-prod-eu-north-1"
    options = {**CREATED["vpc_endpoints"], "readable_bucket_arns": [public]}
    network = {**CREATED, "vpc_endpoints": options}
    promotion = {"registries": {"210987654321": "smlops-dev"}}
    call = environment(models={}, pipelines={}, network=network, promotion=promotion).to_json()["module"]["network"]
    models = "arn:aws:s3:::smlops-dev-artifacts-210987654321-eu-north-1"
    assert call["readable_bucket_arns"] == [public, models]
    alone = environment(models={}, pipelines={}, network=CREATED).to_json()["module"]["network"]
    assert "readable_bucket_arns" not in alone


def test_an_environment_without_a_network_names_none(environment: Callable[..., Any]) -> None:
    body = environment().to_json()
    assert "vpc" not in json.dumps([body["locals"], body["module"]])


@pytest.mark.environment
@pytest.mark.apply
def test_training_jobs_pipelines_and_endpoints_run_in_the_subnets(
    tmp_path: Path, own: tuple[Any, dict[str, str]], environment: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox, variables = own
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    create_network(sandbox, json.dumps(CREATED))
    repository = tmp_path / "repository"
    definition = repository / "workloads" / "small" / "pipeline.json"
    definition.parent.mkdir(parents=True)
    definition.write_text(json.dumps(DEFINITION))
    (repository / "modules").symlink_to(ROOT / "modules")
    monkeypatch.setattr(pipelines, "ROOT", repository)
    folder = repository / "envs" / "dev"
    body = environment(
        (Storage, Network, Access, ModelRegistry, RealtimeEndpoints, Pipelines, PlatformParameter),
        network=CREATED,
        models={"flight_delay": {"realtime_endpoint": REALTIME}},
        pipelines={"small": {"definition_file": "workloads/small/pipeline.json"}},
        feature_groups={},
    ).to_json()
    write_root_module(folder, body)
    driver = terraform(folder, variables)
    plan(driver)
    apply(driver)
    packages = {"model_packages": {"flight_delay": register_package(sandbox)}}
    (folder / synth.PACKAGES).write_text(json.dumps(packages))
    plan(driver)
    apply(driver)
    whole = plan(driver)
    assert list_changes(whole) == {}
    network = whole["planned_values"]["outputs"]["platform"]["value"]["vpc"]
    assert network["subnet_ids"] == SUBNETS
    vpc_config = {"Subnets": SUBNETS, "SecurityGroupIds": network["security_group_ids"]}

    sagemaker = sandbox.client("sagemaker")
    (model,) = sagemaker.list_models()["Models"]
    assert sort_ids(sagemaker.describe_model(ModelName=model["ModelName"])["VpcConfig"]) == sort_ids(vpc_config)

    execution = sagemaker.start_pipeline_execution(PipelineName="smlops-dev-small")["PipelineExecutionArn"]
    job_file = tmp_path / "job" / "job.yaml"
    job_file.parent.mkdir()
    job_file.write_text(yaml.safe_dump(JOB))
    job_file.with_name("train.py").write_text("print('in the VPC')\n")
    sandbox.client("s3").put_object(Bucket="smlops-dev-data-123456789012-eu-north-1", Key="raw/a.csv", Body=b"1")
    record = start(prepare(TRAINING, job_file))
    job = sagemaker.describe_training_job(TrainingJobName=record.job_name)
    assert job["VpcConfig"] == vpc_config

    def has_ended(status: str) -> bool:
        return status not in ("Executing", "InProgress", "Stopping")

    wait_until(
        lambda: has_ended(
            sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)["PipelineExecutionStatus"]
        )
    )
    (step,) = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution)["PipelineExecutionSteps"]
    assert step["StepStatus"] == "Succeeded", step
    (prepared,) = sagemaker.list_processing_jobs()["ProcessingJobSummaries"]
    job = sagemaker.describe_processing_job(ProcessingJobName=prepared["ProcessingJobName"])
    assert job["NetworkConfig"]["VpcConfig"] == vpc_config
    wait_until(lambda: has_ended(sagemaker.describe_training_job(TrainingJobName=record.job_name)["TrainingJobStatus"]))


def sort_ids(vpc_config: dict[str, list[str]]) -> dict[str, list[str]]:
    """Sort the IDs, because Terraform does not keep their order."""
    return {name: sorted(ids) for name, ids in vpc_config.items()}
