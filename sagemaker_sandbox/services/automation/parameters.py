"""Parameters of a document: their declarations and their values in an execution."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sagemaker_sandbox.services.automation.references import ContentError

_TYPES = ("String", "StringList", "Boolean", "Integer", "MapList", "StringMap")
_MEMBERS = {
    *("type", "description", "default", "allowedValues", "allowedPattern", "displayType"),
    *("minItems", "maxItems", "minChars", "maxChars"),
}


class ParameterError(ValueError):
    """A value that does not match the declaration of its parameter."""


@dataclass(frozen=True)
class DocumentParameter:
    """A declared parameter of a document."""

    name: str
    type: str
    default: Any = None
    allowed: Sequence[Any] = ()
    pattern: str = ""

    def convert(self, texts: Sequence[str]) -> Any:
        """Return the value in the type of the parameter. Raises ParameterError."""
        if self.type in ("StringList", "MapList"):
            return list(texts)
        if len(texts) != 1:
            raise ParameterError(f"Parameter {self.name} takes one value, not {len(texts)}.")
        [text] = texts
        value: Any = text
        if self.type == "Boolean":
            if text.lower() not in ("true", "false"):
                raise ParameterError(f"Parameter {self.name} is a Boolean, and {text} is not.")
            value = text.lower() == "true"
        elif self.type == "Integer":
            try:
                value = int(text)
            except ValueError:
                raise ParameterError(f"Parameter {self.name} is an Integer, and {text} is not.") from None
        self._check(text, value)
        return value

    def _check(self, text: str, value: Any) -> None:
        if self.allowed and value not in self.allowed and text not in self.allowed:
            raise ParameterError(
                f"Parameter {self.name} must be one of {', '.join(map(str, self.allowed))}, not {text}."
            )
        if self.pattern and not re.search(self.pattern, text):
            raise ParameterError(f"Parameter {self.name} does not match {self.pattern}: {text}.")


def parse_parameters(declared: Any) -> dict[str, DocumentParameter]:
    """Return the parameters of a document. Raises ContentError."""
    if not isinstance(declared, Mapping):
        raise ContentError("parameters must be a map")
    return {str(name): _parse(str(name), declaration) for name, declaration in declared.items()}


def _parse(name: str, declaration: Any) -> DocumentParameter:
    if not isinstance(declaration, Mapping) or set(declaration) - _MEMBERS:
        raise ContentError(f"Parameter {name} can have only {', '.join(sorted(_MEMBERS))}")
    kind = str(declaration.get("type"))
    if kind not in _TYPES and not re.fullmatch(r"AWS::[\w:]+|List<AWS::[\w:]+>", kind):
        raise ContentError(f"Parameter {name} has an unknown type: {kind}")
    kind = "StringList" if kind.startswith("List<") else "String" if kind.startswith("AWS::") else kind
    return DocumentParameter(
        name,
        kind,
        declaration.get("default"),
        declaration.get("allowedValues") or (),
        declaration.get("allowedPattern") or "",
    )


def convert_values(declared: Mapping[str, DocumentParameter], texts: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return the values of all parameters, with their defaults. Raises ParameterError."""
    if unknown := sorted(set(texts) - set(declared)):
        raise ParameterError(f"The document has no parameter {unknown[0]}.")
    values = {}
    for name, parameter in declared.items():
        if name in texts:
            values[name] = parameter.convert(texts[name])
        elif parameter.default is None:
            raise ParameterError(f"The required parameter {name} is missing.")
        else:
            values[name] = parameter.default
    return values
