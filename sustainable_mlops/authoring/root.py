"""Root module: it calls modules, and has a backend and a provider."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from sustainable_mlops.authoring import hcl
from sustainable_mlops.authoring.author_errors import make_author_error
from sustainable_mlops.authoring.entries import ModuleEntry
from sustainable_mlops.authoring.expressions import types
from sustainable_mlops.authoring.expressions.expression import Expression, get_node, to_hcl, to_node
from sustainable_mlops.authoring.expressions.functions import name_expression
from sustainable_mlops.authoring.expressions.scopes import Each
from sustainable_mlops.authoring.expressions.tokens import to_json_syntax, to_template
from sustainable_mlops.authoring.inputs import ModuleInputs
from sustainable_mlops.authoring.module import Module
from sustainable_mlops.base.errors import did_you_mean

R = TypeVar("R", bound=ModuleInputs)


def _check_input(name: str, field: FieldInfo, value: Any) -> None:
    """Raise UserError if a value does not fit the type or the constraints of an input."""
    if isinstance(value, Expression):
        given_kind, expected_kind = types.find_kind(get_node(value).type), types.find_kind(field.annotation)
        scalars = {"text", "number", "bool"}
        if (
            given_kind != expected_kind
            and "any" not in (given_kind, expected_kind)
            and not {given_kind, expected_kind} <= scalars
            and given_kind != "null"
        ):
            raise make_author_error(f"input {name} takes a {expected_kind}; {to_hcl(value)} is a {given_kind}")
    elif "${" not in repr(to_json_syntax(value)):
        constrained: Any = Annotated[field.annotation, field]
        try:
            TypeAdapter(constrained).validate_python(value, strict=True)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            path = "".join(f".{step}" for step in first["loc"])
            raise make_author_error(f"input {name}{path}: {first['msg']}") from None


class Root(Module[R]):
    """Base class of an environment. Its inputs are the values that an operator sets at plan time."""

    #: Arguments of the S3 backend.
    backend: Mapping[str, Any] = {}

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._imports: list[dict[str, Any]] = []

    def configure_provider(self, body: Mapping[str, Any], notes: Mapping[str, str] | None = None) -> None:
        """Configure the AWS provider."""
        self._override(("provider", "aws"), [dict(body)])
        blocks = {"assume_role": hcl.BlockLayout(), "default_tags": hcl.BlockLayout()}
        self.entries.append(
            ModuleEntry(("provider", "aws"), body=dict(body), blocks=blocks, notes=notes or {}, values_json=body)
        )

    def call(
        self,
        module: Module[Any],
        *,
        label: str = "",
        why: str = "",
        for_each: Each[Any, Any] | None = None,
        **values: Any,
    ) -> Any:
        """Call a synthesized module. The call has the name of the module, or `label`.

        Returns the expression of the call, with the module's outputs. Raises UserError for an unknown, missing or
        invalid input.
        """
        fields, label = module.input_model.model_fields, label or module.name
        for name, value in values.items():
            if name not in fields:
                raise make_author_error(f"module {module.name} has no input '{name}'{did_you_mean(name, fields)}")
            _check_input(name, fields[name], value)
        missing = [name for name, field in fields.items() if field.is_required() and name not in values]
        if missing:
            raise make_author_error(f"module {module.name} needs {', '.join(missing)}")
        body: dict[str, Any] = {"source": f"../../modules/{module.name}"}
        if for_each is not None:
            body["for_each"] = to_template(for_each.collection)
        body |= to_json_syntax(values)
        declared: Any = types.ObjectType(
            tuple((name, to_node(out.value).type) for name, out in module.outputs.items()), "output"
        )
        if for_each is not None:
            declared = dict[str, declared]
        self._declare(("module", label), declared)
        self._override(("module", label), body)
        each = for_each and for_each.type
        self.entries.append(ModuleEntry(("module", label), why, body=body, values_json=body, each=each))
        return name_expression(f"module.{label}", declared)

    def adopt(self, address: str, identifier: str, *, why: str = "", for_each: Any = None) -> None:
        """Import an existing object as the resource at `address`, with an `import` block.

        With `for_each`, a set of keys, one object is imported for each key, and `address` has `each.key` in it.
        """
        body: dict[str, Any] = {} if for_each is None else {"for_each": to_json_syntax(for_each)}
        body |= {"to": f"${{{address}}}", "id": identifier}
        self._declare(("import", address, identifier), None)
        self.entries.append(ModuleEntry(("import",), why, body=body, values_json=body.get("for_each")))
        self._imports.append({**body, "to": address})

    def to_json(self) -> dict[str, Any]:
        module_json = super().to_json()
        return {**module_json, "import": self._imports} if self._imports else module_json

    def build_terraform_block(self) -> dict[str, Any]:
        block = super().build_terraform_block()
        return {**block, "backend": {"s3": dict(self.backend)}}

    def render_versions(self) -> str:
        block = self.build_terraform_block()
        backend = hcl.render_block('backend "s3"', block.pop("backend")["s3"])
        shape = hcl.BlockLayout({"required_providers": hcl.BlockLayout()}, order=("required_version",))
        return hcl.render_block("terraform", block, shape).removesuffix("}\n") + "\n" + backend + "}\n"
