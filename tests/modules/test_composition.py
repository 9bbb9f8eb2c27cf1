"""Composition of modules: sensitive values, and statements of several modules in one call of `access`."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.modules.examples import Example, examples, plan, terraform

#: Arguments whose values Terraform needs in the keys of a `for_each`, or that are no ARNs of a module's input.
ARN = re.compile(r'"(arn:(?:[^"\\$]|\$\{[^}]*\})*)"')


def mark_arns_as_sensitive(example: Example) -> str:
    """Return the text of an example, with each ARN in a call of a module marked as sensitive, and without outputs."""
    blocks = re.split(r"^(?=\S+ )", example.text, flags=re.M)
    calls = {block: ARN.sub(r'sensitive("\1")', block) for block in blocks if block.startswith("module ")}
    return "".join(calls.get(block, block) for block in blocks if not block.startswith("output "))


@pytest.mark.plan
@pytest.mark.usefixtures("each_engine")
def test_modules_accept_sensitive_arns(tmp_path: Path, terraform_environment: dict[str, str]) -> None:
    marked = {str(example): mark_arns_as_sensitive(example) for example in examples()}
    assert sum("sensitive(" in text for text in marked.values()) > len(marked) / 2
    for example in examples():
        Example(example.module, example.case, marked[str(example)]).write(tmp_path / str(example))
    calls = "".join(f'module "{name}" {{\n  source = "./{name}"\n}}\n' for name in marked)
    (tmp_path / "main.tf").write_text(calls)
    assert plan(terraform(tmp_path, terraform_environment))["complete"]
