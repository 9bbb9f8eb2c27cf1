"""An upgrade of all modules from the last release: it replaces and deletes only declared resources, and is complete."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.base.terraform import ROOT, list_changes
from tests.modules.examples import Example, apply, describe_changes, examples, plan, terraform
from tests.modules.prerequisites import create_prerequisites
from tools.upgrades.comparison import PLAN_PREFIX, find_differences
from tools.upgrades.declarations import UNRELEASED, list_declared_changes, read_declarations
from tools.upgrades.plans import list_output_changes, list_plan_changes
from tools.upgrades.releases import extract_release

STATE = "terraform.tfstate"
OUTPUT_KEYS = ("before", "after", "after_unknown")
_PREFIX = "flights-dev"


def list_examples(release: Path) -> dict[str, Example]:
    """Return the complete examples of a release, which older ones call `full`, and those with declared edits.

    Each has its own name prefix, because the test applies all at once, and an output with the module's outputs.
    """
    edits = {(one.module, edit.before) for one in read_declarations()[UNRELEASED] for edit in one.edits}
    used = [
        example
        for example in examples(release)
        if example.case in ("complete", "full")
        or any(example.module == module and before in example.text for module, before in edits)
    ]
    return {
        f"{example.module}_{example.case}": Example(
            example.module,
            example.case,
            example.text.replace(_PREFIX, f"{_PREFIX[:-2]}{number:02}")
            + f'\noutput "outputs_of_module" {{\n  value = module.{example.module}\n}}\n',
        )
        for number, example in enumerate(used)
    }


def write_root(folder: Path, texts: dict[str, str], modules: Path) -> None:
    """Write a root module that calls each text as a module, with `modules` as its folder `./modules`."""
    for name, text in texts.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "main.tf").write_text(text)
        (folder / name / "modules").symlink_to(modules)
    calls = (
        f'module "{name}" {{\n  source = "./{name}"\n}}\n'
        f'output "{name}" {{\n  value = module.{name}.outputs_of_module\n}}\n'
        for name in texts
    )
    (folder / "main.tf").write_text("".join(calls))


def edit_calls(released: dict[str, Example]) -> dict[str, str]:
    """Return the texts of the examples with the declared edits of module calls. Each edit is in one of them."""
    texts = {name: example.text for name, example in released.items()}
    for declaration in read_declarations()[UNRELEASED]:
        for edit in declaration.edits:
            names = [name for name, one in released.items() if one.module == declaration.module]
            edited = {name: texts[name].replace(edit.before, edit.after) for name in names}
            assert any(edited[name] != texts[name] for name in names), f"no released example has {edit.before!r}"
            texts |= edited
    return texts


def list_upgrade_changes(released: dict[str, Example], upgrade: dict[str, Any]) -> dict[str, list[str]]:
    """Return the breaking changes in the plan of an upgrade, by module."""
    changes: dict[str, list[str]] = {}
    for name, example in released.items():
        changes.setdefault(example.module, []).extend(
            [
                *list_plan_changes(upgrade, f"module.{name}.module.{example.module}"),
                *list_output_changes(*(upgrade["output_changes"][name][key] for key in OUTPUT_KEYS)),
            ]
        )
    return changes


@pytest.mark.apply
def test_an_upgrade_replaces_and_deletes_only_declared_resources_and_leaves_an_empty_plan(
    tmp_path: Path, own: tuple[Any, dict[str, str]]
) -> None:
    sandbox, variables = own
    release, old_root, new_root = (tmp_path / name for name in ("release", "old_root", "new_root"))
    extract_release(release)
    released = list_examples(release)
    assert {example.module for example in released.values()} == {path.name for path in (release / "modules").iterdir()}
    create_prerequisites(sandbox, "\n".join(example.text for example in released.values()))
    write_root(old_root, {name: example.text for name, example in released.items()}, release / "modules")
    driver = terraform(old_root, variables)
    plan(driver)
    apply(driver)

    write_root(new_root, edit_calls(released), ROOT / "modules")
    shutil.copy(old_root / STATE, new_root)
    driver = terraform(new_root, variables)
    upgrade = plan(driver)
    for address, actions in list_changes(upgrade).items():
        print(f"{' and '.join(actions)}: {address}")
    differences = [
        line
        for module, changes in list_upgrade_changes(released, upgrade).items()
        for line in find_differences(
            module, changes, [line for line in list_declared_changes(module) if line.startswith(PLAN_PREFIX)]
        )
    ]
    assert not differences, "\n".join(
        [*differences, "declare it in modules/breaking_changes.yaml, or keep the resource"]
    )
    apply(driver)
    assert describe_changes(plan(driver)) == ""
