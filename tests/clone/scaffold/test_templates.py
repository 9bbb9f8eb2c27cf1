"""The templates of new workloads, modules and environments pass the checks of pages and the linters.

`make release` also runs the commands and the tests of each new folder.
"""

import functools
import subprocess
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from clone.scaffold import module, workload
from clone.scaffold.environment import create_draft
from clone.scaffold.framework import Framework, Task
from sustainable_mlops.base.terraform import ROOT, find_engine
from tests.cases import check_cases
from tests.docs.blocks import SHELLS, FencedBlock, parse_blocks
from tests.docs.test_blocks import PLACES
from tests.modules.examples import Example
from tests.modules.footprint_tables import check_table

NAME = "newcomer"
#: New folders of each kind: a module, and a workload for each framework and task.
KINDS = ["module", *map(" ".join, product(Framework, Task))]
#: Configuration of the linter, and what the new files import; without them, it orders the imports in another way.
LINKED = ("pyproject.toml", "sustainable_mlops", "clone", "modules/common.py", "tests/modules/examples.py")


@functools.cache
def render_files(kind: str) -> dict[str, str]:
    """Return the files of a new folder of this kind, with those of its tests."""
    folder, *options = kind.split()
    if options:
        (own, tests, _), folder = workload.render_files(NAME, "dev", Framework(folder), Task(*options)), "workload"
    else:
        own, tests = module.render_files(NAME)
    folders = {f"{folder}s/{NAME}": own, f"tests/{folder}s/{NAME}": tests}
    return {f"{folder}/{name}": text for folder, files in folders.items() for name, text in files.items()}


def list_blocks(kind: str) -> list[FencedBlock]:
    """Return the blocks of the page of a new folder."""
    ((path, page),) = ((path, text) for path, text in render_files(kind).items() if path.endswith(".md"))
    return parse_blocks(path, page)


@check_cases("kind", KINDS)
def test_every_block_of_a_new_page_has_a_language_and_an_environment(kind: str) -> None:
    new_blocks = list_blocks(kind)
    assert new_blocks
    assert [str(block) for block in new_blocks if not block.language] == []
    shell = [block for block in new_blocks if block.language in SHELLS]
    assert [str(block) for block in shell if block.where not in PLACES or not block.commands] == []


@pytest.mark.parametrize("kind", KINDS)
def test_new_python_files_pass_the_linter(kind: str, tmp_path: Path) -> None:
    files = render_files(kind)
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    for path in LINKED:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).symlink_to(ROOT / path)
    python_files = [path for path in files if path.endswith(".py")]
    for command in (["check", "-q"], ["format", "-q", "--diff"]):
        process = subprocess.run(
            [Path(sys.executable).parent / "ruff", *command, *python_files],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode == 0, process.stdout + process.stderr


def render_examples() -> str:
    """Return the examples on the page of a new module."""
    return "\n".join(block.text for block in list_blocks("module") if block.language == "hcl")


def render_bootstrap() -> str:
    """Return the root module of the account of a new environment."""
    return create_draft("lab", "000000000042", "eu-west-1").render_bootstrap()


@check_cases("render", [render_examples, render_bootstrap], ids=["module", "environment"])
def test_new_hcl_is_formatted(render: Callable[[], str]) -> None:
    process = subprocess.run(
        [find_engine().path, "fmt", "-check", "-diff", "-"],
        input=render(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stdout + process.stderr


def test_the_page_of_a_new_module_states_its_cost_and_carbon() -> None:
    page = render_files("module")[f"modules/{NAME}/README.md"]
    texts = {block.where: block.text for block in list_blocks("module")}
    change = {"actions": ["create"], "before": None, "after": {"retention_in_days": 30}, "after_unknown": {}}
    log_group = {"type": "aws_cloudwatch_log_group", "name": "this", "mode": "managed", "change": change}
    log_group["module_address"] = f"module.{NAME}"
    resource_changes = [{**log_group, "address": f"module.{NAME}.aws_cloudwatch_log_group.this"}]
    plan = {"format_version": "1.2", "terraform_version": "1.11.4", "resource_changes": resource_changes}
    check_table(page, Example(NAME, "minimal", texts["minimal"]), plan)
