"""A clone passes its tests after the additions that the pages describe: model, module, environment, rule, price."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.clone import Reader
from tests.docs.blocks import SHELLS, FencedBlock, blocks

#: Terraform code that satisfies the rule of CONTRIBUTING.md.
FIX = """\
resource "aws_sagemaker_notebook_instance" "this" {
  name                = "explore"
  role_arn            = aws_iam_role.this.arn
  instance_type       = "ml.t3.medium"
  platform_identifier = "notebook-al2023-v1"
}
"""
#: Quick tests that read the catalogue, modules, environments, rules or prices of the repository.
TESTS = (
    *("tests/docs/test_blocks.py", "tests/docs/test_links.py", "tests/tools/test_practices.py"),
    *("tests/envs/test_overlay.py", "tests/envs/test_settings.py", "tests/envs/test_environment.py"),
    *("tests/footprint/test_totals.py", "tests/rules/test_cases.py", "tests/rules/test_fixes.py"),
    *("tests/modules/test_modules.py", "tests/modules/audit_log", "tests/jobs/test_platform.py"),
    *("tests/modules/test_input_changes.py", "tests/modules/test_wrong_inputs.py", "tests/tools/test_upgrades.py"),
)
RENEWALS = "commands that renew files, if the change is intended"


def find_command(start: str) -> str:
    """Return the first command of the pages that starts with this text."""
    commands = (command for block in blocks() if block.language in SHELLS for command in block.commands)
    return next(command for command in commands if command.startswith(start))


def list_files() -> list[FencedBlock]:
    """Return the blocks of CONTRIBUTING.md that are content of a file of the repository."""
    return [block for block in blocks() if block.file == "CONTRIBUTING.md" and block.language in ("python", "csv")]


def run_tests(reader: Reader, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run the fast tests of `TESTS` in the clone."""
    command = [".venv/bin/pytest", "-q", "-p", "no:xdist", "-m", "not plan and not apply and not slow", *options]
    return subprocess.run(
        command, cwd=reader.folder, env=reader.environment, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_a_clone_passes_its_tests_after_the_additions_of_the_pages(tmp_path: Path) -> None:
    reader = Reader(tmp_path / "clone")
    reader.paste(find_command("printf 'description: Who leaves?"), find_command("smlops new module"))
    reader.paste(find_command("smlops new environment qa"))
    new_blocks = list_files()
    for block in new_blocks:
        file = reader.folder / block.where
        file.write_text(block.text if block.language == "python" else f"{file.read_text()}{block.text}")
    (reader.folder / "sustainable_mlops/rules/fixes/SUS_NOTEBOOK_SYSTEM.tf").write_text(FIX)
    code = " ".join(block.where for block in new_blocks if block.language == "python")
    reader.paste(f"ruff check -q {code}", f"ruff format -q --check {code}", "smlops synth", "smlops synth --check")

    first = run_tests(reader, *TESTS)
    _, _, renewals = first.stdout.partition(RENEWALS)
    commands = re.findall(r"^\S*python -m \S+$", renewals, re.M)
    assert len(commands) == 2, first.stdout[-20_000:]
    reader.paste(*commands)
    second = run_tests(reader, "--last-failed", "--last-failed-no-failures", "none")
    assert second.returncode == os.EX_OK, second.stdout[-20_000:]
