"""What a Terraform module is in Python: inputs declared once, and a `build` that adds resources in reading order."""

import itertools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar, cast, get_args

from sustainable_mlops.authoring import hcl, structs
from sustainable_mlops.authoring.cdktn import App, TerraformDataSource, TerraformElement, TerraformStack, Testing
from sustainable_mlops.authoring.expressions import tokens
from sustainable_mlops.authoring.inputs import ModuleInputs, Variable, variables
from sustainable_mlops.terraform import PROVIDER_VERSIONS, VERSIONS

I = TypeVar("I", bound=ModuleInputs)  # noqa: E741  as short as it is used: Module[Inputs]


@dataclass(frozen=True)
class Output:
    """One output: its value (usually an expression) and a description ending in a period."""

    value: Any
    description: str
    sensitive: bool = False
    depends_on: tuple[str, ...] = ()

    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {"description": self.description, "value": self.value}
        if self.sensitive:
            body["sensitive"] = True
        if self.depends_on:
            body["depends_on"] = list(self.depends_on)
        return body


Outputs = dict[str, Output]


class Reference:
    """A resource, data source or module as an expression: `role.arn` is `"${aws_iam_role.this.arn}"`.

    With `for_each`: `role["training"].arn` for a literal key, `role.at("each.key").arn` for an expression.
    An attribute that the provider's schema lacks raises AttributeError.
    """

    def __init__(self, address: str, attributes: frozenset[str] | None) -> None:
        self.address = address
        self._attributes = attributes

    def __getattr__(self, name: str) -> str:
        if name.startswith("_") or (self._attributes is not None and name not in self._attributes):
            raise AttributeError(f"{self.address} has no attribute {name!r}")
        return f"${{{self.address}.{name}}}"

    def __getitem__(self, key: str) -> "Reference":
        return self.at(json.dumps(key))

    def at(self, expression: str) -> "Reference":
        """The instance whose key is an expression."""
        return Reference(f"{self.address}[{expression}]", self._attributes)

    def __str__(self) -> str:
        return f"${{{self.address}}}"


@dataclass
class Entry:
    """One thing in main.tf: how to find its synthesized body, how to lay it out, and why it is there."""

    path: tuple[str, ...]  # ("resource", type, name), ("data", type, name), ("locals", name), ("check", name) …
    why: str = ""
    lead: str = ""
    element: TerraformElement | None = None
    cls: type | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    body: dict[str, Any] | None = None  # where the author's own words are the body already
    blocks: Mapping[str, hcl.Shape] = field(default_factory=dict)  # then, what in it is a block

    def shape(self) -> hcl.Shape:
        """How to lay it out: the author's order and comments, the bindings' knowledge of blocks."""
        if self.element is None or self.cls is None:
            return hcl.Shape(dict(self.blocks), order=tuple(self.body or ()), notes=self.notes)
        rendered: Any = self.element.to_hcl_terraform()
        for step in self.path:
            rendered = rendered[step]
        shape = structs.shape(self.cls, self.values, rendered)
        shape.notes = self.notes
        return shape


class Module(Generic[I]):
    """Base of every module: `class Storage(Module[Inputs])` adds its resources in `build`, in the order people read."""

    #: The model of its inputs, taken from `Module[…]`.
    input_model: ClassVar[type[ModuleInputs]]
    #: Names of renamed or moved addresses, old to new; each is kept as a `moved` block.
    moved: Mapping[str, str] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for base in getattr(cls, "__orig_bases__", ()):
            for argument in get_args(base):
                if isinstance(argument, type):
                    cls.input_model = argument

    def __init__(self, name: str) -> None:
        self.name = name
        self._stack = TerraformStack(App(), name)
        self.entries: list[Entry] = []
        self.outputs: Outputs = {}

    @property
    def variables(self) -> list[Variable]:
        return variables(self.input_model)

    def build(self, var: I) -> Outputs:
        """Add the resources; `var.x` is the expression `var.x`. Returns the outputs by name."""
        raise NotImplementedError

    def synthesize(self) -> "Module[I]":
        """Build once; afterwards `json()` and the renderers have everything."""
        self.outputs = self.build(cast(I, tokens(self.input_model, "var")))
        for name, output in self.outputs.items():
            if not output.description.endswith("."):
                raise ValueError(f"{self.name}: the description of output {name} must end with a period")
        self._synthesized: dict[str, Any] = json.loads(Testing.synth(self._stack))
        return self

    # What `build` calls.

    def add(
        self,
        cls: type,
        label: str,
        /,
        *,
        why: str = "",
        for_each: str | None = None,
        lifecycle: Mapping[str, Any] | None = None,
        depends_on: list[str] | None = None,
        notes: Mapping[str, str] | None = None,
        skips: Mapping[str, str] | None = None,
        **values: Any,
    ) -> Reference:
        """Add a resource or data source of the bindings' class `cls` under the address `<type>.<label>`.

        Nested blocks are dicts or lists of dicts. `why` becomes the comment above it, `notes` comments above single
        arguments, `skips` checkov suppressions with their reasons.
        """
        taken, overrides = structs.arguments(cls, values)
        element = cls(self._stack, f"{cls.__name__}-{label}", **taken)
        element.override_logical_id(label)
        if for_each:
            overrides["for_each"] = for_each
        if lifecycle:
            overrides["lifecycle"] = dict(lifecycle)
        if depends_on:
            overrides["depends_on"] = depends_on
        for path, value in overrides.items():
            element.add_override(path, value)
        kind = "data" if issubclass(cls, TerraformDataSource) else "resource"
        tf_type = cast(str, element.terraform_resource_type)
        lead = "".join(f"# checkov:skip={check}:{reason}\n" for check, reason in (skips or {}).items())
        lead += "\n" if lead else ""
        self.entries.append(Entry((kind, tf_type, label), why, lead, element, cls, values, notes or {}))
        prefix = "data." if kind == "data" else ""
        return Reference(f"{prefix}{tf_type}.{label}", frozenset(dir(cls)))

    def local(self, name: str, value: Any, why: str = "") -> str:
        """Add a local value; returns the expression that reads it."""
        self._override(("locals", name), value)
        self.entries.append(Entry(("locals", name), why, body={name: value}))
        return f"${{local.{name}}}"

    def check(self, name: str, condition: str, message: str, why: str = "") -> None:
        """Add a `check` block: a soft fact that warns in every plan where `condition` does not hold."""
        body = {"assert": {"condition": condition, "error_message": message}}
        self._override(("check", name), body)
        blocks = {"assert": hcl.Shape(order=("condition", "error_message"))}
        self.entries.append(Entry(("check", name), why, body=body, blocks=blocks))

    def _override(self, path: tuple[str, ...], value: Any) -> None:
        self._stack.add_override(".".join(path), value)

    # What the writers read.

    def terraform_block(self) -> dict[str, Any]:
        """Versions: floors only, so that a caller chooses."""
        aws = {"source": "hashicorp/aws", "version": PROVIDER_VERSIONS}
        return {"required_version": VERSIONS, "required_providers": {"aws": aws}}

    def json(self) -> dict[str, Any]:
        """The whole module in Terraform's JSON syntax."""
        moved = [{"from": old, "to": new} for old, new in self.moved.items()]
        whole: dict[str, Any] = {
            "terraform": self.terraform_block(),
            "variable": {variable.name: variable.body() for variable in self.variables},
            **{kind: body for kind, body in self._synthesized.items() if kind not in ("terraform", "variable")},
            "output": {name: output.body() for name, output in self.outputs.items()},
        }
        if moved:
            whole["moved"] = moved
        return {kind: body for kind, body in whole.items() if body}

    def addresses(self) -> list[str]:
        """The address of every managed resource, without instance keys."""
        return sorted(".".join(entry.path[1:]) for entry in self.entries if entry.path[0] == "resource")

    def files(self) -> dict[str, str]:
        """File name to the HCL in it, not yet formatted by `terraform fmt`."""
        by_name = sorted(self.outputs.items())
        order = hcl.Shape(order=("description", "value", "sensitive", "depends_on"))
        return {
            "main.tf": self.main(),
            "variables.tf": "\n".join(variable.hcl() for variable in self.variables),
            "outputs.tf": "\n".join(hcl.block(f'output "{name}"', output.body(), order) for name, output in by_name),
            "versions.tf": self.versions(),
        }

    def main(self) -> str:
        """main.tf: what `build` added, in its order; neighbouring locals share one block."""
        parts = []
        for is_local, entries in itertools.groupby(self.entries, key=lambda entry: entry.path[0] == "locals"):
            group = list(entries)
            parts += [_locals(group)] if is_local else [self._entry(entry) for entry in group]
        parts += [hcl.block("moved", {"from": f"${{{old}}}", "to": f"${{{new}}}"}) for old, new in self.moved.items()]
        return "\n".join(parts)

    def versions(self) -> str:
        """versions.tf."""
        shape = hcl.Shape({"required_providers": hcl.Shape()}, order=("required_version",))
        return hcl.block("terraform", self.terraform_block(), shape)

    def _entry(self, entry: Entry) -> str:
        body = entry.body
        if body is None:
            body = self._synthesized
            for step in entry.path:
                body = body[step]
        kind, *labels = entry.path
        header = " ".join([kind, *(json.dumps(label) for label in labels)])
        return hcl.comment(entry.why) + hcl.block(header, body, entry.shape(), entry.lead)


def _locals(entries: Iterable[Entry]) -> str:
    lines = []
    for entry in entries:
        ((name, value),) = (entry.body or {}).items()
        lines.append(f"{hcl.comment(entry.why)}{name} = {hcl.expression(value)}\n")
    tall = any("\n" in line[:-1] for line in lines)
    return "locals {\n" + ("\n" if tall else "").join(lines) + "}\n"
