"""Permissions of each phase, and their limits."""

import fnmatch
import importlib.util
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sagemaker_sandbox.iam.conditions import are_met
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import Terraform
from tests.cases import check_cases
from tests.modules.examples import Example, examples, summary

CALLER = """
    module "access" {{
      source      = "./modules/access"
      name_prefix = "shop"
      account_id  = "123456789012"
      region      = "{region}"
      kms_key_arn = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
      buckets     = {{ artifacts = {{ arn = "arn:aws:s3:::artifacts" }}, data = {{ arn = "arn:aws:s3:::data" }} }}
      {inputs}
    }}
"""


ACCOUNT = "123456789012"
APPROVAL, PENDING = "sagemaker:ModelApprovalStatus", "PendingManualApproval"
ADMIN, PREPARE, TRAIN = (f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("admin", "prepare", "train"))
ARTIFACTS, DATA = (f"arn:aws:s3:::flights-dev-{name}-{ACCOUNT}-eu-north-1" for name in ("artifacts", "data"))
EC2, SAGEMAKER, TOPICS = (f"arn:aws:{service}:eu-north-1:{ACCOUNT}" for service in ("ec2", "sagemaker", "sns"))
ECR = "arn:aws:ecr:eu-north-1"
FEATURES = f"{SAGEMAKER}:feature-group/flights-dev-flights"
JOBS, PACKAGES = f"{SAGEMAKER}:training-job", f"{SAGEMAKER}:model-package/flights-dev-flight-delay"
INTERFACE, SUBNET = f"{EC2}:network-interface/eni-1", f"{EC2}:subnet/subnet-0123456789abcdef0"
KEY, LAKE_KEY = (
    f"arn:aws:kms:eu-north-1:{one}:key/1234abcd-12ab-34cd-56ef-1234567890ab" for one in (ACCOUNT, "210987654321")
)
OWNER, PUBLIC = {"s3:x-amz-acl": "bucket-owner-full-control"}, {"s3:x-amz-acl": "public-read"}
XGBOOST = f"{ECR}:662702820516:repository/sagemaker-xgboost"
#: Statements by call and phase.
Policies = dict[tuple[str, str], list[dict[str, Any]]]


@pytest.fixture
def module(synthesized: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = synthesized["access"]
    return body


def test_the_framework_registries_equal_those_of_the_sagemaker_sdk(module: dict[str, Any]) -> None:
    sdk = importlib.util.find_spec("sagemaker")
    assert sdk is not None
    assert sdk.submodule_search_locations
    folder = Path(sdk.submodule_search_locations[0]) / "core" / "image_uri_config"
    ours: dict[str, list[str]] = module["locals"]["framework_registries"]
    for file, place in (("xgboost", 0), ("pytorch", -1)):
        versions = json.loads((folder / f"{file}.json").read_text())["training"]["versions"]
        latest = versions[list(versions)[-1]]["registries"]
        # The modules do not support the isolated and sovereign partitions.
        theirs = {region: account for region, account in latest.items() if not re.search("iso|eusc", region)}
        assert {region: ours[region][place] for region in theirs} == theirs


def test_callers_depend_on_all_policies(module: dict[str, Any]) -> None:
    policies = {f"aws_iam_role_policy.{name}" for name in module["resource"]["aws_iam_role_policy"]}
    for output in module["output"].values():
        assert set(output["depends_on"]) == policies


def test_replaced_roles_have_unique_names(module: dict[str, Any]) -> None:
    assert "name" not in module["resource"]["aws_iam_role"]["this"]


def render_statement(*topics: str, action: str = "sns:Publish") -> str:
    resources = json.dumps([f"{TOPICS}:{topic}" for topic in topics])
    return f'{{ sid = "Announce", actions = ["{action}"], resources = {resources} }}'


@pytest.fixture(scope="module")
def planned_values(tmp_path_factory: pytest.TempPathFactory, terraform_environment: dict[str, str]) -> dict[str, Any]:
    """Return the planned values of two examples and of a call with two existing roles (`passed`), by address."""
    folder = tmp_path_factory.mktemp("access")
    inputs = f"""
      existing_role_arns = {{ data_preparation = "{PREPARE}", training = "{TRAIN}" }}
      role_statements    = [
        {{ inference = [{render_statement("orders")}] }}, {{ inference = [{render_statement("returns")}] }},
      ]
    """
    calls = [example for example in examples() if str(example) in ("access-complete", "access-existing_roles")]
    calls.append(Example("access", "passed", CALLER.format(region="eu-north-1", inputs=inputs)))
    for example in calls:
        example.write(folder / example.case)
    sources = (f'module "{example.case}" {{\n  source = "./{example.case}"\n}}\n' for example in calls)
    (folder / "main.tf").write_text("".join(sources))
    terraform = Terraform(folder, terraform_environment)
    terraform.init()
    values: dict[str, Any] = summary(terraform.plan(folder / "tfplan"))["values"]
    return values


@pytest.fixture(scope="module")
def policies(planned_values: dict[str, Any]) -> Policies:
    """Return the statements of the policies that the plan knows, by call and phase."""
    policies: Policies = {}
    for address, values in planned_values.items():
        if match := re.fullmatch(r'module\.(\w+)\.module\.access\.(\w+)\.\w+\["(\w+)"\]', address):
            call, kind, phase = match.groups()
            if kind == "aws_iam_role_policy" and "policy" in values:
                policies.setdefault((call, phase), []).extend(json.loads(values["policy"])["Statement"])
    return policies


def is_allowed(
    statements: list[dict[str, Any]], action: str, resource: str, keys: Mapping[str, str | None] | None = None
) -> bool:
    """Return whether a statement covers a request with these condition keys."""
    return any(
        any(fnmatch.fnmatchcase(action, item) for item in to_list(one["Action"]))
        and any(fnmatch.fnmatchcase(resource, item) for item in to_list(one.get("Resource", resource)))
        and are_met(one, keys or {}) is True
        for one in statements
    )


def to_list(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]


@pytest.mark.plan
def test_actions_have_no_wildcards_and_cannot_delete_objects(policies: Policies) -> None:
    actions = {action for role in policies.values() for one in role for action in to_list(one["Action"])}
    assert not [action for action in actions if "*" in action or action.startswith("s3:Delete")]


@pytest.mark.plan
def test_only_actions_without_a_resource_are_allowed_on_all_resources(policies: Policies) -> None:
    statements = [one for role in policies.values() for one in role if one["Resource"] == "*"]
    assert {action for one in statements for action in to_list(one["Action"])} == {
        "cloudwatch:PutMetricData",
        "ec2:DescribeDhcpOptions",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
        "ecr:GetAuthorizationToken",
    }


@pytest.mark.plan
def test_the_boundary_of_the_example_allows_all_actions_of_its_roles(
    planned_values: dict[str, Any], policies: Policies
) -> None:
    boundary = json.loads(planned_values["module.complete.aws_iam_policy.boundary"]["policy"])["Statement"]
    allowed = [action for one in boundary for action in to_list(one["Action"])]
    statements = [one for (call, _), role in policies.items() if call == "complete" for one in role]
    actions = {action for one in statements for action in to_list(one["Action"])} | {"iam:PassRole"}
    assert [one for one in sorted(actions) if not any(fnmatch.fnmatchcase(one, item) for item in allowed)] == []


@pytest.mark.plan
def test_sagemaker_assumes_roles_only_for_its_account_and_feature_store_only_one_of_them(
    planned_values: dict[str, Any],
) -> None:
    endpoint = {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": f"arn:aws:sagemaker:eu-north-1:{ACCOUNT}:endpoint/a"}
    feature_store = {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": None}
    another_region = {**endpoint, "aws:SourceArn": f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:endpoint/a"}
    stranger = {"aws:SourceAccount": "999999999999", "aws:SourceArn": "arn:aws:sagemaker:eu-north-1:999999999999:a/b"}
    own_requests = (endpoint, feature_store, another_region)
    roles = {address: role for address, role in planned_values.items() if re.search(r"\baws_iam_role\.", address)}
    assert len(roles) == 4 + 3 + 2
    for address, role in roles.items():
        trust = json.loads(role["assume_role_policy"])["Statement"]
        assert [one["Principal"] for one in trust] == [{"Service": "sagemaker.amazonaws.com"}]
        of_account = "data_preparation" in address or "existing_roles.aws_iam_role.training" in address
        allowed = [is_allowed(trust, "sts:AssumeRole", "*", keys) for keys in own_requests]
        assert allowed == [True, of_account, of_account], address
        assert not is_allowed(trust, "sts:AssumeRole", "*", stranger), address


@pytest.mark.plan
@check_cases(
    ("call", "phase", "action", "resource", "keys", "allowed"),
    [
        ("complete", "training", "s3:PutObject", f"{ARTIFACTS}/checkpoints/churn/1", {}, True),
        ("complete", "training", "s3:GetObject", f"{ARTIFACTS}/checkpoints/churn/1", {}, True),
        ("complete", "training", "s3:PutObject", f"{ARTIFACTS}/source/churn.tar.gz", {}, False),
        ("complete", "training", "s3:GetObject", f"{DATA}/raw/orders.csv", {}, False),
        ("complete", "training", "s3:PutObject", f"{DATA}/re-creatable/train.parquet", {}, False),
        ("complete", "training", "s3:ListBucket", DATA, {"s3:prefix": "feature-store/"}, True),
        ("complete", "training", "s3:ListBucket", DATA, {"s3:prefix": "raw/"}, False),
        ("complete", "training", "sagemaker:GetRecord", FEATURES, {}, True),
        ("complete", "training", "sagemaker:PutRecord", FEATURES, {}, False),
        ("complete", "training", "ecr:BatchGetImage", XGBOOST, {}, True),
        ("complete", "training", "ecr:BatchGetImage", f"{ECR}:{ACCOUNT}:repository/flights-prepare", {}, True),
        ("complete", "training", "ecr:BatchGetImage", f"{ECR}:999999999999:repository/sagemaker-xgboost", {}, False),
        ("complete", "training", "cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "AWS/Billing"}, False),
        ("complete", "training", "kms:Decrypt", KEY, {"kms:ViaService": "s3.eu-north-1.amazonaws.com"}, True),
        ("complete", "training", "kms:Decrypt", LAKE_KEY, {"kms:ViaService": "s3.eu-north-1.amazonaws.com"}, True),
        ("complete", "training", "kms:Decrypt", KEY, {"kms:ViaService": "lambda.eu-north-1.amazonaws.com"}, False),
        ("complete", "training", "kms:Encrypt", LAKE_KEY, {"kms:ViaService": "s3.eu-north-1.amazonaws.com"}, False),
        ("complete", "training", "kms:CreateGrant", KEY, {"kms:GrantIsForAWSResource": "true"}, True),
        ("complete", "training", "kms:CreateGrant", KEY, {"kms:GrantIsForAWSResource": "false"}, False),
        ("complete", "training", "ec2:CreateNetworkInterface", f"{EC2}:network-interface/eni-1", {}, True),
        ("complete", "training", "ec2:CreateNetworkInterface", SUBNET, {}, True),
        ("complete", "training", "ec2:CreateNetworkInterface", f"{EC2}:subnet/subnet-1", {}, False),
        ("complete", "training", "ec2:CreateNetworkInterface", f"{EC2}:security-group/sg-1", {}, False),
        ("complete", "training", "ec2:DeleteNetworkInterface", INTERFACE, {"ec2:Subnet": SUBNET}, True),
        ("complete", "training", "ec2:DeleteNetworkInterface", INTERFACE, {"ec2:Subnet": f"{EC2}:subnet/a"}, False),
        ("complete", "pipeline", "ec2:CreateNetworkInterface", SUBNET, {}, False),
        ("complete", "data_preparation", "s3:GetObject", "arn:aws:s3:::company-lake/flights/2013.csv", {}, True),
        ("complete", "data_preparation", "s3:GetObject", "arn:aws:s3:::company-lake/salaries.csv", {}, False),
        ("complete", "data_preparation", "sagemaker:PutRecord", FEATURES, {}, True),
        ("complete", "data_preparation", "sagemaker:PutRecord", f"{FEATURES}-of-another-team", {}, False),
        ("complete", "data_preparation", "s3:PutObject", f"{DATA}/feature-store/part.parquet", {}, True),
        ("complete", "data_preparation", "s3:PutObject", f"{DATA}/raw/orders.csv", {}, False),
        ("complete", "data_preparation", "s3:PutObjectAcl", f"{DATA}/feature-store/a", OWNER, True),
        ("complete", "data_preparation", "s3:PutObjectAcl", f"{DATA}/feature-store/a", PUBLIC, False),
        ("complete", "data_preparation", "kms:GenerateDataKey", KEY, {}, True),
        ("complete", "training", "kms:GenerateDataKey", KEY, {}, False),
        ("complete", "inference", "s3:GetObject", f"{ARTIFACTS}/models/churn/model.tar.gz", {}, True),
        ("complete", "inference", "s3:PutObject", f"{ARTIFACTS}/models/churn/model.tar.gz", {}, False),
        ("complete", "inference", "sagemaker:GetRecord", FEATURES, {}, True),
        ("complete", "pipeline", "sagemaker:CreateTrainingJob", f"{JOBS}/pipelines-a-Train", {}, True),
        ("complete", "pipeline", "sagemaker:CreateTrainingJob", f"{JOBS}/other", {}, False),
        ("complete", "pipeline", "sagemaker:CreateModelPackage", f"{PACKAGES}/1", {APPROVAL: None}, True),
        ("complete", "pipeline", "sagemaker:CreateModelPackage", f"{PACKAGES}/1", {APPROVAL: "Approved"}, False),
        ("complete", "pipeline", "sagemaker:CreateModelPackage", f"{PACKAGES}/1", {APPROVAL: PENDING}, True),
        ("complete", "pipeline", "sagemaker:UpdateModelPackage", f"{PACKAGES}/1", {}, False),
        ("complete", "pipeline", "s3:PutObject", f"{ARTIFACTS}/models/churn/model.tar.gz", {}, False),
        ("passed", "pipeline", "iam:PassRole", TRAIN, {"iam:PassedToService": "sagemaker.amazonaws.com"}, True),
        ("passed", "pipeline", "iam:PassRole", PREPARE, {"iam:PassedToService": "sagemaker.amazonaws.com"}, True),
        ("passed", "pipeline", "iam:PassRole", TRAIN, {"iam:PassedToService": "lambda.amazonaws.com"}, False),
        ("passed", "pipeline", "iam:PassRole", ADMIN, {"iam:PassedToService": "sagemaker.amazonaws.com"}, False),
        ("passed", "inference", "iam:PassRole", TRAIN, {"iam:PassedToService": "sagemaker.amazonaws.com"}, False),
        ("passed", "inference", "sns:Publish", f"{TOPICS}:orders", {}, True),
        ("passed", "inference", "sns:Publish", f"{TOPICS}:returns", {}, True),
        ("passed", "inference", "sns:Publish", f"{TOPICS}:another", {}, False),
        ("passed", "pipeline", "sns:Publish", f"{TOPICS}:orders", {}, False),
    ],
)
def test_phases_have_only_their_own_permissions(
    policies: Policies, call: str, phase: str, action: str, resource: str, keys: dict[str, str], allowed: bool
) -> None:
    assert is_allowed(policies[call, phase], action, resource, keys) is allowed


@pytest.mark.plan
def test_policies_that_are_too_long_for_a_role_are_rejected(
    tmp_path: Path, terraform_environment: dict[str, str]
) -> None:
    topics = render_statement(*(f"topic-{number}" for number in range(200)))
    text = CALLER.format(region="eu-north-1", inputs=f"role_statements = [{{ training = [{topics}] }}]")
    Example("access", "invalid", text).write(tmp_path)
    terraform = Terraform(tmp_path, terraform_environment)
    terraform.init()
    with pytest.raises(UserError) as error:
        terraform.plan(tmp_path / "tfplan")
    output = re.sub(r"[\s│╷╵]+", " ", str(error.value))
    assert (
        "IAM allows 10240 characters of inline policies for a role, and the policies of training are longer" in output
    )
