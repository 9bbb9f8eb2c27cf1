"""A rule between fields, declared once on the model that holds them and read twice: on values, and as Terraform's own
validation of the variable that the fields are in."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast, get_args, get_origin

from pydantic import BaseModel

from sustainable_mlops.authoring.expressions import types
from sustainable_mlops.authoring.expressions.evaluation import evaluate
from sustainable_mlops.authoring.expressions.expression import Expression, lift, text, tree
from sustainable_mlops.authoring.expressions.functions import binding, comprehension, is_null, join, name_of, when
from sustainable_mlops.authoring.expressions.node import Node
from sustainable_mlops.authoring.expressions.scopes import inputs
from sustainable_mlops.authoring.mistakes import mistake, place
from sustainable_mlops.errors import did_you_mean


@dataclass(frozen=True)
class Rule:
    """What must hold of a model's fields; `message` says what to do, of the field that it is told of."""

    field: str
    holds: Callable[[Any], Any]
    message: str | Callable[[Any], str]
    declared: str

    def condition(self, value: Any) -> Node:
        """The tree of the condition on an expression of the model."""
        node = lift(self.holds(value))
        if types.kind(node.type) not in ("bool", "any") or node.operation == "literal":
            raise mistake(f"the rule on {self.field} gives {text(Expression(node))}, no condition", self.declared)
        return node

    def told(self, value: Any) -> str:
        """The message on an expression of the model: a template."""
        return self.message if isinstance(self.message, str) else self.message(value)


def rule(field: str, holds: Callable[[Any], Any], message: str | Callable[[Any], str]) -> Rule:
    """A rule of a model, for its `rules`: `rule("max", lambda v: v.min <= v.max, "must be at least min")`.

    `holds` gives a condition on the model's fields, in expressions; `message` follows the field's name, and may be a
    function of the same fields.
    """
    return Rule(field, holds, message, place())


def rules_of(model: type[BaseModel]) -> tuple[Rule, ...]:
    """The rules of a model and of those that it inherits from."""
    return tuple(each for cls in reversed(model.__mro__) for each in vars(cls).get("rules", ()))


def check_fields(model: type[BaseModel]) -> None:
    """Raises UserError where a rule is told of a field that the model lacks."""
    for each in rules_of(model):
        if each.field not in model.model_fields:
            said = f"{model.__name__} has no field '{each.field}' for this rule"
            raise mistake(said + did_you_mean(each.field, model.model_fields), each.declared)


@functools.cache
def _traced(model: type[BaseModel]) -> tuple[tuple[str, Node, Node], ...]:
    value = name_of("v", model)
    return tuple((each.field, each.condition(value), lift(each.told(value))) for each in rules_of(model))


def broken(value: BaseModel) -> Iterator[tuple[str, str]]:
    """The rules that a valid instance of its model breaks: (field, message)."""
    names = {"v": value}
    for field, condition, message in _traced(type(value)):
        if not evaluate(condition, names):
            yield field, str(evaluate(message, names))


def validations(name: str, annotation: Any, model: type[BaseModel], var: Any) -> Iterator[tuple[Node, str]]:
    """The validations of one variable by rules: the model's own that are told of it, and those of what it holds."""
    for each in rules_of(model):
        if each.field == name:
            condition = each.condition(var)
            if not _mentions(condition, name):
                said = f"the rule on {name} says nothing of {name}; declare it on a field that it compares"
                raise mistake(said, each.declared)
            yield condition, f"{name}: {each.told(var)}"
    yield from _inside(getattr(var, name), annotation, name, 1)


def _inside(value: Any, annotation: Any, where: str, depth: int) -> Iterator[tuple[Node, str]]:
    """The rules of what an expression holds; `where` is the path to it, a template."""
    optional, inner = types.nullable(annotation), types.bare(annotation)
    for condition, message in _held(value, inner, where, depth):
        if optional:
            condition = tree(is_null(value) | cast(bool, Expression(condition)))
            if lift(message).operation != "literal":  # Terraform makes the message also where the condition holds
                message = f"{when(is_null(value), '', message)}"
        yield condition, message


def _held(value: Any, inner: Any, where: str, depth: int) -> Iterator[tuple[Node, str]]:
    if isinstance(inner, type) and get_origin(inner) is None and issubclass(inner, BaseModel):
        for each in rules_of(inner):
            yield each.condition(value), f"{where}.{each.field}: {each.told(value)}"
        for name, field in inner.model_fields.items():
            yield from _inside(getattr(value, name), field.annotation, f"{where}.{name}", depth)
    elif get_origin(inner) in (dict, list):
        names = [f"{name}{depth if depth > 1 else ''}" for name in ("key", "item")]
        key, item = (name_of(name, kind) for name, kind in zip(names, types.item(inner), strict=True))
        with binding(names):
            held = list(_inside(item, get_args(inner)[-1], f"{where}.{key}", depth + 1))
        for condition, message in held:
            holding = comprehension(names, tree(value), condition, None, None)
            failing = comprehension(names, tree(value), lift(message), None, Node("!", (condition,), bool))
            yield Node("call", ("all", tree(holding)), bool), f"{join('; ', cast(list[str], failing))}"


def tables(model: type[BaseModel]) -> dict[str, Any]:
    """What the validations of a model's variables read as locals, by name."""
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        for condition, message in validations(name, field.annotation, model, inputs(model)):
            found.update(_fixed(condition))
            found.update(_fixed(lift(message)))
    return found


def _fixed(node: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(node, Node) and node.operation == "fixed":
        yield node.arguments[0], node.arguments[1]
    elif isinstance(node, Node | tuple):
        for inner in node.arguments if isinstance(node, Node) else node:
            yield from _fixed(inner)


def _mentions(node: Any, name: str) -> bool:
    if isinstance(node, Node):
        if node.operation == "attribute" and node.arguments[1] == name and node.arguments[0].operation == "name":
            return True
        return any(_mentions(argument, name) for argument in node.arguments)
    return isinstance(node, tuple) and any(_mentions(item, name) for item in node)
