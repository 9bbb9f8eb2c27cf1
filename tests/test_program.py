"""How commands are named to who started a script, and to who started `smlops`."""

import sys
from pathlib import Path

import pytest

from sustainable_mlops import program


@pytest.mark.parametrize(
    ("folder", "told"),
    [
        ("clone", "run clone/scripts/publish_checks.py; see smlops --help"),
        ("a clone", "run 'a clone/scripts/publish_checks.py'; see smlops --help"),
        ("elsewhere", "run smlops publish-checks; see smlops --help"),
    ],
)
def test_a_script_names_commands_as_a_shell_takes_them_there(
    folder: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [f"{folder}/scripts/synth.py"])
    if folder != "elsewhere":
        monkeypatch.setattr(program, "_SCRIPTS", tmp_path / folder / "scripts")
    text = program.typed("run smlops publish-checks; see smlops --help")
    assert text == told
