"""Class `Expression`, a Terraform expression as a Python value.

An expression wraps a tree of nodes. Operators build new trees, and attributes follow the declared type. Operations that
Python would have to decide immediately (`if`, `in`, `len`) raise an error that names the replacement.
"""

import re
from collections.abc import Mapping
from typing import Any, NoReturn, cast

from pydantic import BaseModel

from sustainable_mlops.authoring import hcl
from sustainable_mlops.authoring.author_errors import make_author_error
from sustainable_mlops.authoring.expressions import types
from sustainable_mlops.authoring.expressions.node import ExpressionNode
from sustainable_mlops.authoring.expressions.rendering import render
from sustainable_mlops.base.errors import did_you_mean

#: Number formats of Python that Terraform has too.
_DECIMALS = re.compile(r"\.\d+f")
#: Nodes by the text that f-strings rendered for them. A template is split into the nodes that it came from.
_nodes_by_text: dict[str, ExpressionNode] = {}


class Expression:
    """Terraform expression as a Python value. Authors and mypy see it as the declared type."""

    __slots__ = ("_node",)

    def __init__(self, node: ExpressionNode) -> None:
        object.__setattr__(self, "_node", node)

    # Attributes and items of the declared type.

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        node: ExpressionNode = self._node
        known = types.list_members(node.type)
        if known is not None and name not in known:
            raise make_author_error(_describe_missing_attribute(node, name, known))
        declared = Any if known is None else known[name]
        if defaults := types.get_number_defaults(node.type):
            return Expression(ExpressionNode("number", (node, name, defaults[name]), declared))
        return Expression(ExpressionNode("attribute", (node, name), declared))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise make_author_error(f"{to_hcl(self)} is an expression; its attribute {name} cannot be set")

    def __getitem__(self, key: Any) -> Any:
        node: ExpressionNode = self._node
        if isinstance(key, slice):
            raise make_author_error(
                f"{to_hcl(self)} is known only to Terraform: write truncate(text, length) for text[:length]"
            )
        if isinstance(key, int) and key < 0:
            raise make_author_error(f"{to_hcl(self)}[{key}]: Terraform has no negative indices")
        if types.find_kind(node.type) in ("text", "number", "bool"):
            raise make_author_error(f"{to_hcl(self)} is a {types.find_kind(node.type)}; it has no items")
        fields = types.list_members(node.type)
        if fields and isinstance(key, str) and "${" not in key:
            return getattr(self, key)
        index = to_node(key)
        if fields and (missing := [choice for choice in types.list_choices(index.type) if choice not in fields]):
            raise make_author_error(
                f"{to_hcl(self)} has no key '{missing[0]}', which is a possible value of {to_hcl(key)}; add the key, "
                "or write get(map, key, default)"
            )
        return Expression(ExpressionNode("index", (node, index), types.get_item_types(node.type)[1]))

    # Operators.

    def __eq__(self, other: object) -> Any:
        return _build_equality("==", self, other)

    def __ne__(self, other: object) -> Any:
        return _build_equality("!=", self, other)

    def __lt__(self, other: object) -> Any:
        return _build_ordering("<", self, other)

    def __le__(self, other: object) -> Any:
        return _build_ordering("<=", self, other)

    def __gt__(self, other: object) -> Any:
        return _build_ordering(">", self, other)

    def __ge__(self, other: object) -> Any:
        return _build_ordering(">=", self, other)

    def __and__(self, other: object) -> Any:
        return _build_logic("&", self, other)

    def __rand__(self, other: object) -> Any:
        return _build_logic("&", other, self)

    def __or__(self, other: object) -> Any:
        return _build_logic("|", self, other)

    def __ror__(self, other: object) -> Any:
        return _build_logic("|", other, self)

    def __invert__(self) -> Any:
        node = to_condition(self)
        opposite = {"==": "!=", "!=": "=="}.get(node.operation)
        return Expression(
            ExpressionNode(opposite, node.arguments, bool) if opposite else ExpressionNode("!", (node,), bool)
        )

    def __add__(self, other: object) -> Any:
        return _add(self, other)

    def __radd__(self, other: object) -> Any:
        return _add(other, self)

    def __sub__(self, other: object) -> Any:
        return _build_arithmetic("-", self, other)

    def __rsub__(self, other: object) -> Any:
        return _build_arithmetic("-", other, self)

    def __mul__(self, other: object) -> Any:
        return _build_arithmetic("*", self, other)

    def __rmul__(self, other: object) -> Any:
        return _build_arithmetic("*", other, self)

    def __truediv__(self, other: object) -> Any:
        return _build_arithmetic("/", self, other)

    def __rtruediv__(self, other: object) -> Any:
        return _build_arithmetic("/", other, self)

    # Operations that Python would decide immediately.

    def __bool__(self) -> bool:
        raise make_author_error(
            f"{to_hcl(self)} is known only to Terraform, so Python cannot test it: write when(condition, one, other) "
            "for if, & | ~ for and, or, not, (a < b) & (b < c) for a < b < c, contains(items, item) for in"
        )

    def __len__(self) -> int:
        raise make_author_error(f"{to_hcl(self)} is known only to Terraform: write length({to_hcl(self)}) for len()")

    def __iter__(self) -> NoReturn:
        raise make_author_error(
            f"{to_hcl(self)} is known only to Terraform, so Python cannot iterate over it: write "
            "list_of(items, lambda item: …), map_of(…), every(…), or for_each=each_of(items)"
        )

    def __contains__(self, item: object) -> bool:
        items = f"keys({to_hcl(self)})" if types.find_kind(self._node.type) == "map" else to_hcl(self)
        raise make_author_error(
            f"{to_hcl(self)} is known only to Terraform: write contains({items}, {to_hcl(item)}) for in"
        )

    def __int__(self) -> int:
        raise make_author_error(
            f"{to_hcl(self)} is known only to Terraform: remove int(), Terraform converts numbers itself"
        )

    __index__ = __int__

    def __float__(self) -> float:
        raise make_author_error(
            f"{to_hcl(self)} is known only to Terraform: remove float(), Terraform converts numbers itself"
        )

    def __hash__(self) -> int:
        raise make_author_error(
            f"{to_hcl(self)} is known only to Terraform: for a table[key] write get(table, key, default)"
        )

    # Text.

    def __format__(self, spec: str) -> str:
        if not spec:
            return str(self)
        if not _DECIMALS.fullmatch(spec):
            raise make_author_error(
                f"{to_hcl(self)} is known only to Terraform, which supports only formats such as ':.2f': remove "
                f"':{spec}' from the braces"
            )
        (value,) = _require_numbers("formats", self)
        return str(Expression(ExpressionNode("call", ("format", to_node(f"%{spec}"), value), str)))

    def __str__(self) -> str:
        hcl_text = to_hcl(self)
        _nodes_by_text[hcl_text] = self._node
        return f"${{{hcl_text}}}"

    #: Used by lists of expressions in f-strings, and by `!r`.
    __repr__ = __str__

    def __copy__(self) -> "Expression":
        return self

    def __deepcopy__(self, memo: object) -> "Expression":
        return self


def get_node(expression: object) -> ExpressionNode:
    """Return the node of an expression."""
    return cast(ExpressionNode, cast(Expression, expression)._node)


def to_hcl(value: object) -> str:
    """Return `value` as HCL on one line."""
    return render(to_node(value), wide=False)


def to_node(value: Any) -> ExpressionNode:
    """Convert a value to a node: expressions, text with expressions in it, lists and mappings."""
    if isinstance(value, Expression):
        return get_node(value)
    if isinstance(value, str):
        return _convert_text(value)
    if value is None or isinstance(value, bool | int | float):
        return ExpressionNode("literal", (value,), type(value))
    if isinstance(value, BaseModel):
        return to_node(dict(value))
    if isinstance(value, Mapping):
        pairs = tuple((_convert_text(name) if "${" in name else name, to_node(item)) for name, item in value.items())
        fields = tuple((name, item.type) for name, item in pairs if isinstance(name, str))
        return ExpressionNode("object", pairs, types.ObjectType(fields) if len(fields) == len(pairs) else Any)
    if isinstance(value, list | tuple | set | frozenset):
        items = tuple(to_node(item) for item in (sorted(value) if isinstance(value, set | frozenset) else value))
        return ExpressionNode("list", items, list[types.find_common_item_type(item.type for item in items)])  # type: ignore[misc]
    raise make_author_error(f"{value!r} has no equivalent in Terraform")


def _convert_text(value: str) -> ExpressionNode:
    try:
        parts = list(hcl.split_template(value))
    except ValueError as error:
        raise make_author_error(str(error)) from None
    nodes = tuple(
        _nodes_by_text.get(part) or ExpressionNode("raw", (part,)) if inside else part for inside, part in parts
    )
    if len(nodes) == 1:
        return nodes[0] if isinstance(nodes[0], ExpressionNode) else ExpressionNode("literal", (nodes[0],), str)
    return ExpressionNode("template", nodes, str)


def _describe_missing_attribute(node: ExpressionNode, name: str, known: Mapping[str, Any]) -> str:
    address = to_hcl(Expression(node))
    declared = types.strip_annotation(node.type)
    if known:
        label = "input" if address == "var" else getattr(declared, "noun", "attribute")
        return f"{address} has no {label} '{name}'{did_you_mean(name, known)}"
    if types.find_kind(declared) in ("map", "list"):
        return (
            f"{address} is a collection without '{name}': select one item by {address}[key], or all items by "
            "list_of(…, lambda item: …) or map_of(…, lambda key, item: …)"
        )
    return f"{address} is a {types.find_kind(declared)}; it has no attribute '{name}'"


def _build_equality(operation: str, left: object, right: object) -> Expression:
    nodes = to_node(left), to_node(right)
    if any(types.find_kind(node.type) in ("list", "map") for node in nodes) and not any(
        _is_null(node) for node in nodes
    ):
        raise make_author_error(
            f"{to_hcl(left)} {operation} {to_hcl(right)}: Terraform never treats lists or maps of different types as "
            "equal; compare length(…), or each item by every(…)"
        )
    kinds = {types.find_kind(node.type) for node in nodes} - {"any", "null"}
    if len(kinds) == 2:
        raise make_author_error(
            f"{to_hcl(left)} {operation} {to_hcl(right)} compares {' with '.join(sorted(kinds))}; they are never equal"
        )
    return Expression(ExpressionNode(operation, nodes, bool))


def _is_null(node: ExpressionNode) -> bool:
    return node.operation == "literal" and node.arguments[0] is None


def _build_ordering(operation: str, left: object, right: object) -> Expression:
    return Expression(ExpressionNode(operation, _require_numbers("orders", left, right), bool))


def _build_arithmetic(operation: str, left: object, right: object) -> Expression:
    return Expression(
        ExpressionNode(operation, _require_numbers("subtracts, multiplies and divides", left, right), float)
    )


def _require_numbers(operation: str, *values: object) -> tuple[ExpressionNode, ...]:
    nodes = tuple(map(to_node, values))
    for node in nodes:
        if types.find_kind(node.type) not in ("number", "any"):
            address = to_hcl(Expression(node))
            raise make_author_error(f"{address} is a {types.find_kind(node.type)}; Terraform {operation} numbers only")
    return nodes


def _build_logic(operation: str, left: object, right: object) -> Expression:
    return Expression(ExpressionNode(operation, (to_condition(left), to_condition(right)), bool))


def to_condition(value: object) -> ExpressionNode:
    """Return the node of a condition. Raises UserError if it is not one, or if Python evaluated it already."""
    node = to_node(value)
    if node.operation == "literal" and isinstance(value, bool):
        raise make_author_error(
            f"Python evaluated this condition to {value}; compare expressions, not f-strings, which are plain text in "
            "Python"
        )
    if types.find_kind(node.type) not in ("bool", "any"):
        raise make_author_error(
            f"{to_hcl(value)} is a {types.find_kind(node.type)}, not a condition; put each comparison in parentheses: "
            "(a > 1) & (b > 1), since & and | bind tighter than > and =="
        )
    return node


def _add(left: object, right: object) -> Expression:
    nodes = to_node(left), to_node(right)
    kinds = {types.find_kind(node.type) for node in nodes} - {"any"}
    if kinds == {"text"}:
        return Expression(to_node("".join(part if isinstance(part, str) else str(part) for part in (left, right))))
    if kinds == {"list"}:
        return Expression(ExpressionNode("call", ("concat", *nodes), nodes[0].type))
    if kinds in ({"number"}, set()):
        return Expression(ExpressionNode("+", nodes, types.find_common_type(node.type for node in nodes)))
    raise make_author_error(
        f"{to_hcl(left)} + {to_hcl(right)} adds {' and '.join(sorted(kinds))}; for text write an f-string"
    )
