"""What the resources of modules and environments are written with. Importing it starts jsii (seconds, 250 MB)."""

from sustainable_mlops.authoring.expressions import boolean, jsonencode, number, string_map, strings, tokens
from sustainable_mlops.authoring.module import Module, Output, Outputs, Reference
from sustainable_mlops.authoring.root import Root
from sustainable_mlops.authoring.structs import Dynamic

__all__ = [
    "Dynamic",
    "Module",
    "Output",
    "Outputs",
    "Reference",
    "Root",
    "boolean",
    "jsonencode",
    "number",
    "string_map",
    "strings",
    "tokens",
]
