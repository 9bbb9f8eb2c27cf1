"""A clone passes its tests after the additions that the pages describe."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.cloned_repository import Reader
from tests.docs.blocks import SHELLS, FencedBlock, blocks

#: An entry of `WITHOUT_CODE` in test_fixes.py, and the entry of the rule of docs/extending.md after it.
ENTRY = '    "SUS_METRICS_INTERVAL": _LATER,\n'
NEW_ENTRY = f'{ENTRY}    "SUS_NOTEBOOK_SYSTEM": _LATER,\n'
#: Quick tests that read the catalogue, modules, environments, rules or prices of the repository.
TESTS = (
    *("tests/docs/test_blocks.py", "tests/docs/test_links.py", "tests/tools/test_practices.py"),
    *("tests/envs/test_overlay.py", "tests/envs/test_settings.py", "tests/envs/test_environment.py"),
    *("tests/footprint/test_totals.py", "tests/rules/test_cases.py", "tests/rules/test_fixes.py"),
    *("tests/modules/test_modules.py", "tests/modules/audit_log", "tests/jobs/test_platform.py"),
    *("tests/modules/test_input_changes.py", "tests/modules/test_wrong_inputs.py", "tests/tools/test_upgrades.py"),
    *("tests/review/attributes/test_attributes.py", "tests/test_dependencies.py"),
    *("tests/workloads/flight_delay/test_pipeline.py", "tests/workloads/churn"),
)
UPDATE_COMMANDS_TITLE = "commands that update files, if the change is intended"


def find_command(start: str) -> str:
    """Return the first command of the pages that starts with this text."""
    commands = (command for block in blocks() if block.language in SHELLS for command in block.commands)
    return next(command for command in commands if command.startswith(start))


def list_files() -> list[FencedBlock]:
    """Return the blocks of docs/extending.md that are content of a file of the repository."""
    return [block for block in blocks() if block.file == "docs/extending.md" and block.language in ("python", "csv")]


def run_tests(reader: Reader, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run the fast tests of `TESTS` in the clone."""
    command = [
        ".venv/bin/pytest",
        "-q",
        "-p",
        "no:xdist",
        "-m",
        "not plan and not apply and not slow and not release",
        *options,
    ]
    return subprocess.run(
        command, cwd=reader.folder, env=reader.environment, capture_output=True, text=True, check=False
    )


@pytest.mark.release
def test_a_clone_passes_its_tests_after_the_additions_of_the_pages(tmp_path: Path) -> None:
    reader = Reader(tmp_path / "clone")
    reader.paste(find_command("printf 'description: Who leaves?"), find_command("smlops new module"))
    reader.paste(find_command("smlops new workload churn --framework sklearn"))
    reader.paste(find_command("smlops new environment qa"))
    new_blocks = list_files()
    for block in new_blocks:
        file = reader.folder / block.where
        file.write_text(block.text if block.language == "python" else f"{file.read_text()}{block.text}")
    fixes = reader.folder / "tests/rules/test_fixes.py"
    fixes.write_text(fixes.read_text().replace(ENTRY, NEW_ENTRY))
    code = " ".join(block.where for block in new_blocks if block.language == "python")
    reader.paste(f"ruff check -q {code}", f"ruff format -q --check {code}", "smlops synth", "smlops synth --check")

    first = run_tests(reader, *TESTS)
    _, _, update_commands = first.stdout.partition(UPDATE_COMMANDS_TITLE)
    commands = re.findall(r"^\S*python .+$", update_commands, re.M)
    assert len(commands) == 4, first.stdout[-20_000:]
    reader.paste(*commands)
    second = run_tests(reader, "--last-failed", "--last-failed-no-failures", "none")
    assert second.returncode == os.EX_OK, second.stdout[-20_000:]
