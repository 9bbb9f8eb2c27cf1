"""A file is written completely or not at all."""

import os
import subprocess
from pathlib import Path

import pytest

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.files import write_file


def test_a_write_removes_the_partial_copies_of_killed_processes_only(tmp_path: Path) -> None:
    file = tmp_path / "file.yaml"
    with subprocess.Popen(["true"]) as ended:
        pass
    left = tmp_path / f".file.yaml.{ended.pid}.partial"
    running = tmp_path / f".file.yaml.{os.getppid()}.partial"
    other = tmp_path / f".other.yaml.{ended.pid}.partial"
    for partial in (left, running, other):
        partial.touch()
    write_file(file, "text\n")
    assert sorted(tmp_path.iterdir()) == sorted([file, running, other])


@pytest.mark.parametrize("end", [KeyboardInterrupt(), OSError(28, "No space left on device")], ids=["Ctrl-C", "full"])
def test_an_interrupted_write_leaves_the_old_file(
    end: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "new" / "file.yaml"
    write_file(file, "as it was\n")
    write_text = Path.write_text

    def half(path: Path, text: str, **options: str) -> int:
        write_text(path, text[:3], **options)
        raise end

    monkeypatch.setattr(Path, "write_text", half)
    with pytest.raises((KeyboardInterrupt, UserError)) as ended:
        write_file(file, "as it shall be\n")
    assert file.read_text() == "as it was\n"
    assert list(file.parent.iterdir()) == [file]
    if isinstance(end, OSError):
        reason = f"{file}: cannot be written: No space left on device"
        assert str(ended.value) == f"{reason}; free some space, or choose another path"
