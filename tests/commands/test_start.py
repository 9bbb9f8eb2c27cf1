"""How `smlops` starts: with what the command needs, and nothing else."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

import sustainable_mlops.commands
from sustainable_mlops.commands._group import app

FOLDER = Path(sustainable_mlops.commands.__file__).parent
COMMANDS = sorted(file.stem.replace("_", "-") for file in FOLDER.glob("[!_]*.py"))
HEAVY = {"boto3", "botocore", "cdktn", "jinja2", "moto", "pandas", "pydantic", "sagemaker", "yaml"}
PLAN = "tests/plan/fixtures/change.json"


def loaded(root: Path, *arguments: str) -> set[str]:
    """The modules that `smlops` has imported when it ends."""
    code = (
        "import atexit, sys; from sustainable_mlops.commands import main; "
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr)); main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    return set(done.stderr.split())


@pytest.mark.parametrize("arguments", [["--help"], [PLAN]])
def test_a_review_starts_without_typer(root: Path, arguments: list[str]) -> None:
    assert not loaded(root, "review", *arguments) & (HEAVY | {"click", "typer"})


@pytest.mark.parametrize("command", [[], ["train"], ["synth"]], ids=str)
def test_help_imports_the_command_that_is_asked_for_and_nothing_heavy(root: Path, command: list[str]) -> None:
    modules = loaded(root, *command, "--help")
    assert not modules & HEAVY
    commands = {name.rpartition(".")[2] for name in modules if name.startswith("sustainable_mlops.commands.")}
    assert commands == {"_group", *command}


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches_by_example(command: str) -> None:
    if command == "review":
        from sustainable_mlops.review.command import _parser

        text = _parser().format_help()
    else:
        text = CliRunner().invoke(app, [command, "--help"], prog_name="smlops").stdout
    assert text.partition(f"smlops {command}")[2].count(f"smlops {command} ") >= 1, text


def test_every_command_is_listed_with_what_it_is_for() -> None:
    group = get_command(app)
    commands = getattr(group, "commands", {})
    assert sorted(commands) == COMMANDS
    assert all(command.help.endswith(".") for command in commands.values())


def test_the_readme_says_of_every_command_what_it_needs(root: Path) -> None:
    section = (root / "README.md").read_text().partition("| commands | need |")[2].partition("\n\n")[0]
    named = [name for row in section.splitlines() if row for name in re.findall("`(.+?)`", row.split("|")[1])]
    assert sorted(named) == COMMANDS


def test_a_shell_completes_commands_and_their_options(root: Path) -> None:
    code = "from sustainable_mlops.commands import main; main()"

    def completed(words: str) -> str:
        asked = {"_SMLOPS_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
        command = ["env", *(f"{name}={value}" for name, value in asked.items()), sys.executable, "-c", code]
        return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout

    assert set(completed("smlops re").split()) == {"register", "review"}
    assert "--dry-run" in completed("smlops train --").split()
