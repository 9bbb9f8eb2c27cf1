"""Policy documents of the environments: complete, for all their resources, and with their names."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from clone import synth
from clone.deployer import environment as deployer
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.catalogue import deployer_actions as table
from tests.cases import check_cases

Environment = Callable[..., Any]


def test_the_table_has_exactly_the_used_resource_types(synthesized: dict[str, Any], environment: Environment) -> None:
    code = "".join(file.read_text() for file in ROOT.glob("envs/components/*.py"))
    module_bodies = [body for module, body in synthesized.items() if f"modules.{module}" in code]
    bodies = [*module_bodies, environment().to_json()]
    used = {kind for body in bodies for kind in body.get("resource", {})} - {"terraform_data"}
    assert used == set(table.load_deployer_actions()) - {*table.ALWAYS, table.STATE_KEY}


@pytest.mark.slow
def test_a_type_without_a_row_fails_the_synthesis(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {kind: row for kind, row in table.load_deployer_actions().items() if kind != "aws_sqs_queue"}
    monkeypatch.setattr(table, "load_deployer_actions", lambda: rows)
    with pytest.raises(UserError, match=r"^deployer_actions.yaml: has no row for aws_sqs_queue; add the actions"):
        synth.synthesize(["dev"], always=True)


def test_only_the_types_of_called_modules_are_allowed(synthesized: dict[str, Any], environment: Environment) -> None:
    serverless = deployer.list_resource_types(environment().to_json(), synthesized)
    models = {"fraud": {"realtime_endpoint": {"latency_slo_ms": 100}}}
    realtime = deployer.list_resource_types(environment(models=models, pipelines={}).to_json(), synthesized)
    assert "aws_appautoscaling_scheduled_action" not in serverless
    assert {"aws_appautoscaling_scheduled_action", "aws_sagemaker_endpoint"} <= realtime
    assert "aws_sagemaker_pipeline" not in realtime


@check_cases("name", synth.list_names()[1])
def test_the_folder_has_exactly_the_documents_of_the_page(name: str) -> None:
    folder = ROOT / "envs" / name / "deployer"
    documents = {file.stem for file in folder.glob("*.json")}
    page = (folder / "README.md").read_text()
    assert all(f"[{one}]({one}.json)" in page for one in documents)
    assert page.count(".json) |") == len(documents), "delete the documents that synthesis no longer writes"
    assert all(json.loads((folder / f"{one}.json").read_text())["Version"] == "2012-10-17" for one in documents)


def test_names_are_read_from_the_root_module(
    synthesized: dict[str, Any], environment: Environment, dev: dict[str, Any]
) -> None:
    boundary, key = "arn:aws:iam::123456789012:policy/bounds", "arn:aws:kms:eu-north-1:123456789012:key/1"
    body = environment(
        state={**dev["state"], "kms_key_arn": key},
        storage={"existing_kms_key": {"arn": key}},
        access={"role_path": "/mlops/", "permissions_boundary_arn": boundary},
    ).to_json()
    names = deployer.read_names(body, synthesized, "dev", "smlops-dev", deletion_protection=True)
    assert (names.account_id, names.region, names.partition) == ("123456789012", "eu-north-1", "aws")
    assert (names.state_bucket, names.state_key) == (dev["state"]["bucket"], "dev/terraform.tfstate")
    assert (names.state_kms_key_arn, names.kms_key_arn) == (key, key)
    assert (names.role_paths, names.permissions_boundary_arn) == (("/mlops/",), boundary)


@pytest.mark.parametrize(
    ("region", "partition"), [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("eu-west-3", "aws")]
)
def test_the_partition_follows_from_the_region(
    synthesized: dict[str, Any], environment: Environment, region: str, partition: str
) -> None:
    body = environment().to_json()
    body["provider"]["aws"][0]["region"] = region
    assert deployer.read_names(body, synthesized, "dev", "smlops-dev", deletion_protection=True).partition == partition


def test_apply_may_deploy_the_packages_of_the_other_registries(
    synthesized: dict[str, Any], environment: Environment
) -> None:
    registries = {"234567890123": "smlops-lab"}
    body = environment(promotion={"registries": registries}).to_json()
    names = deployer.read_names(body, synthesized, "dev", "smlops-dev", deletion_protection=True, registries=registries)
    statements = [
        statement
        for document in deployer.make_environment_documents(body, synthesized, names)
        for statement in document.statements
        if "sagemaker:CreateModel" in statement["Action"]
    ]
    packages = {arn for one in statements for arn in one["Resource"] if ":model-package/" in arn}
    assert packages == {
        "arn:aws:sagemaker:eu-north-1:123456789012:model-package/smlops-dev-*",
        "arn:aws:sagemaker:eu-north-1:234567890123:model-package/smlops-lab-*",
    }
