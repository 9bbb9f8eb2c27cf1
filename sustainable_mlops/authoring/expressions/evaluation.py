"""Evaluation of expressions on values, with the results that Terraform would compute."""

import operator
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from sustainable_mlops.authoring.expressions.expression import to_node
from sustainable_mlops.authoring.expressions.function_table import FUNCTIONS, list_items, require_number
from sustainable_mlops.authoring.expressions.node import ExpressionNode


def evaluate(node: ExpressionNode, names: Mapping[str, Any]) -> Any:
    """Return the value of an expression for `names`. Raises ValueError where Terraform would fail."""
    return _EVALUATORS[node.operation](node, names)


def fold_constants(value: Any) -> Any:
    """Replace the expressions in a value that refer to nothing by their results; leave the others to Terraform."""
    if isinstance(value, Mapping):
        return {name: fold_constants(item) for name, item in value.items()}
    if isinstance(value, list):
        return [fold_constants(item) for item in value]
    try:
        return evaluate(to_node(value), {})
    except (KeyError, ValueError):  # it refers to a name, or only Terraform can evaluate it
        return value


def _name(node: ExpressionNode, names: Mapping[str, Any]) -> Any:
    return names[node.arguments[0]]


def _evaluate_attribute(node: ExpressionNode, names: Mapping[str, Any]) -> Any:
    target, name = evaluate(node.arguments[0], names), node.arguments[1]  # a model already has its defaults
    if target is None:
        raise ValueError(f"null has no attribute {name}")
    if isinstance(target, Mapping) and name in target:
        return target[name]
    if not hasattr(target, "model_fields_set"):
        raise ValueError(f"no attribute {name}")
    return getattr(target, name)


def _index(node: ExpressionNode, names: Mapping[str, Any]) -> Any:
    target, key = (evaluate(argument, names) for argument in node.arguments)
    if isinstance(target, Mapping | list | tuple):
        try:
            return target[key]
        except (KeyError, IndexError):
            raise ValueError(f"no item {key!r}") from None
    return getattr(target, key)


def _list(node: ExpressionNode, names: Mapping[str, Any]) -> Any:
    return [evaluate(item, names) for item in node.arguments]


def _evaluate_object(node: ExpressionNode, names: Mapping[str, Any]) -> Any:
    return {
        _render_text(evaluate(name, names)) if isinstance(name, ExpressionNode) else name: evaluate(value, names)
        for name, value in node.arguments
    }


def _evaluate_template(node: ExpressionNode, names: Mapping[str, Any]) -> str:
    parts = (part if isinstance(part, str) else _render_text(evaluate(part, names)) for part in node.arguments)
    return "".join(parts)


def _render_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{Decimal(repr(value)).normalize():f}"
    if isinstance(value, str | int):
        return str(value)
    raise ValueError(f"{value!r} is not a text")


def _evaluate_equality(node: ExpressionNode, names: Mapping[str, Any]) -> bool:
    left, right = (evaluate(argument, names) for argument in node.arguments)
    # In Python, True == 1. In Terraform they have different types and are not equal.
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def _make_arithmetic(operation: Callable[[Any, Any], Any]) -> Callable[[ExpressionNode, Mapping[str, Any]], Any]:
    def evaluate_node(node: ExpressionNode, names: Mapping[str, Any]) -> Any:
        left, right = (require_number(evaluate(argument, names)) for argument in node.arguments)
        value = operation(left, right)
        return _to_float(value)

    return evaluate_node


def _to_float(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value


def _divide(left: Any, right: Any) -> Decimal:
    if right == 0:
        raise ValueError("division by 0")
    return Decimal(left) / Decimal(right)


def _evaluate_condition(node: ExpressionNode, names: Mapping[str, Any]) -> bool:
    value = evaluate(node, names)
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is not a condition")
    return value


def _evaluate_for(node: ExpressionNode, names: Mapping[str, Any]) -> Any:
    bound, collection, key, value, where = node.arguments
    scopes = [
        {**names, **dict(zip(bound, pair[-len(bound) :], strict=True))}
        for pair in list_items(evaluate(collection, names))
    ]
    selected = [each for each in scopes if where is None or _evaluate_condition(where, each)]
    if key is None:
        return [evaluate(value, each) for each in selected]
    return {_render_text(evaluate(key, each)): evaluate(value, each) for each in selected}


def _evaluate_call(node: ExpressionNode, names: Mapping[str, Any]) -> Any:
    name, *arguments = node.arguments
    if name == "can":
        return _can_evaluate(arguments[0], names)
    if name == "try":
        return evaluate(arguments[0 if _can_evaluate(arguments[0], names) else 1], names)
    values = [evaluate(argument, names) for argument in arguments]
    try:
        return _to_float(FUNCTIONS[name].python(*values))
    except (TypeError, AttributeError) as error:
        raise ValueError(f"{name}: {error}") from None


def _can_evaluate(node: ExpressionNode, names: Mapping[str, Any]) -> bool:
    try:
        evaluate(node, names)
    except ValueError:
        return False
    return True


def _refuse_raw(node: ExpressionNode, _: Mapping[str, Any]) -> Any:
    raise ValueError(
        f"'${{{node.arguments[0]}}}' is text that only Terraform evaluates; write the expression in Python"
    )


_EVALUATORS: dict[str, Callable[[ExpressionNode, Mapping[str, Any]], Any]] = {
    "literal": lambda node, _: node.arguments[0],
    "fixed": lambda node, _: node.arguments[1],
    "raw": _refuse_raw,
    "name": _name,
    "attribute": _evaluate_attribute,
    "number": _evaluate_attribute,
    "index": _index,
    "list": _list,
    "object": _evaluate_object,
    "template": _evaluate_template,
    "==": _evaluate_equality,
    "!=": lambda node, names: not _evaluate_equality(node, names),
    "<": _make_arithmetic(operator.lt),
    "<=": _make_arithmetic(operator.le),
    ">": _make_arithmetic(operator.gt),
    ">=": _make_arithmetic(operator.ge),
    "+": _make_arithmetic(operator.add),
    "-": _make_arithmetic(operator.sub),
    "*": _make_arithmetic(operator.mul),
    "/": _make_arithmetic(_divide),
    "!": lambda node, names: not _evaluate_condition(node.arguments[0], names),
    "&": lambda node, names: all(_evaluate_condition(argument, names) for argument in node.arguments),
    "|": lambda node, names: any(_evaluate_condition(argument, names) for argument in node.arguments),
    "if": lambda node, names: evaluate(
        node.arguments[1 if _evaluate_condition(node.arguments[0], names) else 2], names
    ),
    "for": _evaluate_for,
    "call": _evaluate_call,
}
