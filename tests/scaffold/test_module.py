"""A new module passes, as it is, everything that is asked of modules."""

import json
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops import synth
from sustainable_mlops.checkov import PROGRAM
from sustainable_mlops.errors import UserError
from sustainable_mlops.scaffold import files, module
from tests.scaffold.conftest import Clone


@pytest.mark.apply
def test_a_new_module_passes_the_tests_unedited(scratch: Clone) -> None:
    printed = scratch.run("scripts/new.py", "module", "newcomer")
    assert "smlops synth newcomer" in printed
    own = {"README.md", "inputs.py", "module.py", "main.tf", "outputs.tf", "variables.tf", "versions.tf"}
    tests = {"addresses.yaml", "full.yaml", "minimal.yaml", "test_newcomer.py"}
    wanted = {f"modules/newcomer/{name}" for name in own} | {f"tests/modules/newcomer/{name}" for name in tests}
    assert set(scratch.new_files()) == wanted
    scratch.run("scripts/synth.py", "--check")
    scratch.lint("modules/newcomer", "tests/modules/newcomer")
    assert "skipped" not in scratch.python("-m", "pytest", "-q", "-p", "no:xdist", "tests/modules", "-k", "newcomer")
    report = json.loads(
        scratch.run(PROGRAM, "-d", "modules/newcomer", "--framework", "terraform", "--skip-download", "-o", "json")
    )
    assert report["summary"]["failed"] == 0
    assert report["summary"]["passed"] > 0


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Audit", "'Audit' must be 3 to 24 lower-case letters, digits and single underscores"),
        ("../audit", "'../audit' must be 3 to 24 lower-case letters"),
        ("import", "import has another meaning in a module's code; choose another name"),
        ("module", "module has another meaning in a module's code; choose another name"),
        ("common", "modules/common.py: already exists; choose another name"),
        ("storage", "modules/storage: already exists; choose another name"),
        ("dev", "an environment is named dev; choose another name"),
    ],
)
def test_a_name_that_cannot_be_is_one_line(name: str, told: str) -> None:
    with pytest.raises(UserError) as refused:
        module.create(name, print)
    assert told in str(refused.value)


def test_nothing_is_left_of_a_module_that_cannot_be_synthesized(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Path] = []

    def fails(*_: Any) -> Any:
        seen.extend(path for path in tmp_path.rglob("*") if path.is_file())
        raise UserError("no Terraform")

    for owner in (files, module, synth):
        monkeypatch.setattr(owner, "ROOT", tmp_path)
    monkeypatch.setattr(synth, "synthesize", fails)
    with pytest.raises(UserError, match="no Terraform"):
        module.create("newcomer", print)
    assert tmp_path / "modules" / "newcomer" / "module.py" in seen
    assert [path for path in tmp_path.rglob("*") if path.name not in ("modules", "tests")] == []
