"""Operations that moto records: validation, tags, inventory and CloudFormation."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore import xform_name

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.plane.moto_operations import MOTO_OPERATIONS
from sagemaker_sandbox.plane.registry import OPERATIONS
from tests.sandbox.support import IMAGE, ROLE, catch_error

pytestmark = pytest.mark.slow

Fresh = Callable[[str], str]


def test_a_recorded_resource_has_its_tags_and_is_in_the_inventory(
    sandbox: Sandbox, sagemaker: Any, fresh: Fresh
) -> None:
    name, tags = fresh("experiment"), [{"Key": "owner", "Value": "ana"}]
    arn = sagemaker.create_experiment(ExperimentName=name, Tags=tags)["ExperimentArn"]
    assert sagemaker.describe_experiment(ExperimentName=name)["ExperimentArn"] == arn
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == tags
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "team", "Value": "data"}])
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["owner"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "data"}]
    assert name in sandbox.inventory()["sagemaker"]["experiment"]
    sagemaker.delete_experiment(ExperimentName=name)
    assert name not in str(sandbox.inventory().get("sagemaker"))


def test_recorded_operations_are_validated(sagemaker: Any, fresh: Fresh) -> None:
    assert (
        "at 'experimentName' failed to satisfy" in catch_error(sagemaker.create_experiment, ExperimentName="no name")[1]
    )
    notebook = {"NotebookInstanceName": fresh("notebook"), "InstanceType": "ml.t3.medium"}
    assert (
        "Could not assume" in catch_error(sagemaker.create_notebook_instance, **notebook, RoleArn=f"{ROLE}-absent")[1]
    )
    sagemaker.create_notebook_instance(**notebook, RoleArn=ROLE)


def test_metrics_reach_the_trial_component_that_they_are_put_on(sandbox: Sandbox, sagemaker: Any, fresh: Fresh) -> None:
    name, metrics = fresh("component"), sandbox.client("sagemaker-metrics")
    put = {"MetricName": "auc", "Timestamp": 1.7e9, "Step": 1, "Value": 0.9}
    assert metrics.batch_put_metrics(TrialComponentName=name, MetricData=[put])["Errors"]
    sagemaker.create_trial_component(TrialComponentName=name)
    assert metrics.batch_put_metrics(TrialComponentName=name, MetricData=[put])["Errors"] == []
    assert sagemaker.describe_trial_component(TrialComponentName=name)["Metrics"][0]["MetricName"] == "auc"
    series = {"MetricStat": "Avg", "Period": "FiveMinute", "XAxisType": "Timestamp"}
    queries = [{"MetricName": "auc", "ResourceArn": ROLE, **series}]
    assert catch_error(metrics.batch_get_metrics, MetricQueries=queries)[0] == "UnsupportedOperationException"


def test_every_recorded_operation_exists_in_sagemaker_and_moto() -> None:
    from moto.sagemaker.responses import SageMakerResponse

    for operation in (operation for recorded in MOTO_OPERATIONS for operation in recorded.operations):
        assert OPERATIONS.find("sagemaker", operation), operation
        assert hasattr(SageMakerResponse, xform_name(operation)), operation


def test_the_tagging_api_shows_own_and_recorded_resources(sandbox: Sandbox, sagemaker: Any, fresh: Fresh) -> None:
    value, tagging = fresh("owner"), sandbox.client("resourcegroupstaggingapi")
    tags = [{"Key": "owner", "Value": value}]
    own_arn = sagemaker.create_model_package_group(ModelPackageGroupName=fresh("group"), Tags=tags)[
        "ModelPackageGroupArn"
    ]
    recorded_arn = sagemaker.create_experiment(ExperimentName=fresh("experiment"), Tags=tags)["ExperimentArn"]

    def list_arns() -> set[str]:
        response = tagging.get_resources(TagFilters=[{"Key": "owner", "Values": [value]}])
        return {mapping["ResourceARN"] for mapping in response["ResourceTagMappingList"]}

    assert list_arns() == {own_arn, recorded_arn}
    assert tagging.tag_resources(ResourceARNList=[own_arn], Tags={"team": "data"})["FailedResourcesMap"] == {}
    assert sagemaker.list_tags(ResourceArn=own_arn)["Tags"] == [*tags, {"Key": "team", "Value": "data"}]
    tagging.untag_resources(ResourceARNList=[own_arn, recorded_arn], TagKeys=["owner"])
    assert list_arns() == set()


def test_cloudformation_creates_updates_and_deletes_an_endpoint(sandbox: Sandbox, sagemaker: Any, fresh: Fresh) -> None:
    stack, cloudformation = fresh("stack"), sandbox.client("cloudformation")
    variant = {"VariantName": "main", "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]}, "InitialVariantWeight": 1}
    serverless = {"ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 1}}
    template: dict[str, Any] = {
        "Resources": {
            "Model": {
                "Type": "AWS::SageMaker::Model",
                "Properties": {"ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": IMAGE}},
            },
            "Config": {
                "Type": "AWS::SageMaker::EndpointConfig",
                "Properties": {"ProductionVariants": [variant | serverless]},
            },
            "Endpoint": {
                "Type": "AWS::SageMaker::Endpoint",
                "Properties": {"EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]}},
            },
        }
    }
    cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps(template))
    (endpoint,) = [
        resource["PhysicalResourceId"].rsplit("/", 1)[1]
        for resource in cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
        if resource["LogicalResourceId"] == "Endpoint"
    ]
    assert sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointStatus"] == "InService"
    config = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    (variant,) = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    sagemaker.describe_model(ModelName=variant["ModelName"])

    resources = template["Resources"]
    resources["Config"]["Properties"]["ProductionVariants"][0]["ServerlessConfig"]["MaxConcurrency"] = 2
    routing = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}
    deployment = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}}
    resources["Endpoint"]["Properties"]["DeploymentConfig"] = deployment
    cloudformation.update_stack(StackName=stack, TemplateBody=json.dumps(template))
    described = sagemaker.describe_endpoint(EndpointName=endpoint)
    assert (described["EndpointStatus"], described["LastDeploymentConfig"]) == ("InService", deployment)
    assert described["ProductionVariants"][0]["CurrentServerlessConfig"]["MaxConcurrency"] == 2
    assert "Could not find" in catch_error(sagemaker.describe_endpoint_config, EndpointConfigName=config)[1], "replaced"
    cloudformation.delete_stack(StackName=stack)
    assert endpoint not in str(sagemaker.list_endpoints()["Endpoints"])
    assert "Could not find model" in catch_error(sagemaker.describe_model, ModelName=variant["ModelName"])[1]


def test_cloudformation_reports_sagemakers_errors(sandbox: Sandbox, fresh: Fresh) -> None:
    model = {"Type": "AWS::SageMaker::Model", "Properties": {"ExecutionRoleArn": ROLE}}
    template = {"Resources": {"Model": model}}
    make = sandbox.client("cloudformation").create_stack
    code, message = catch_error(make, StackName=fresh("stack"), TemplateBody=json.dumps(template))
    assert (code, message) == (
        "ValidationError",
        "ValidationException: You must provide either PrimaryContainer or Containers to create a model.",
    )
