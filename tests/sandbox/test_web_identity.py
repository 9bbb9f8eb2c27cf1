"""On a sandbox that enforces IAM, trust policies decide about tokens, and the role of a pipeline about its steps."""

import functools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.base.client import make_client
from tests.provider import SANDBOX_LOGS
from tests.sandbox.support import IMAGE, wait_until
from tests.sandbox.web_identity import GITHUB, create_token, encode_token, exchange_token

pytestmark = pytest.mark.slow

ACCOUNT, REGION, SUBJECT = "123456789012", "eu-north-1", "repo:acme/platform:environment:dev"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ci"
ISSUER = GITHUB.removeprefix("https://")


def build_document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@pytest.fixture(scope="module")
def enforcing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Yield a sandbox with the identity provider of GitHub, and a role for one environment of a repository."""
    log = tmp_path_factory.mktemp("web-identity") / "sandbox.log"
    SANDBOX_LOGS.append(log)
    with Sandbox.start(log=log, enforce_iam=True) as sandbox:
        iam = sandbox.client("iam")
        provider = iam.create_open_id_connect_provider(Url=GITHUB, ClientIDList=["sts.amazonaws.com"])
        trust = {
            "Effect": "Allow",
            "Principal": {"Federated": provider["OpenIDConnectProviderArn"]},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com", f"{ISSUER}:sub": SUBJECT}},
        }
        iam.create_role(RoleName="ci", AssumeRolePolicyDocument=build_document(trust))
        tagged = {"StringEquals": {"aws:RequestTag/environment": "dev"}}
        statements = (
            {"Effect": "Allow", "Action": ["kms:CreateKey", "kms:TagResource"], "Resource": "*", "Condition": tagged},
            {
                "Effect": "Allow",
                "Action": "ssm:ListTagsForResource",
                "Resource": f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/own/*",
            },
        )
        iam.put_role_policy(RoleName="ci", PolicyName="ci", PolicyDocument=build_document(*statements))
        yield sandbox


def exchange(sandbox: Sandbox, token: str, role: str = ROLE, *, is_signed: bool = False) -> str:
    """Return the error code of an exchange, or an empty text."""
    try:
        exchange_token(sandbox, role, token, is_signed=is_signed)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def test_a_role_trusts_only_the_tokens_of_its_jobs(enforcing: Sandbox) -> None:
    assert exchange(enforcing, create_token(SUBJECT)) == ""
    refused = {
        "other subject": exchange(enforcing, create_token("repo:acme/platform:pull_request")),
        "other audience": exchange(enforcing, create_token(SUBJECT, audience="https://github.com/acme")),
        "unknown issuer": exchange(enforcing, create_token(SUBJECT, issuer="https://gitlab.com")),
        "expired": exchange(enforcing, create_token(SUBJECT, seconds=-60)),
        "signed": exchange(enforcing, create_token("repo:acme/platform:pull_request"), is_signed=True),
        "expiry": exchange(enforcing, encode_token({"iss": GITHUB, "aud": "sts.amazonaws.com", "exp": "soon"})),
        "no token": exchange(enforcing, "nothing.at.all"),
        "no role": exchange(enforcing, create_token(SUBJECT), f"arn:aws:iam::{ACCOUNT}:role/none"),
        "no ARN": exchange(enforcing, create_token(SUBJECT), "arn:aws:iam::role-without-account"),
    }
    assert refused == {
        "other subject": "AccessDenied",
        "other audience": "InvalidIdentityToken",
        "unknown issuer": "InvalidIdentityToken",
        "expired": "ExpiredTokenException",
        "signed": "AccessDenied",
        "expiry": "InvalidIdentityToken",
        "no token": "InvalidIdentityToken",
        "no role": "AccessDenied",
        "no ARN": "InvalidIdentityToken",
    }


def test_tags_of_keys_and_parameters_are_part_of_a_request(enforcing: Sandbox) -> None:
    issued = exchange_token(enforcing, ROLE, create_token(SUBJECT))

    def send(service: str, call: str, **parameters: Any) -> str:
        client = make_client(service, REGION, enforcing.endpoint)
        own = client._request_signer._credentials
        own.access_key, own.secret_key, own.token = issued.values()
        try:
            getattr(client, call)(**parameters)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return ""

    assert send("kms", "create_key", Tags=[{"TagKey": "environment", "TagValue": "dev"}]) == ""
    assert send("kms", "create_key", Tags=[{"TagKey": "environment", "TagValue": "prod"}]) == "AccessDeniedException"
    for name in ("own", "other"):
        enforcing.client("ssm").put_parameter(Name=f"/{name}/x", Value="1", Type="String")
    tags = {"ResourceType": "Parameter"}
    assert send("ssm", "list_tags_for_resource", ResourceId="/own/x", **tags) == ""
    assert send("ssm", "list_tags_for_resource", ResourceId="/other/x", **tags) == "AccessDeniedException"


def find_failure_reason(sagemaker: Any, execution: str) -> str:
    """Return the failure reason of the first step, or an empty text."""
    steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution)["PipelineExecutionSteps"]
    return str(steps[0].get("FailureReason", "")) if steps else ""


def test_a_step_needs_the_permissions_of_the_role_of_its_pipeline(enforcing: Sandbox) -> None:
    iam, sagemaker = enforcing.client("iam"), enforcing.client("sagemaker")
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    roles = {
        name: iam.create_role(RoleName=name, AssumeRolePolicyDocument=build_document(trust))["Role"]["Arn"]
        for name in ("steps", "trains")
    }
    arguments = {
        "RoleArn": roles["trains"],
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://nowhere/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }
    step = {"Name": "Train", "Type": "Training", "Arguments": arguments}
    definition = {"Version": "2020-12-01", "Parameters": [], "Steps": [step]}
    sagemaker.create_pipeline(
        PipelineName="p", RoleArn=roles["steps"], PipelineDefinition=json.dumps(definition), ClientRequestToken="0" * 32
    )
    create = {
        "Effect": "Allow",
        "Action": ["sagemaker:CreateTrainingJob", "sagemaker:AddTags"],
        "Resource": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/pipelines-*",
    }
    for statements, action in (((), "sagemaker:CreateTrainingJob"), ((create,), "iam:PassRole")):
        if statements:
            iam.put_role_policy(RoleName="steps", PolicyName="p", PolicyDocument=build_document(*statements))
        arn = sagemaker.start_pipeline_execution(PipelineName="p")["PipelineExecutionArn"]

        find_reason = functools.partial(find_failure_reason, sagemaker, arn)
        wait_until(find_reason)
        assert f"assumed-role/steps/SageMaker is not authorized to perform: {action} on resource" in find_reason()
