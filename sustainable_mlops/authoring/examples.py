"""Runnable files of a module that consumers copy: its examples, and its tests with a mocked provider.

The examples are the `hcl` blocks of the module's page, so a page, its folders and the tests share one set of cases.
"""

import re
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sustainable_mlops.authoring import hcl
from sustainable_mlops.authoring.mocks import render_mocks

if TYPE_CHECKING:
    from sustainable_mlops.authoring.module import Module

MOCKS_FILE = "mocks/aws.tfmock.hcl"
_BLOCK = re.compile(r"^```hcl (?P<case>\w+)\n(?P<text>.*?)^```$", re.M | re.S)
_OUTPUT = re.compile(r'^output "(?P<name>\w+)" {\n.*?^}\n\n?', re.M | re.S)
_SOURCE = re.compile(r'(?P<start>^ *source\s*=\s*)"\./modules/(?P<module>\w+)"', re.M)
_REGION = re.compile(r"\barn:[a-z-]+:[a-z]+:(?P<region>[a-z]+-[a-z-]+-[0-9]):")


def read_examples(page: str) -> dict[str, str]:
    """Return the examples of a module's page by case: root modules without provider, called from the repository."""
    return {block["case"]: block["text"] for block in _BLOCK.finditer(page)}


def render_files(module: "Module[Any]", page: str) -> Iterator[tuple[str, str]]:
    """Yield path and text of each file in `examples/`, `tests/` and `mocks/`."""
    examples = read_examples(page)
    for case, text in examples.items():
        for file, content in _render_example(module, text).items():
            yield f"examples/{case}/{file}", content
    if not {"minimal", "complete"} <= examples.keys():
        raise ValueError(f"{module.name}/README.md needs an example `hcl minimal` and an example `hcl complete`")
    runs = _render_runs(module, examples["minimal"])
    types = {kind for section in ("resource", "data") for kind in module.to_json().get(section, {})}
    types.update(kind for text in examples.values() for kind in re.findall(r"\baws_\w+", text))
    mocks = render_mocks(types)
    yield MOCKS_FILE, mocks
    yield f"tests/{module.name}.tftest.hcl", 'mock_provider "aws" {\n  source = "./mocks"\n}\n\n' + runs
    inline = textwrap.indent(mocks, "  ")
    yield (
        f"tests/{module.name}.tofutest.hcl",
        f'# For OpenTofu, which cannot read mocks from a folder.\nmock_provider "aws" {{\n{inline}}}\n\n{runs}',
    )


def _render_example(module: "Module[Any]", text: str) -> dict[str, str]:
    """Return the files of an example: its own outputs first, then the other outputs of the module."""
    label, _ = _find_call(module.name, text)
    own = {match["name"]: match[0].strip() + "\n" for match in _OUTPUT.finditer(text)}
    others = {
        name: f'output "{name}" {{\n  description = {hcl.render_string(output.description)}\n'
        f"  value       = module.{label}.{name}\n}}\n"
        for name, output in sorted(module.outputs.items())
        if name not in own
    }
    main = _SOURCE.sub(
        lambda call: f'{call["start"]}"{_find_source(module.name, call["module"])}"', _OUTPUT.sub("", text)
    )
    region = (_REGION.search(text) or {"region": "eu-north-1"})["region"]
    return {
        "main.tf": f'provider "aws" {{\n  region = "{region}"\n}}\n\n{main}\n',
        "outputs.tf": "\n".join([*own.values(), *others.values()]),
        "variables.tf": "# An example has values instead of variables.\n",
        "versions.tf": module.render_versions(),
    }


def _find_source(module: str, target: str) -> str:
    """Return the `source` of the module `target` in an example of `module`."""
    return "../.." if target == module else f"../../../{target}"


def _find_call(module: str, text: str) -> tuple[str, str]:
    """Return the label and the arguments of the call of `module`. Raises ValueError for no call or several."""
    pattern = rf'^module "(\w+)" {{\n *source *= "\./modules/{module}"\n\n?(.*?)^}}$'
    calls = re.findall(pattern, text, re.M | re.S)
    if len(calls) != 1:
        raise ValueError(f"{module}/README.md: an example has {len(calls)} calls of {module}; it needs one")
    label, arguments = calls[0]
    return label, arguments


def _render_runs(module: "Module[Any]", minimal: str) -> str:
    """Return the variables and runs of a test: a plan, an invalid input, and an apply."""
    _, arguments = _find_call(module.name, minimal)
    outputs = "".join(f"      output.{name},\n" for name in sorted(module.outputs))
    fields = module.input_model.model_fields
    location = "\n  variables {\n    verify_location = true\n  }\n" if "verify_location" in fields else ""
    protection = (
        "# The complete example has no deletion protection, so that the test can destroy it.\n"
        if "deletion_protection" in fields
        else ""
    )
    return f"""variables {{
{arguments}}}

run "plan" {{
  command = plan
{location}}}

run "invalid_name_prefix" {{
  command = plan

  variables {{
    name_prefix = "Not valid"
  }}

  expect_failures = [var.name_prefix]
}}

{protection}run "apply" {{
  module {{
    source = "./examples/complete"
  }}

  assert {{
    condition = alltrue([for value in [
{outputs}    ] : value != null])
    error_message = "An output has no value."
  }}
}}
"""
