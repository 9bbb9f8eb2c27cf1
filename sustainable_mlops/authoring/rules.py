"""Rules between fields, declared once on a model.

A rule is evaluated on values in Python, and rendered as the validation of a Terraform variable.
"""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast, get_args, get_origin

from pydantic import BaseModel

from sustainable_mlops.authoring.author_errors import find_author_location, make_author_error
from sustainable_mlops.authoring.expressions import types
from sustainable_mlops.authoring.expressions.evaluation import evaluate
from sustainable_mlops.authoring.expressions.expression import Expression, get_node, to_hcl, to_node
from sustainable_mlops.authoring.expressions.functions import (
    bind_names,
    build_comprehension,
    is_null,
    join,
    name_expression,
    try_,
    when,
)
from sustainable_mlops.authoring.expressions.node import ExpressionNode
from sustainable_mlops.authoring.expressions.scopes import input_expressions
from sustainable_mlops.base.errors import did_you_mean


@dataclass(frozen=True)
class InputRule:
    """Condition on the fields of a model. `message` says what to do, and is reported for `field`."""

    field: str
    predicate: Callable[[Any], Any]
    message: str | Callable[[Any], str]
    location: str

    def build_condition(self, value: Any) -> ExpressionNode:
        """Return the condition as a node, for an expression of the model."""
        node = to_node(self.predicate(value))
        if types.find_kind(node.type) not in ("bool", "any") or node.operation == "literal":
            raise make_author_error(
                f"the rule on {self.field} returns {to_hcl(Expression(node))}, not a condition", self.location
            )
        return node

    def build_message(self, value: Any) -> str:
        """Return the message as a template, for an expression of the model."""
        return self.message if isinstance(self.message, str) else self.message(value)


def rule(field: str, predicate: Callable[[Any], Any], message: str | Callable[[Any], str]) -> InputRule:
    """Create a rule for a model's `rules`: `rule("max", lambda v: v.min <= v.max, "must be at least min")`.

    `predicate` returns a condition on the fields, as an expression. `message` is printed after the name of the field;
    it may be a function of the fields.
    """
    return InputRule(field, predicate, message, find_author_location())


def list_rules(model: type[BaseModel]) -> tuple[InputRule, ...]:
    """Return the rules of a model and of its base classes."""
    return tuple(declared_rule for cls in reversed(model.__mro__) for declared_rule in vars(cls).get("rules", ()))


def check_rule_fields(model: type[BaseModel]) -> None:
    """Raise UserError if a rule names a field that the model does not have."""
    for declared_rule in list_rules(model):
        if declared_rule.field not in model.model_fields:
            message = f"{model.__name__} has no field '{declared_rule.field}' for this rule"
            raise make_author_error(
                message + did_you_mean(declared_rule.field, model.model_fields), declared_rule.location
            )


@functools.cache
def _trace_rules(model: type[BaseModel]) -> tuple[tuple[str, ExpressionNode, ExpressionNode], ...]:
    value = name_expression("v", model)
    return tuple(
        (declared_rule.field, declared_rule.build_condition(value), to_node(declared_rule.build_message(value)))
        for declared_rule in list_rules(model)
    )


def find_broken_rules(value: BaseModel) -> Iterator[tuple[str, str]]:
    """Yield field and message of each rule that a valid instance breaks."""
    names = {"v": value}
    for field, condition, message in _trace_rules(type(value)):
        if not evaluate(condition, names):
            yield field, str(evaluate(message, names))


def list_validations(
    name: str, annotation: Any, model: type[BaseModel], var: Any
) -> Iterator[tuple[ExpressionNode, str]]:
    """Yield the validations of one variable: rules of the model on it, and rules of the objects in it."""
    for each in list_rules(model):
        if each.field == name:
            condition = each.build_condition(var)
            if not _mentions(condition, name):
                message = f"the rule on {name} does not use {name}; declare it on a field that it compares"
                raise make_author_error(message, each.location)
            yield condition, f"{name}: {each.build_message(var)}"
    for condition, message in _list_nested_validations(getattr(var, name), annotation, name, 1):
        # A null check of the variable reports a null in an object.
        yield get_node(try_(Expression(condition), True)), message if "${" not in message else f"{try_(message, '')}"


def _list_nested_validations(
    value: Any, annotation: Any, path: str, depth: int
) -> Iterator[tuple[ExpressionNode, str]]:
    """Yield the validations of the objects in an expression; `path` is a template."""
    optional, inner = types.is_nullable(annotation), types.strip_annotation(annotation)
    for condition, message in _list_item_validations(value, inner, path, depth):
        if optional:
            condition = get_node(is_null(value) | cast(bool, Expression(condition)))
            if to_node(message).operation != "literal":  # Terraform evaluates the message even if the condition is true
                message = f"{when(is_null(value), '', message)}"
        yield condition, message


def _list_item_validations(value: Any, inner: Any, path: str, depth: int) -> Iterator[tuple[ExpressionNode, str]]:
    if isinstance(inner, type) and get_origin(inner) is None and issubclass(inner, BaseModel):
        for each in list_rules(inner):
            yield each.build_condition(value), f"{path}.{each.field}: {each.build_message(value)}"
        for name, field in inner.model_fields.items():
            yield from _list_nested_validations(getattr(value, name), field.annotation, f"{path}.{name}", depth)
    elif get_origin(inner) in (dict, list):
        names = [f"{name}{depth if depth > 1 else ''}" for name in ("key", "item")]
        key, item = (name_expression(name, kind) for name, kind in zip(names, types.get_item_types(inner), strict=True))
        with bind_names(names):
            item_validations = list(_list_nested_validations(item, get_args(inner)[-1], f"{path}.{key}", depth + 1))
        for condition, message in item_validations:
            holding = build_comprehension(names, get_node(value), condition, None, None)
            failing = build_comprehension(
                names, get_node(value), to_node(message), None, ExpressionNode("!", (condition,), bool)
            )
            yield ExpressionNode("call", ("all", get_node(holding)), bool), f"{join('; ', cast(list[str], failing))}"


def list_tables(model: type[BaseModel]) -> dict[str, Any]:
    """Return the local tables that the validations of a model read, by name."""
    tables: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        for condition, message in list_validations(name, field.annotation, model, input_expressions(model)):
            tables.update(_find_tables(condition))
            tables.update(_find_tables(to_node(message)))
    return tables


def _find_tables(node: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(node, ExpressionNode) and node.operation == "fixed":
        yield node.arguments[0], node.arguments[1]
    elif isinstance(node, ExpressionNode | tuple):
        for inner in node.arguments if isinstance(node, ExpressionNode) else node:
            yield from _find_tables(inner)


def _mentions(node: Any, name: str) -> bool:
    if isinstance(node, ExpressionNode):
        if node.operation == "attribute" and node.arguments[1] == name and node.arguments[0].operation == "name":
            return True
        return any(_mentions(argument, name) for argument in node.arguments)
    return isinstance(node, tuple) and any(_mentions(item, name) for item in node)
