"""Operations that moto records: validation, tags, inventory and CloudFormation."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from botocore import xform_name

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.control_plane.moto_operations import MOTO_OPERATIONS
from sagemaker_sandbox.control_plane.registry import OPERATIONS
from tests.sandbox.support import IMAGE, ROLE, catch_error, wait_until

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


def test_a_cluster_is_recorded_without_its_optional_settings(sagemaker: Any, fresh: Fresh) -> None:
    group = {"InstanceGroupName": "a", "InstanceType": "ml.m5.4xlarge", "InstanceCount": 1, "ExecutionRole": ROLE}
    script = {"SourceS3Uri": "s3://sagemaker-scripts/", "OnCreate": "start.sh"}
    name = fresh("cluster")
    sagemaker.create_cluster(ClusterName=name, InstanceGroups=[group | {"LifeCycleConfig": script}])
    cluster = sagemaker.describe_cluster(ClusterName=name)
    assert (cluster["ClusterStatus"], cluster["InstanceGroups"][0]["TargetCount"]) == ("InService", 1)
    assert "ThreadsPerCore" not in cluster["InstanceGroups"][0]


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
    sagemaker.create_model_card(ModelCardName=fresh("card"), Content="{}", ModelCardStatus="Draft")  # has no tags

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


def test_a_domain_keeps_its_user_profiles(sagemaker: Any, fresh: Fresh) -> None:
    settings = {"ExecutionRole": ROLE}
    domain = {"DomainName": fresh("domain"), "AuthMode": "IAM", "VpcId": "vpc-1", "SubnetIds": ["subnet-1"]}
    identity = {"DomainId": sagemaker.create_domain(**domain, DefaultUserSettings=settings)["DomainId"]}
    profile = identity | {"UserProfileName": "ana"}
    sagemaker.create_user_profile(**profile)
    assert catch_error(sagemaker.create_user_profile, **profile)[0] == "ResourceInUse"
    sagemaker.update_user_profile(**profile, UserSettings=settings)
    assert sagemaker.describe_user_profile(**profile)["UserSettings"] == settings
    profiles = sagemaker.list_user_profiles(DomainIdEquals=identity["DomainId"])["UserProfiles"]
    assert [(user["DomainId"], user["UserProfileName"]) for user in profiles] == [(identity["DomainId"], "ana")]
    assert catch_error(sagemaker.delete_domain, **identity)[0] == "ResourceInUse"
    sagemaker.delete_user_profile(**profile)
    sagemaker.delete_domain(**identity)
    for operation, request in ((sagemaker.describe_domain, identity), (sagemaker.create_user_profile, profile)):
        assert catch_error(operation, **request)[0] == "ResourceNotFound"


@pytest.fixture
def make_domain(sagemaker: Any, fresh: Fresh) -> Callable[..., dict[str, str]]:
    """Return a function that creates a domain and returns its identity."""

    def create(auth_mode: str = "IAM", **settings: Any) -> dict[str, str]:
        network = {"VpcId": "vpc-1", "SubnetIds": ["subnet-1"]}
        domain = {"DomainName": fresh("domain"), "AuthMode": auth_mode, **network}
        user_settings = {"ExecutionRole": ROLE, **settings}
        return {"DomainId": sagemaker.create_domain(**domain, DefaultUserSettings=user_settings)["DomainId"]}

    return create


def test_an_update_to_vpc_only_needs_the_network_each_time(
    sagemaker: Any, make_domain: Callable[..., dict[str, str]]
) -> None:
    domain, mode = make_domain(), {"AppNetworkAccessType": "VpcOnly"}
    network = {"VpcId": "vpc-1", "SubnetIds": ["subnet-1"]}
    refusal = ("ValidationException", "VpcId and Subnet IDs are required for updating domains to VpcOnly mode.")
    assert catch_error(sagemaker.update_domain, **domain, **mode) == refusal
    sagemaker.update_domain(**domain, **mode, **network)
    assert catch_error(sagemaker.update_domain, **domain, **mode) == refusal
    sagemaker.update_domain(**domain, DefaultUserSettings={"ExecutionRole": ROLE})
    assert sagemaker.describe_domain(**domain)["AppNetworkAccessType"] == "VpcOnly"


def test_a_user_profile_names_a_user_of_identity_center_if_the_domain_does(
    sagemaker: Any, make_domain: Callable[..., dict[str, str]]
) -> None:
    user = {"SingleSignOnUserIdentifier": "UserName", "SingleSignOnUserValue": "ana"}
    for mode, allowed, refused in (("IAM", {}, user), ("SSO", user, {})):
        profile = make_domain(mode) | {"UserProfileName": "ana"}
        assert "SingleSignOnUserIdentifier" in catch_error(sagemaker.create_user_profile, **profile, **refused)[1]
        sagemaker.create_user_profile(**profile, **allowed)


def test_a_lifecycle_script_stays_while_a_domain_or_a_user_profile_lists_it(
    sagemaker: Any, fresh: Fresh, make_domain: Callable[..., dict[str, str]]
) -> None:
    script = {"StudioLifecycleConfigName": fresh("script")}
    arn = sagemaker.create_studio_lifecycle_config(
        **script, StudioLifecycleConfigContent="ZWNobw==", StudioLifecycleConfigAppType="JupyterLab"
    )["StudioLifecycleConfigArn"]
    empty: dict[str, Any] = {"JupyterLabAppSettings": {"LifecycleConfigArns": []}}
    settings = {"JupyterLabAppSettings": {"LifecycleConfigArns": [arn]}}
    domain = make_domain(**settings)
    profile = domain | {"UserProfileName": "ana"}
    sagemaker.create_user_profile(**profile, UserSettings=settings)
    assert catch_error(sagemaker.delete_studio_lifecycle_config, **script)[0] == "ResourceInUse"
    sagemaker.update_domain(**domain, DefaultUserSettings=empty)
    assert catch_error(sagemaker.delete_studio_lifecycle_config, **script)[0] == "ResourceInUse"
    sagemaker.update_user_profile(**profile, UserSettings=empty)
    sagemaker.delete_studio_lifecycle_config(**script)


def is_deleted(sagemaker: Any, app: dict[str, Any]) -> bool:
    """Return whether an app has ended."""
    return bool(sagemaker.describe_app(**app)["Status"] == "Deleted")


def test_an_app_belongs_to_a_user_or_a_space_which_stay_until_it_is_deleted(
    sagemaker: Any, make_domain: Callable[..., dict[str, str]]
) -> None:
    domain = make_domain()
    user, space = domain | {"UserProfileName": "ana"}, domain | {"SpaceName": "lab"}
    sagemaker.create_user_profile(**user)
    sagemaker.create_space(**space, SpaceSettings={"AppType": "JupyterLab"})
    lab, kernel = {"AppType": "JupyterLab", "AppName": "default"}, {"AppType": "KernelGateway", "AppName": "kernel"}
    for refused in (domain | kernel, user | space | kernel, user | lab, space | lab | {"AppType": "CodeEditor"}):
        assert catch_error(sagemaker.create_app, **refused)[0] == "ValidationException", refused
    assert catch_error(sagemaker.create_app, **domain, SpaceName="none", **lab)[0] == "ResourceNotFound"
    for owner, app, delete in (
        (user, kernel, sagemaker.delete_user_profile),
        (space, lab, sagemaker.delete_space),
    ):
        sagemaker.create_app(**owner, **app)
        assert catch_error(sagemaker.create_app, **owner, **app)[0] == "ResourceInUse"
        described = sagemaker.describe_app(**owner, **app)
        assert described["LastUserActivityTimestamp"] == described["LastHealthCheckTimestamp"]
        assert catch_error(delete, **owner)[0] == "ResourceInUse"
        sagemaker.delete_app(**owner, **app)
        wait_until(partial(is_deleted, sagemaker, owner | app))
        assert "has already been deleted" in catch_error(sagemaker.delete_app, **owner, **app)[1]
        delete(**owner)
    assert {app["Status"] for app in sagemaker.list_apps(DomainIdEquals=domain["DomainId"])["Apps"]} == {"Deleted"}


def test_an_update_of_a_space_with_any_type_of_app_is_refused(
    sagemaker: Any, make_domain: Callable[..., dict[str, str]]
) -> None:
    space = make_domain() | {"SpaceName": "lab"}
    sagemaker.create_space(**space, SpaceSettings={"AppType": "JupyterLab"})
    for app_type in ("CodeEditor", "JupyterLab"):
        assert catch_error(sagemaker.update_space, **space, SpaceSettings={"AppType": app_type}) == (
            "ValidationException",
            "Updating AppType for Space is not supported.",
        )
    app = {"JupyterLabAppSettings": {"DefaultResourceSpec": {"InstanceType": "ml.t3.medium"}}}
    disk = {"SpaceStorageSettings": {"EbsStorageSettings": {"EbsVolumeSizeInGb": 20}}}
    for settings in (app, disk):
        sagemaker.update_space(**space, SpaceSettings=settings)
    assert sagemaker.describe_space(**space)["SpaceSettings"] == app | disk | {"AppType": "JupyterLab"}


def test_a_notebook_instance_is_changed_and_deleted_while_stopped(sagemaker: Any, fresh: Fresh) -> None:
    name = {"NotebookInstanceName": fresh("notebook")}
    script = {"NotebookInstanceLifecycleConfigName": fresh("script")}
    sagemaker.create_notebook_instance_lifecycle_config(**script, OnStart=[{"Content": "ZWNobw=="}])
    sagemaker.create_notebook_instance(
        **name,
        RoleArn=ROLE,
        InstanceType="ml.t3.medium",
        LifecycleConfigName=script["NotebookInstanceLifecycleConfigName"],
    )
    assert sagemaker.describe_notebook_instance(**name).items() >= script.items()
    for operation in (sagemaker.update_notebook_instance, sagemaker.delete_notebook_instance):
        assert "Status (InService) not in ([Stopped, Failed])" in catch_error(operation, **name)[1]
    sagemaker.stop_notebook_instance(**name)
    sagemaker.update_notebook_instance(**name, VolumeSizeInGB=20, DisassociateLifecycleConfig=True)
    sagemaker.start_notebook_instance(**name)
    description = sagemaker.describe_notebook_instance(**name)
    assert (description["NotebookInstanceStatus"], description["VolumeSizeInGB"]) == ("InService", 20)
    assert "NotebookInstanceLifecycleConfigName" not in description
    sagemaker.stop_notebook_instance(**name)
    sagemaker.delete_notebook_instance(**name)
    assert "RecordNotFound" in catch_error(sagemaker.describe_notebook_instance, **name)[1]


def test_cloudformation_creates_changes_and_deletes_further_types(
    sandbox: Sandbox, sagemaker: Any, fresh: Fresh
) -> None:
    stack, cloudformation = fresh("types"), sandbox.client("cloudformation")
    feature = {"FeatureName": "id", "FeatureType": "String"}
    definition = {"Version": "2020-12-01", "Steps": [{"Name": "a", "Type": "Fail", "Arguments": {"ErrorMessage": "b"}}]}
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::210987654321:root"},
        "Action": "sagemaker:DescribeModelPackageGroup",
        "Resource": f"arn:aws:sagemaker:eu-north-1:123456789012:model-package-group/{stack}",
    }
    properties: dict[str, dict[str, Any]] = {
        "Pipeline": {
            "PipelineName": stack,
            "RoleArn": ROLE,
            "PipelineDefinition": {"PipelineDefinitionBody": json.dumps(definition)},
        },
        "FeatureGroup": {
            "FeatureGroupName": stack,
            "RecordIdentifierFeatureName": "id",
            "EventTimeFeatureName": "time",
            "FeatureDefinitions": [feature, feature | {"FeatureName": "time"}],
            "OnlineStoreConfig": {"EnableOnlineStore": True},
            "RoleArn": ROLE,
        },
        "ModelPackageGroup": {
            "ModelPackageGroupName": stack,
            "Tags": [{"Key": "owner", "Value": "ana"}, {"Key": "team", "Value": "data"}],
            "ModelPackageGroupPolicy": {"Version": "2012-10-17", "Statement": [statement]},
        },
        "NotebookInstance": {"NotebookInstanceName": stack, "InstanceType": "ml.t3.medium", "RoleArn": ROLE},
        "Domain": {"DomainName": stack, "AuthMode": "IAM", "DefaultUserSettings": {"ExecutionRole": ROLE}},
    }
    template: dict[str, Any] = {
        "Resources": {
            kind: {"Type": f"AWS::SageMaker::{kind}", "Properties": members} for kind, members in properties.items()
        },
        "Outputs": {
            "Domain": {"Value": {"Ref": "Domain"}},
            "Group": {"Value": {"Fn::GetAtt": ["ModelPackageGroup", "ModelPackageGroupArn"]}},
        },
    }
    cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps(template))
    (described,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
    assert sagemaker.describe_domain(DomainId=outputs["Domain"])["DomainName"] == stack
    assert sagemaker.describe_model_package_group(ModelPackageGroupName=outputs["Group"])
    assert sagemaker.get_model_package_group_policy(ModelPackageGroupName=stack)["ResourcePolicy"]
    assert sagemaker.describe_feature_group(FeatureGroupName=stack)["FeatureGroupStatus"] == "Created"

    properties["Pipeline"]["PipelineDescription"] = "changed"
    del properties["ModelPackageGroup"]["ModelPackageGroupPolicy"]
    properties["ModelPackageGroup"]["Tags"] = [{"Key": "owner", "Value": "bo"}]
    cloudformation.update_stack(StackName=stack, TemplateBody=json.dumps(template))
    pipeline = sagemaker.describe_pipeline(PipelineName=stack)
    assert (pipeline["PipelineDescription"], json.loads(pipeline["PipelineDefinition"])) == ("changed", definition)
    assert sagemaker.list_tags(ResourceArn=outputs["Group"])["Tags"] == [{"Key": "owner", "Value": "bo"}]
    policy = catch_error(sagemaker.get_model_package_group_policy, ModelPackageGroupName=stack)
    assert policy[0] == "ValidationException", "removed with its property"
    sagemaker.stop_notebook_instance(NotebookInstanceName=stack)
    cloudformation.delete_stack(StackName=stack)
    assert stack not in str(sandbox.inventory()["sagemaker"])


def test_cloudformation_refuses_sagemaker_types_that_the_sandbox_lacks(sandbox: Sandbox, fresh: Fresh) -> None:
    template = {"Resources": {"App": {"Type": "AWS::SageMaker::App", "Properties": {}}}}
    make = sandbox.client("cloudformation").create_stack
    code, message = catch_error(make, StackName=fresh("stack"), TemplateBody=json.dumps(template))
    assert code == "ValidationError"
    assert message.startswith("AWS::SageMaker::App is not emulated by the sandbox. It has AWS::SageMaker:: with Code")
