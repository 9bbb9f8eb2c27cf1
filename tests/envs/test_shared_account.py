"""Two environments in one account and Region neither conflict nor receive each other's events."""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from moto.events.models import EventPattern
from pydantic import ValidationError

from clone import synth
from envs.settings import EnvironmentSettings
from modules.observability import notifications
from sagemaker_sandbox import Sandbox
from sustainable_mlops.base.terraform import ROOT, list_changes
from tests.envs.test_golden_path import write_root_module
from tests.modules.examples import apply, list_leftovers, plan, terraform
from tests.modules.observability.topic_listener import TopicListener
from tests.sandbox.support import IMAGE, wait_until

#: Settings of a second environment beside dev.
LAB: dict[str, Any] = {"environment": "lab", "name_prefix": "smlops-lab", "account_log_groups": "shared"}
LOCATION = SimpleNamespace(
    name_prefix="smlops-dev", partition="aws", region="eu-north-1", account_id="123456789012", role_path="/"
)
_ARN = "arn:aws:sagemaker:eu-north-1:123456789012"


def create_event(name: str, detail: dict[str, Any]) -> dict[str, Any]:
    """Return an event of SageMaker that the rule `name` matches without event_scope."""
    pattern = notifications.EVENTS[name][1]
    statuses = {field: values[0] for field, values in pattern["detail"].items() if field != "$or"}
    return {"source": "aws.sagemaker", "detail-type": pattern["detail-type"][0], "detail": statuses | detail}


def matches_own(name: str, detail: dict[str, Any]) -> bool:
    """Return whether the rule `name` of smlops-dev matches an event with this detail."""
    pattern, own = notifications.EVENTS[name][1], notifications._list_own_details(LOCATION)[name]
    limited = pattern | {"detail": pattern["detail"] | own}
    return bool(EventPattern.load(json.dumps(limited)).matches_event(create_event(name, detail)))


def test_a_limited_rule_matches_only_events_of_its_environment() -> None:
    approved = {"UpdatedModelPackageFields": ["ModelApprovalStatus"]}
    fields: dict[str, Callable[[str], dict[str, Any]]] = {
        "endpoints": lambda prefix: {"EndpointName": f"{prefix}-flight-delay"},
        "model_packages": lambda prefix: {"ModelPackageGroupName": f"{prefix}-flight-delay", **approved},
        "pipelines": lambda prefix: {"pipelineArn": f"{_ARN}:pipeline/{prefix}-flight-delay"},
        "rollbacks": lambda prefix: {"EndpointName": f"{prefix}-flight-delay"},
        "processing_jobs": lambda prefix: {
            "ProcessingJobName": "pipelines-1-Prepare-2",
            "RoleArn": f"arn:aws:iam::123456789012:role/{prefix}-data-preparation-1",
        },
        "training_jobs": lambda prefix: {"TrainingJobName": f"{prefix}-flight-delay-1"},
        "transform_jobs": lambda prefix: {
            "TransformJobName": "flight-delay-20261130-120000-1a2b3c",
            "TransformOutput": {"S3OutputPath": f"s3://{prefix}-artifacts-123456789012-eu-north-1/runs/"},
        },
        "tuning_jobs": lambda prefix: {
            "HyperParameterTuningJobName": "flight-delay-1a2b3c",
            "TrainingJobDefinition": {"RoleArn": f"arn:aws:iam::123456789012:role/{prefix}-training-1"},
        },
    }
    assert fields.keys() == notifications.EVENTS.keys()
    assert {name: matches_own(name, build("smlops-dev")) for name, build in fields.items()} == dict.fromkeys(
        fields, True
    )
    for other in ("smlops-lab", "smlops-development"):
        assert {name: matches_own(name, build(other)) for name, build in fields.items()} == dict.fromkeys(fields, False)


def test_only_the_owner_creates_the_log_groups_of_jobs(environment: Callable[..., Any], dev: dict[str, Any]) -> None:
    owned, shared = (environment(**changed).to_json()["module"]["observability"] for changed in ({}, LAB))
    assert "log_groups" not in owned, "the module creates those of jobs by default"
    assert shared["log_groups"] == []
    assert {owned["event_scope"], shared["event_scope"]} == {"name_prefix"}
    custom = {"observability": {"log_groups": ["/aws/sagemaker/TrainingJobs", "/aws/sagemaker/LabelingJobs"]}}
    assert environment(**LAB, **custom).to_json()["module"]["observability"]["log_groups"] == [
        "/aws/sagemaker/LabelingJobs"
    ]
    with pytest.raises(ValidationError, match="this environment has no log group '/aws/sagemaker/TrainingJobs'"):
        EnvironmentSettings.model_validate({**dev, **LAB, "existing_log_groups": ["/aws/sagemaker/TrainingJobs"]})


def fail_training(sandbox: Sandbox, name: str, role: str) -> None:
    """Start a training job whose data does not exist."""
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://no-such-bucket/data/"}}
    sandbox.client("sagemaker").create_training_job(
        TrainingJobName=name,
        RoleArn=role,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        InputDataConfig=[{"ChannelName": "train", "DataSource": source}],
        OutputDataConfig={"S3OutputPath": "s3://no-such-bucket/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )


@pytest.mark.release
@pytest.mark.apply
def test_two_environments_share_an_account_and_a_region(
    tmp_path: Path, own: tuple[Any, dict[str, str]], environment: Callable[..., Any]
) -> None:
    sandbox, variables = own
    before = sandbox.inventory()
    for name in synth.CALLED_FOLDERS:
        (tmp_path / name).symlink_to(ROOT / name)
    drivers: dict[str, Any] = {}
    outputs: dict[str, Any] = {}
    for name, changed in {"dev": {}, "lab": LAB}.items():
        folder = tmp_path / "envs" / name
        write_root_module(folder, environment(**changed).to_json())
        drivers[name] = terraform(folder, variables)
        plan(drivers[name])
        apply(drivers[name])
        text = drivers[name].execute_command("output", "-json").out
        outputs[name] = {key: output["value"] for key, output in json.loads(text).items()}
    assert {name: list_changes(plan(driver)) for name, driver in drivers.items()} == {"dev": {}, "lab": {}}

    listener = TopicListener(sandbox, drivers)
    listener.subscribe({name: output["topics"]["events"] for name, output in outputs.items()})
    jobs = {"lab": "smlops-lab-fails", "dev": "pipelines-1-Train-2"}
    for name, job in jobs.items():
        fail_training(sandbox, job, outputs[name]["platform"]["roles"]["training"])
        wait_until(functools.partial(listener.receive_messages, name))
    received = {
        name: [message["detail"]["TrainingJobName"] for message in listener.receive_messages(name)] for name in jobs
    }
    assert received == {name: [job] for name, job in jobs.items()}

    drivers["dev"].destroy()
    assert list_changes(plan(drivers["lab"])) == {}
    drivers["lab"].destroy()
    left = [one for one in list_leftovers(before, sandbox.inventory()) if not one.startswith("queue ")]
    assert left == []
