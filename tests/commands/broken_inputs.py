"""Messages about broken inputs, for a reader and for a test.

`python -m tests.commands.broken_inputs` prints each command with its message.
"""

import contextlib
import io
import shlex
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.commands import main
from sustainable_mlops.review.command import main as review

FILE = Path(__file__).with_suffix(".yaml")


class BrokenInput(NamedTuple):
    """A command with broken input, and the parts of its message."""

    command: str
    location: str
    problem: str
    remedy: str
    files: Mapping[str, Any] = {}

    def run(self, folder: Path) -> tuple[int, str]:
        """Run the command beside its files, in this process. Return its exit code and its stderr."""
        for name, source in self.files.items():
            write_source(folder / name, source)
        errors = io.StringIO()
        with contextlib.chdir(folder), contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
            code = _run_command(shlex.split(self.command))
        return code, errors.getvalue()


def _run_command(arguments: list[str]) -> int:
    """Run `smlops` with the arguments and return its exit code."""
    if arguments[0] == "review":
        return review(arguments[1:])  # as a command, it ends the process
    before, sys.argv = sys.argv, ["smlops", *arguments]
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    finally:
        sys.argv = before
    return 0


def write_source(path: Path, source: str | Mapping[str, Any]) -> None:
    """Write a text in UTF-8 or another encoding, or a copy of a file or folder with some texts replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(source, str):
        path.write_text(source)
        return
    if "text" in source:
        path.write_text(source["text"], encoding=source["encoding"])
        return
    original = ROOT / source["copy"]
    (shutil.copytree if original.is_dir() else shutil.copyfile)(original, path)
    files = [path] if path.is_file() else list(path.rglob("*.yaml"))
    for old, new in source.get("replace", {}).items():
        holders = [one for one in files if old in one.read_text()]
        assert holders, f"{source['copy']} has no {old}"
        for one in holders:
            one.write_text(one.read_text().replace(old, new))


def load_inputs() -> list[BrokenInput]:
    """Return the broken inputs of the table."""
    return [BrokenInput(**row) for row in yaml.safe_load(FILE.read_text())]


def print_messages() -> None:
    """Print each command with its message."""
    for number, one in enumerate(load_inputs(), 1):
        with tempfile.TemporaryDirectory() as folder:
            code, message = one.run(Path(folder))
        print(f"{number}. smlops {one.command}\n   exit {code}: {message.strip()}\n", flush=True)


if __name__ == "__main__":
    print_messages()
