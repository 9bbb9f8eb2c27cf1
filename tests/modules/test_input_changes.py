"""A change of an input touches only the resources that depend on it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.modules.examples import find_differences
from tests.modules.input_cases import CASES, LOCATION_INPUTS
from tests.modules.input_changes import COMMAND, DEPENDENT, TABLE, UNCHANGED, build_table
from tests.stale_files import suggest_update
from tools.upgrades import releases


def test_every_input_of_released_modules_has_a_case(synthesized: dict[str, Any]) -> None:
    missing = sorted(releases.read_interfaces().keys() & synthesized.keys() - CASES.keys())
    assert not missing, f"add a case of {', '.join(missing)} to tests/modules/input_cases.py"
    for module, case in CASES.items():
        inputs = synthesized[module]["variable"]
        supported = {name for name, body in inputs.items() if not body["description"].startswith("Not supported")}
        assert set(case.changes) == supported - LOCATION_INPUTS, module


@pytest.mark.apply
def test_a_changed_input_touches_the_resources_of_the_table(tmp_path: Path, own: tuple[Any, dict[str, str]]) -> None:
    table = build_table(tmp_path, *own)
    recorded = yaml.safe_load(TABLE.read_text())
    for module, changes_by_call in table.items():
        assert changes_by_call[UNCHANGED] == {}, module
        for name, changes in changes_by_call.items():
            updates = [change for change in changes.values() if change.startswith("update")]
            assert name == DEPENDENT or not any("policy (unknown)" in change for change in updates), (module, name)
    assert not find_differences(recorded, table) + find_differences(table, recorded), suggest_update(COMMAND)
