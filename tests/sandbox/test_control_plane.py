"""SageMaker's control plane validates requests and refuses them with SageMaker's messages."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.support import IMAGE, ROLE, catch_error

Fresh = Callable[[str], str]


def test_a_missing_member_is_named_as_sagemaker_names_it(sagemaker: Any) -> None:
    code, message = catch_error(sagemaker.describe_model)
    assert code == "ValidationException"
    assert message == (
        "1 validation error detected: Value null at 'modelName' failed to satisfy constraint: Member must not be null"
    )


def test_every_violation_is_in_one_message(sagemaker: Any) -> None:
    _, message = catch_error(
        sagemaker.create_model, ModelName="not a name", ExecutionRoleArn="role", PrimaryContainer={}
    )
    assert message.startswith("3 validation errors detected: ")
    assert "Value 'not a name' at 'modelName' failed to satisfy constraint: Member must satisfy regular" in message
    assert "Value 'role' at 'executionRoleArn' failed to satisfy constraint: Member must have length greater" in message


@pytest.mark.parametrize(
    ("variant", "member", "expected"),
    [
        ({"InstanceType": "ml.p99.huge"}, "instanceType", "Member must satisfy enum value set: [ml."),
        ({"InitialInstanceCount": 0}, "initialInstanceCount", "Member must have value greater than or equal to 1"),
        (
            {"ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 201}},
            "serverlessConfig.maxConcurrency",
            "Member must have value less than or equal to 200",
        ),
    ],
)
def test_enums_and_ranges_are_checked_deep_in_a_request(
    sagemaker: Any, variant: Any, member: str, expected: str
) -> None:
    variants = [{"VariantName": "main", "ModelName": "m", **variant}]
    code, message = catch_error(sagemaker.create_endpoint_config, EndpointConfigName="c", ProductionVariants=variants)
    assert code == "ValidationException"
    assert f"at 'productionVariants.1.member.{member}' failed to satisfy constraint: {expected}" in message


def test_a_value_of_the_wrong_type_is_a_serialization_error(sagemaker: Any) -> None:
    code, message = catch_error(sagemaker.list_models, MaxResults="ten")
    assert code == "SerializationException"
    assert "STRING_VALUE can not be converted to integer" in message


def test_list_members_and_map_values_are_checked(sagemaker: Any) -> None:
    arn = "arn:aws:sagemaker:eu-north-1:123456789012:model/none"
    _, message = catch_error(sagemaker.delete_tags, ResourceArn=arn, TagKeys=["bad|key"])
    assert "Member must satisfy constraint: [Member must satisfy regular expression pattern" in message
    job = {"TrainingJobName": "j", "RoleArn": ROLE, "OutputDataConfig": {"S3OutputPath": "s3://b/o"}}
    _, message = catch_error(sagemaker.create_training_job, **job, HyperParameters={"rounds": "9" * 3000})
    assert "'hyperParameters' failed to satisfy constraint: Map value must satisfy constraint" in message


def test_an_operation_that_is_not_emulated_is_refused_with_an_alternative(sagemaker: Any) -> None:
    code, message = catch_error(sagemaker.list_labeling_jobs)
    assert code == "UnsupportedOperationException"
    assert message == (
        "ListLabelingJobs is not emulated by the sandbox. People do not label data here. Use an AWS account."
    )


@pytest.mark.parametrize(
    ("operation", "member", "code", "message"),
    [
        ("describe_endpoint", "EndpointName", "ValidationException", "Could not find endpoint "),
        (
            "describe_endpoint_config",
            "EndpointConfigName",
            "ValidationException",
            "Could not find endpoint configuration ",
        ),
        ("describe_model", "ModelName", "ValidationException", "Could not find model "),
        ("describe_model_package_group", "ModelPackageGroupName", "ValidationException", "ModelPackageGroup arn:"),
        (
            "get_model_package_group_policy",
            "ModelPackageGroupName",
            "ValidationException",
            "Cannot find Model Package Group",
        ),
        ("describe_feature_group", "FeatureGroupName", "ResourceNotFound", "Resource Not Found"),
    ],
)
def test_a_missing_resource_has_the_message_that_terraform_expects(
    sagemaker: Any, operation: str, member: str, code: str, message: str
) -> None:
    error = catch_error(getattr(sagemaker, operation), **{member: "none"})
    assert error[0] == code
    assert error[1].startswith(message)


def test_a_model_is_created_tagged_and_deleted(sagemaker: Any, fresh: Fresh) -> None:
    name = fresh("model")
    model = {"ModelName": name, "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": IMAGE}}
    arn = sagemaker.create_model(**model, Tags=[{"Key": "owner", "Value": "ana"}])["ModelArn"]
    described = sagemaker.describe_model(ModelName=name)
    assert described["PrimaryContainer"] == {"Image": IMAGE}
    assert described["ModelArn"] == arn == f"arn:aws:sagemaker:eu-north-1:123456789012:model/{name}"
    assert "Cannot create already existing model" in catch_error(sagemaker.create_model, **model)[1]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "team", "Value": "data"}])
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["owner", "absent"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "data"}]
    sagemaker.delete_model(ModelName=name)
    assert name not in [summary["ModelName"] for summary in sagemaker.list_models()["Models"]]


def test_lists_are_filtered_sorted_and_paged(sagemaker: Any, fresh: Fresh) -> None:
    names = [fresh("paged") for _ in range(5)]
    for name in names:
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE})
    names_in_order, token = [], None
    while token != "":
        request = {"NameContains": "paged", "SortBy": "Name", "SortOrder": "Ascending", "MaxResults": 2}
        page = sagemaker.list_models(**request, **({"NextToken": token} if token else {}))
        names_in_order += [summary["ModelName"] for summary in page["Models"]]
        token = page.get("NextToken", "")
    assert names_in_order == sorted(names)


def test_regions_have_separate_resources(sandbox: Any, sagemaker: Any, fresh: Fresh) -> None:
    name = fresh("regional")
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE})
    elsewhere = sandbox.client("sagemaker", "eu-west-1")
    assert "eu-west-1" in catch_error(elsewhere.describe_model, ModelName=name)[1]


def test_every_response_and_error_has_its_own_request_id(sagemaker: Any) -> None:
    with pytest.raises(ClientError) as error_info:
        sagemaker.describe_model(ModelName="absent")
    responses = [sagemaker.list_models(), sagemaker.list_models(), error_info.value.response]
    ids = {response["ResponseMetadata"]["RequestId"] for response in responses}
    assert len(ids) == 3
    assert "" not in ids
