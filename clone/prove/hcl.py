"""Root modules as HCL text."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clone.prove.settings import TAG, ProofSettings
from sustainable_mlops.base.terraform import ROOT


class Raw(str):
    """An HCL expression, written as it is."""


def render_literal(value: Any) -> str:
    """Return a value as an HCL expression. Strings are literal: no interpolation."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(key)} = {render_literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(render_literal(item) for item in value) + "]"
    return json.dumps(value)


def render_call(name: str, module: str, inputs: Mapping[str, Any]) -> str:
    """Return a call of one of the project's modules."""
    lines = "\n".join(f"  {key} = {render_literal(value)}" for key, value in inputs.items())
    return f'module "{name}" {{\n  source = "./modules/{module}"\n\n{lines}\n}}\n'


def render_output(name: str, expression: str) -> str:
    """Return an output of the root module."""
    return f'output "{name}" {{\n  value = {expression}\n}}\n'


def write_root(folder: Path, settings: ProofSettings, *parts: str) -> None:
    """Write a root module with the provider of the run and these parts into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "modules").exists():
        (folder / "modules").symlink_to(ROOT / "modules")
    (folder / "main.tf").write_text("\n".join([_render_provider(settings), *parts]), encoding="utf-8")


def write_override(folder: Path, settings: ProofSettings) -> None:
    """Write an override for a generated root module: a local state, and the tag of the run."""
    text = f"""terraform {{
  backend "local" {{}}
}}

provider "aws" {{
  default_tags {{
    tags = {{ {json.dumps(TAG)} = {render_literal(settings.name)} }}
  }}
}}
"""
    (folder / "proof_override.tf").write_text(text, encoding="utf-8")


def _render_provider(settings: ProofSettings) -> str:
    return f"""terraform {{
  required_providers {{
    aws = {{
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7"
    }}
  }}
}}

# With credentials of another account, Terraform creates nothing.
provider "aws" {{
  region              = {render_literal(settings.region)}
  allowed_account_ids = [{render_literal(settings.account)}]

  default_tags {{
    tags = {{ {json.dumps(TAG)} = {render_literal(settings.name)} }}
  }}
}}
"""
