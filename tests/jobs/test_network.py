"""Jobs run in the network of the platform, unless their file names another one or none."""

import json
from typing import Any

import boto3

from sustainable_mlops.aws import Clients
from sustainable_mlops.jobs.kinds import PROCESSING, TRAINING, TRANSFORM, TUNING, JobKind
from sustainable_mlops.jobs.launch import prepare
from sustainable_mlops.jobs.pipelines.network import add_network
from sustainable_mlops.jobs.platform import Vpc
from tests.jobs.support import PARAMETER, PLATFORM, REGION, TUNE, WriteJob

VPC = {"subnet_ids": ["subnet-0000000a", "subnet-0000000b"], "security_group_ids": ["sg-0000000a"]}
OTHER = {"subnet_ids": ["subnet-0000000c"], "security_group_ids": ["sg-0000000c"]}


def to_request(vpc: dict[str, list[str]]) -> dict[str, list[str]]:
    return {"SecurityGroupIds": vpc["security_group_ids"], "Subnets": vpc["subnet_ids"]}


def test_every_kind_of_job_takes_the_network_of_the_platform_or_of_its_file(
    cloud: Clients, write_job: WriteJob, write_processing: WriteJob, write_transform: WriteJob
) -> None:
    cloud.s3.put_object(Bucket="acme-dev-artifacts", Key="models/flight_delay/one/output/model.tar.gz", Body=b"model")
    platform = json.dumps(PLATFORM | {"vpc": VPC})
    boto3.client("ssm", region_name=REGION).put_parameter(Name=PARAMETER, Value=platform, Type="String", Overwrite=True)

    def find_networks(**changes: Any) -> list[Any]:
        """Return the `VpcConfig` of a training, a tuning, a processing and a transform job."""
        training = write_job(**changes)
        tuning = training.with_name("tune.yaml")
        tuning.write_text(json.dumps(TUNE))
        kinds: list[tuple[JobKind[Any], Any]] = [
            (TRAINING, training),
            (TUNING, tuning),
            (PROCESSING, write_processing(**changes)),
        ]
        requests = [prepare(kind, path).request for kind, path in kinds]
        (model,) = prepare(TRANSFORM, write_transform(**changes)).prerequisites
        return [
            requests[0].get("VpcConfig"),
            requests[1]["TrainingJobDefinition"].get("VpcConfig"),
            requests[2]["NetworkConfig"].get("VpcConfig"),
            model.request.get("VpcConfig"),
        ]

    assert find_networks() == [to_request(VPC)] * 4
    assert find_networks(network={"vpc": OTHER}) == [to_request(OTHER)] * 4
    assert find_networks(network={"vpc": False}) == [None] * 4


def test_all_jobs_of_a_definition_are_placed_except_those_with_a_network() -> None:
    own = {"VpcConfig": to_request(OTHER)}
    train = {"Name": "Train", "Type": "Training", "Arguments": {"RoleArn": "r"}}
    branch = {"Name": "Good", "Type": "Condition", "Arguments": {"IfSteps": [train], "ElseSteps": []}}
    steps: list[dict[str, Any]] = [
        {"Name": "Own", "Type": "Processing", "Arguments": {"NetworkConfig": {"EnableNetworkIsolation": True, **own}}},
        {"Name": "Prepare", "Type": "Processing", "Arguments": {}},
        {"Name": "Search", "Type": "Tuning", "Arguments": {"TrainingJobDefinition": {}}},
        {"Name": "Outer", "Type": "Condition", "Arguments": {"IfSteps": [branch], "ElseSteps": []}},
        {"Name": "Wait", "Type": "Callback"},
    ]
    network = {"VpcConfig": to_request(VPC)}
    placed = add_network({"Steps": steps}, Vpc.model_validate(VPC))["Steps"]
    assert [step.get("Arguments") for step in placed[:3]] == [
        {"NetworkConfig": {"EnableNetworkIsolation": True, **own}},
        {"NetworkConfig": network},
        {"TrainingJobDefinition": network},
    ]
    (inner,) = placed[3]["Arguments"]["IfSteps"]
    assert inner["Arguments"]["IfSteps"] == [{**train, "Arguments": {"RoleArn": "r", **network}}]
    assert placed[4] == steps[4]
    assert add_network({"Steps": steps}, None) == {"Steps": steps}
