"""Accounts of the sandbox: separate resources, and requests in the account of their credentials."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.base.client import make_client
from tests.sandbox.support import IMAGE, ROLE, TRUST, catch_error, create_tar, make_role, wait_until

pytestmark = pytest.mark.slow

Fresh = Callable[[str], str]

OTHER = "222222222222"
TWICE = """
import json
def model_fn(folder): return 2
def input_fn(body, content_type): return json.loads(body)
def predict_fn(values, model): return [model * value for value in values]
"""


@pytest.fixture(scope="module")
def other(sandbox: Sandbox) -> Callable[[str], Any]:
    """Return a function that creates clients in the other account, with the credentials of its administrator role."""
    visitor = f"arn:aws:iam::{OTHER}:role/OrganizationAccountAccessRole"
    credentials_response = sandbox.client("sts").assume_role(RoleArn=visitor, RoleSessionName="test")["Credentials"]

    def client(service: str) -> Any:
        service_client = make_client(service, "eu-north-1", sandbox.endpoint, parameter_validation=False)
        credentials = service_client._request_signer._credentials
        credentials.access_key, credentials.secret_key = (
            credentials_response["AccessKeyId"],
            credentials_response["SecretAccessKey"],
        )
        credentials.token = credentials_response["SessionToken"]
        return service_client

    iam = client("iam")
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName="test", AssumeRolePolicyDocument=json.dumps(TRUST))
    return client


def test_assumed_credentials_see_only_their_own_account(
    sagemaker: Any, other: Callable[[str], Any], fresh: Fresh
) -> None:
    name, other_sagemaker = fresh("model"), other("sagemaker")
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE})
    assert other("sts").get_caller_identity()["Account"] == OTHER
    assert f"eu-north-1:{OTHER}:model/{name}" in catch_error(other_sagemaker.describe_model, ModelName=name)[1]
    assert other_sagemaker.list_models(NameContains=name)["Models"] == []
    role = ROLE.replace("123456789012", OTHER)
    arn = other_sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer={"Image": IMAGE})[
        "ModelArn"
    ]
    assert arn == f"arn:aws:sagemaker:eu-north-1:{OTHER}:model/{name}"
    other_sagemaker.delete_model(ModelName=name)
    assert sagemaker.describe_model(ModelName=name)["ModelArn"].split(":")[4] == "123456789012"


def test_a_job_acts_in_its_own_account(other: Callable[[str], Any], fresh: Fresh) -> None:
    name, s3, other_sagemaker = fresh("job"), other("s3"), other("sagemaker")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    s3.put_object(
        Bucket=name,
        Key="s.tar.gz",
        Body=create_tar(train_py='import os; open(os.environ["SM_MODEL_DIR"] + "/m", "w").write("m")'),
    )
    other_sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=ROLE.replace("123456789012", OTHER),
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        HyperParameters={"sagemaker_program": "train.py", "sagemaker_submit_directory": f"s3://{name}/s.tar.gz"},
        OutputDataConfig={"S3OutputPath": f"s3://{name}/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    wait_until(lambda: other_sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] != "InProgress")
    assert s3.list_objects_v2(Bucket=name, Prefix=f"out/{name}/output/model.tar.gz")["KeyCount"] == 1
    (log_group,) = other("logs").describe_log_groups(logGroupNamePrefix="/aws/sagemaker/TrainingJobs")["logGroups"]
    assert log_group["arn"].split(":")[4] == OTHER


def test_a_shared_package_is_served_in_another_account(
    sagemaker: Any, s3: Any, bucket: str, other: Callable[[str], Any], fresh: Fresh
) -> None:
    name, other_sagemaker = fresh("shared"), other("sagemaker")
    s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=create_tar(code__inference_py=TWICE))
    sagemaker.create_model_package_group(ModelPackageGroupName=name)
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{bucket}/model.tar.gz"}
    arn = sagemaker.create_model_package(
        ModelPackageGroupName=name, InferenceSpecification={"Containers": [container]}
    )["ModelPackageArn"]

    code, message = catch_error(other_sagemaker.describe_model_package, ModelPackageName=arn)
    assert code == "AccessDeniedException"
    session = f"arn:aws:sts::{OTHER}:assumed-role/OrganizationAccountAccessRole/test"
    assert f"User: {session} is not authorized to perform: sagemaker:DescribeModelPackage on" in message

    package = f"arn:aws:sagemaker:eu-north-1:123456789012:model-package/{name}/*"
    for role_name in ("test", "OrganizationAccountAccessRole"):
        assert catch_error(other_sagemaker.describe_model_package, ModelPackageName=arn)[0] == code
        reader = f"arn:aws:iam::{OTHER}:role/{role_name}"
        policy = create_sharing_policy("sagemaker:DescribeModelPackage", package, reader)
        sagemaker.put_model_package_group_policy(ModelPackageGroupName=name, ResourcePolicy=policy)
    s3.put_bucket_policy(Bucket=bucket, Policy=create_sharing_policy("s3:GetObject", f"arn:aws:s3:::{bucket}/*"))
    described = other_sagemaker.describe_model_package(ModelPackageName=arn)["InferenceSpecification"]["Containers"]
    assert [item["ModelDataUrl"] for item in described] == [container["ModelDataUrl"]]
    assert (
        catch_error(other_sagemaker.update_model_package, ModelPackageArn=arn, ModelApprovalStatus="Approved")[0]
        == code
    )

    role = ROLE.replace("123456789012", OTHER)
    other_sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer={"ModelPackageName": arn})
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 1}
    variant = {"VariantName": "main", "ModelName": name, "ServerlessConfig": serverless}
    other_sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    other_sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    wait_until(lambda: other_sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService")
    response = other("sagemaker-runtime").invoke_endpoint(EndpointName=name, Body=b"[1, 2]")
    assert json.load(response["Body"]) == [2, 4]
    assert sagemaker.list_endpoints(NameContains=name)["Endpoints"] == []

    sagemaker.delete_model_package_group_policy(ModelPackageGroupName=name)
    assert catch_error(other_sagemaker.describe_model_package, ModelPackageName=arn)[0] == code


def create_sharing_policy(action: str, resource: str, reader: str = f"arn:aws:iam::{OTHER}:root") -> str:
    """Return a policy that allows the other account, or one of its roles, an action."""
    principal = {"AWS": reader}
    statement = {"Effect": "Allow", "Principal": principal, "Action": [action], "Resource": [resource]}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_role_that_sagemaker_cannot_assume_is_refused(
    sandbox: Sandbox, sagemaker: Any, other: Callable[[str], Any], fresh: Fresh
) -> None:
    model = {"ModelName": fresh("model"), "PrimaryContainer": {"Image": IMAGE}}
    absent = "arn:aws:iam::123456789012:role/absent"
    code, message = catch_error(sagemaker.create_model, **model, ExecutionRoleArn=absent)
    invalid = 'The execution role ARN "{}" is invalid. Please ensure that the role exists'
    assert (code, message.split(" and ")[0]) == ("ValidationException", invalid.format(absent))
    assert invalid.format(ROLE) in catch_error(other("sagemaker").create_model, **model, ExecutionRoleArn=ROLE)[1]
    name = fresh("lambdas-role")
    trust = json.dumps(TRUST).replace("sagemaker", "lambda")
    arn = sandbox.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    assert invalid.format(arn) in catch_error(sagemaker.create_model, **model, ExecutionRoleArn=arn)[1]
    sagemaker.create_model(**model, ExecutionRoleArn=make_role(sandbox))


def test_motos_header_selects_the_account(sandbox: Sandbox, fresh: Fresh) -> None:
    client = make_client("sagemaker", "eu-north-1", sandbox.endpoint, "333333333333")
    arn = client.create_model_package_group(ModelPackageGroupName=fresh("group"))["ModelPackageGroupArn"]
    assert arn.split(":")[4] == "333333333333"


def test_the_inventory_has_all_accounts(sandbox: Sandbox, other: Callable[[str], Any], fresh: Fresh) -> None:
    group, topic = fresh("group"), fresh("topic")
    other("sagemaker").create_model_package_group(ModelPackageGroupName=group)
    arn = other("sns").create_topic(Name=topic)["TopicArn"]
    assert group in sandbox.inventory()["sagemaker"]["model-package-group"]
    assert arn in sandbox.inventory()["sns"]["topic"]
