"""Write Terraform modules in Python: inputs declared once, resources proven by typed bindings, readable HCL.

Importing this starts jsii (seconds, about 1 GB): only `modules`, `envs` and `scripts/synth.py` do.
"""

from pydantic import Field

from sustainable_mlops.authoring import hcl
from sustainable_mlops.authoring.expressions import boolean, jsonencode, number, string_map, strings, tokens
from sustainable_mlops.authoring.inputs import ModuleInputs, must
from sustainable_mlops.authoring.module import Module, Output, Outputs, Reference
from sustainable_mlops.authoring.root import Root
from sustainable_mlops.authoring.structs import Dynamic

__all__ = [
    "Dynamic",
    "Field",
    "Module",
    "ModuleInputs",
    "Output",
    "Outputs",
    "Reference",
    "Root",
    "boolean",
    "hcl",
    "jsonencode",
    "must",
    "number",
    "string_map",
    "strings",
    "tokens",
]
