"""Type constraints of Terraform inputs: a parser, and a comparison of an old and a new type."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

#: Types whose values Terraform converts to another type.
#: https://developer.hashicorp.com/terraform/language/expressions/types#type-conversion
_CONVERSIONS = {("bool", "string"), ("number", "string"), ("list", "set")}
_NAME = re.compile(r"\w+")
_SPACE = re.compile(r"[\s,]*")
#: A string, a bracket or another character of a default.
_PART = re.compile(r'"(?:\\.|[^"\\])*"|.', re.S)


@dataclass(frozen=True)
class InputType:
    """A type constraint: a primitive, a collection of `element`, or an object with `attributes`."""

    kind: str
    element: "InputType | None" = None
    attributes: Mapping[str, "Attribute"] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.kind}({self.element})" if self.element else self.kind


@dataclass(frozen=True)
class Attribute:
    """An attribute of an object type. `default` is an expression, or None for a required attribute."""

    type: InputType
    default: str | None = None


class _TypeParser:
    """A parser of one type constraint."""

    def __init__(self, text: str) -> None:
        self._text, self._position = text, 0

    def read_type(self) -> InputType:
        kind = self._read(_NAME)
        if not self._skip("("):
            return InputType(kind)
        if kind == "object":
            input_type = InputType(kind, attributes=self._read_attributes())
        elif kind == "tuple":
            input_type = InputType(f"tuple({self._read_expression()})")
        else:
            input_type = InputType(kind, self.read_type())
        self._skip(")")
        return input_type

    def _read_attributes(self) -> dict[str, Attribute]:
        attributes = {}
        self._skip("{")
        while not self._skip("}"):
            name = self._read(_NAME)
            self._skip("=")
            attributes[name] = self._read_attribute()
        return attributes

    def _read_attribute(self) -> Attribute:
        if not self._text.startswith("optional(", self._position):
            return Attribute(self.read_type())
        self._read(_NAME)
        self._skip("(")
        kind, default = self.read_type(), self._read_expression()
        self._skip(")")
        return Attribute(kind, default or "null")

    def _read_expression(self) -> str:
        """Read up to the closing bracket, and return the text with single spaces."""
        start, depth = self._position, 0
        while part := _PART.match(self._text, self._position):
            depth += (part[0] in "([{") - (part[0] in ")]}") if len(part[0]) == 1 else 0
            if depth < 0:
                break
            self._position = part.end()
        return re.sub(r",(?= [\]}])", "", " ".join(self._text[start : self._position].split()))

    def _read(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._position)
        if match is None:
            raise ValueError(f"not a type constraint: {self._text!r} at {self._position}")
        self._position = match.end()
        self._skip_space()
        return match[0]

    def _skip(self, text: str) -> bool:
        is_next = self._text.startswith(text, self._position)
        self._position += len(text) if is_next else 0
        if is_next:
            self._skip_space()
        return is_next

    def _skip_space(self) -> None:
        space = _SPACE.match(self._text, self._position)
        self._position = space.end() if space else self._position


def parse_type(text: str) -> InputType:
    """Parse a type constraint as the modules declare it. Raises ValueError for another text."""
    return _TypeParser(text.strip()).read_type()


def list_type_changes(path: str, before: InputType, after: InputType) -> Iterator[str]:
    """Yield a line for each part of an input that accepts fewer values or has another default."""
    if after.kind == "any" or before == after:
        return
    if before.kind != after.kind and (before.kind, after.kind) not in _CONVERSIONS:
        yield f"{path}: type {after} instead of {before}"
        return
    if before.element and after.element:
        yield from list_type_changes(f"{path}[*]", before.element, after.element)
    for name, attribute in before.attributes.items():
        if name not in after.attributes:
            yield f"{path}.{name}: removed"
        else:
            yield from _list_attribute_changes(f"{path}.{name}", attribute, after.attributes[name])
    for name in after.attributes.keys() - before.attributes.keys():
        if after.attributes[name].default is None:
            yield f"{path}.{name}: new and required"


def _list_attribute_changes(path: str, before: Attribute, after: Attribute) -> Iterator[str]:
    yield from list_type_changes(path, before.type, after.type)
    if before.default is not None and after.default is None:
        yield f"{path}: required"
    elif before.default != after.default and before.default is not None:
        yield f"{path}: default {after.default} instead of {before.default}"
