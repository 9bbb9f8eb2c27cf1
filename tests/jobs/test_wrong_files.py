"""Whatever file a command is given that is none of its own: one line says what is wrong with it."""

import subprocess
import sys
from itertools import permutations
from pathlib import Path

import pytest

from sustainable_mlops.errors import UserError
from sustainable_mlops.jobs.kinds import KINDS
from sustainable_mlops.jobs.pipelines.launch import read_files
from sustainable_mlops.jobs.schemas import SPECS
from sustainable_mlops.jobs.spec_files import COMMANDS
from sustainable_mlops.scaffold.files import render
from sustainable_mlops.terraform import ROOT

WORKLOAD = ROOT / "workloads" / "flight_delay"
#: A good file of each kind.
GOOD = {
    "training": (WORKLOAD / "job.yaml").read_text(),
    "processing": (WORKLOAD / "process.yaml").read_text(),
    "tuning": (WORKLOAD / "tune.yaml").read_text(),
    "pipeline": (WORKLOAD / "pipeline.yaml").read_text(),
    "transform": render("workload/predict.yaml", name="churn", hyphenated="churn", environment="dev"),
}
WRONG = {
    "missing": (None, "no such file"),
    "empty": (b"", "is empty; it needs name, "),
    "not YAML": (b"a: [1\n", "line 2, column 1: not valid YAML"),
    "a list": (b"- 1\n", "must be a mapping (key: value)"),
    "no text": (b"\xff\xfe\x00", "cannot be read: 'utf-8' codec"),
}


def told(kind: str, path: Path) -> str:
    """What reading it as a file of this kind is refused with."""
    with pytest.raises(UserError) as refused:
        read_files(path) if kind == "pipeline" else KINDS[kind].load(path)
    return str(refused.value)


def test_there_is_a_good_file_and_a_command_of_each_kind() -> None:
    assert GOOD.keys() == COMMANDS.keys() == SPECS.keys()
    for command in COMMANDS.values():
        assert (ROOT / "scripts" / f"{command.split()[0]}.py").is_file()


@pytest.mark.parametrize("kind", GOOD)
@pytest.mark.parametrize("wrong", WRONG)
def test_what_cannot_be_read_is_named(wrong: str, kind: str, tmp_path: Path) -> None:
    path, (content, reason) = tmp_path / "given.yaml", WRONG[wrong]
    if content is not None:
        path.write_bytes(content)
    said = told(kind, path)
    assert said.startswith(f"{path}: ")
    assert reason in said
    assert "\n" not in said


@pytest.mark.parametrize("kind", GOOD)
def test_an_unknown_key_is_named(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "given.yaml"
    path.write_text(f"{GOOD[kind]}colour: blue\n")
    assert told(kind, path).startswith(f"{path}: colour: unknown key; known: ")


@pytest.mark.parametrize(("kind", "given"), list(permutations(GOOD, 2)))
def test_a_file_of_another_kind_is_told_with_its_command(kind: str, given: str, tmp_path: Path) -> None:
    path = tmp_path / "given.yaml"
    path.write_text(GOOD[given])
    command = COMMANDS[given]
    assert told(kind, path) == f"{path}: describes a {given}; use the command: smlops {command} {path}"


@pytest.mark.slow
@pytest.mark.parametrize("kind", COMMANDS)
def test_each_command_ends_with_2_and_the_line(kind: str, tmp_path: Path) -> None:
    script, *sub = COMMANDS[kind].split()
    (tmp_path / "given.yaml").write_text("- 1\n")
    command = [sys.executable, str(ROOT / "scripts" / f"{script}.py"), *sub, "given.yaml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: given.yaml: must be a mapping (key: value)\n"
    assert list(tmp_path.iterdir()) == [tmp_path / "given.yaml"]
