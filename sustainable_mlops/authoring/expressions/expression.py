"""The value that authors write an expression with.

`Expression` wraps a tree: its operators build trees, its attributes are those that its type declares, and what Python
would decide on the spot (`if`, `in`, `len`) is refused with what to write instead.
"""

import re
from collections.abc import Mapping
from typing import Any, NoReturn, cast

from pydantic import BaseModel

from sustainable_mlops.authoring import hcl
from sustainable_mlops.authoring.expressions import types
from sustainable_mlops.authoring.expressions.node import Node
from sustainable_mlops.authoring.expressions.rendering import render
from sustainable_mlops.authoring.mistakes import mistake
from sustainable_mlops.errors import did_you_mean

#: Python's formats of a number that Terraform's are the same as.
_DECIMALS = re.compile(r"\.\d+f")
#: Trees by the text that f-strings have made of them: a template is cut into the trees that it was made from.
_written: dict[str, Node] = {}


class Expression:
    """A Terraform expression as a Python value. Authors' code and mypy see it as the type that is declared."""

    __slots__ = ("_node",)

    def __init__(self, node: Node) -> None:
        object.__setattr__(self, "_node", node)

    # What a type declares.

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        node: Node = self._node
        known = types.members(node.type)
        if known is not None and name not in known:
            raise mistake(_no_attribute(node, name, known))
        declared = Any if known is None else known[name]
        if defaults := types.defaults(node.type):
            return Expression(Node("number", (node, name, defaults[name]), declared))
        return Expression(Node("attribute", (node, name), declared))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise mistake(f"{text(self)} is an expression, which nothing can be set in ({name})")

    def __getitem__(self, key: Any) -> Any:
        node: Node = self._node
        if isinstance(key, slice):
            raise mistake(f"{text(self)} is known only to Terraform: cut text by cut(text, length)")
        if isinstance(key, int) and key < 0:
            raise mistake(f"{text(self)}[{key}]: Terraform counts items from the first alone")
        if types.kind(node.type) in ("text", "number", "bool"):
            raise mistake(f"{text(self)} is a {types.kind(node.type)}; it has no items")
        fields = types.members(node.type)
        if fields and isinstance(key, str) and "${" not in key:
            return getattr(self, key)
        return Expression(Node("index", (node, lift(key)), types.item(node.type)[1]))

    # Operators.

    def __eq__(self, other: object) -> Any:
        return _equality("==", self, other)

    def __ne__(self, other: object) -> Any:
        return _equality("!=", self, other)

    def __lt__(self, other: object) -> Any:
        return _ordering("<", self, other)

    def __le__(self, other: object) -> Any:
        return _ordering("<=", self, other)

    def __gt__(self, other: object) -> Any:
        return _ordering(">", self, other)

    def __ge__(self, other: object) -> Any:
        return _ordering(">=", self, other)

    def __and__(self, other: object) -> Any:
        return _logic("&", self, other)

    def __rand__(self, other: object) -> Any:
        return _logic("&", other, self)

    def __or__(self, other: object) -> Any:
        return _logic("|", self, other)

    def __ror__(self, other: object) -> Any:
        return _logic("|", other, self)

    def __invert__(self) -> Any:
        node = condition(self)
        opposite = {"==": "!=", "!=": "=="}.get(node.operation)
        return Expression(Node(opposite, node.arguments, bool) if opposite else Node("!", (node,), bool))

    def __add__(self, other: object) -> Any:
        return _sum(self, other)

    def __radd__(self, other: object) -> Any:
        return _sum(other, self)

    def __sub__(self, other: object) -> Any:
        return _arithmetic("-", self, other)

    def __rsub__(self, other: object) -> Any:
        return _arithmetic("-", other, self)

    def __mul__(self, other: object) -> Any:
        return _arithmetic("*", self, other)

    def __rmul__(self, other: object) -> Any:
        return _arithmetic("*", other, self)

    def __truediv__(self, other: object) -> Any:
        return _arithmetic("/", self, other)

    def __rtruediv__(self, other: object) -> Any:
        return _arithmetic("/", other, self)

    # What Python would decide on the spot.

    def __bool__(self) -> bool:
        raise mistake(
            f"{text(self)} is known only to Terraform, so Python cannot decide by it: write when(condition, one, "
            "other) for if, & | ~ for and, or, not, (a < b) & (b < c) for a < b < c, contains(items, item) for in"
        )

    def __len__(self) -> int:
        raise mistake(f"{text(self)} is known only to Terraform: write length({text(self)}) for len()")

    def __iter__(self) -> NoReturn:
        raise mistake(
            f"{text(self)} is known only to Terraform, so Python cannot go through it: write "
            "list_of(items, lambda item: …), map_of(…), every(…), or for_each=each_of(items)"
        )

    def __contains__(self, item: object) -> bool:
        items = f"keys({text(self)})" if types.kind(self._node.type) == "map" else text(self)
        raise mistake(f"{text(self)} is known only to Terraform: write contains({items}, {text(item)}) for in")

    def __int__(self) -> int:
        raise mistake(f"{text(self)} is known only to Terraform: leave int() out, Terraform converts numbers itself")

    __index__ = __int__

    def __float__(self) -> float:
        raise mistake(f"{text(self)} is known only to Terraform: leave float() out, Terraform converts numbers itself")

    def __hash__(self) -> int:
        raise mistake(f"{text(self)} is known only to Terraform: for a table[key] write get(table, key, default)")

    # Text.

    def __format__(self, spec: str) -> str:
        if not spec:
            return str(self)
        if not _DECIMALS.fullmatch(spec):
            raise mistake(
                f"{text(self)} is known only to Terraform, which has of Python's formats those such as ':.2f': leave "
                f"':{spec}' out of the braces"
            )
        (value,) = _numbers("formats", self)
        return str(Expression(Node("call", ("format", lift(f"%{spec}"), value), str)))

    def __str__(self) -> str:
        written = text(self)
        _written[written] = self._node
        return f"${{{written}}}"

    #: Also what a list of them writes into an f-string, and `!r`.
    __repr__ = __str__

    def __copy__(self) -> "Expression":
        return self

    def __deepcopy__(self, memo: object) -> "Expression":
        return self


def tree(expression: object) -> Node:
    """The tree of an expression."""
    return cast(Node, cast(Expression, expression)._node)


def text(value: object) -> str:
    """`value` as HCL, in one line."""
    return render(lift(value), wide=False)


def lift(value: Any) -> Node:
    """Any value as a tree: expressions, texts that hold some, and lists and mappings of both."""
    if isinstance(value, Expression):
        return tree(value)
    if isinstance(value, str):
        return _lift_text(value)
    if value is None or isinstance(value, bool | int | float):
        return Node("literal", (value,), type(value))
    if isinstance(value, BaseModel):
        return lift(dict(value))
    if isinstance(value, Mapping):
        pairs = tuple((_lift_text(name) if "${" in name else name, lift(item)) for name, item in value.items())
        fields = tuple((name, item.type) for name, item in pairs if isinstance(name, str))
        return Node("object", pairs, types.Object(fields) if len(fields) == len(pairs) else Any)
    if isinstance(value, list | tuple | set | frozenset):
        items = tuple(lift(item) for item in (sorted(value) if isinstance(value, set | frozenset) else value))
        return Node("list", items, list[types.common(item.type for item in items)])  # type: ignore[misc]
    raise mistake(f"{value!r} is nothing that Terraform can hold")


def _lift_text(value: str) -> Node:
    try:
        parts = list(hcl.template_parts(value))
    except ValueError as error:
        raise mistake(str(error)) from None
    nodes = tuple(_written.get(part) or Node("raw", (part,)) if inside else part for inside, part in parts)
    if len(nodes) == 1:
        return nodes[0] if isinstance(nodes[0], Node) else Node("literal", (nodes[0],), str)
    return Node("template", nodes, str)


def _no_attribute(node: Node, name: str, known: Mapping[str, Any]) -> str:
    written = text(Expression(node))
    declared = types.bare(node.type)
    if known:
        what = "input" if written == "var" else getattr(declared, "what", "attribute")
        return f"{written} has no {what} '{name}'{did_you_mean(name, known)}"
    if types.kind(declared) in ("map", "list"):
        return (
            f"{written} holds many, so it has no '{name}': name one, {written}[key], or all, "
            "list_of(…, lambda item: …) and map_of(…, lambda key, item: …)"
        )
    return f"{written} is a {types.kind(declared)}; it has no attribute '{name}'"


def _equality(operation: str, left: object, right: object) -> Expression:
    nodes = lift(left), lift(right)
    if any(types.kind(node.type) in ("list", "map") for node in nodes) and not any(_is_null(node) for node in nodes):
        raise mistake(
            f"{text(left)} {operation} {text(right)}: Terraform calls two lists or maps different when only "
            "their types are; compare length(…), or each item by every(…)"
        )
    kinds = {types.kind(node.type) for node in nodes} - {"any", "null"}
    if len(kinds) == 2:
        raise mistake(f"{text(left)} {operation} {text(right)} compares {' with '.join(sorted(kinds))}, never equal")
    return Expression(Node(operation, nodes, bool))


def _is_null(node: Node) -> bool:
    return node.operation == "literal" and node.arguments[0] is None


def _ordering(operation: str, left: object, right: object) -> Expression:
    return Expression(Node(operation, _numbers("orders", left, right), bool))


def _arithmetic(operation: str, left: object, right: object) -> Expression:
    return Expression(Node(operation, _numbers("subtracts, multiplies and divides", left, right), float))


def _numbers(does: str, *values: object) -> tuple[Node, ...]:
    nodes = tuple(map(lift, values))
    for node in nodes:
        if types.kind(node.type) not in ("number", "any"):
            written = text(Expression(node))
            raise mistake(f"{written} is a {types.kind(node.type)}; Terraform {does} numbers only")
    return nodes


def _logic(operation: str, left: object, right: object) -> Expression:
    return Expression(Node(operation, (condition(left), condition(right)), bool))


def condition(value: object) -> Node:
    """The tree of a condition. Raises UserError where it is none, or where Python has decided it already."""
    node = lift(value)
    if node.operation == "literal" and isinstance(value, bool):
        raise mistake(
            f"this condition is {value} already, whatever Terraform is given; compare expressions, not f-strings, "
            "which are text to Python"
        )
    if types.kind(node.type) not in ("bool", "any"):
        raise mistake(
            f"{text(value)} is a {types.kind(node.type)}, no condition; put each comparison in parentheses: "
            "(a > 1) & (b > 1), since & and | bind tighter than > and =="
        )
    return node


def _sum(left: object, right: object) -> Expression:
    nodes = lift(left), lift(right)
    kinds = {types.kind(node.type) for node in nodes} - {"any"}
    if kinds == {"text"}:
        return Expression(lift("".join(part if isinstance(part, str) else str(part) for part in (left, right))))
    if kinds == {"list"}:
        return Expression(Node("call", ("concat", *nodes), nodes[0].type))
    if kinds in ({"number"}, set()):
        return Expression(Node("+", nodes, types.common(node.type for node in nodes)))
    raise mistake(f"{text(left)} + {text(right)} adds {' and '.join(sorted(kinds))}; for text write an f-string")
