"""IAM on a sandbox that enforces it: the roles of modules/access can do what they need, and nothing else."""

import functools
import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.base.client import make_client
from sustainable_mlops.aws import read_object_head, translate_aws_errors
from sustainable_mlops.base.errors import UserError
from tests.modules.examples import Example, apply, plan, terraform
from tests.provider import SANDBOX_LOGS, serving
from tests.sandbox.support import IMAGE, catch_error, create_tar, make_role, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.apply]

ACCOUNT, OTHER, REGION = "123456789012", "222222222222", "eu-north-1"
ARTIFACTS, DATA, FOREIGN = "shop-artifacts", "shop-data", "foreign-lake"
GROUP = "shop-churn"
CALL = """
module "access" {{
  source                    = "./modules/access"
  name_prefix               = "shop"
  account_id                = "123456789012"
  region                    = "eu-north-1"
  kms_key_arn               = "{key}"
  model_package_group_names = ["shop-churn"]
  buckets = {{
    artifacts = {{ arn = "arn:aws:s3:::shop-artifacts" }}
    data      = {{ arn = "arn:aws:s3:::shop-data" }}
  }}
}}

output "role_arns" {{
  value = module.access.role_arns
}}
"""


class Target(NamedTuple):
    """A sandbox with enforcement, the roles by phase, and a key that no role may use."""

    sandbox: Sandbox
    roles: dict[str, str]
    other_key: str

    def assume(self, role: str, account: str = "", **options: Any) -> Callable[[str], Any]:
        """Return a function that creates clients with the credentials of a role."""
        sts = make_client("sts", REGION, self.sandbox.endpoint, account)
        credentials = sts.assume_role(RoleArn=role, RoleSessionName="test", **options)["Credentials"]
        return lambda service: create_client(self.sandbox, service, credentials)


def create_client(sandbox: Sandbox, service: str, credentials: dict[str, Any]) -> Any:
    client = make_client(service, REGION, sandbox.endpoint, parameter_validation=False)
    own = client._request_signer._credentials
    own.access_key, own.secret_key = credentials["AccessKeyId"], credentials["SecretAccessKey"]
    own.token = credentials.get("SessionToken")
    return client


def build_document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def trust(principal: str) -> str:
    return build_document({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"})


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Yield a sandbox with the roles of modules/access, which this account may assume too."""
    folder = tmp_path_factory.mktemp("enforcement")
    SANDBOX_LOGS.append(folder / "sandbox.log")
    with (
        Sandbox.start(log=folder / "sandbox.log", enforce_iam=True) as sandbox,
        serving(sandbox.process_environment()) as provider,
    ):
        keys = [sandbox.client("kms").create_key()["KeyMetadata"]["Arn"] for _ in range(2)]
        _add_buckets(sandbox, keys[0])
        Example("access", "enforced", CALL.format(key=keys[0])).write(folder / "call")
        driver = terraform(folder / "call", sandbox.environment | {"TF_REATTACH_PROVIDERS": provider})
        plan(driver)
        apply(driver)
        roles = json.loads(driver.execute_command("output", "-json", "role_arns").out)
        for arn in roles.values():
            _trust_account(sandbox, arn.rpartition("/")[2])
        yield Target(sandbox, roles, keys[1])


def _add_buckets(sandbox: Sandbox, key: str) -> None:
    s3, location = sandbox.client("s3"), {"LocationConstraint": REGION}
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    for bucket in (ARTIFACTS, DATA):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=location)
        s3.put_bucket_encryption(
            Bucket=bucket,
            ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": default}]},
        )
    s3.put_object(Bucket=DATA, Key="re-creatable/train.csv", Body=b"1")
    s3.put_object(Bucket=DATA, Key="raw/train.csv", Body=b"1")
    other = make_client("s3", REGION, sandbox.endpoint, OTHER)
    other.create_bucket(Bucket=FOREIGN, CreateBucketConfiguration=location)
    other.put_object(Bucket=FOREIGN, Key="shared/x", Body=b"1")


def _trust_account(sandbox: Sandbox, role: str) -> None:
    iam = sandbox.client("iam")
    document = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    own = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    document["Statement"].append(own)
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(document))


def attempt(call: Callable[..., Any], **request: Any) -> str:
    """Return the error code of a call, or an empty text."""
    try:
        call(**request)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def test_training_reads_and_writes_only_its_own_prefixes(target: Target) -> None:
    s3 = target.assume(target.roles["training"])("s3")
    body = s3.get_object(Bucket=DATA, Key="re-creatable/train.csv")["Body"].read()
    assert body == b"1"
    s3.put_object(Bucket=ARTIFACTS, Key="models/m.tar.gz", Body=b"m")
    assert s3.list_objects_v2(Bucket=DATA, Prefix="re-creatable/")["KeyCount"] == 1
    s3.get_bucket_location(Bucket=DATA)

    denied: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
        "read another prefix": (s3.get_object, {"Bucket": DATA, "Key": "raw/train.csv"}),
        "read a missing object": (s3.get_object, {"Bucket": DATA, "Key": "raw/none"}),
        "list another prefix": (s3.list_objects_v2, {"Bucket": DATA, "Prefix": "raw/"}),
        "list everything": (s3.list_objects_v2, {"Bucket": DATA}),
        "overwrite data": (s3.put_object, {"Bucket": DATA, "Key": "re-creatable/train.csv", "Body": b"2"}),
        "copy from another prefix": (
            s3.copy_object,
            {"Bucket": ARTIFACTS, "Key": "models/copy", "CopySource": f"{DATA}/raw/train.csv"},
        ),
        "delete a model": (s3.delete_object, {"Bucket": ARTIFACTS, "Key": "models/m.tar.gz"}),
        "delete many": (s3.delete_objects, {"Bucket": ARTIFACTS, "Delete": {"Objects": [{"Key": "models/m.tar.gz"}]}}),
        "use another key": (
            s3.put_object,
            {
                "Bucket": ARTIFACTS,
                "Key": "models/k",
                "Body": b"m",
                "ServerSideEncryption": "aws:kms",
                "SSEKMSKeyId": target.other_key,
            },
        ),
        "publish an object": (
            s3.put_object,
            {"Bucket": ARTIFACTS, "Key": "models/p", "Body": b"m", "ACL": "public-read"},
        ),
        "publish a bucket": (s3.put_bucket_policy, {"Bucket": ARTIFACTS, "Policy": "{}"}),
        "lift the block": (s3.delete_public_access_block, {"Bucket": ARTIFACTS}),
        "delete a bucket": (s3.delete_bucket, {"Bucket": ARTIFACTS}),
        "list buckets": (s3.list_buckets, {}),
    }
    results = {act: attempt(call, **request) for act, (call, request) in denied.items()}
    assert results == dict.fromkeys(denied, "AccessDenied")
    assert attempt(s3.head_object, Bucket=DATA, Key="raw/train.csv") == "403"
    # s3:prefix is a key of list requests only: under such a condition, nobody learns that an object is missing.
    assert attempt(s3.get_object, Bucket=DATA, Key="re-creatable/none") == "AccessDenied"
    assert attempt(s3.head_object, Bucket=DATA, Key="re-creatable/none") == "403"
    with (
        pytest.raises(UserError, match=r"^s3://shop-data/re-creatable/none: the object is missing, or may not be read"),
        translate_aws_errors(f"s3://{DATA}/re-creatable/none"),
    ):
        s3.get_object(Bucket=DATA, Key="re-creatable/none")
    assert read_object_head(s3, f"s3://{DATA}/re-creatable/none") is None
    message = catch_error(s3.delete_object, Bucket=ARTIFACTS, Key="models/m.tar.gz")[1]
    session = target.roles["training"].replace(":iam:", ":sts:").replace(":role/", ":assumed-role/")
    assert message == (
        f"User: {session}/test is not authorized to perform: s3:DeleteObject on resource: "
        f'"arn:aws:s3:::{ARTIFACTS}/models/m.tar.gz" because no identity-based policy allows the s3:DeleteObject action'
    )


def test_a_key_is_usable_only_through_its_services(target: Target) -> None:
    kms, key = target.assume(target.roles["training"])("kms"), target.sandbox.client("kms").list_keys()["Keys"]
    own = next(one["KeyArn"] for one in key if one["KeyArn"] != target.other_key)
    kms.describe_key(KeyId=own)
    denied = "AccessDeniedException"
    assert attempt(kms.generate_data_key, KeyId=own, KeySpec="AES_256") == denied
    assert attempt(kms.create_grant, KeyId=own, GranteePrincipal=target.roles["inference"], Operations=[]) == denied
    assert attempt(kms.schedule_key_deletion, KeyId=own) == denied
    assert attempt(kms.describe_key, KeyId=target.other_key) == denied


def test_a_pipeline_passes_two_roles_and_approves_nothing(target: Target) -> None:
    sagemaker = target.assume(target.roles["pipeline"])("sagemaker")

    def train(name: str, role: str, **members: Any) -> str:
        return attempt(
            sagemaker.create_training_job,
            TrainingJobName=name,
            RoleArn=role,
            AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            OutputDataConfig={"S3OutputPath": f"s3://{ARTIFACTS}/models"},
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1, **members},
            StoppingCondition={"MaxRuntimeInSeconds": 600},
        )

    denied = "AccessDeniedException"
    assert train("shop-own", target.roles["training"]) == ""
    assert train("foreign", target.roles["training"]) == denied
    assert train("shop-passed", target.roles["inference"]) == denied
    assert train("shop-key", target.roles["training"], VolumeKmsKeyId=target.other_key) == denied
    code, message = catch_error(
        sagemaker.create_processing_job,
        ProcessingJobName="shop-p",
        RoleArn=make_role(target.sandbox, "unrelated"),
        AppSpecification={"ImageUri": IMAGE},
        ProcessingResources={},
    )
    assert code == denied
    assert "is not authorized to perform: iam:PassRole on resource: arn:aws:iam::123456789012:role/unrelated" in message
    sagemaker.describe_training_job(TrainingJobName="shop-own")

    owner = target.sandbox.client("sagemaker")
    owner.create_model_package_group(ModelPackageGroupName=GROUP)
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{ARTIFACTS}/models/m.tar.gz"}
    request = {
        "ModelPackageGroupName": GROUP,
        "InferenceSpecification": {
            "Containers": [container],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    }
    assert attempt(sagemaker.create_model_package, **request, ModelApprovalStatus="Approved") == denied
    for status in ({}, {"ModelApprovalStatus": "Rejected"}, {"ModelApprovalStatus": "PendingManualApproval"}):
        package = sagemaker.create_model_package(**request, **status)["ModelPackageArn"]
    approval = {"ModelPackageArn": package, "ModelApprovalStatus": "Approved"}
    assert attempt(sagemaker.update_model_package, **approval) == denied
    assert attempt(sagemaker.put_model_package_group_policy, ModelPackageGroupName=GROUP, ResourcePolicy="{}") == denied
    assert attempt(sagemaker.delete_endpoint, EndpointName="shop-churn") == denied


def test_a_role_that_may_not_read_the_image_registers_no_model(target: Target) -> None:
    group = "shop-images"
    target.sandbox.client("sagemaker").create_model_package_group(ModelPackageGroupName=group)
    iam = target.sandbox.client("iam")
    role = iam.create_role(RoleName="registers", AssumeRolePolicyDocument=trust(ACCOUNT))["Role"]["Arn"]
    register = {"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"}
    iam.put_role_policy(RoleName="registers", PolicyName="register", PolicyDocument=build_document(register))
    request = {
        "ModelPackageGroupName": group,
        "InferenceSpecification": {
            "Containers": [{"Image": IMAGE, "ModelDataUrl": f"s3://{ARTIFACTS}/models/m.tar.gz"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    }
    code, message = catch_error(target.assume(role)("sagemaker").create_model_package, **request)
    assert code == "AccessDeniedException"
    repository = IMAGE.partition("/")[2].partition(":")[0]
    assert "perform: ecr:BatchGetImage on resource: arn:aws:ecr:eu-north-1:" in message
    assert f":repository/{repository} because" in message
    read = {"Effect": "Allow", "Action": "ecr:BatchGetImage", "Resource": "arn:aws:ecr:*:*:repository/*"}
    iam.put_role_policy(RoleName="registers", PolicyName="images", PolicyDocument=build_document(read))
    assert attempt(target.assume(role)("sagemaker").create_model_package, **request) == ""


def test_both_accounts_must_allow(target: Target) -> None:
    iam = target.sandbox.client("iam")
    role = iam.create_role(RoleName="visitor", AssumeRolePolicyDocument=trust(ACCOUNT))["Role"]["Arn"]
    s3 = target.assume(role)("s3")
    shared = {"Bucket": FOREIGN, "Key": "shared/x"}
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{FOREIGN}/*"}
    iam.put_role_policy(RoleName="visitor", PolicyName="read", PolicyDocument=build_document(statement))
    assert "because no resource-based policy allows the s3:GetObject action" in catch_error(s3.get_object, **shared)[1]
    owner = make_client("s3", REGION, target.sandbox.endpoint, OTHER)
    owner.put_bucket_policy(Bucket=FOREIGN, Policy=build_document({**statement, "Principal": {"AWS": ACCOUNT}}))
    assert s3.get_object(**shared)["Body"].read() == b"1"
    iam.delete_role_policy(RoleName="visitor", PolicyName="read")
    assert "because no identity-based policy allows" in catch_error(s3.get_object, **shared)[1]


def test_a_role_is_assumed_only_by_those_whom_it_trusts(target: Target) -> None:
    sandbox = target.sandbox
    iam, sts = sandbox.client("iam"), sandbox.client("sts")
    for_service = make_role(sandbox, "for-sagemaker")
    external = {"StringEquals": {"sts:ExternalId": "secret"}}
    statement = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole", "Condition": external}
    document = build_document(statement)
    for_partner = iam.create_role(RoleName="for-partner", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    for role in (for_service, for_partner, f"arn:aws:iam::{ACCOUNT}:role/none"):
        code, message = catch_error(sts.assume_role, RoleArn=role, RoleSessionName="test")
        assert code == "AccessDenied"
        assert f"is not authorized to perform: sts:AssumeRole on resource: {role}" in message
    sts.assume_role(RoleArn=for_partner, RoleSessionName="test", ExternalId="secret")
    administrator = f"arn:aws:iam::{OTHER}:role/OrganizationAccountAccessRole"
    member = target.assume(administrator)
    assert member("sts").get_caller_identity()["Account"] == OTHER
    member("iam").create_role(RoleName="r", AssumeRolePolicyDocument=document)
    assert attempt(member("sts").assume_role, RoleArn=for_service, RoleSessionName="test") == "AccessDenied"


def test_users_boundaries_sessions_and_deleted_keys_are_limited(target: Target) -> None:
    sandbox = target.sandbox
    iam = sandbox.client("iam")
    read = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListAllMyBuckets"], "Resource": "*"}
    only_list = build_document({"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"})
    iam.create_user(UserName="ana")
    iam.create_group(GroupName="readers")
    iam.put_group_policy(GroupName="readers", PolicyName="read", PolicyDocument=build_document(read))
    key = iam.create_access_key(UserName="ana")["AccessKey"]
    s3 = create_client(sandbox, "s3", key)
    assert attempt(s3.list_buckets) == "AccessDenied"
    iam.add_user_to_group(UserName="ana", GroupName="readers")
    assert attempt(s3.list_buckets) == ""

    policy = iam.create_policy(PolicyName="only-list", PolicyDocument=only_list)["Policy"]["Arn"]
    role = iam.create_role(RoleName="bounded", AssumeRolePolicyDocument=trust(ACCOUNT), PermissionsBoundary=policy)
    iam.put_role_policy(RoleName="bounded", PolicyName="read", PolicyDocument=build_document(read))
    bounded = target.assume(role["Role"]["Arn"])("s3")
    assert attempt(bounded.list_buckets) == ""
    request = {"Bucket": DATA, "Key": "raw/train.csv"}
    assert "because no permissions boundary allows" in catch_error(bounded.get_object, **request)[1]

    iam.delete_role_permissions_boundary(RoleName="bounded")
    for options in ({"Policy": only_list}, {"PolicyArns": [{"arn": policy}]}):
        session = target.assume(role["Role"]["Arn"], **options)("s3")
        assert attempt(session.list_buckets) == ""
        assert "because no session policy allows" in catch_error(session.get_object, **request)[1]

    iam.delete_access_key(UserName="ana", AccessKeyId=key["AccessKeyId"])
    assert attempt(s3.list_buckets) == "InvalidAccessKeyId"
    assert attempt(create_client(sandbox, "sagemaker", key).list_models) == "UnrecognizedClientException"


def test_an_administrator_of_one_path_changes_only_bounded_roles(target: Target) -> None:
    iam, account = target.sandbox.client("iam"), f"arn:aws:iam::{ACCOUNT}"
    policy = iam.create_policy(
        PolicyName="limit", PolicyDocument=build_document({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    )["Policy"]["Arn"]
    statement = {
        "Effect": "Allow",
        "Action": ["iam:CreateRole", "iam:PutRolePolicy", "iam:DeleteRolePermissionsBoundary"],
        "Resource": f"{account}:role/mlops/*",
        "Condition": {"StringEquals": {"iam:PermissionsBoundary": policy}},
    }
    create_policy = {"Effect": "Allow", "Action": "iam:CreatePolicy", "Resource": f"{account}:policy/mlops/*"}
    role = iam.create_role(RoleName="delegate", AssumeRolePolicyDocument=trust(ACCOUNT))["Role"]["Arn"]
    document = build_document(statement, create_policy)
    iam.put_role_policy(RoleName="delegate", PolicyName="delegate", PolicyDocument=document)
    own = target.assume(role)("iam")
    new = {"AssumeRolePolicyDocument": trust(ACCOUNT)}
    assert attempt(own.create_role, RoleName="limited", Path="/mlops/", PermissionsBoundary=policy, **new) == ""
    assert attempt(own.create_role, RoleName="limited-2", PermissionsBoundary=policy, **new) == "AccessDenied"
    assert attempt(own.create_role, RoleName="unlimited", Path="/mlops/", **new) == "AccessDenied"
    iam.create_role(RoleName="unlimited", Path="/mlops/", **new)
    change = {"PolicyName": "p", "PolicyDocument": document}
    assert attempt(own.put_role_policy, RoleName="limited", **change) == ""
    assert attempt(own.put_role_policy, RoleName="unlimited", **change) == "AccessDenied"
    assert attempt(own.delete_role_permissions_boundary, RoleName="limited") == ""
    assert attempt(own.put_role_policy, RoleName="limited", **change) == "AccessDenied"
    assert attempt(own.create_policy, PolicyName="p", PolicyDocument=document) == "AccessDenied"
    assert attempt(own.create_policy, PolicyName="p", Path="/mlops/", PolicyDocument=document) == ""


def test_odd_identifiers_have_the_result_of_a_sandbox_without_enforcement(target: Target) -> None:
    iam, everything = target.sandbox.client("iam"), {"Effect": "Allow", "Action": "*", "Resource": "*"}
    role = iam.create_role(RoleName="all", AssumeRolePolicyDocument=trust(ACCOUNT))["Role"]["Arn"]
    iam.put_role_policy(RoleName="all", PolicyName="all", PolicyDocument=build_document(everything))

    def send(client: Callable[[str], Any]) -> list[str]:
        put = {"Bucket": "odd", "Key": "k", "Body": b"1", "ServerSideEncryption": "aws:kms"}
        topic = f"arn:aws:sns:nowhere:{ACCOUNT}:topic"
        return [
            attempt(client("sqs").send_message, QueueUrl="myqueue", MessageBody="m"),
            *(
                attempt(client("kms").describe_key, KeyId=key)
                for key in ("arn:x", f"arn:aws:kms:{REGION}", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/none")
            ),
            attempt(client("s3").put_object, SSEKMSKeyId="arn:x", **put),
            attempt(client("s3").put_object, SSEKMSKeyId=f"arn:aws:kms:nowhere:{ACCOUNT}:key/none", **put),
            attempt(client("s3").delete_objects, Bucket="odd", Delete={"Objects": [{}]}),
            attempt(client("sns").get_topic_attributes, TopicArn=topic),
            attempt(client("sagemaker").list_model_packages, ModelPackageGroupName="arn:aws:sagemaker:x"),
        ]

    results = send(target.assume(role))
    root = functools.partial(make_client, region=REGION, endpoint=target.sandbox.endpoint, parameter_validation=False)
    assert results == send(root)
    assert results[0] == "AWS.SimpleQueueService.NonExistentQueue"


def test_every_protocol_has_the_error_of_aws(target: Target) -> None:
    iam = target.sandbox.client("iam")
    role = iam.create_role(RoleName="nobody", AssumeRolePolicyDocument=trust(ACCOUNT))["Role"]["Arn"]
    client = target.assume(role)
    refused = {
        "cloudwatch": attempt(client("cloudwatch").put_metric_data, Namespace="n", MetricData=[]),
        "dynamodb": attempt(client("dynamodb").list_tables),
        "ec2": attempt(client("ec2").describe_vpcs),
        "iam": attempt(client("iam").list_roles),
        "lambda": attempt(client("lambda").invoke, FunctionName="f"),
        "s3": attempt(client("s3").list_buckets),
        "sagemaker": attempt(client("sagemaker").list_models),
        "sagemaker-runtime": attempt(client("sagemaker-runtime").invoke_endpoint, EndpointName="e", Body=b""),
        "sns": attempt(client("sns").list_topics),
        "sqs": attempt(client("sqs").list_queues),
        "sts": attempt(client("sts").assume_role, RoleArn=role, RoleSessionName="test"),
    }
    assert refused == {
        "cloudwatch": "AccessDenied",
        "dynamodb": "AccessDeniedException",
        "ec2": "UnauthorizedOperation",
        "iam": "AccessDenied",
        "lambda": "AccessDeniedException",
        "s3": "AccessDenied",
        "sagemaker": "AccessDeniedException",
        "sagemaker-runtime": "AccessDeniedException",
        "sns": "AuthorizationError",
        "sqs": "AccessDenied",
        "sts": "AccessDenied",
    }
    assert client("sts").get_caller_identity()["Account"] == ACCOUNT


@pytest.mark.parametrize(("prefix", "status"), [("re-creatable", "Completed"), ("raw", "Failed")])
def test_a_job_reads_with_the_permissions_of_its_role(target: Target, prefix: str, status: str) -> None:
    sagemaker, s3 = target.sandbox.client("sagemaker"), target.sandbox.client("s3")
    script = 'import os; open(os.environ["SM_MODEL_DIR"] + "/m", "w").write("m")'
    s3.put_object(Bucket=ARTIFACTS, Key="source/s.tar.gz", Body=create_tar(train_py=script))
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{DATA}/{prefix}/"}}
    sagemaker.create_training_job(
        TrainingJobName=f"reads-{prefix}",
        RoleArn=target.roles["training"],
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        HyperParameters={
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": f"s3://{ARTIFACTS}/source/s.tar.gz",
        },
        InputDataConfig=[{"ChannelName": "train", "DataSource": source}],
        OutputDataConfig={"S3OutputPath": f"s3://{ARTIFACTS}/models"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )

    def describe() -> dict[str, Any]:
        job: dict[str, Any] = sagemaker.describe_training_job(TrainingJobName=f"reads-{prefix}")
        return job

    wait_until(lambda: describe()["TrainingJobStatus"] != "InProgress")
    job = describe()
    assert job["TrainingJobStatus"] == status, job.get("FailureReason")
    if status == "Failed":
        assert "AccessDenied (403)" in job["FailureReason"]
        assert "s3:ListBucket" in job["FailureReason"]
