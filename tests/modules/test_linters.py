"""tflint and terraform-docs on the modules and examples as Terraform's registry has them.

`python3 scripts/setup.py tflint terraform-docs` installs the two programs, which `make release` does.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.base.terraform import ROOT
from tests.cases import check_cases
from tests.modules.test_registry import MODULES, read_table
from tests.tools.test_release import mirror_folder as mirror_folder
from tools.release.references import TERRAFORM_MIRROR

pytestmark = [pytest.mark.release, pytest.mark.slow]

TFLINT = ROOT / ".local" / "tflint"
TERRAFORM_DOCS = ROOT / ".local" / "terraform-docs"
#: A root module with one error for each ruleset.
WRONG = """
terraform {
  required_version = ">= 1.10"
}

variable "unread" {
  type        = string
  description = "Nothing reads it."
}

resource "aws_sagemaker_endpoint" "this" {
  name                 = "under_score"
  endpoint_config_name = "config"
}
"""


def run_linter(program: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run an installed linter with the plugins of tflint."""
    assert program.exists(), f"{program.name} is not installed: run `python3 scripts/setup.py {program.name}`"
    return subprocess.run(
        [program, *arguments],
        env={**os.environ, "TFLINT_PLUGIN_DIR": str(TFLINT / "plugins")},
        capture_output=True,
        text=True,
        check=False,
    )


def run_tflint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run tflint in a folder and its subfolders, with the configuration of this repository."""
    options = ("--recursive", "--format=compact", f"--config={ROOT / '.tflint.hcl'}", f"--chdir={folder}")
    return run_linter(TFLINT / "tflint", *options)


def test_tflint_finds_nothing_in_the_modules_and_their_examples(mirror_folder: Path) -> None:
    process = run_tflint(mirror_folder / TERRAFORM_MIRROR)
    assert process.returncode == 0, process.stdout + process.stderr


def test_tflint_finds_an_error_of_each_ruleset(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(WRONG)
    process = run_tflint(tmp_path)
    assert process.returncode != 0
    assert "(terraform_unused_declarations)" in process.stdout, process.stdout + process.stderr
    assert "(aws_sagemaker_endpoint_invalid_name)" in process.stdout, process.stdout


@check_cases("module", MODULES)
def test_the_tables_of_a_page_have_what_terraform_docs_prints(module: str) -> None:
    folder = ROOT / "modules" / module
    process = run_linter(TERRAFORM_DOCS / "terraform-docs", "json", folder)
    assert process.returncode == 0, process.stderr
    printed: dict[str, list[dict[str, Any]]] = json.loads(process.stdout)
    page = (folder / "README.md").read_text()
    for mark in ("inputs", "outputs"):
        rows = read_table(page, mark)
        assert list(rows) == [one["name"] for one in printed[mark]]
        assert [cells[0] for cells in rows.values()] == [one["description"] for one in printed[mark]]
        if mark == "inputs":
            required = [cells[2] == "required" for cells in rows.values()]
            assert required == [one["required"] for one in printed[mark]]
