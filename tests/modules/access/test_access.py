"""Permissions of each phase, and their limits."""

import fnmatch
import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.errors import UserError
from sustainable_mlops.terraform import Terraform
from tests.modules.examples import Example, summary

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


TOPICS = "arn:aws:sns:eu-north-1:123456789012"


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


@pytest.mark.plan
def test_actions_have_no_wildcards_and_cannot_delete_objects(policies: dict[str, list[dict[str, Any]]]) -> None:
    actions = {action for phase in policies.values() for one in phase for action in to_list(one["Action"])}
    assert not [action for action in actions if "*" in action or action.startswith("s3:Delete")]


@pytest.mark.plan
def test_all_actions_with_resources_name_them(policies: dict[str, list[dict[str, Any]]]) -> None:
    statements = [one for phase in policies.values() for one in phase]
    everywhere = {action for one in statements if one["Resource"] == "*" for action in to_list(one["Action"])}
    assert {action for action in everywhere if not action.startswith("ec2:Describe")} == {
        "cloudwatch:PutMetricData",
        "ecr:GetAuthorizationToken",
    }


def test_feature_store_can_assume_its_role_and_use_the_key(module: dict[str, Any]) -> None:
    documents = module["data"]["aws_iam_policy_document"]
    trust, feature_store_trust = (module["locals"][name] for name in ("trust", "feature_store_trust"))
    assert "aws:SourceAccount" in trust
    assert "aws:SourceArn" in trust
    assert "aws:SourceAccount" in feature_store_trust
    assert "aws:SourceArn" not in feature_store_trust
    trusts = module["resource"]["aws_iam_role"]["this"]["assume_role_policy"]
    assert 'each.key == "data_preparation" ? local.feature_store_trust : local.trust' in trusts
    (encrypt,) = [one for one in documents["offline_store"]["statement"] if one["sid"] == "EncryptOfflineStore"]
    assert encrypt == {
        "sid": "EncryptOfflineStore",
        "actions": ["kms:GenerateDataKey"],
        "resources": ["${var.kms_key_arn}"],
        "condition": [],
    }


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
def policies(
    tmp_path_factory: pytest.TempPathFactory, terraform_environment: dict[str, str]
) -> dict[str, list[dict[str, Any]]]:
    """The planned statements of each phase's role."""
    folder = tmp_path_factory.mktemp("access")
    inputs = f"""
      feature_group_names       = ["shop-orders"]
      model_package_group_names = ["shop-churn"]
      role_statements           = [
        {{ training = [{render_statement("orders")}] }}, {{ training = [{render_statement("returns")}] }},
      ]
    """
    Example("access", "policies", CALLER.format(region="eu-north-1", inputs=inputs)).write(folder)
    terraform = Terraform(folder, terraform_environment)
    terraform.init()
    policies: dict[str, list[dict[str, Any]]] = {}
    for address, values in summary(terraform.plan(folder / "tfplan"))["values"].items():
        if "aws_iam_role_policy" in address and "policy" in values:
            phase = address.split('"')[1]
            policies.setdefault(phase, []).extend(json.loads(values["policy"])["Statement"])
    return policies


def is_allowed(statements: list[dict[str, Any]], action: str, resource: str) -> bool:
    return any(
        action in to_list(one["Action"])
        and any(fnmatch.fnmatchcase(resource, item) for item in to_list(one["Resource"]))
        for one in statements
    )


def to_list(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]


FEATURES = "arn:aws:sagemaker:eu-north-1:123456789012:feature-group/shop-orders"
XGBOOST = "arn:aws:ecr:eu-north-1:662702820516:repository/sagemaker-xgboost"


@pytest.mark.plan
@pytest.mark.parametrize(
    ("phase", "action", "resource", "allowed"),
    [
        ("training", "s3:PutObject", "arn:aws:s3:::artifacts/checkpoints/churn/1", True),
        ("training", "s3:GetObject", "arn:aws:s3:::artifacts/checkpoints/churn/1", True),
        ("training", "s3:PutObject", "arn:aws:s3:::artifacts/source/churn.tar.gz", False),
        ("training", "s3:GetObject", "arn:aws:s3:::data/raw/orders.csv", False),
        ("training", "s3:PutObject", "arn:aws:s3:::data/re-creatable/train.parquet", False),
        ("training", "sagemaker:GetRecord", FEATURES, True),
        ("training", "sagemaker:PutRecord", FEATURES, False),
        ("training", "ecr:BatchGetImage", XGBOOST, True),
        ("training", "ecr:BatchGetImage", "arn:aws:ecr:eu-north-1:999999999999:repository/sagemaker-xgboost", False),
        ("training", "sns:Publish", f"{TOPICS}:orders", True),
        ("training", "sns:Publish", f"{TOPICS}:returns", True),
        ("training", "sns:Publish", f"{TOPICS}:another", False),
        ("inference", "sns:Publish", f"{TOPICS}:orders", False),
        ("data_preparation", "sagemaker:PutRecord", FEATURES, True),
        ("data_preparation", "sagemaker:PutRecord", FEATURES + "-of-another-team", False),
        ("data_preparation", "s3:PutObject", "arn:aws:s3:::data/feature-store/part.parquet", True),
        ("data_preparation", "s3:PutObject", "arn:aws:s3:::data/raw/orders.csv", False),
        ("inference", "s3:GetObject", "arn:aws:s3:::artifacts/models/churn/model.tar.gz", True),
        ("inference", "s3:PutObject", "arn:aws:s3:::artifacts/models/churn/model.tar.gz", False),
        ("inference", "sagemaker:GetRecord", FEATURES, True),
        (
            "pipeline",
            "sagemaker:CreateTrainingJob",
            "arn:aws:sagemaker:eu-north-1:123456789012:training-job/pipelines-abc-Train",
            True,
        ),
        (
            "pipeline",
            "sagemaker:CreateTrainingJob",
            "arn:aws:sagemaker:eu-north-1:123456789012:training-job/other",
            False,
        ),
        (
            "pipeline",
            "sagemaker:UpdateModelPackage",
            "arn:aws:sagemaker:eu-north-1:123456789012:model-package/shop-churn/1",
            False,
        ),
        ("pipeline", "s3:PutObject", "arn:aws:s3:::artifacts/models/churn/model.tar.gz", False),
    ],
)
def test_phases_have_only_their_own_permissions(
    policies: dict[str, list[dict[str, Any]]], phase: str, action: str, resource: str, allowed: bool
) -> None:
    assert is_allowed(policies[phase], action, resource) is allowed


@pytest.mark.plan
@pytest.mark.parametrize(
    ("region", "inputs", "messages"),
    [
        (
            "eu-north-1",
            """
            existing_role_arns       = { trainings = "arn:aws:iam::123456789012:role/x" }
            feature_group_names      = ["*"]
            permissions_boundary_arn = "boundary"
            role_path                = "mlops"
            """,
            [
                "each key of existing_role_arns must be one of",
                "each of feature_group_names must be a name of letters, digits and hyphens, without wildcards",
                "permissions_boundary_arn must be the ARN of an IAM policy",
                "role_path must start and end with a slash",
            ],
        ),
        (
            "eu-north-1",
            's3_paths = { training = { read = ["data/*"] } }',
            ["must be the key of a bucket and a prefix that ends with a slash, such as data/raw/"],
        ),
        (
            "eu-north-1",
            's3_paths = { training = { read = ["lake/flights/"] } }',
            [
                "s3_paths: each path must start with a key of buckets (artifacts, data) and a slash",
            ],
        ),
        (
            "eu-north-1",
            "role_statements = [{ inference = [] }]",
            ["each of role_statements must hold at least 1"],
        ),
        (
            "eu-north-1",
            f"role_statements = [{{ training = [{render_statement('a')}] }}, "
            f"{{ training = [{render_statement('b', action='sns:Subscribe')}] }}]",
            [
                "statements with the same sid must have the same actions and conditions; change the sid of training: "
                "Announce",
            ],
        ),
        (
            "eu-north-1",
            f"role_statements = [{{ training = [{render_statement(*(f'topic-{number}' for number in range(200)))}] }}]",
            ["IAM allows 10240 characters of inline policies for a role, and those of training are longer"],
        ),
    ],
    ids=["values", "paths", "combinations", "empty", "statements", "size"],
)
def test_invalid_inputs_are_rejected_with_the_remedy(
    region: str, inputs: str, messages: list[str], tmp_path: Path, terraform_environment: dict[str, str]
) -> None:
    Example("access", "invalid", CALLER.format(region=region, inputs=inputs)).write(tmp_path)
    terraform = Terraform(tmp_path, terraform_environment)
    terraform.init()
    with pytest.raises(UserError) as error:
        terraform.plan(tmp_path / "tfplan")
    output = re.sub(r"[\s│╷╵]+", " ", str(error.value))
    assert [message for message in messages if message not in output] == []
