"""Waivers of docs/other_scanners.md: they parse, plan and name checks that exist, and checkov honors them."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from sustainable_mlops.base.terraform import ROOT, Terraform
from sustainable_mlops.review.checkov import PROGRAM
from sustainable_mlops.rules import BY_ID
from tests.docs.blocks import blocks

PAGE = "docs/other_scanners.md"
OFFLINE = """
provider "aws" {
  region                      = "eu-north-1"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
}
"""


def read_block(language: str, name: str) -> str:
    (text,) = (block.text for block in blocks() if (block.file, block.language, block.where) == (PAGE, language, name))
    return text


def find_checkov_ids(text: str) -> set[str]:
    return set(re.findall(r"CKV2?_AWS_\d+", text))


def test_every_check_of_checkov_exists() -> None:
    (checks,) = PROGRAM.parents[1].glob("lib/python*/site-packages/checkov/terraform/checks")
    files = [*checks.glob("resource/aws/*.py"), *checks.glob("graph_checks/aws/*")]
    installed = {name for file in files if file.is_file() for name in find_checkov_ids(file.read_text())}
    assert find_checkov_ids((ROOT / PAGE).read_text()) <= installed


def test_every_rule_exists() -> None:
    assert set(re.findall(r"SUS_\w+", (ROOT / PAGE).read_text())) <= BY_ID.keys()


def test_the_mutelist_has_the_form_that_prowler_reads() -> None:
    (accounts,) = yaml.safe_load(read_block("yaml", "prowler")).values()
    checks = accounts["Accounts"]["*"]["Checks"]
    table = (ROOT / PAGE).read_text().partition("## Security Hub")[0]
    assert [name for name in checks if f"`{name}`" not in table] == []
    for fields in checks.values():
        assert fields.keys() == {"Regions", "Resources"}
        assert all(name == "*" or re.compile(name) for name in fields["Resources"])
    (pattern,) = checks["sagemaker_endpoint_config_prod_variant_instances"]["Resources"]
    names = ("smlops-prod-delay", "smlops-dev-delay")
    assert [bool(re.search(pattern, name)) for name in names] == [False, True]


@pytest.mark.plan
def test_the_waivers_in_hcl_plan(tmp_path: Path, offline_environment: dict[str, str]) -> None:
    (tmp_path / "main.tf").write_text(OFFLINE + read_block("hcl", "security_hub") + read_block("hcl", "checkov"))
    terraform = Terraform(tmp_path, offline_environment)
    terraform.init()
    changes = terraform.plan(tmp_path / "tfplan")["resource_changes"]
    waived = [change["change"]["after"] for change in changes if change["name"] == "waived"]
    assert {after["association_status"] for after in waived} == {"DISABLED"}
    assert {after["security_control_id"] for after in waived} == {"SageMaker.4", "S3.7", "CloudWatch.16"}


@pytest.mark.release
@pytest.mark.slow
def test_checkov_honours_the_waivers(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(read_block("hcl", "checkov"))
    (tmp_path / "bucket.tf").write_text('resource "aws_s3_bucket" "data" {}\n')
    (tmp_path / ".checkov.yaml").write_text(read_block("yaml", "checkov"))
    command = [str(PROGRAM), "-d", ".", "--framework", "terraform", "--skip-download", "-o", "json", "--soft-fail"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    results = json.loads(result.stdout)["results"]
    of_ours = {check["check_id"] for check in results["failed_checks"] if "s3_bucket" not in check["resource"]}
    assert of_ours == set()
    assert {check["check_id"] for check in results["skipped_checks"]} == {"CKV_AWS_98", "CKV_AWS_158", "CKV_AWS_370"}
    assert "CKV_AWS_144" not in {check["check_id"] for check in results["failed_checks"]}
