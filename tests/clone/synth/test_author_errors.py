"""Errors in the sources end the command with one line: file, line and message."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from clone.synth import SOURCES
from sustainable_mlops.base.terraform import ROOT

KEY = "modules/storage/key.py"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("var.name_prefix}", "var.name_prefx}", "var has no input 'name_prefx'; did you mean 'name_prefix'?"),
        ("allow_account(var)", "allow_acount(var)", "NameError: name 'allow_acount' is not defined"),
        ("import Inputs", "import Input", "ImportError: cannot import name 'Input' from 'modules.storage.inputs'"),
    ],
)
def test_author_errors_are_one_line_without_a_traceback(copy: Path, right: str, wrong: str, message: str) -> None:
    source = (copy / KEY).read_text()
    assert right in source
    (copy / KEY).write_text(source.replace(right, wrong, 1))
    command = [sys.executable, str(copy / "scripts" / "smlops.py"), "synth", "storage"]
    result = subprocess.run(
        command, cwd=copy, env={**os.environ, "PYTHONPATH": str(copy)}, capture_output=True, text=True, check=False
    )
    (line,) = result.stderr.splitlines()
    assert result.returncode == 2
    assert line.startswith(f"error: {KEY}:")
    assert message in line


#: Prints the files of all modules that a synthesis imports.
READ = """
import pkgutil, sys
import modules
from clone import synth
from sustainable_mlops.authoring import readme
import envs.root
import envs.settings
for found in pkgutil.iter_modules(modules.__path__):
    if found.ispkg:
        __import__(f"modules.{found.name}.inputs")
print(*(module.__file__ for module in sys.modules.values() if getattr(module, "__file__", None)), sep="\\n")
"""


def test_edits_of_all_sources_of_the_kit_are_noticed() -> None:
    result = subprocess.run([sys.executable, "-c", READ], cwd=ROOT, capture_output=True, text=True, check=True)
    library = ROOT / "sustainable_mlops"
    read = {path for line in result.stdout.splitlines() if library in (path := Path(line)).parents}
    read |= {*library.glob("authoring/**/*.py"), library / "catalogue" / "limits.csv"}
    assert read - {path for pattern in SOURCES for path in ROOT.glob(pattern)} == set()
