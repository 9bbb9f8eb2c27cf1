"""What a module is made of: its outputs, and the things in main.tf with how to lay them out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sustainable_mlops.authoring import hcl, structs
from sustainable_mlops.authoring.author_errors import author_error, current_location, location_of
from sustainable_mlops.authoring.cdktn import TerraformElement
from sustainable_mlops.authoring.expressions.expression import Expression, to_hcl
from sustainable_mlops.authoring.expressions.tokens import to_json_syntax


def list_addresses(references: Iterable[Any]) -> list[str]:
    """What `depends_on` takes: addresses, not values."""
    return [to_hcl(reference) if isinstance(reference, Expression) else str(reference) for reference in references]


@dataclass(frozen=True)
class Output:
    """One output: its value (usually an expression) and a description ending in a period."""

    value: Any
    description: str
    sensitive: bool = False
    depends_on: tuple[Any, ...] = ()
    location: str = field(default_factory=current_location)

    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {"description": self.description, "value": to_json_syntax(self.value)}
        if self.sensitive:
            body["sensitive"] = True
        if self.depends_on:
            body["depends_on"] = list_addresses(self.depends_on)
        return body


Outputs = dict[str, Output]


def check_output(name: str, output: object, source: object) -> None:
    """Raise UserError where what a function gives as an output is none, or its description no sentence."""
    if not isinstance(output, Output):
        raise author_error(f"output {name} is no Output; write Output(value, description)", location_of(source))
    if not output.description.endswith("."):
        raise author_error(f"the description of output {name} must end with a period", output.location)


@dataclass
class ModuleEntry:
    """One thing in main.tf: how to find its synthesized body, how to lay it out, and why it is there."""

    path: tuple[str, ...]  # ("resource", type, name), ("data", type, name), ("locals", name), ("check", name) …
    why: str = ""
    lead: str = ""
    element: TerraformElement | None = None
    cls: type | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    body: dict[str, Any] | None = None  # where the author's own words are the body already
    blocks: Mapping[str, hcl.BlockLayout] = field(default_factory=dict)  # then, what in it is a block
    values_json: Any = None  # every value in it, in Terraform's JSON syntax
    each: Any = None  # the types of each.key and each.value, where there is a for_each
    location: str = field(default_factory=current_location)

    def shape(self) -> hcl.BlockLayout:
        """How to lay it out: the author's order and comments, the bindings' knowledge of blocks."""
        if self.element is None or self.cls is None:
            return hcl.BlockLayout(dict(self.blocks), order=tuple(self.body or ()), notes=self.notes)
        rendered: Any = self.element.to_hcl_terraform()
        for step in self.path:
            rendered = rendered[step]
        shape = structs.build_layout(self.cls, self.values, rendered)
        shape.notes = self.notes
        return shape
