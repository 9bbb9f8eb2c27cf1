"""Each rule's Terraform code plans with the real provider, and then passes the rule."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.base.terraform import Terraform
from sustainable_mlops.plan import Plan, load
from sustainable_mlops.rules import ALL, BY_ID, Outcome, Rule, evaluate
from sustainable_mlops.rules.fix_code import FOLDER, OMITTED, SHARED_CODE
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
    "SUS_MODEL_CARD_ENVIRONMENT": _LATER,
    "SUS_MODEL_MONITOR": "the remedy is to delete the resource",
    "SUS_REGION_CARBON": "the remedy is the Region of the provider",
    "SUS_SERVERLESS_MODEL_MONITOR": "the remedy is to delete the resource",
    "SUS_SERVERLESS_REGION": "the remedy is the Region of the provider",
}
#: Rules that their code passes by removing an attribute or resource, such as a volume key or a secret.
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
#: Resources of the context that a rule needs, but that its code does not refer to.
CONTEXT: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            "SUS_SERVERLESS_GPU_IMAGE",
            "SUS_SERVERLESS_INFERENCE_PIPELINE",
            "SUS_SERVERLESS_MULTI_MODEL",
            "SUS_SERVERLESS_NETWORK_ISOLATION",
            "SUS_SERVERLESS_PRIVATE_REGISTRY",
            "SUS_SERVERLESS_VPC",
        ),
        ("aws_sagemaker_endpoint_configuration.serverless",),
    ),
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
#: A later change of the code of each rule about changes: old and new text.
LATER_CHANGES = {
    "SUS_CREATE_BEFORE_DESTROY_NAME": ("ml.c7g.large", "ml.c7g.xlarge"),
    "SUS_EDIT_DELETES_DATA": ('"Iceberg"', '"Glue"'),
    "SUS_ENDPOINT_KEEPS_OLD_MODEL": ("delay:2026-11-01", "delay:2026-12-01"),
    "SUS_NAME_TAKEN": ('"fraud"', '"fraud", "churn"'),
    "SUS_REPLACED_BEFORE_ENDPOINT": ("ml.c7g.large", "ml.c7g.xlarge"),
    "SUS_ROLLBACK_REPLACES_ENDPOINT": ('"delay-errors"', '"delay-server-errors"'),
    "SUS_SERVERLESS_CONVERSION": ("= 2048", "= 4096"),
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


def split_code(code: str) -> tuple[str, str]:
    """Return the resources of a code, and those of which it shows a part: Terraform merges them into the context."""
    complete, partial = "", ""
    for block in read_blocks(code).values():
        complete, partial = (complete, partial + block) if OMITTED in block else (complete + block, partial)
    return complete, partial


def list_context(rule: Rule, context: Mapping[str, str]) -> Iterator[str]:
    """Yield the blocks of the context that the code of a rule refers to, also through other blocks."""
    complete, partial = map(read_blocks, split_code(rule.fix_code))
    known = set(complete)
    pending = [*partial, *_REFERENCE.findall(rule.fix_code), *CONTEXT.get(rule.id, ())]
    while pending:
        address = pending.pop()
        if address not in known and address in context:
            known.add(address)
            pending += _REFERENCE.findall(context[address])
            yield context[address]


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory, offline_environment: dict[str, str]) -> dict[str, Any]:
    """One plan of all code, with a separate module for each rule."""
    codes = {rule: rule.fix_code for rule in ALL if rule.fix_code}
    return create_plan(tmp_path_factory.mktemp("fixes"), codes, offline_environment)


def create_plan(folder: Path, codes: Mapping[Rule, str], environment: dict[str, str], *options: str) -> dict[str, Any]:
    """Return the plan of a root module that calls a module for each rule."""
    context = read_blocks((Path(__file__).parent / "fixes" / "context.tf").read_text())
    calls = [ROOT_MODULE]
    for rule, code in codes.items():
        (folder / rule.id).mkdir()
        for name, text in zip(("fix.tf", "fix_override.tf"), split_code(code), strict=True):
            (folder / rule.id / name).write_text(text)
        (folder / rule.id / "context.tf").write_text("\n".join(list_context(rule, context)))
        calls.append(f'module "{rule.id}" {{\n  source = "./{rule.id}"\n}}\n')
    (folder / "main.tf").write_text("\n".join(calls))
    terraform = Terraform(folder, environment)
    terraform.init()
    return terraform.plan(folder / "tfplan", *options)


def build_state(document: Mapping[str, Any], modules: Collection[str]) -> dict[str, Any]:
    """Return the state after an apply of a plan's modules, with invented texts for those that AWS sets."""
    resources = []
    for change in document["resource_changes"]:
        if change["module_address"].removeprefix("module.") in modules:
            after, unknown = change["change"]["after"], change["change"]["after_unknown"]
            name = sha256(change["address"].encode()).hexdigest()[:12]
            texts = {"arn": f"arn:aws:sagemaker:eu-north-1:123456789012:{name}", "id": name, "name": name}
            chosen = {attribute: text for attribute, text in texts.items() if unknown.get(attribute) is True}
            where = {"module": change["module_address"], "mode": "managed", "type": change["type"]}
            provider = f'provider["{change["provider_name"]}"]'
            index = {"index_key": change["index"]} if "index" in change else {}
            instance = {"attributes": {**after, **chosen}, "schema_version": 0, **index}
            resources.append({**where, "name": change["name"], "provider": provider, "instances": [instance]})
    return {"version": 4, "terraform_version": "1.11.0", "serial": 1, "lineage": "fixes", "resources": resources}


def select_module(document: Mapping[str, Any], name: str) -> Plan:
    """Return the part of a plan with one module."""
    root, values = document["configuration"]["root_module"], document["planned_values"]["root_module"]
    parts = {key: value for key, value in document.items() if key != "prior_state"}
    return load(
        json.dumps(
            {
                **parts,
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
def test_a_later_change_of_the_code_passes_the_rules_about_changes(
    document: dict[str, Any], tmp_path: Path, offline_environment: dict[str, str]
) -> None:
    assert sorted(LATER_CHANGES) == sorted(rule.id for rule in ALL if rule.is_about_change)
    codes = {BY_ID[rule]: BY_ID[rule].fix_code.replace(*texts) for rule, texts in LATER_CHANGES.items()}
    assert [rule.id for rule, code in codes.items() if code == rule.fix_code] == []
    unchanged, applied = {rule: rule.fix_code for rule in codes}, document
    for number in range(4):  # the role, the model, the configuration and the endpoint: each refers to the one before
        applied = plan_after(tmp_path / f"applied{number}", applied, unchanged, offline_environment)
    later = plan_after(tmp_path / "later", applied, codes, offline_environment)
    plans = {rule: select_module(later, rule.id) for rule in codes}
    findings = {rule.id: evaluate(plan, [rule], TODAY) for rule, plan in plans.items()}
    others = [finding for each in findings.values() for finding in each if finding.outcome is not Outcome.PASS]
    assert others == [], "\n".join(map(str, others))
    assert [rule for rule, each in findings.items() if not each] == ["SUS_NAME_TAKEN"], "it has no passing case"


def plan_after(
    folder: Path, applied: Mapping[str, Any], codes: Mapping[Rule, str], environment: dict[str, str]
) -> dict[str, Any]:
    """Return the plan after an apply of another one."""
    folder.mkdir()
    state = build_state(applied, [rule.id for rule in codes])
    (folder / "terraform.tfstate").write_text(json.dumps(state))
    return create_plan(folder, codes, environment, "-refresh=false")


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
