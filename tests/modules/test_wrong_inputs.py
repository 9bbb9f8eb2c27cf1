"""A plan refuses wrong inputs with messages that name the input and the remedy."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from sustainable_mlops.base.terraform import ROOT, Terraform, find_engine, make_environment
from tests.modules.input_cases import CASES
from tests.modules.wrong_inputs import WRONG_INPUTS

#: At most this many wrong inputs may be accepted.
MOST_ACCEPTED = 5


def test_the_table_has_120_wrong_inputs_of_all_modules() -> None:
    assert len(WRONG_INPUTS) >= 120
    assert {wrong.module for wrong in WRONG_INPUTS} == set(CASES)
    assert sum(bool(wrong.accepted_because) for wrong in WRONG_INPUTS) <= MOST_ACCEPTED


@pytest.mark.plan
@pytest.mark.engine
@pytest.mark.parametrize("module", CASES)
def test_a_plan_refuses_wrong_inputs_with_input_and_remedy(
    module: str, tmp_path: Path, offline_environment: dict[str, str]
) -> None:
    (tmp_path / "modules").symlink_to(ROOT / "modules")
    cases = {f"wrong_{n}": wrong for n, wrong in enumerate(WRONG_INPUTS) if wrong.module == module}
    for name, wrong in cases.items():
        call = {"source": f"./modules/{module}", **CASES[module].arguments, **wrong.inputs}
        (tmp_path / f"{name}.tf.json").write_text(json.dumps({"module": {name: call}}))
    Terraform(tmp_path, offline_environment).init()
    # The first plan reports values that are always wrong, the second plan values that contradict another input.
    messages = list_errors(tmp_path, offline_environment)
    for name in messages:
        (tmp_path / f"{name}.tf.json").unlink()
    messages |= list_errors(tmp_path, offline_environment)
    problems = []
    for name, wrong in cases.items():
        expected = not wrong.accepted_because
        message = messages.get(name, "")
        is_refused = wrong.input in message and wrong.remedy in message
        if is_refused != expected or message.count("Invalid value for variable") != message.count("Error"):
            problems.append(f"{wrong.inputs}: expected {wrong.remedy!r}, found {message or 'no error'}")
    assert not problems, "\n".join(problems)


def list_errors(folder: Path, variables: dict[str, str]) -> dict[str, str]:
    """Return the errors of a plan by module call. Each call has its own file."""
    output = subprocess.run(
        [find_engine().path, f"-chdir={folder}", "plan", "-json"],
        env=make_environment(variables),
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    errors: dict[str, str] = {}
    for event in map(json.loads, output.splitlines()):
        error = event.get("diagnostic", {}) if event.get("@level") == "error" else {}
        if call := re.fullmatch(r"(wrong_\d+)\.tf\.json", error.get("range", {}).get("filename", "")):
            errors[call[1]] = f"{errors.get(call[1], '')}Error: {error['summary']}: {error['detail']}\n"
    return errors
