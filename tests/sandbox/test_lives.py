"""What each resource shows of itself between its creation and its deletion, and in which order lists have it."""

from collections.abc import Callable
from typing import Any

import pytest

from sagemaker_sandbox.parts.listing import find_documented_default
from tests.sandbox.support import IMAGE, ROLE, refusal, until

pytestmark = pytest.mark.slow

Fresh = Callable[[str], str]


def make_endpoint(sagemaker: Any, name: str) -> None:
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE})
    variant = {"VariantName": "main", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    until(lambda: sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService")


def names(answer: dict[str, Any], start: str) -> list[str]:
    """The names in a list that begin so."""
    (summaries,) = (value for value in answer.values() if isinstance(value, list))
    found = (value for one in summaries for key, value in one.items() if key.endswith("Name"))
    return [name for name in found if name.startswith(start)]


def test_an_endpoint_is_listed_scaled_and_deleted(sagemaker: Any, fresh: Fresh) -> None:
    name = fresh("life")
    make_endpoint(sagemaker, name)
    assert names(sagemaker.list_endpoints(NameContains=name), name) == [name]
    desired = [{"VariantName": "main", "DesiredInstanceCount": 3, "DesiredWeight": 0.5}]
    sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=desired)
    assert sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "Updating"
    until(lambda: sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService")
    (variant,) = sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"]
    assert (variant["CurrentInstanceCount"], variant["CurrentWeight"]) == (3, 0.5)
    sagemaker.delete_endpoint(EndpointName=name)
    until(lambda: names(sagemaker.list_endpoints(NameContains=name), name) == [])
    assert "Could not find endpoint" in refusal(sagemaker.describe_endpoint, EndpointName=name)[1]


def test_an_endpoint_takes_another_configuration(sagemaker: Any, fresh: Fresh) -> None:
    name, other = fresh("life"), fresh("other")
    make_endpoint(sagemaker, name)
    variant = {"VariantName": "b", "ModelName": name, "InstanceType": "ml.c7g.large", "InitialInstanceCount": 2}
    sagemaker.create_endpoint_config(EndpointConfigName=other, ProductionVariants=[variant])
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=other)
    until(lambda: sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"] == other)
    assert sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"][0]["VariantName"] == "b"


def test_an_endpoint_configuration_is_described_listed_and_deleted(sagemaker: Any, fresh: Fresh) -> None:
    name = fresh("life")
    make_endpoint(sagemaker, name)
    (variant,) = sagemaker.describe_endpoint_config(EndpointConfigName=name)["ProductionVariants"]
    assert (variant["ModelName"], variant["InitialVariantWeight"]) == (name, 1.0)
    assert names(sagemaker.list_endpoint_configs(NameContains=name), name) == [name]
    sagemaker.delete_endpoint_config(EndpointConfigName=name)
    assert names(sagemaker.list_endpoint_configs(NameContains=name), name) == []
    assert "Could not find" in refusal(sagemaker.describe_endpoint_config, EndpointConfigName=name)[1]


def make_feature_group(sagemaker: Any, name: str) -> None:
    sagemaker.create_feature_group(
        FeatureGroupName=name,
        RecordIdentifierFeatureName="id",
        EventTimeFeatureName="at",
        RoleArn=ROLE,
        FeatureDefinitions=[{"FeatureName": one, "FeatureType": "String"} for one in ("id", "at")],
        OnlineStoreConfig={"EnableOnlineStore": True},
    )
    until(lambda: sagemaker.describe_feature_group(FeatureGroupName=name)["FeatureGroupStatus"] == "Created")


def test_a_feature_says_what_it_is(sagemaker: Any, fresh: Fresh) -> None:
    where = {"FeatureGroupName": fresh("life"), "FeatureName": "id"}
    make_feature_group(sagemaker, where["FeatureGroupName"])
    owner, unit = {"Key": "owner", "Value": "ana"}, {"Key": "unit", "Value": "none"}
    sagemaker.update_feature_metadata(**where, Description="who", ParameterAdditions=[owner, unit])
    sagemaker.update_feature_metadata(**where, ParameterRemovals=["unit"])
    described = sagemaker.describe_feature_metadata(**where)
    assert (described["FeatureType"], described["Description"]) == ("String", "who")
    assert described["Parameters"] == [owner]


def test_a_feature_group_is_listed_and_deleted(sagemaker: Any, fresh: Fresh) -> None:
    name = fresh("life")
    make_feature_group(sagemaker, name)
    assert names(sagemaker.list_feature_groups(NameContains=name), name) == [name]
    sagemaker.delete_feature_group(FeatureGroupName=name)
    until(lambda: names(sagemaker.list_feature_groups(NameContains=name), name) == [])
    assert refusal(sagemaker.describe_feature_group, FeatureGroupName=name)[0] == "ResourceNotFound"


def make_job(sagemaker: Any, name: str) -> None:
    """A job that fails at once: its source is not there."""
    sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=ROLE,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        HyperParameters={"sagemaker_program": "train.py", "sagemaker_submit_directory": "s3://absent/s.tar.gz"},
        OutputDataConfig={"S3OutputPath": "s3://absent/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )


def test_a_training_job_is_listed_and_deleted_once_it_is_over(sagemaker: Any, fresh: Fresh) -> None:
    name = fresh("life")
    make_job(sagemaker, name)
    until(lambda: sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] == "Failed")
    assert names(sagemaker.list_training_jobs(StatusEquals="Failed", NameContains=name), name) == [name]
    sagemaker.delete_training_job(TrainingJobName=name)
    assert names(sagemaker.list_training_jobs(NameContains=name), name) == []
    assert refusal(sagemaker.describe_training_job, TrainingJobName=name)[1] == "Requested resource not found."


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
def test_lists_are_in_the_order_that_is_documented(
    sagemaker: Any, fresh: Fresh, operation: str, make: Callable[[Any, str], None], order: str
) -> None:
    made = [fresh("order") for _ in range(3)]
    for name in made:
        make(sagemaker, name)
    listed = names(sagemaker._make_api_call(operation, {"NameContains": "order"}), "order")
    assert [name for name in listed if name in made] == (made if order == "Ascending" else made[::-1])
    assert find_documented_default(operation, "SortOrder") == order


def test_packages_are_listed_by_group_or_by_type(sagemaker: Any, fresh: Fresh) -> None:
    group, alone, containers = fresh("group"), fresh("alone"), {"Containers": [{"Image": IMAGE}]}
    make_group(sagemaker, group)
    for where in [{"ModelPackageGroupName": group}] * 2 + [{"ModelPackageName": alone}]:
        sagemaker.create_model_package(**where, InferenceSpecification=containers)

    def listed(**request: Any) -> list[str]:
        found = sagemaker.list_model_packages(MaxResults=100, **request)["ModelPackageSummaryList"]
        arns = [one["ModelPackageArn"].split("model-package/")[1] for one in found]
        return [arn for arn in arns if arn.startswith((group, alone))]

    versions = [f"{group}/1", f"{group}/2"]
    assert listed(ModelPackageGroupName=group) == versions
    assert listed() == listed(ModelPackageType="Unversioned") == [alone]
    assert listed(ModelPackageType="Versioned") == versions
    assert listed(ModelPackageType="Both") == [*versions, alone]
