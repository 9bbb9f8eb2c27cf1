"""The parameters of a document: what they may be, and what a start gives them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sagemaker_sandbox.automation.content import ContentError

_TYPES = ("String", "StringList", "Boolean", "Integer", "MapList", "StringMap")
_MEMBERS = {
    *("type", "description", "default", "allowedValues", "allowedPattern", "displayType"),
    *("minItems", "maxItems", "minChars", "maxChars"),
}


class ParameterError(ValueError):
    """What a start gives is not what the document wants."""


@dataclass(frozen=True)
class Parameter:
    """One that a document declares."""

    name: str
    type: str
    default: Any = None
    allowed: Sequence[Any] = ()
    pattern: str = ""

    def value(self, given: Sequence[str]) -> Any:
        """What was given, in the parameter's type. Raises ParameterError."""
        if self.type in ("StringList", "MapList"):
            return list(given)
        if len(given) != 1:
            raise ParameterError(f"Parameter {self.name} takes one value, and {len(given)} were given.")
        [text] = given
        value: Any = text
        if self.type == "Boolean":
            if text.lower() not in ("true", "false"):
                raise ParameterError(f"Parameter {self.name} is a Boolean, and {text} is none.")
            value = text.lower() == "true"
        elif self.type == "Integer":
            try:
                value = int(text)
            except ValueError:
                raise ParameterError(f"Parameter {self.name} is an Integer, and {text} is none.") from None
        self._check(text, value)
        return value

    def _check(self, text: str, value: Any) -> None:
        if self.allowed and value not in self.allowed and text not in self.allowed:
            raise ParameterError(f"Parameter {self.name} is none of {', '.join(map(str, self.allowed))}: {text}.")
        if self.pattern and not re.search(self.pattern, text):
            raise ParameterError(f"Parameter {self.name} does not match {self.pattern}: {text}.")


def read(declared: Any) -> dict[str, Parameter]:
    """Those that a document declares. Raises ContentError."""
    if not isinstance(declared, Mapping):
        raise ContentError("parameters must be a map")
    return {str(name): _read(str(name), one) for name, one in declared.items()}


def _read(name: str, one: Any) -> Parameter:
    if not isinstance(one, Mapping) or set(one) - _MEMBERS:
        raise ContentError(f"Parameter {name} may have but {', '.join(sorted(_MEMBERS))}")
    kind = str(one.get("type"))
    if kind not in _TYPES and not re.fullmatch(r"AWS::[\w:]+|List<AWS::[\w:]+>", kind):
        raise ContentError(f"Parameter {name} has no type that there is: {kind}")
    kind = "StringList" if kind.startswith("List<") else "String" if kind.startswith("AWS::") else kind
    return Parameter(name, kind, one.get("default"), one.get("allowedValues") or (), one.get("allowedPattern") or "")


def values(declared: Mapping[str, Parameter], given: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """All parameters of a start. Raises ParameterError."""
    if unknown := sorted(set(given) - set(declared)):
        raise ParameterError(f"The document has no parameter {unknown[0]}.")
    found = {}
    for name, parameter in declared.items():
        if name in given:
            found[name] = parameter.value(given[name])
        elif parameter.default is None:
            raise ParameterError(f"The required parameter {name} was not given.")
        else:
            found[name] = parameter.default
    return found
