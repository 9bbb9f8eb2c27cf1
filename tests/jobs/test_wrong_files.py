"""Invalid files and files of another kind: one line reports the problem."""

import subprocess
import sys
from itertools import permutations
from pathlib import Path

import pytest

from clone.scaffold.files import render
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.commands._group import MODULES
from sustainable_mlops.jobs.kinds import KINDS
from sustainable_mlops.jobs.pipelines.launch import read_files
from sustainable_mlops.jobs.schemas import SPECS
from sustainable_mlops.jobs.spec_files import COMMANDS

WORKLOAD = ROOT / "workloads" / "flight_delay"
#: A valid file of each kind.
VALID_FILES = {
    "training": (WORKLOAD / "job.yaml").read_text(),
    "processing": (WORKLOAD / "process.yaml").read_text(),
    "tuning": (WORKLOAD / "tune.yaml").read_text(),
    "pipeline": (WORKLOAD / "pipeline.yaml").read_text(),
    "transform": render("workload/predict.yaml", name="churn", hyphenated="churn", environment="dev"),
}
INVALID_CONTENTS = {
    "missing": (None, "no such file"),
    "empty": (b"", "is empty; it needs name, "),
    "not YAML": (b"a: [1\n", "line 2, column 1: not valid YAML"),
    "a list": (b"- 1\n", "must be a mapping (key: value)"),
    "no text": (b"\xff\xfe\x00", "line 1: is not UTF-8 text (byte 0xff); save the file as UTF-8"),
}


def read_error(kind: str, path: Path) -> str:
    """Return the error of reading the file as this kind."""
    with pytest.raises(UserError) as error:
        read_files(path) if kind == "pipeline" else KINDS[kind].load(path)
    return str(error.value)


def test_every_kind_has_a_valid_file_and_a_command() -> None:
    assert VALID_FILES.keys() == COMMANDS.keys() == SPECS.keys()
    for command in COMMANDS.values():
        assert command.split()[0] in MODULES


@pytest.mark.parametrize("kind", VALID_FILES)
@pytest.mark.parametrize("content_name", INVALID_CONTENTS)
def test_an_unreadable_file_is_named(content_name: str, kind: str, tmp_path: Path) -> None:
    path, (content, reason) = tmp_path / "given.yaml", INVALID_CONTENTS[content_name]
    if content is not None:
        path.write_bytes(content)
    message = read_error(kind, path)
    assert message.startswith(f"{path}: ")
    assert reason in message
    assert "\n" not in message


@pytest.mark.parametrize("kind", VALID_FILES)
def test_an_unknown_key_is_named(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "given.yaml"
    path.write_text(f"{VALID_FILES[kind]}colour: blue\n")
    assert read_error(kind, path).startswith(f"{path}: colour: unknown key; known: ")


@pytest.mark.parametrize(("kind", "other_kind"), list(permutations(VALID_FILES, 2)))
def test_a_file_of_another_kind_is_reported_with_its_command(kind: str, other_kind: str, tmp_path: Path) -> None:
    path = tmp_path / "given.yaml"
    path.write_text(VALID_FILES[other_kind])
    command = COMMANDS[other_kind]
    noun = {"pipeline": "a pipeline"}.get(other_kind, f"a {other_kind} job")
    assert read_error(kind, path) == f"{path}: describes {noun}; run smlops {command} {path}"


@pytest.mark.slow
@pytest.mark.parametrize("kind", COMMANDS)
def test_each_command_ends_with_2_and_the_line(kind: str, tmp_path: Path) -> None:
    script, *sub = COMMANDS[kind].split()
    (tmp_path / "given.yaml").write_text("- 1\n")
    command = [sys.executable, str(ROOT / "scripts" / "smlops.py"), script, *sub, "given.yaml"]
    completed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (completed.returncode, completed.stdout) == (2, "")
    assert completed.stderr == "error: given.yaml: must be a mapping (key: value)\n"
    assert list(tmp_path.iterdir()) == [tmp_path / "given.yaml"]
