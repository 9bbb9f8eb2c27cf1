"""Values of expressions in Terraform, from one plan without a provider."""

from pathlib import Path
from typing import Any

from sustainable_mlops.authoring import ModuleInputs, hcl
from sustainable_mlops.authoring.inputs import render_hcl_type
from sustainable_mlops.base.terraform import Terraform, make_environment


def render_variable(name: str, model: type[ModuleInputs], values: Any) -> str:
    """Render a variable of a model's type with these values as default."""
    return f'variable "{name}" {{\ntype = {render_hcl_type(model)}\ndefault = {hcl.render_expression(values)}\n}}\n'


def plan_outputs(folder: Path, text: str) -> dict[str, Any]:
    """Plan a root module of this text and return its outputs."""
    (folder / "main.tf").write_text(text)
    terraform = Terraform(folder, make_environment())
    terraform.init()
    planned = terraform.plan(folder / "tfplan")["planned_values"].get("outputs", {})
    return {name: output.get("value") for name, output in planned.items()}
