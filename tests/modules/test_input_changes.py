"""A change of an input touches only the resources that depend on it."""

import re
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


def list_hidden_policies(changes: dict[str, str]) -> list[str]:
    """Return the addresses of unknown policies whose statements no `terraform_data` of `show_policy` shows."""
    unknown = [address for address, change in changes.items() if re.match(r"update .*\bpolicy \(unknown\)", change)]
    return [
        address for address in unknown if re.sub(r".+?\.(\w+)", r"terraform_data.\1_policy", address) not in changes
    ]


def test_a_policy_is_hidden_unless_the_plan_shows_its_statements() -> None:
    role_policy = {'aws_iam_role_policy.one["x"]': "update policy (unknown)"}
    assert list_hidden_policies(role_policy) == list(role_policy)
    assert not list_hidden_policies({**role_policy, 'terraform_data.one_policy["x"]': "update input, output (unknown)"})
    assert not list_hidden_policies({'aws_iam_role_policy.one["x"]': "update policy"})


@pytest.mark.apply
def test_a_changed_input_touches_the_resources_of_the_table(tmp_path: Path, own: tuple[Any, dict[str, str]]) -> None:
    table = build_table(tmp_path, *own)
    recorded = yaml.safe_load(TABLE.read_text())
    for module, changes_by_call in table.items():
        assert changes_by_call[UNCHANGED] == {}, module
        for name, changes in changes_by_call.items():
            assert name == DEPENDENT or not list_hidden_policies(changes), (module, name)
    assert not find_differences(recorded, table) + find_differences(table, recorded), suggest_update(COMMAND)
