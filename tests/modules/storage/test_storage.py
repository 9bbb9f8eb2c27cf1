"""Lifecycle rules, encryption and protection of the buckets."""

import json
from pathlib import Path
from typing import Any

import pytest

from sagemaker_sandbox.iam.conditions import are_met
from sustainable_mlops.base.terraform import Terraform
from tests.lazy_imports import LazyModule
from tests.modules.examples import Example, summary

#: It imports cdktn, which starts jsii.
policies = LazyModule("modules.policies")

Rule = dict[str, Any]
BUCKET = "arn:aws:s3:::shop-artifacts"


@pytest.fixture
def module(synthesized: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = synthesized["storage"]
    return body


def list_rules(module: dict[str, Any], *configurations: str) -> list[Rule]:
    configurations_by_name = module["resource"]["aws_s3_bucket_lifecycle_configuration"]
    return [rule for name in configurations or configurations_by_name for rule in configurations_by_name[name]["rule"]]


def test_all_data_classes_have_transitions_or_expiry(module: dict[str, Any]) -> None:
    by_prefix = {rule["filter"][0]["prefix"]: rule for rule in list_rules(module, "data", "artifacts")}
    for name, prefix in module["output"]["prefixes"]["value"].items():
        assert {"transition", "expiration"} & by_prefix[prefix].keys(), name


def test_expired_objects_leave_no_old_versions(module: dict[str, Any]) -> None:
    expiring = [rule for rule in list_rules(module, "data", "artifacts") if "days" in rule.get("expiration", [{}])[0]]
    assert len(expiring) == 5
    assert all(rule["noncurrent_version_expiration"] == [{"noncurrent_days": 1}] for rule in expiring)


def test_all_buckets_delete_old_versions_and_incomplete_uploads(module: dict[str, Any]) -> None:
    for name in module["resource"]["aws_s3_bucket_lifecycle_configuration"]:
        tidy = next(rule for rule in list_rules(module, name) if rule["id"] == "tidy")
        assert tidy["filter"] == [{"prefix": ""}]
        assert tidy["noncurrent_version_expiration"]
        assert tidy["abort_incomplete_multipart_upload"]


def test_only_raw_data_is_archived(module: dict[str, Any]) -> None:
    (archive,) = module["resource"]["aws_s3_bucket_intelligent_tiering_configuration"].values()
    assert archive["filter"]["prefix"] == module["output"]["prefixes"]["value"]["raw"]
    tiers = {transition["storage_class"] for rule in list_rules(module) for transition in rule.get("transition", [])}
    assert tiers == {"INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR"}, (
        "objects of all these classes are readable at once"
    )


@pytest.mark.parametrize(
    ("encryption", "key", "denied"),
    [
        (None, None, False),
        ("aws:kms", "ours", False),
        ("AES256", None, True),
        ("aws:kms", None, True),
        ("aws:kms", "another", True),
        ("aws:kms:dsse", "ours", False),
    ],
)
@pytest.mark.parametrize("folder", ["models", "checkpoints", "debug-output"])
def test_uploads_must_use_the_key(encryption: str | None, key: str | None, denied: bool, folder: str) -> None:
    from modules.buckets import deny_other_encryption
    from modules.storage.buckets import PREFIXES_WITHOUT_KEY

    request = {"s3:x-amz-server-side-encryption": encryption, "s3:x-amz-server-side-encryption-aws-kms-key-id": key}
    # SageMaker's API has no key parameter for these objects.
    denied = denied and not (folder != "models" and (encryption, key) == ("aws:kms", None))
    denials = deny_other_encryption(BUCKET, "ours", PREFIXES_WITHOUT_KEY)
    statements = [policies.encode_statement(one) for one in denials]
    assert all(one["Effect"] == "Deny" for one in statements)
    assert any(applies(one, f"{BUCKET}/{folder}/x", request) for one in statements) is denied


def applies(statement: dict[str, Any], resource: str, request: dict[str, str | None]) -> bool:
    """Return whether a statement covers a request and its conditions are met."""
    excluded = statement.get("NotResource", [])
    return are_met(statement, request) is True and not any(resource.startswith(one[:-1]) for one in excluded)


def test_deletion_protection_covers_all_buckets_and_the_key(module: dict[str, Any]) -> None:
    guarded = module["locals"]["guarded"]
    assert "local.all_buckets" in guarded
    assert "aws_kms_key.this" in guarded


@pytest.mark.plan
def test_reader_accounts_read_and_list_only_models(tmp_path: Path, terraform_environment: dict[str, str]) -> None:
    text = """
        module "storage" {
          source             = "./modules/storage"
          name_prefix        = "shop"
          account_id         = "123456789012"
          region             = "eu-north-1"
          existing_kms_key   = { arn = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab" }
          reader_account_ids = ["210987654321"]
        }
    """
    Example("storage", "readers", text).write(tmp_path)
    terraform = Terraform(tmp_path, terraform_environment)
    terraform.init()
    values = summary(terraform.plan(tmp_path / "tfplan"))["values"]
    granted: dict[str, list[dict[str, Any]]] = {}
    for name in ("artifacts", "data"):
        policy = json.loads(values[f'module.storage.aws_s3_bucket_policy.this["{name}"]']["policy"])["Statement"]
        granted[name] = [one for one in policy if one["Effect"] == "Allow"]
    bucket = "arn:aws:s3:::shop-artifacts-123456789012-eu-north-1"
    reader = {"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::210987654321:root"]}}
    listing = {"Action": "s3:ListBucket", "Resource": bucket, "Condition": {"StringLike": {"s3:prefix": "models/*"}}}
    assert granted == {
        "artifacts": [
            {"Sid": "ReadModels", **reader, "Action": "s3:GetObject", "Resource": f"{bucket}/models/*"},
            {"Sid": "ListModels", **reader, **listing},
        ],
        "data": [],
    }
