"""A new module passes all checks of modules unedited."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from clone import synth
from clone.scaffold import files, module
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.review.checkov import PROGRAM
from tests.cases import check_cases
from tests.clone.scaffold.conftest import Clone

ROWS = "| module | creates |\n|---|---|\n| [storage](modules/storage/README.md) | buckets |\n\nEach page has tests.\n"
CONTENT = "a log group with a retention, encrypted with your key"


@pytest.mark.release
@pytest.mark.apply
def test_new_modules_pass_the_tests_unedited(scratch: Clone) -> None:
    printed = scratch.run("scripts/smlops.py", "new", "module", "newcomer")
    assert "smlops synth newcomer" in printed
    own = {"README.md", "inputs.py", "module.py", "main.tf", "outputs.tf", "variables.tf", "versions.tf"}
    own |= {
        f"examples/{case}/{part}.tf"
        for case in ("complete", "minimal")
        for part in ("main", "outputs", "variables", "versions")
    }
    own |= {"mocks/aws.tfmock.hcl", "tests/newcomer.tftest.hcl", "tests/newcomer.tofutest.hcl"}
    tests = {"complete.yaml", "minimal.yaml", "test_newcomer.py"}
    expected = {f"modules/newcomer/{name}" for name in own} | {f"tests/modules/newcomer/{name}" for name in tests}
    assert set(scratch.list_new_files("README.md")) == expected
    diff_lines = [line for line in scratch.run("git", "diff", "-U0").splitlines() if re.match(r"[+-](?![+-])", line)]
    assert diff_lines == [f"+| [newcomer](modules/newcomer/README.md) | {CONTENT} |"]
    scratch.run("scripts/smlops.py", "synth", "--check")
    scratch.check_style("modules/newcomer", "tests/modules/newcomer")
    assert "skipped" not in scratch.run_python(
        "-m", "pytest", "-q", "-p", "no:xdist", "tests/modules", "-k", "newcomer"
    )
    report = json.loads(
        scratch.run(PROGRAM, "-d", "modules/newcomer", "--framework", "terraform", "--skip-download", "-o", "json")
    )
    assert report["summary"]["failed"] == 0
    assert report["summary"]["passed"] > 0


@check_cases(
    ("name", "message"),
    [
        ("Audit", "'Audit' must be 3 to 24 lower-case letters, digits and single underscores"),
        ("../audit", "'../audit' must be 3 to 24 lower-case letters"),
        ("import", "import is a reserved word; choose another name"),
        ("module", "module is a reserved word; choose another name"),
        ("common", "modules/common.py: already exists; choose another name"),
        ("storage", "modules/storage: already exists; choose another name"),
        ("dev", "an environment is named dev; choose another name"),
    ],
)
def test_invalid_names_are_one_line_errors(name: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        module.create(name, print)
    assert message in str(error.value)


def test_modules_that_fail_synthesis_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    message: list[Path] = []

    def fail(*_: Any) -> Any:
        message.extend(path for path in tmp_path.rglob("*") if path.is_file())
        raise UserError("no Terraform")

    page = tmp_path / "README.md"
    page.write_text(ROWS)
    for owner in (files, module, synth):
        monkeypatch.setattr(owner, "ROOT", tmp_path)
    monkeypatch.setattr(synth, "synthesize", fail)
    with pytest.raises(UserError, match="no Terraform"):
        module.create("newcomer", print)
    assert tmp_path / "modules" / "newcomer" / "module.py" in message
    assert [path for path in tmp_path.rglob("*") if path.name not in ("modules", "tests")] == [page]
    assert page.read_text() == ROWS


def test_the_row_of_a_module_is_added_once_at_the_end_of_the_table() -> None:
    once = module._add_row(ROWS, "audit_log")
    before, _, after = ROWS.partition("| buckets |\n")
    assert once == f"{before}| buckets |\n| [audit_log](modules/audit_log/README.md) | {CONTENT} |\n{after}"
    assert module._add_row(once, "audit_log") == once
    with pytest.raises(UserError, match=r"README\.md: has no table of modules"):
        module._add_row("# Other\n", "audit_log")
