"""Changes of feature groups keep their data."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from modules.feature_store.inputs import Inputs
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.settings import validate
from sustainable_mlops.base.terraform import ROOT, Terraform, list_changes
from tests.cases import check_cases
from tests.modules.prerequisites import create_key
from tests.sandbox.support import TRUST

KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"
GROUP = 'module.feature_store.aws_sagemaker_feature_group.this["orders"]'
GUARD = 'module.feature_store.terraform_data.deletion_protection["orders"]'
USE_KEY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "kms:GenerateDataKey", "Resource": "*"}],
}
FEATURES = {"order_id": "String", "ordered_at": "String", "amount": "Fractional"}


def render_root_module(groups: dict[str, Any], role_name: str = "store", optimizers: str = "{}") -> str:
    """Return a root module that creates the role, so that its ARN is unknown before the apply."""
    return f"""
resource "aws_iam_role" "store" {{
  name               = "{role_name}"
  assume_role_policy = {json.dumps(json.dumps(TRUST))}
}}

resource "aws_iam_role_policy" "store" {{
  name   = "store"
  role   = aws_iam_role.store.name
  policy = {json.dumps(json.dumps(USE_KEY))}
}}

module "feature_store" {{
  source = "./modules/feature_store"

  name_prefix          = "shop"
  kms_key_arn          = "arn:aws:kms:eu-north-1:123456789012:key/{KEY}"
  offline_store_s3_uri = "s3://shop-data/feature-store"
  role_arn             = one([for policy in [aws_iam_role_policy.store] : aws_iam_role.store.arn])
  feature_groups       = jsondecode({json.dumps(json.dumps(groups))})
  table_optimizers     = {optimizers}
}}

output "feature_groups" {{
  value = module.feature_store.feature_groups
}}
"""


def render_orders(features: dict[str, str], days: int = 2, **changes: Any) -> dict[str, Any]:
    group = {
        "record_identifier": "order_id",
        "event_time": "ordered_at",
        "online": {"ttl": {"unit": "Days", "value": days}},
        "features": {name: {"type": kind} for name, kind in features.items()},
    }
    return {"orders": group | changes}


def list_warnings(plan: dict[str, Any]) -> list[str]:
    return [
        problem["message"]
        for check in plan["checks"]
        for instance in check.get("instances", [])
        for problem in instance.get("problems", [])
    ]


@pytest.fixture(scope="module")
def applied(
    tmp_path_factory: pytest.TempPathFactory, sandbox: Any, terraform_environment: dict[str, str]
) -> Iterator[Terraform]:
    """Apply a root module with one protected group."""
    create_key(sandbox, KEY)
    folder = tmp_path_factory.mktemp("feature_store")
    (folder / "modules").symlink_to(ROOT / "modules")
    (folder / "main.tf").write_text(render_root_module(render_orders(FEATURES)))
    terraform = Terraform(folder, terraform_environment)
    terraform.init()
    terraform.run("apply", "-auto-approve")
    yield terraform
    terraform.run("state", "rm", GUARD)
    terraform.run("destroy", "-auto-approve")


def plan(terraform: Terraform, groups: dict[str, Any], **options: str) -> dict[str, Any]:
    (terraform.folder / "main.tf").write_text(render_root_module(groups, **options))
    return terraform.plan(terraform.folder / "tfplan")


def apply_group(terraform: Terraform, variables: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, str(ROOT / "scripts" / "smlops.py"), "evolve", "--root", str(terraform.folder)]
    changes = subprocess.run(
        [*command, *arguments], env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    assert (changes.returncode, changes.stderr) == (0, "")
    return changes.stdout


@pytest.mark.apply
def test_an_existing_role_replaces_the_role_of_the_optimizers_and_retention_is_opt_in(applied: Terraform) -> None:
    existing = "{ existing_role = { arn = aws_iam_role.store.arn }, retention = { days = 9 } }"
    changes = list_changes(plan(applied, render_orders(FEATURES), optimizers=existing))
    assert {address.removeprefix("module.feature_store."): actions for address, actions in changes.items()} == {
        'aws_glue_catalog_table_optimizer.compaction["orders"]': ["delete", "create"],
        'aws_glue_catalog_table_optimizer.retention["orders"]': ["create"],
        'aws_iam_role.optimizer["optimizer"]': ["delete"],
        'aws_iam_role_policy.optimizer["optimizer"]': ["delete"],
        'terraform_data.compaction_role["optimizer"]': ["update"],
        'terraform_data.optimizer_policy["optimizer"]': ["delete"],
    }


@pytest.mark.apply
def test_the_role_of_the_optimizers_reaches_only_the_tables_and_the_prefix_of_the_groups(applied: Terraform) -> None:
    resources = {
        one["address"].removeprefix("module.feature_store."): one["values"]
        for one in json.loads(applied.run("show", "-json"))["values"]["root_module"]["child_modules"][0]["resources"]
    }
    table = resources['aws_glue_catalog_table_optimizer.compaction["orders"]']["table_name"]
    policy = json.loads(resources['aws_iam_role_policy.optimizer["optimizer"]']["policy"])
    reached = {one["Sid"]: one["Resource"] for one in policy["Statement"]}
    glue = "arn:aws:glue:eu-north-1:123456789012"
    assert reached["RewriteFiles"] == "arn:aws:s3:::shop-data/feature-store/*"
    assert reached["UpdateTables"] == [
        f"{glue}:catalog",
        f"{glue}:database/sagemaker_featurestore",
        f"{glue}:table/sagemaker_featurestore/{table}",
    ]
    trust = json.loads(resources['aws_iam_role.optimizer["optimizer"]']["assume_role_policy"])["Statement"][0]
    assert trust["Principal"] == {"Service": "glue.amazonaws.com"}
    assert trust["Condition"] == {"StringEqualsIfExists": {"aws:SourceAccount": "123456789012"}}


@pytest.mark.apply
def test_settings_that_glue_adds_to_a_compaction_change_no_plan(applied: Terraform, sandbox: Any) -> None:
    address = 'module.feature_store.aws_glue_catalog_table_optimizer.compaction["orders"]'
    (state,) = (
        one["values"]
        for one in json.loads(applied.run("show", "-json"))["values"]["root_module"]["child_modules"][0]["resources"]
        if one["address"] == address
    )
    glue, role = sandbox.client("glue"), state["configuration"][0]["role_arn"]
    optimizer = {
        "CatalogId": state["catalog_id"],
        "DatabaseName": state["database_name"],
        "TableName": state["table_name"],
        "Type": "compaction",
    }
    # The provider of the tests has no argument for the strategy, so another difference stands for it.
    glue.update_table_optimizer(**optimizer, TableOptimizerConfiguration={"roleArn": role, "enabled": False})
    try:
        assert list_changes(plan(applied, render_orders(FEATURES))) == {}
    finally:
        glue.update_table_optimizer(**optimizer, TableOptimizerConfiguration={"roleArn": role, "enabled": True})


@pytest.mark.apply
def test_adding_features_keeps_the_group(applied: Terraform, terraform_environment: dict[str, str]) -> None:
    more = {"paid": "Integral", **dict(reversed(FEATURES.items()))}
    declared = plan(applied, render_orders(more))
    assert list_changes(declared) == {}
    (warning,) = list_warnings(declared)
    assert "lack orders.paid (Integral)" in warning
    assert "smlops evolve" in warning

    applied.run("apply", "-auto-approve")
    assert apply_group(applied, terraform_environment, "--dry-run") == "shop-orders: would add paid (Integral)\n"
    assert json.loads(apply_group(applied, terraform_environment, "--json")) == {
        "dry_run": False,
        "feature_groups": {"orders": {"group": "shop-orders", "added": {"paid": "Integral"}}},
    }
    assert apply_group(applied, terraform_environment) == "shop-orders: as declared\n"
    evolved = applied.plan(applied.folder / "tfplan")
    assert (list_changes(evolved), list_warnings(evolved)) == ({}, [])

    without = plan(applied, render_orders({name: kind for name, kind in more.items() if name != "amount"}))
    assert list_changes(without) == {}
    assert "have orders.amount (Fractional), which feature_groups does not declare" in " ".join(list_warnings(without))


@pytest.mark.apply
def test_a_change_of_the_storage_type_outside_terraform_keeps_the_group(applied: Terraform, sandbox: Any) -> None:
    sagemaker = sandbox.client("sagemaker")
    change = {"StorageType": "Standard_V2"}
    sagemaker.update_feature_group(FeatureGroupName="shop-orders", OnlineStoreConfig=change)
    assert list_changes(plan(applied, render_orders(FEATURES))) == {}


@pytest.mark.apply
def test_plans_that_replace_or_delete_a_group_are_rejected(applied: Terraform) -> None:
    message = "Instance cannot be destroyed"
    with pytest.raises(UserError, match=message):
        plan(applied, render_orders(FEATURES), role_name="another")
    with pytest.raises(UserError, match=message):
        plan(applied, render_orders(FEATURES, record_identifier="ordered_at"))
    with pytest.raises(UserError, match=message):
        plan(applied, {})


@pytest.mark.apply
def test_updates_are_in_place_and_descriptions_are_ignored(applied: Terraform) -> None:
    assert list_changes(plan(applied, render_orders(FEATURES, days=9, description="Orders."))) == {GROUP: ["update"]}


@check_cases(
    ("changes_", "message"),
    [
        ({"event_time": "when"}, "event_time: 'when' must be one of its features, of type String or Fractional"),
        (
            {"event_time": "amount_cents"},
            "event_time: 'amount_cents' must be one of its features, of type String or Fractional",
        ),
        (
            {"record_identifier": "amount"},
            "record_identifier: 'amount' must be one of its features, of type String or Integral",
        ),
        ({"event_time": ...}, "event_time: is missing; add it"),
    ],
)
def test_settings_reject_invalid_groups_and_name_the_field(changes_: dict[str, Any], message: str) -> None:
    group = render_orders({**FEATURES, "amount_cents": "Integral"}, **changes_)["orders"]
    inputs = {
        "name_prefix": "shop",
        "kms_key_arn": "arn:aws:kms:eu-north-1:123456789012:key/1",
        "offline_store_s3_uri": "s3://shop-data",
        "role_arn": "arn:aws:iam::123456789012:role/store",
        "feature_groups": {"orders": {key: value for key, value in group.items() if value is not ...}},
    }
    with pytest.raises(UserError) as error:
        validate(inputs, Inputs, "settings.yaml")
    assert str(error.value).startswith("settings.yaml: feature_groups.orders")
    assert str(error.value).endswith(message)


@check_cases("name", ["write_time", "is_deleted", "api_invocation_time"])
def test_reserved_feature_names_are_rejected(name: str) -> None:
    with pytest.raises(ValueError, match=f"Feature Store reserves .*{name}"):
        Inputs.model_validate(
            {
                "name_prefix": "shop",
                "kms_key_arn": "arn:aws:kms:eu-north-1:123456789012:key/1",
                "offline_store_s3_uri": "s3://shop-data",
                "role_arn": "arn:aws:iam::123456789012:role/store",
                "feature_groups": render_orders({**FEATURES, name: "String"}),
            }
        )
