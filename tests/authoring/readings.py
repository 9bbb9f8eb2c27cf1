"""What Terraform gives for expressions, all in one plan without a provider."""

from pathlib import Path
from typing import Any

from sustainable_mlops.authoring import ModuleInputs, hcl
from sustainable_mlops.authoring.inputs import hcl_type
from sustainable_mlops.terraform import Terraform, make_environment


def variable(name: str, model: type[ModuleInputs], values: Any) -> str:
    """A variable of a model's type with these values."""
    return f'variable "{name}" {{\ntype = {hcl_type(model)}\ndefault = {hcl.render_expression(values)}\n}}\n'


def outputs(folder: Path, text: str) -> dict[str, Any]:
    """The outputs of a root module of this text, as a plan has them."""
    (folder / "main.tf").write_text(text)
    terraform = Terraform(folder, make_environment())
    terraform.init()
    planned = terraform.plan(folder / "tfplan")["planned_values"].get("outputs", {})
    return {name: output.get("value") for name, output in planned.items()}
