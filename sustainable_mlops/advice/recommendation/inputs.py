"""A recommendation as module inputs: an entry of the model catalogue, or HCL."""

import json
from collections.abc import Mapping
from typing import Any

from sustainable_mlops.advice.recommendation.ranking import RankedEndpoint
from sustainable_mlops.base.documents import render_yaml


def format_yaml(one: RankedEndpoint) -> str:
    """Return the content of envs/catalogue/models/<model>.yaml."""
    return render_yaml({one.module: dict(one.inputs)}, sort_keys=False)


def format_hcl(one: RankedEndpoint) -> str:
    """Return the inputs for a call of the module, aligned as by `terraform fmt`."""
    width = max(len(name) for name, value in one.inputs.items() if not isinstance(value, Mapping))
    flat = [
        f"{name:<{width}} = {_format_literal(value)}"
        for name, value in one.inputs.items()
        if not isinstance(value, Mapping)
    ]
    blocks = [
        "\n".join([f"{name} = {{", *(f"  {key} = {_format_literal(inner)}" for key, inner in value.items()), "}"])
        for name, value in one.inputs.items()
        if isinstance(value, Mapping)
    ]
    return "\n\n".join(["\n".join(flat), *blocks]) + "\n"


def _format_literal(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text.replace("${", "$${").replace("%{", "%%{")
