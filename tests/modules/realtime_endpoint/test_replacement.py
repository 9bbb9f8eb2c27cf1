"""Changes that need new resources of a real-time endpoint: network of its models, and deployment settings."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.modules.applied_endpoint import AppliedEndpoint
from tests.sandbox.support import IMAGE

pytestmark = pytest.mark.apply

GIVEN = {
    "account_id": "123456789012",
    "region": "eu-north-1",
    "silicon": "x86",
    "instance_type": "ml.m5.large",
    "latency_slo_ms": 5000,
    "deployment": {"strategy": "all_at_once", "bake_seconds": 60},
}
#: Plan of a change that reaches the endpoint through a new model and a new configuration.
NEW_MODEL = {
    "aws_sagemaker_model.this": ["create", "delete"],
    "aws_sagemaker_endpoint_configuration.this": ["create", "delete"],
    "aws_sagemaker_endpoint.this": ["update"],
}
#: Resources that a state written by an earlier version of the module does not have.
ADDED = ("network", "containers_mode", "deployment")


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[AppliedEndpoint]:
    with AppliedEndpoint.in_own_sandbox(tmp_path, "realtime_endpoint", **GIVEN) as serving:
        yield serving


def described_model(endpoint: AppliedEndpoint) -> dict[str, Any]:
    """Return the model that the endpoint serves, as SageMaker describes it."""
    sagemaker = endpoint.client.sagemaker
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint.serving_configuration())
    described: dict[str, Any] = sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
    return described


def create_network(endpoint: AppliedEndpoint) -> tuple[list[str], list[str]]:
    """Return the ids of three subnets and two security groups of a new VPC."""
    ec2 = endpoint.sandbox.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24") for number in range(3)]
    groups = [ec2.create_security_group(VpcId=vpc, GroupName=name, Description=name) for name in ("one", "two")]
    return [subnet["Subnet"]["SubnetId"] for subnet in subnets], [group["GroupId"] for group in groups]


def check_an_upgrade_only_adds_the_triggers(endpoint: AppliedEndpoint) -> None:
    addresses = [f"module.endpoint.terraform_data.{name}" for name in ADDED]
    endpoint.terraform.run("state", "rm", *addresses)
    assert endpoint.plan_changes() == {f"terraform_data.{name}": ["create"] for name in ADDED}
    endpoint.apply()
    assert endpoint.plan_changes() == {}


def check_another_network_replaces_the_model(endpoint: AppliedEndpoint) -> None:
    subnets, groups = create_network(endpoint)
    for network in (
        {"security_group_ids": groups[:1], "subnets": subnets[:2]},
        {"security_group_ids": groups[:1], "subnets": subnets[1:]},
        {"security_group_ids": groups, "subnets": subnets[1:]},
    ):
        before = endpoint.serving_configuration()
        endpoint.inputs["vpc_config"] = network
        endpoint.write_root_module()
        assert endpoint.plan_changes() == {"terraform_data.network": ["update"], **NEW_MODEL}
        endpoint.apply()
        network_of_model = described_model(endpoint)["VpcConfig"]
        assert sorted(network_of_model["Subnets"]) == sorted(network["subnets"])
        assert sorted(network_of_model["SecurityGroupIds"]) == sorted(network["security_group_ids"])
        assert endpoint.invoke() == "first"
        assert endpoint.serving_configuration() == endpoint.configuration_in_state() != before
        assert endpoint.plan_changes() == {}
    endpoint.write_root_module(vpc_config={"security_group_ids": groups[::-1], "subnets": subnets[:0:-1]})
    assert endpoint.plan_changes() == {}, "the order is irrelevant"


def check_another_deployment_strategy_replaces_the_configuration(endpoint: AppliedEndpoint) -> None:
    before = endpoint.serving_configuration()
    endpoint.inputs["deployment"] = {"strategy": "canary", "wait_seconds": 60, "bake_seconds": 60}
    endpoint.write_root_module()
    new_configuration = {name: actions for name, actions in NEW_MODEL.items() if "model" not in name}
    assert endpoint.plan_changes() == {"terraform_data.deployment": ["update"], **new_configuration}
    endpoint.apply()
    policy = endpoint.client.describe(endpoint.name)["LastDeploymentConfig"]["BlueGreenUpdatePolicy"]
    assert policy["TrafficRoutingConfiguration"]["Type"] == "CANARY"
    assert endpoint.serving_configuration() == endpoint.configuration_in_state() != before
    assert endpoint.plan_changes() == {}

    # Only the alarms use error_percent.
    endpoint.write_root_module(deployment={**endpoint.inputs["deployment"], "error_percent": 9})
    assert endpoint.plan_changes() == {'aws_cloudwatch_metric_alarm.errors["main"]': ["update"]}


def check_another_containers_mode_replaces_the_model(endpoint: AppliedEndpoint) -> None:
    model = endpoint.inputs.pop("model_data_url")
    containers = [{"hostname": name, "image_uri": IMAGE, "model_data_url": model} for name in ("one", "two")]
    endpoint.inputs |= {"image_uri": None, "containers": containers}
    endpoint.apply()
    assert described_model(endpoint)["InferenceExecutionConfig"] == {"Mode": "Serial"}
    endpoint.inputs["containers_mode"] = "Direct"
    endpoint.write_root_module()
    assert endpoint.plan_changes() == {"terraform_data.containers_mode": ["update"], **NEW_MODEL}
    endpoint.apply()
    assert described_model(endpoint)["InferenceExecutionConfig"] == {"Mode": "Direct"}
    assert endpoint.serving_configuration() == endpoint.configuration_in_state()
    assert endpoint.plan_changes() == {}


def test_changes_that_are_impossible_in_place_replace_resources(endpoint: AppliedEndpoint) -> None:
    """Run the checks in this order; each starts from the last apply of the one before."""
    for check in (
        check_another_network_replaces_the_model,
        check_an_upgrade_only_adds_the_triggers,
        check_another_deployment_strategy_replaces_the_configuration,
        check_another_containers_mode_replaces_the_model,
    ):
        print(check.__name__)
        check(endpoint)
