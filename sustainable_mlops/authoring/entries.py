"""Parts of a module: its outputs, and the entries of its HCL with their layout."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sustainable_mlops.authoring import hcl, structs
from sustainable_mlops.authoring.author_errors import find_author_location, locate_definition, make_author_error
from sustainable_mlops.authoring.cdktn import TerraformElement
from sustainable_mlops.authoring.expressions.expression import Expression, to_hcl
from sustainable_mlops.authoring.expressions.tokens import to_json_syntax


def list_addresses(references: Iterable[Any]) -> list[str]:
    """Return the addresses for `depends_on`."""
    return [to_hcl(reference) if isinstance(reference, Expression) else str(reference) for reference in references]


@dataclass(frozen=True)
class Output:
    """One output: its value, usually an expression, and a description that ends with a period."""

    value: Any
    description: str
    depends_on: tuple[Any, ...] = ()
    location: str = field(default_factory=find_author_location)

    def build_body(self) -> dict[str, Any]:
        body: dict[str, Any] = {"description": self.description, "value": to_json_syntax(self.value)}
        if self.depends_on:
            body["depends_on"] = list_addresses(self.depends_on)
        return body


Outputs = dict[str, Output]


def check_output(name: str, output: object, source: object) -> None:
    """Raise UserError if `output` is not an Output, or if its description does not end with a period."""
    if not isinstance(output, Output):
        raise make_author_error(
            f"output {name} is not an Output; write Output(value, description)", locate_definition(source)
        )
    if not output.description.endswith("."):
        raise make_author_error(f"the description of output {name} must end with a period", output.location)


@dataclass
class ModuleEntry:
    """One entry of the HCL: the path of its synthesized body, its layout and its comment."""

    path: tuple[str, ...]  # ("resource", type, name), ("data", type, name), ("locals", name), ("check", name) …
    why: str = ""
    lead: str = ""
    element: TerraformElement | None = None
    cls: type | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    body: dict[str, Any] | None = None  # the body, if the author wrote it directly
    blocks: Mapping[str, hcl.BlockLayout] = field(default_factory=dict)  # the blocks in such a body
    values_json: Any = None  # all values, in Terraform's JSON syntax, to check references
    each: Any = None  # types of each.key and each.value, with for_each
    location: str = field(default_factory=find_author_location)

    def build_layout(self) -> hcl.BlockLayout:
        """Return the layout: order and comments from the author, blocks from the bindings."""
        if self.element is None or self.cls is None:
            return hcl.BlockLayout(dict(self.blocks), order=tuple(self.body or ()), notes=self.notes)
        rendered: Any = self.element.to_hcl_terraform()
        for step in self.path:
            rendered = rendered[step]
        shape = structs.build_layout(self.cls, self.values, rendered)
        shape.notes = self.notes
        return shape
