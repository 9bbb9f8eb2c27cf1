"""What holds for every module, shown on the examples in its README."""

import json
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

from sustainable_mlops import synth
from sustainable_mlops.review.acceptances import read_acceptances
from sustainable_mlops.terraform import ROOT, find_engine, list_changes, lock_file, make_environment
from tests.modules.examples import (
    BESIDE,
    Example,
    addresses,
    addresses_file,
    apply,
    check_inventory,
    examples,
    left,
    plan,
    summary,
    terraform,
)
from tests.modules.given import furnished
from tests.renewal import renew
from tests.review_checks import changes_nothing, check_review, list_blocking_gates

MODULES = synth.list_names()[0]
GUARD = ".terraform_data.deletion_protection["
#: What an example does on purpose and nobody accepts in general: workers that stay warm, a shadow that nothing scales.
LOOKED_AT = {"serverless_endpoint-full": "look", "realtime_endpoint-full": "look"}
ACCEPTED = ROOT / "tests" / "modules" / "accepted.yaml"


@pytest.mark.parametrize("module", MODULES)
def test_every_readme_has_a_minimal_and_a_full_example(module: str) -> None:
    assert {"minimal", "full"} <= {example.case for example in examples() if example.module == module}


@pytest.mark.parametrize("example", examples(), ids=str)
def test_an_example_is_formatted(example: Example) -> None:
    command = [find_engine().path, "fmt", "-"]
    done = subprocess.run(
        command, input=example.text, capture_output=True, text=True, env=make_environment(), check=True
    )
    assert done.stdout == example.text


@pytest.mark.parametrize("module", MODULES)
def test_no_address_is_lost_without_a_moved_block(module: str, synthesized: dict[str, Any]) -> None:
    body = synthesized[module]
    moved = {block["from"] for block in body.get("moved", [])}
    file, now = addresses_file(module), addresses(body)
    known = set(yaml.safe_load(file.read_text())) if file.is_file() else set()
    assert known - now - moved == set(), (
        f"a user's next apply would destroy these: add them to `moved`, or take them out of {file.relative_to(ROOT)} "
        "where no state has them yet"
    )
    assert now - known == set(), f"new addresses\n{renew(f'.venv/bin/python -m tests.modules.renew {module}')}"


@pytest.mark.plan
@pytest.mark.toolchain
@pytest.mark.parametrize("module", MODULES)
def test_the_committed_hcl_is_valid_on_its_own(
    module: str, tmp_path: Path, terraform_environment: dict[str, str]
) -> None:
    for file in (file for ending in ("*.tf", *BESIDE) for file in (ROOT / "modules" / module).glob(ending)):
        shutil.copy(file, tmp_path)
    shutil.copy(lock_file(), tmp_path)
    without_python = {**make_environment(), "PATH": ""}
    # `init` looks for a provider of the version that the module asks for; the one that runs is of that version.
    for command, variables in ((["init", "-backend=false"], {}), (["validate"], terraform_environment)):
        subprocess.run(
            [find_engine().path, f"-chdir={tmp_path}", *command],
            env=without_python | variables,
            check=True,
            capture_output=True,
        )


@pytest.mark.plan
@pytest.mark.usefixtures("each_engine")
def test_hcl_and_json_plan_to_the_same_values_on_every_terraform(
    tmp_path: Path,
    terraform_environment: dict[str, str],
    synthesized: dict[str, Any],
) -> None:
    syntaxes = {"hcl": None, "json": synthesized}
    for syntax, modules in syntaxes.items():
        for example in examples():
            example.write(tmp_path / syntax / str(example), modules)
        _call(tmp_path / syntax, map(str, examples()))
    _call(tmp_path, syntaxes)
    found = plan(terraform(tmp_path, terraform_environment))
    hcl, json_ = (_planned_by(syntax, found) for syntax in syntaxes)
    assert len(hcl) > len(examples()), "every example plans something"
    assert hcl == json_


def _call(folder: Path, modules: Iterable[str]) -> None:
    """A root module that calls these, each in its own folder, and puts out what they put out."""
    calls = (
        f'module "{name}" {{\n  source = "./{name}"\n}}\noutput "{name}" {{\n  value = module.{name}\n}}\n'
        for name in modules
    )
    (folder / "main.tf").write_text("".join(calls))


def _planned_by(module: str, plan: dict[str, Any]) -> dict[str, Any]:
    """What one of the root's modules changes, by address within it, and its outputs."""
    start = f"module.{module}."
    changed = {
        change["address"].removeprefix(start): change["change"]
        for change in plan["resource_changes"]
        if change["address"].startswith(start)
    }
    return {**changed, "outputs": plan["output_changes"][module]}


@pytest.fixture
def account(example: Example, request: pytest.FixtureRequest) -> tuple[Any, dict[str, str]]:
    """A sandbox, and the variables to start Terraform with on it; of its own for what makes the log groups of jobs, of
    which an account has one each: any job of another test makes them, too."""
    if example.module == "observability":
        own: tuple[Any, dict[str, str]] = request.getfixturevalue("own")
        return own
    return request.getfixturevalue("sandbox"), request.getfixturevalue("terraform_environment")


@pytest.mark.toolchain
@pytest.mark.apply
@pytest.mark.parametrize("example", examples(), ids=str)
def test_an_example_applies_once_is_guarded_and_leaves_nothing(
    example: Example, tmp_path: Path, account: tuple[Any, dict[str, str]], synthesized: dict[str, Any]
) -> None:
    sandbox, variables = account
    with furnished(sandbox, example.text):
        _apply_and_destroy(example, tmp_path / "root", sandbox, variables, synthesized)


def _apply_and_destroy(
    example: Example, folder: Path, sandbox: Any, variables: dict[str, str], synthesized: dict[str, Any]
) -> None:
    before = sandbox.inventory()
    example.write(folder)
    driver = terraform(folder, variables)
    first = plan(driver)
    check_inventory(example, first)
    found = check_review(first, accepted=read_acceptances(ACCEPTED))
    assert found.verdict == LOOKED_AT.get(str(example), "fine"), [one for one in found.gates if one.level != "note"]
    apply(driver)
    try:
        second = plan(driver)
        assert list_changes(second) == {}, "the second plan is not empty"
        assert changes_nothing(check_review(second))
        guards = [address for address in summary(second)["values"] if GUARD in address]
        if guards:
            _leave_by_two_keys(driver, example, folder, synthesized, guards)
    finally:
        driver.destroy()
    assert left(before, sandbox.inventory()) == []


def _leave_by_two_keys(
    driver: Any, example: Example, folder: Path, synthesized: dict[str, Any], guards: list[str]
) -> None:
    """The documented way out of deletion protection, each key alone being refused."""
    with pytest.raises(Exception, match="Instance cannot be destroyed"):
        driver.destroy()
    protected = {name for name, body in synthesized.items() if "deletion_protection" in body["variable"]}
    (folder / "main.tf").write_text(example.unprotected(protected))
    with pytest.raises(Exception, match="Instance cannot be destroyed"):
        driver.apply()
    driver.execute_command("state", "rm", *guards)
    driver.apply()
    driver.execute_command("plan", "-destroy", "-out=gone.tfplan", "-no-color")
    gone = json.loads(driver.execute_command("show", "-json", "gone.tfplan").out)
    assert "data" in list_blocking_gates(check_review(gone)), "a review stops at what no guard keeps any more"
