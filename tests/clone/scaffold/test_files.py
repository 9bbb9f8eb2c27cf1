"""New folders are created completely or not at all."""

from pathlib import Path

import pytest

from clone.scaffold import files


def test_folders_created_by_others_meanwhile_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "ROOT", tmp_path)
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"

    def make_theirs(*_: Path) -> None:
        theirs.mkdir()
        (theirs / "a.txt").write_text("theirs")

    monkeypatch.setattr(files, "check_absent", make_theirs)
    with (
        pytest.raises(OSError, match="not empty"),
        files.create_folders({folder: {"a.txt": ""} for folder in (ours, theirs)}),
    ):
        pass
    assert list(tmp_path.iterdir()) == [theirs]
    assert (theirs / "a.txt").read_text() == "theirs"
