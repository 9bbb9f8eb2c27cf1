"""An upgrade of all modules from the last release: the plan replaces and deletes only declared resources."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.terraform import ROOT, list_changes
from tests.modules.examples import Example, apply, examples, plan, terraform
from tests.modules.prerequisites import create_prerequisites
from tools.upgrades.comparison import PLAN_PREFIX, find_differences
from tools.upgrades.declarations import UNRELEASED, list_declared_changes, read_declarations
from tools.upgrades.plans import list_output_changes, list_plan_changes
from tools.upgrades.releases import extract_release

STATE = "terraform.tfstate"
OUTPUT_KEYS = ("before", "after", "after_unknown")
_PREFIX = "flights-dev"


def list_complete_examples(release: Path) -> dict[str, str]:
    """Return the text of each module's complete example in a release; older releases call it `full`.

    Each has its own name prefix, because the test applies all at once, and an output with the module's outputs.
    """
    complete: list[Example] = [example for example in examples(release) if example.case in ("complete", "full")]
    return {
        example.module: example.text.replace(_PREFIX, f"{_PREFIX[:-2]}{number:02}")
        + f'\noutput "outputs_of_module" {{\n  value = module.{example.module}\n}}\n'
        for number, example in enumerate(complete)
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


def edit_calls(texts: dict[str, str]) -> dict[str, str]:
    """Return the texts with the declared edits of module calls."""
    new_texts = dict(texts)
    for declaration in read_declarations()[UNRELEASED]:
        for edit in declaration.edits:
            text = new_texts[declaration.module]
            assert edit.before in text, f"{declaration.module}: no released example has {edit.before!r}"
            new_texts[declaration.module] = text.replace(edit.before, edit.after)
    return new_texts


@pytest.mark.apply
def test_an_upgrade_replaces_and_deletes_only_declared_resources(
    tmp_path: Path, own: tuple[Any, dict[str, str]]
) -> None:
    sandbox, variables = own
    release, old_root, new_root = (tmp_path / name for name in ("release", "old_root", "new_root"))
    extract_release(release)
    texts = list_complete_examples(release)
    assert texts.keys() == {path.name for path in (release / "modules").iterdir()}
    create_prerequisites(sandbox, "\n".join(texts.values()))
    write_root(old_root, texts, release / "modules")
    driver = terraform(old_root, variables)
    plan(driver)
    apply(driver)

    write_root(new_root, edit_calls(texts), ROOT / "modules")
    shutil.copy(old_root / STATE, new_root)
    driver = terraform(new_root, variables)
    upgrade = plan(driver)
    for address, actions in list_changes(upgrade).items():
        print(f"{' and '.join(actions)}: {address}")
    differences = [
        line
        for module in texts
        for line in find_differences(
            module,
            [
                *list_plan_changes(upgrade, f"module.{module}.module.{module}"),
                *list_output_changes(*(upgrade["output_changes"][module][key] for key in OUTPUT_KEYS)),
            ],
            [line for line in list_declared_changes(module) if line.startswith(PLAN_PREFIX)],
        )
    ]
    assert not differences, "\n".join(
        [*differences, "declare it in modules/breaking_changes.yaml, or keep the resource"]
    )
