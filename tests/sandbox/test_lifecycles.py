"""Each resource between creation and deletion, and the order of lists."""

from collections.abc import Callable
from typing import Any

import pytest

from sagemaker_sandbox.resources.listing import find_documented_default
from tests.sandbox.support import IMAGE, ROLE, catch_error, wait_until

pytestmark = pytest.mark.slow

Fresh = Callable[[str], str]


def make_endpoint(sagemaker: Any, name: str) -> None:
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE})
    variant = {"VariantName": "main", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    wait_until(lambda: sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService")


def list_names(response: dict[str, Any], start: str) -> list[str]:
    """Return the names of a list that have a prefix."""
    (summaries,) = (value for value in response.values() if isinstance(value, list))
    all_names = (value for summary in summaries for key, value in summary.items() if key.endswith("Name"))
    return [name for name in all_names if name.startswith(start)]


def test_an_endpoint_is_listed_scaled_and_deleted(sagemaker: Any, fresh: Fresh) -> None:
    name = fresh("life")
    make_endpoint(sagemaker, name)
    assert list_names(sagemaker.list_endpoints(NameContains=name), name) == [name]
    desired = [{"VariantName": "main", "DesiredInstanceCount": 3, "DesiredWeight": 0.5}]
    sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=desired)
    wait_until(lambda: sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService")
    (variant,) = sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"]
    assert (variant["CurrentInstanceCount"], variant["CurrentWeight"]) == (3, 0.5)
    sagemaker.delete_endpoint(EndpointName=name)
    wait_until(lambda: list_names(sagemaker.list_endpoints(NameContains=name), name) == [])
    assert "Could not find endpoint" in catch_error(sagemaker.describe_endpoint, EndpointName=name)[1]


def test_an_endpoint_changes_to_another_configuration(sagemaker: Any, fresh: Fresh) -> None:
    name, other = fresh("life"), fresh("other")
    make_endpoint(sagemaker, name)
    variant = {"VariantName": "b", "ModelName": name, "InstanceType": "ml.c7g.large", "InitialInstanceCount": 2}
    sagemaker.create_endpoint_config(EndpointConfigName=other, ProductionVariants=[variant])
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=other)
    wait_until(lambda: sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"] == other)
    assert sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"][0]["VariantName"] == "b"


def test_an_endpoint_configuration_is_described_listed_and_deleted(sagemaker: Any, fresh: Fresh) -> None:
    name = fresh("life")
    make_endpoint(sagemaker, name)
    (variant,) = sagemaker.describe_endpoint_config(EndpointConfigName=name)["ProductionVariants"]
    assert (variant["ModelName"], variant["InitialVariantWeight"]) == (name, 1.0)
    assert list_names(sagemaker.list_endpoint_configs(NameContains=name), name) == [name]
    sagemaker.delete_endpoint_config(EndpointConfigName=name)
    assert list_names(sagemaker.list_endpoint_configs(NameContains=name), name) == []
    assert "Could not find" in catch_error(sagemaker.describe_endpoint_config, EndpointConfigName=name)[1]


def make_feature_group(sagemaker: Any, name: str) -> None:
    sagemaker.create_feature_group(
        FeatureGroupName=name,
        RecordIdentifierFeatureName="id",
        EventTimeFeatureName="at",
        RoleArn=ROLE,
        FeatureDefinitions=[{"FeatureName": name, "FeatureType": "String"} for name in ("id", "at")],
        OnlineStoreConfig={"EnableOnlineStore": True},
    )
    wait_until(lambda: sagemaker.describe_feature_group(FeatureGroupName=name)["FeatureGroupStatus"] == "Created")


def test_the_metadata_of_a_feature_change(sagemaker: Any, fresh: Fresh) -> None:
    feature = {"FeatureGroupName": fresh("life"), "FeatureName": "id"}
    make_feature_group(sagemaker, feature["FeatureGroupName"])
    owner, unit = {"Key": "owner", "Value": "ana"}, {"Key": "unit", "Value": "none"}
    sagemaker.update_feature_metadata(**feature, Description="who", ParameterAdditions=[owner, unit])
    sagemaker.update_feature_metadata(**feature, ParameterRemovals=["unit"])
    described = sagemaker.describe_feature_metadata(**feature)
    assert (described["FeatureType"], described["Description"]) == ("String", "who")
    assert described["Parameters"] == [owner]


def test_a_feature_group_is_listed_and_deleted(sagemaker: Any, fresh: Fresh) -> None:
    name = fresh("life")
    make_feature_group(sagemaker, name)
    assert list_names(sagemaker.list_feature_groups(NameContains=name), name) == [name]
    sagemaker.delete_feature_group(FeatureGroupName=name)
    wait_until(lambda: list_names(sagemaker.list_feature_groups(NameContains=name), name) == [])
    assert catch_error(sagemaker.describe_feature_group, FeatureGroupName=name)[0] == "ResourceNotFound"


def make_job(sagemaker: Any, name: str) -> None:
    """Create a job that fails at once, because its source does not exist."""
    sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=ROLE,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        HyperParameters={"sagemaker_program": "train.py", "sagemaker_submit_directory": "s3://absent/s.tar.gz"},
        OutputDataConfig={"S3OutputPath": "s3://absent/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )


def test_a_finished_training_job_is_listed_and_deleted(sagemaker: Any, fresh: Fresh) -> None:
    name = fresh("life")
    make_job(sagemaker, name)
    wait_until(lambda: sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] == "Failed")
    output = sagemaker.describe_training_job(TrainingJobName=name)["OutputDataConfig"]
    assert output == {"KmsKeyId": "", "S3OutputPath": "s3://absent/out"}
    assert list_names(sagemaker.list_training_jobs(StatusEquals="Failed", NameContains=name), name) == [name]
    sagemaker.delete_training_job(TrainingJobName=name)
    assert list_names(sagemaker.list_training_jobs(NameContains=name), name) == []
    assert catch_error(sagemaker.describe_training_job, TrainingJobName=name)[1] == "Requested resource not found."


def make_group(sagemaker: Any, name: str) -> None:
    sagemaker.create_model_package_group(ModelPackageGroupName=name)


def make_model(sagemaker: Any, name: str) -> None:
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE})


@pytest.mark.parametrize(
    ("operation", "make", "order"),
    [
        ("ListModelPackageGroups", make_group, "Ascending"),
        ("ListTrainingJobs", make_job, "Ascending"),
        ("ListModels", make_model, "Descending"),
    ],
)
def test_lists_are_in_the_documented_order(
    sagemaker: Any, fresh: Fresh, operation: str, make: Callable[[Any, str], None], order: str
) -> None:
    created = [fresh("order") for _ in range(3)]
    for name in created:
        make(sagemaker, name)
    listed_names = list_names(sagemaker._make_api_call(operation, {"NameContains": "order"}), "order")
    assert [name for name in listed_names if name in created] == (created if order == "Ascending" else created[::-1])
    assert find_documented_default(operation, "SortOrder") == order


def test_packages_are_listed_by_group_or_by_type(sagemaker: Any, fresh: Fresh) -> None:
    group, unversioned, containers = fresh("group"), fresh("alone"), {"Containers": [{"Image": IMAGE}]}
    make_group(sagemaker, group)
    for identity in [{"ModelPackageGroupName": group}] * 2 + [{"ModelPackageName": unversioned}]:
        sagemaker.create_model_package(**identity, InferenceSpecification=containers)

    def list_arns(**request: Any) -> list[str]:
        summaries = sagemaker.list_model_packages(MaxResults=100, **request)["ModelPackageSummaryList"]
        arns = [summary["ModelPackageArn"].split("model-package/")[1] for summary in summaries]
        return [arn for arn in arns if arn.startswith((group, unversioned))]

    versions = [f"{group}/1", f"{group}/2"]
    assert list_arns(ModelPackageGroupName=group) == versions
    assert list_arns() == list_arns(ModelPackageType="Unversioned") == [unversioned]
    assert list_arns(ModelPackageType="Versioned") == versions
    assert list_arns(ModelPackageType="Both") == [*versions, unversioned]
