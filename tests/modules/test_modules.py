"""Checks of all modules, with the examples in their READMEs."""

import json
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from clone import synth
from sustainable_mlops.base.terraform import ROOT, find_engine, find_lock_file, make_environment
from sustainable_mlops.review.acceptances import read_acceptances
from sustainable_mlops.review.formats import text
from tests.cases import check_cases
from tests.modules.examples import (
    Example,
    apply,
    check_inventory,
    copy_modules,
    describe_changes,
    examples,
    find_differences,
    list_leftovers,
    mark_applied_examples,
    plan,
    summary,
    terraform,
)
from tests.modules.footprint_tables import CASE, check_footprint
from tests.modules.prerequisites import provided_prerequisites
from tests.review_checks import changes_nothing, check_review, list_blocking_gates

MODULES = synth.list_names()[0]
GUARD = ".terraform_data.deletion_protection["
#: Examples with intended findings that are not accepted in general: warm workers, a shadow without scaling.
VERDICTS = {
    "model_registry-complete": "look",  # events leave AWS for GitHub
    "feature_store-complete": "look",  # Glue deletes old snapshots and files of the tables
    "serverless_endpoint-complete": "look",
    "realtime_endpoint-complete": "look",
    "observability-complete": "look",  # an event runs the document that stops an idle endpoint
}
ACCEPTED = ROOT / "tests" / "modules" / "accepted.yaml"


@check_cases("module", MODULES)
def test_all_readmes_have_a_minimal_and_a_complete_example(module: str) -> None:
    assert {"minimal", "complete"} <= {example.case for example in examples() if example.module == module}


def test_each_example_of_a_page_has_a_folder_with_the_same_formatted_text() -> None:
    assert {example.folder for example in examples()} == set(ROOT.glob("modules/*/examples/*"))
    for example in examples():
        formatted = "".join(file.read_text() for file in example.folder.glob("*.tf")).splitlines()
        lines = [line for line in example.text.splitlines() if not line.startswith("  source ")]
        assert [line for line in lines if line not in formatted] == [], f"`terraform fmt` changes {example}"


@pytest.mark.plan
@pytest.mark.toolchain
@pytest.mark.parametrize("module", MODULES)
def test_modules_pass_their_own_tests_with_mocks_and_without_python(
    module: str, tmp_path: Path, terraform_environment: dict[str, str]
) -> None:
    copy_modules(tmp_path / "modules")
    folder = tmp_path / "modules" / module
    shutil.copy(find_lock_file(), folder)
    without_python = {**make_environment(), "PATH": ""}
    # `init` installs a provider of the version that the module requires; the running provider has that version.
    for command, variables in ((["init", "-backend=false"], {}), (["test", "-no-color"], terraform_environment)):
        result = subprocess.run(
            [find_engine().path, f"-chdir={folder}", *command],
            env=without_python | variables,
            check=False,
            capture_output=True,
            text=True,
        )
        assert result.returncode == 0, result.stdout + result.stderr
    assert "3 passed, 0 failed" in result.stdout


@pytest.mark.plan
@pytest.mark.usefixtures("each_engine")
def test_hcl_and_json_produce_the_same_plan(
    tmp_path: Path, terraform_environment: dict[str, str], synthesized: dict[str, Any]
) -> None:
    syntaxes = {"hcl": None, "json": synthesized}
    for syntax, modules in syntaxes.items():
        for example in examples():
            example.write(tmp_path / syntax / str(example), modules)
        write_root_module(tmp_path / syntax, map(str, examples()))
    write_root_module(tmp_path, syntaxes)
    review = plan(terraform(tmp_path, terraform_environment))
    hcl_plan, json_plan = (list_changes_of(syntax, review) for syntax in syntaxes)
    assert len(hcl_plan) > len(examples()), "all examples plan resources"
    differences = [*find_differences(hcl_plan, json_plan), *find_differences(json_plan, hcl_plan)]
    assert differences == [], "\n".join(differences)


def write_root_module(folder: Path, modules: Iterable[str]) -> None:
    """Write a root module that calls these modules, each in its own folder, and returns their outputs."""
    calls = (
        f'module "{name}" {{\n  source = "./{name}"\n}}\noutput "{name}" {{\n  value = module.{name}\n}}\n'
        for name in modules
    )
    (folder / "main.tf").write_text("".join(calls))


def list_changes_of(module: str, plan: dict[str, Any]) -> dict[str, Any]:
    """Return the changes of one called module by address within it, and its outputs."""
    start = f"module.{module}."
    changed = {
        change["address"].removeprefix(start): change["change"]
        for change in plan["resource_changes"]
        if change["address"].startswith(start)
    }
    return {**changed, "outputs": plan["output_changes"][module]}


@pytest.fixture
def account(example: Example, request: pytest.FixtureRequest) -> tuple[Any, dict[str, str]]:
    """A sandbox and Terraform's environment variables for it. Examples of observability have a sandbox of their own,
    because they create the account's log groups of jobs, as jobs of other tests do."""
    if example.module == "observability":
        own: tuple[Any, dict[str, str]] = request.getfixturevalue("own")
        return own
    return request.getfixturevalue("sandbox"), request.getfixturevalue("terraform_environment")


@pytest.mark.apply
@pytest.mark.parametrize("example", mark_applied_examples(), ids=str)
def test_examples_apply_are_protected_and_destroy_completely(
    example: Example, tmp_path: Path, account: tuple[Any, dict[str, str]], synthesized: dict[str, Any]
) -> None:
    sandbox, variables = account
    with provided_prerequisites(sandbox, example.text):
        _apply_and_destroy(example, tmp_path, sandbox, variables, synthesized)


def _apply_and_destroy(
    example: Example, folder: Path, sandbox: Any, variables: dict[str, str], synthesized: dict[str, Any]
) -> None:
    before = sandbox.inventory()
    folder = example.copy(folder)
    driver = terraform(folder, variables)
    first = plan(driver)
    check_inventory(example, first)
    if example.case == CASE:
        check_footprint(example, first)
    review = check_review(first, accepted=read_acceptances(ACCEPTED))
    assert review.verdict == VERDICTS.get(str(example), "fine"), text.render(review)
    apply(driver)
    try:
        second = plan(driver)
        changes = describe_changes(second)
        assert changes == "", f"the second plan is not empty:\n{changes}"
        second_review = check_review(second)
        assert changes_nothing(second_review), text.render(second_review)
        guards = [address for address in summary(second)["values"] if GUARD in address]
        if guards:
            remove_deletion_protection(driver, example, folder, synthesized, guards)
    finally:
        driver.destroy()
    assert list_leftovers(before, sandbox.inventory()) == []


def remove_deletion_protection(
    driver: Any, example: Example, folder: Path, synthesized: dict[str, Any], guards: list[str]
) -> None:
    """Remove deletion protection in the documented two steps; each step alone is rejected."""
    with pytest.raises(Exception, match="Instance cannot be destroyed"):
        driver.destroy()
    protected = {name for name, body in synthesized.items() if "deletion_protection" in body["variable"]}
    (folder / "main.tf").write_text(example.unprotected(protected))
    with pytest.raises(Exception, match="Instance cannot be destroyed"):
        driver.apply()
    driver.execute_command("state", "rm", *guards)
    driver.apply()
    driver.execute_command("plan", "-destroy", "-out=gone.tfplan", "-no-color")
    destroy_plan = json.loads(driver.execute_command("show", "-json", "gone.tfplan").out)
    assert "data" in list_blocking_gates(check_review(destroy_plan)), (
        "the review blocks the deletion of unprotected data"
    )


def test_a_changed_plan_is_described_by_the_attributes_that_differ() -> None:
    same = {"actions": ["no-op"], "before": {"name": "a"}, "after": {"name": "a"}, "after_unknown": {}}
    update = {
        "actions": ["update"],
        "before": {"name": "a", "retention": 30, "arn": "arn:a"},
        "after": {"name": "a", "retention": 90},
        "after_unknown": {"arn": True, "tags": {}},
    }
    changes = {"x.same": same, "x.logs": update}
    plan = {"resource_changes": [{"address": address, "change": change} for address, change in changes.items()]}
    assert describe_changes(plan) == "x.logs: update; arn: 'arn:a' → '(known after apply)', retention: 30 → 90"
