"""A root module: where modules are called, with a backend and a provider."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import TypeAdapter
from pydantic.fields import FieldInfo

from sustainable_mlops.authoring import hcl
from sustainable_mlops.authoring.inputs import ModuleInputs
from sustainable_mlops.authoring.module import Entry, Module, Reference
from sustainable_mlops.terraform import PROVIDER_VERSIONS

R = TypeVar("R", bound=ModuleInputs)

AWS_VERSION = f"{PROVIDER_VERSIONS}, < 7.0.0"  # a root bounds what a module leaves open


def _validate(field: FieldInfo, value: Any) -> None:
    constrained: Any = Annotated[field.annotation, field]
    TypeAdapter(constrained).validate_python(value)


class Root(Module[R]):
    """Base of an environment. Its inputs are what an operator may still give at plan time."""

    #: The S3 backend's arguments.
    backend: Mapping[str, Any] = {}

    def provider(self, body: Mapping[str, Any], notes: Mapping[str, str] | None = None) -> None:
        """Configure the AWS provider."""
        self._override(("provider", "aws"), [dict(body)])
        blocks = {"assume_role": hcl.Shape(), "default_tags": hcl.Shape()}
        self.entries.append(Entry(("provider", "aws"), body=dict(body), blocks=blocks, notes=notes or {}))

    def call(self, module: Module[Any], *, why: str = "", for_each: str = "", **values: Any) -> Reference:
        """Call a synthesized module under its own name.

        Raises TypeError on an argument it does not have or lacks, and pydantic's ValidationError on a literal that
        its declaration refuses.
        """
        fields = module.input_model.model_fields
        for name, value in values.items():
            if name not in fields:
                raise TypeError(f"module {module.name} has no input {name!r}")
            if "${" not in repr(value):
                _validate(fields[name], value)
        missing = [name for name, field in fields.items() if field.is_required() and name not in values]
        if missing:
            raise TypeError(f"module {module.name} needs {', '.join(missing)}")
        body = {"source": f"../../modules/{module.name}"}
        if for_each:
            body["for_each"] = for_each
        body |= values
        self._override(("module", module.name), body)
        self.entries.append(Entry(("module", module.name), why, body=body))
        return Reference(f"module.{module.name}", frozenset(module.outputs))

    def terraform_block(self) -> dict[str, Any]:
        block = super().terraform_block()
        block["required_providers"]["aws"]["version"] = AWS_VERSION
        return {**block, "backend": {"s3": dict(self.backend)}}

    def versions(self) -> str:
        block = self.terraform_block()
        backend = hcl.block('backend "s3"', block.pop("backend")["s3"])
        shape = hcl.Shape({"required_providers": hcl.Shape()}, order=("required_version",))
        return hcl.block("terraform", block, shape).removesuffix("}\n") + "\n" + backend + "}\n"
