"""Terraform module in Python: inputs are declared once, and `build` adds resources in reading order."""

import itertools
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Generic, TypeVar, cast, get_args

from sustainable_mlops.authoring import hcl, meta_arguments, rules, structs
from sustainable_mlops.authoring.author_errors import locate_definition, locate_error, make_author_error
from sustainable_mlops.authoring.cdktn import App, TerraformDataSource, TerraformStack, Testing
from sustainable_mlops.authoring.entries import ModuleEntry, Outputs, check_output, list_addresses
from sustainable_mlops.authoring.expressions import types
from sustainable_mlops.authoring.expressions.expression import to_node
from sustainable_mlops.authoring.expressions.functions import name_expression
from sustainable_mlops.authoring.expressions.scopes import Each, input_expressions
from sustainable_mlops.authoring.expressions.tokens import to_json_syntax
from sustainable_mlops.authoring.file_layout import MAIN, MAX_LINES, split_by_concern
from sustainable_mlops.authoring.inputs import ModuleInputs, Variable, list_variables
from sustainable_mlops.authoring.null_tests import check_null_tests
from sustainable_mlops.authoring.references import find_unknown_references
from sustainable_mlops.base.errors import did_you_mean
from sustainable_mlops.base.terraform import PROVIDER_VERSIONS, VERSIONS

#: Comment above a variable that only its validation reads, because it refuses every value with a reason.
_ONLY_VALIDATED = "# tflint-ignore: terraform_unused_declarations # its validation refuses every value\n"
_VARIABLE = re.compile(r"\bvar\.(\w+)")

I = TypeVar("I", bound=ModuleInputs)  # noqa: E741  as short as it is used: Module[Inputs]


class Module(Generic[I]):
    """Base class of every module, for example `class StorageModule(Module[Inputs])`.

    `build` adds the resources in the order in which people read them.
    """

    #: Model of the inputs, taken from `Module[…]`.
    input_model: ClassVar[type[ModuleInputs]]
    #: Renamed addresses, old to new. Each becomes a `moved` block.
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
        self.entries: list[ModuleEntry] = []
        self.outputs: Outputs = {}
        self.variables: list[Variable] = []
        self._declared: dict[tuple[str, ...], Any] = {}  # entry path to declared type

    def build(self, var: I) -> Outputs:
        """Add the resources and return the outputs by name. `var.x` is the Terraform expression `var.x`."""
        raise NotImplementedError

    def synthesize(self) -> "Module[I]":
        """Build the module; `json()` and the renderers need this first.

        Raises UserError, with the author's file and line, for mistakes in inputs, resources and arguments.
        """
        check_null_tests(type(self))
        try:
            self.outputs = self.build(self.var)
        except TypeError as error:
            if "Expression" not in str(error):
                raise
            raise make_author_error(_explain_operations(error), locate_error(error)) from None
        for name, output in self.outputs.items():
            check_output(name, output, self.build)
        self._check_references()
        for name in rules.list_tables(self.input_model):
            if ("locals", name) not in self._declared:
                raise make_author_error(
                    f"a rule reads local.{name}, which build does not add", locate_definition(self.build)
                )
        self.variables = list_variables(self.input_model)
        self._synthesized: dict[str, Any] = json.loads(Testing.synth(self._stack))
        return self

    # Declared names.

    @property
    def var(self) -> I:
        """Inputs, as expressions."""
        return cast(I, input_expressions(self.input_model))

    @property
    def locals(self) -> Any:
        """Locals added so far, as expressions."""
        return name_expression("local", self._build_scope("locals"))

    @property
    def resources(self) -> Any:
        """Resources added so far, by type and label, as expressions."""
        return _Resources("", self._list_scopes("resource"))

    @property
    def data(self) -> Any:
        """Data sources added so far, by type and label, as expressions."""
        return _Resources("data.", self._list_scopes("data"))

    def _list_scopes(self, group: str) -> dict[str, types.ObjectType]:
        types_in_group: dict[str, Any] = {path[1]: None for path in self._declared if path[0] == group}
        return {kind: self._build_scope(group, kind) for kind in types_in_group}

    def _build_scope(self, *kind: str) -> types.ObjectType:
        declared = {path[-1]: type_ for path, type_ in self._declared.items() if path[:-1] == kind}
        return types.ObjectType(tuple(declared.items()), {"locals": "value"}.get(kind[0], kind[0]))

    def _list_names(self) -> dict[str, Any]:
        """Return each name that an expression may begin with, and its type."""
        return {
            "var": self.input_model,
            "local": self._build_scope("locals"),
            "module": self._build_scope("module"),
            "data": types.ObjectType(tuple(self._list_scopes("data").items()), "data source"),
            **self._list_scopes("resource"),
        }

    def _check_references(self) -> None:
        """Raise UserError if a string or a `depends_on` refers to an undeclared name."""
        names = self._list_names()
        referencing = [
            (entry.values_json, entry.location, {"each": entry.each} if entry.each else {}) for entry in self.entries
        ]
        for output in self.outputs.values():
            dependencies = [f"${{{address}}}" for address in list_addresses(output.depends_on)]
            referencing.append(([to_json_syntax(output.value), dependencies], output.location, {}))
        for value, location, each in referencing:
            for problem in find_unknown_references(value, {**names, **each}):
                raise make_author_error(problem, location)

    def _declare(self, path: tuple[str, ...], declared: Any) -> None:
        if path in self._declared:
            kind, *names = path
            description = {"locals": "a local", "module": "a call of a module", "check": "a check"}.get(kind, names[0])
            hint = ", label=…" if kind == "module" else ""
            raise make_author_error(f"{description} '{names[-1]}' already exists; give each a different name{hint}")
        self._declared[path] = declared

    # Methods for `build`.

    def add(
        self,
        cls: type,
        label: str,
        /,
        *,
        why: str = "",
        for_each: Each[Any, Any] | None = None,
        lifecycle: Mapping[str, Any] | None = None,
        depends_on: Iterable[Any] = (),
        notes: Mapping[str, str] | None = None,
        skips: Mapping[str, str] | None = None,
        **values: Any,
    ) -> Any:
        """Add a resource or data source of the binding class `cls` at the address `<type>.<label>`.

        Nested blocks are dicts or lists of dicts. `why` becomes the comment above the resource, `notes` the comments
        above single arguments, `skips` the checkov suppressions with their reasons. Returns the expression of the
        resource, or of the map of its instances with `for_each`. Raises UserError for arguments that the provider's
        schema does not have.
        """
        arguments, overrides = structs.split_arguments(cls, values)
        meta = meta_arguments.build_meta_arguments(cls, for_each, lifecycle, depends_on)
        kind = "data" if issubclass(cls, TerraformDataSource) else "resource"
        address = (kind, _get_resource_type(cls), label)
        declared: Any = types.ResourceSchema(cls)
        if for_each:
            declared = dict[str, declared]
        self._declare(address, declared)
        try:
            element = cls(self._stack, f"{cls.__name__}-{label}", **arguments)
        except TypeError as error:
            raise make_author_error(
                f"{cls.__name__}: {str(error).removeprefix(f'{cls.__name__}.__init__() ')}"
            ) from None
        element.override_logical_id(label)
        for path, value in {**overrides, **meta}.items():
            element.add_override(path, value)
        lead = "".join(f"# checkov:skip={check}:{reason}\n" for check, reason in (skips or {}).items())
        lead += "\n" if lead else ""
        triggers = meta.get("lifecycle", {}).get("replace_triggered_by", ())
        dependencies = [f"${{{address}}}" for address in (*meta.get("depends_on", ()), *triggers)]
        json_values = [
            {name: value for name, value in meta.items() if name != "depends_on"},
            dependencies,
            structs.convert_arguments(values),
        ]
        each = for_each and for_each.type
        self.entries.append(
            ModuleEntry(address, why, lead, element, cls, values, notes or {}, values_json=json_values, each=each)
        )
        return name_expression(".".join(address).removeprefix("resource."), declared)

    def local(self, name: str, value: Any, why: str = "") -> Any:
        """Add a local value and return the expression that reads it."""
        value_json = to_json_syntax(value, null="${null}")  # synthesis drops null values
        self._declare(("locals", name), to_node(value).type)
        self._override(("locals", name), value_json)
        self.entries.append(ModuleEntry(("locals", name), why, body={name: value_json}, values_json=value_json))
        return getattr(self.locals, name)

    def check(self, name: str, condition: object, message: str, why: str = "") -> None:
        """Add a `check` block, which warns in every plan in which `condition` is false."""
        body = {"assert": {"condition": to_json_syntax(condition), "error_message": message}}
        self._declare(("check", name), None)
        self._override(("check", name), body)
        blocks = {"assert": hcl.BlockLayout(order=("condition", "error_message"))}
        self.entries.append(ModuleEntry(("check", name), why, body=body, blocks=blocks, values_json=body))

    def _override(self, path: tuple[str, ...], value: Any) -> None:
        self._stack.add_override(".".join(path), value)

    # Methods for the renderers.

    def build_terraform_block(self) -> dict[str, Any]:
        """Return the `terraform` block: minimum versions, and the last supported major version of the provider."""
        aws = {"source": "hashicorp/aws", "version": PROVIDER_VERSIONS}
        return {"required_version": VERSIONS, "required_providers": {"aws": aws}}

    def to_json(self) -> dict[str, Any]:
        """Return the whole module in Terraform's JSON syntax."""
        moved = [{"from": old, "to": new} for old, new in self.moved.items()]
        module_json: dict[str, Any] = {
            "terraform": self.build_terraform_block(),
            "variable": {variable.name: variable.build_body() for variable in self.variables},
            **{
                kind: _move_dynamic_last(body)
                for kind, body in self._synthesized.items()
                if kind not in ("terraform", "variable")
            },
            "output": {name: output.build_body() for name, output in self.outputs.items()},
        }
        if moved:
            module_json["moved"] = moved
        return {kind: body for kind, body in module_json.items() if body}

    def list_addresses(self) -> list[str]:
        """Return the address of every managed resource, without instance keys."""
        return sorted(".".join(entry.path[1:]) for entry in self.entries if entry.path[0] == "resource")

    def render_page_parts(self) -> dict[str, str]:
        """Return further generated parts of the module's page, by mark."""
        return {}

    def render_files(self) -> dict[str, str]:
        """Return the HCL by file name, before `terraform fmt`."""
        by_name = sorted(self.outputs.items())
        order = hcl.BlockLayout(order=("description", "value", "depends_on"))
        outputs = "\n".join(
            hcl.render_block(f'output "{name}"', output.build_body(), order) for name, output in by_name
        )
        files = {MAIN: self._render_entries(self.entries)}
        if files[MAIN].count("\n") > MAX_LINES:
            validations = "".join(variable.render_hcl() for variable in self.variables)
            layout = split_by_concern(self.entries, validations)
            files = {file: self._render_entries(entries) for file, entries in layout.items()}
        if self.moved:
            files[MAIN] += f"\n{self._render_moved()}"
        return {
            **files,
            "variables.tf": self._render_variables("".join(files.values()) + outputs),
            "outputs.tf": outputs,
            "versions.tf": self.render_versions(),
        }

    def _render_variables(self, others: str) -> str:
        """Return variables.tf; a comment marks the variables that neither `others` nor other variables read."""
        blocks = {variable.name: variable.render_hcl() for variable in self.variables}
        read = set(_VARIABLE.findall(others)).union(
            *(set(_VARIABLE.findall(text)) - {name} for name, text in blocks.items())
        )
        return "\n".join(("" if name in read else _ONLY_VALIDATED) + text for name, text in blocks.items())

    def _render_entries(self, entries: Iterable[ModuleEntry]) -> str:
        """Return the HCL of entries, in their order. Adjacent locals share one block."""
        parts = []
        for is_local, adjacent in itertools.groupby(entries, key=lambda entry: entry.path[0] == "locals"):
            group = list(adjacent)
            parts += [_render_locals(group)] if is_local else [self._render_entry(entry) for entry in group]
        return "\n".join(parts)

    def _render_moved(self) -> str:
        return "\n".join(
            hcl.render_block("moved", {"from": f"${{{old}}}", "to": f"${{{new}}}"}) for old, new in self.moved.items()
        )

    def render_versions(self) -> str:
        """Return versions.tf."""
        shape = hcl.BlockLayout({"required_providers": hcl.BlockLayout()}, order=("required_version",))
        return hcl.render_block("terraform", self.build_terraform_block(), shape)

    def _render_entry(self, entry: ModuleEntry) -> str:
        body = entry.body
        if body is None:
            body = self._synthesized
            for step in entry.path:
                body = body[step]
        kind, *labels = entry.path
        header = " ".join([kind, *(json.dumps(label) for label in labels)])
        return hcl.render_comment(entry.why) + hcl.render_block(header, body, entry.build_layout(), entry.lead)


class _Resources:
    """Attribute access to resources or data sources by type: `resources.aws_iam_role.this`."""

    def __init__(self, prefix: str, scopes: Mapping[str, types.ObjectType]) -> None:
        self._prefix, self._scopes = prefix, scopes

    def __getattr__(self, name: str) -> Any:
        if name not in self._scopes:
            raise make_author_error(f"no resource of type {name} was added before{did_you_mean(name, self._scopes)}")
        return name_expression(f"{self._prefix}{name}", self._scopes[name])


def _move_dynamic_last(body: Any) -> Any:
    """Return a body with dynamic blocks after static blocks, as in HCL, because Terraform keeps their order."""
    if isinstance(body, list):
        return [_move_dynamic_last(item) for item in body]
    if not isinstance(body, dict):
        return body
    return {name: _move_dynamic_last(body[name]) for name in sorted(body, key=lambda name: name == "dynamic")}


def _explain_operations(error: TypeError) -> str:
    return (
        f"{error}: expressions support == != < <= > >= + - * / & | ~ [] and the functions of authoring.expressions; "
        "write other operations as text, such as '${var.size * 2}'"
    )


def _get_resource_type(cls: type) -> str:
    """Return the Terraform type of a binding class, such as `aws_s3_bucket`."""
    return str(getattr(cls, "TF_RESOURCE_TYPE", "terraform_data"))


def _render_locals(entries: Iterable[ModuleEntry]) -> str:
    lines = []
    for entry in entries:
        ((name, value),) = (entry.body or {}).items()
        lines.append(f"{hcl.render_comment(entry.why)}{name} = {hcl.render_expression(value)}\n")
    tall = any("\n" in line[:-1] for line in lines)
    return "locals {\n" + ("\n" if tall else "").join(lines) + "}\n"
