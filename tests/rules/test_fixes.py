"""Each rule's Terraform code plans with the real provider, and then passes the rule."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.plan import Plan, load
from sustainable_mlops.rules import ALL, BY_ID, Outcome, Rule, evaluate
from sustainable_mlops.rules.fix_code import FOLDER, SHARED_CODE
from sustainable_mlops.terraform import Terraform
from tests.rules.case_tables import load_tables

_LATER = "the resource or argument needs a later provider than 5.100, with which the code is tested"
#: Rules without Terraform code, with the reason.
WITHOUT_CODE = {
    "SUS_COMPONENTS_TO_ZERO": _LATER,
    "SUS_COMPONENT_ROLE": _LATER,
    "SUS_COMPONENT_SCALE_IN": _LATER,
    "SUS_EDGE_MANAGER": "the remedy is to delete the resource",
    "SUS_GPU_PARTITIONS": _LATER,
    "SUS_INSTANCE_POOLS": _LATER,
    "SUS_METRICS_INTERVAL": _LATER,
    "SUS_MLFLOW_SERVER": _LATER,
    "SUS_MODEL_CARD_ENVIRONMENT": _LATER,
    "SUS_MODEL_MONITOR": "the remedy is to delete the resource",
    "SUS_REGION_CARBON": "the remedy is the Region of the provider",
    "SUS_SERVERLESS_MODEL_MONITOR": "the remedy is to delete the resource",
    "SUS_SERVERLESS_REGION": "the remedy is the Region of the provider",
}
#: Rules with a passing case whose code takes away what they check, such as a volume key or a secret.
REMOVES = {
    "SUS_DEBUGGER_ACTION",
    "SUS_ENDPOINT_KMS_ON_LOCAL_DISK",
    "SUS_LITERAL_SECRET",
    "SUS_MANAGED_SCALING_WITH_MODEL",
    "SUS_MULTI_MODEL_ENDPOINT",
    "SUS_SECRET_IN_PLAIN_TEXT",
    "SUS_STEP_KMS_ON_LOCAL_DISK",
    "SUS_TRAINING_KMS_ON_LOCAL_DISK",
}
#: Resources of the context that a rule needs and its code does not name.
CONTEXT: Mapping[str, tuple[str, ...]] = {
    "SUS_BUDGET_BY_WORKLOAD": ("aws_sagemaker_model.this",),
    "SUS_BUDGET_NOTIFIES": ("aws_sagemaker_model.this",),
    "SUS_BUCKET_VERSIONING": ("aws_sagemaker_model.this",),
    "SUS_COST_ALLOCATION_TAG": ("aws_sagemaker_model.this",),
    "SUS_ENDPOINT_OUTPUT_EXPIRES": ("aws_sagemaker_endpoint_configuration.captured",),
    "SUS_MODELS_ARCHIVED": ("aws_sagemaker_model.this",),
    "SUS_NONCURRENT_EXPIRY": ("aws_sagemaker_model.this",),
    "SUS_S3_GATEWAY_ENDPOINT": ("aws_sagemaker_notebook_instance.in_vpc",),
    "SUS_SERVED_MODEL_ARCHIVED": ("aws_sagemaker_model.this",),
    "SUS_TRAINING_UTILIZATION": ("aws_sagemaker_pipeline.this",),
}
TODAY = date(2026, 11, 24)
ROOT_MODULE = """
provider "aws" {
  region                      = "eu-north-1"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_region_validation      = true
}
"""
_BLOCK = re.compile(r'^resource "(?P<type>\w+)" "(?P<name>\w+)" \{\n.*?^\}\n', re.M | re.S)
_REFERENCE = re.compile(r"\baws_\w+\.\w+")


def read_blocks(text: str) -> dict[str, str]:
    """Return the resource blocks of a file by address."""
    return {f"{block['type']}.{block['name']}": block[0] for block in _BLOCK.finditer(text)}


def list_context(rule: Rule, context: Mapping[str, str]) -> Iterator[str]:
    """Yield the blocks of the context that the code of a rule refers to, also through other blocks."""
    known = set(read_blocks(rule.fix_code))
    pending = [*_REFERENCE.findall(rule.fix_code), *CONTEXT.get(rule.id, ())]
    while pending:
        address = pending.pop()
        if address not in known and address in context:
            known.add(address)
            pending += _REFERENCE.findall(context[address])
            yield context[address]


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory, offline_environment: dict[str, str]) -> dict[str, Any]:
    """One plan of all code, each rule's in a module of its own."""
    folder = tmp_path_factory.mktemp("fixes")
    context = read_blocks((Path(__file__).parent / "fixes" / "context.tf").read_text())
    calls = [ROOT_MODULE]
    for rule in ALL:
        if rule.fix_code:
            (folder / rule.id).mkdir()
            (folder / rule.id / "fix.tf").write_text(rule.fix_code)
            (folder / rule.id / "context.tf").write_text("\n".join(list_context(rule, context)))
            calls.append(f'module "{rule.id}" {{\n  source = "./{rule.id}"\n}}\n')
    (folder / "main.tf").write_text("\n".join(calls))
    terraform = Terraform(folder, offline_environment)
    terraform.init()
    return terraform.plan(folder / "tfplan")


def select_module(document: Mapping[str, Any], name: str) -> Plan:
    """Return the plan of one module alone."""
    root, values = document["configuration"]["root_module"], document["planned_values"]["root_module"]
    return load(
        json.dumps(
            {
                **document,
                "resource_changes": [
                    change for change in document["resource_changes"] if change["module_address"] == f"module.{name}"
                ],
                "planned_values": {
                    "root_module": {
                        "child_modules": [
                            module for module in values["child_modules"] if module["address"] == f"module.{name}"
                        ]
                    }
                },
                "configuration": {
                    **document["configuration"],
                    "root_module": {"module_calls": {name: root["module_calls"][name]}},
                },
            }
        ).encode()
    )


@pytest.mark.plan
def test_the_code_of_each_rule_passes_the_rule(document: dict[str, Any]) -> None:
    tables, problems = load_tables(), {}
    for rule in ALL:
        if rule.fix_code:
            plan = select_module(document, rule.id)
            findings = evaluate(plan, [rule], TODAY)
            # A first plan has no changes, and some rules have no result for resources without the fault.
            may_be_silent = rule.is_about_change or rule.id in REMOVES or isinstance(tables[rule.id]["pass"], str)
            expected = {Outcome.PASS} if findings or not may_be_silent else set()
            if {finding.outcome for finding in findings} != expected:
                problems[rule.id] = findings or "no result"
            elif "*" not in rule.types and not plan.list_by_type(*rule.types):
                problems[rule.id] = "no resource of its types"
    assert problems == {}, "\n".join(f"{rule}: {problem}" for rule, problem in problems.items())


@pytest.mark.plan
def test_no_code_breaks_another_rule(document: dict[str, Any]) -> None:
    broken = {
        rule.id: messages
        for rule in ALL
        if rule.fix_code
        and (
            messages := [
                f"{finding.rule} {finding.address}: {finding.message}"
                for finding in evaluate(select_module(document, rule.id), ALL, TODAY)
                if finding.outcome is Outcome.FAIL and BY_ID[finding.rule].severity == "fail"
            ]
        )
    }
    assert broken == {}


def test_every_rule_has_terraform_code_or_a_reason() -> None:
    assert sorted(rule.id for rule in ALL if not rule.fix_code) == sorted(WITHOUT_CODE)


def test_every_file_belongs_to_a_rule() -> None:
    assert {file.stem for file in FOLDER.iterdir()} | SHARED_CODE.keys() <= BY_ID.keys()
    assert SHARED_CODE.keys().isdisjoint(file.stem for file in FOLDER.iterdir())
