"""Generated parts of a module's page: links to its examples and tests, and its tables."""

import re
from typing import Any

from sustainable_mlops.authoring.examples import read_examples
from sustainable_mlops.authoring.inputs import render_table
from sustainable_mlops.authoring.mocks import ACCOUNT, REGION
from sustainable_mlops.authoring.module import Module
from sustainable_mlops.authoring.resource_table import render_requirements, render_resources

_UNKNOWN_ATTRIBUTES = (
    "**Terraform removes unknown attributes** of an object, such as a misspelled one, without a message. "
    "Compare the names with this table, or run `tofu validate`: OpenTofu 1.12 warns that an *object attribute is "
    "ignored*. [Why the module cannot refuse them](../../docs/authoring.md#unknown-attributes-of-objects).\n"
)


def update_tables(module: Module[Any], readme: str) -> str:
    """Replace the text between `<!-- inputs -->` and `<!-- /inputs -->`, and the same for the other generated parts.

    Raises ValueError if the marks are missing.
    """
    parts = {
        "examples": _render_links(module, readme),
        "inputs": f"{render_table(module.input_model)}\n{_UNKNOWN_ATTRIBUTES}",
        "outputs": _render_outputs(module),
        "requirements": render_requirements(module),
        "resources": render_resources(module),
        **module.render_page_parts(),
    }
    for mark, text in parts.items():
        pattern = rf"(<!-- {mark} -->\n).*?(<!-- /{mark} -->)"
        if not re.search(pattern, readme, re.S):
            raise ValueError(f"{module.name}/README.md has no <!-- {mark} --> … <!-- /{mark} -->; add both marks")
        readme = re.sub(pattern, lambda match, text=text: match[1] + text + match[2], readme, flags=re.S)  # type: ignore[misc]
    return readme


def _render_outputs(module: Module[Any]) -> str:
    rows = ["| name | description |", "|---|---|"]
    rows += [f"| {name} | {output.description} |" for name, output in sorted(module.outputs.items())]
    return "\n".join(rows) + "\n"


def _render_links(module: Module[Any], readme: str) -> str:
    """Return links to the folders of the examples, and the use of the mocks in a consumer's tests."""
    name = module.name
    links = ", ".join(f"[{case}](examples/{case}/main.tf)" for case in read_examples(readme))
    return (
        f"Each example is a folder to copy: {links}. Replace `source`, accounts, Regions and names with yours.\n\n"
        '**In your own tests**, `mock_provider "aws"` takes realistic ARNs from [mocks](mocks/aws.tfmock.hcl) of this '
        f'module: `source = ".terraform/modules/{name}/modules/{name}/mocks"`, if your call is named `{name}` and its '
        "source is a Git address. The mocks cover this module only. For several modules, copy the blocks of their "
        f"mocks into one folder. The account of the mocks is `{ACCOUNT}` and their Region `{REGION}`, also in your "
        "test. Your root module needs a block "
        f'`provider "aws"`. [{name}.tftest.hcl](tests/{name}.tftest.hcl) is an example, which needs no AWS. '
        f"For OpenTofu, copy the mocks of [{name}.tofutest.hcl](tests/{name}.tofutest.hcl).\n"
    )
