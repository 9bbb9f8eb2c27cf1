"""Operators of metric math. A result that cannot be calculated is None."""

import ast
import operator
from collections.abc import Callable, Mapping

Operator = Callable[[float, float], float | None]


def _divide(left: float, right: float) -> float | None:
    return left / right if right else None


def _raise_to_power(left: float, right: float) -> float | None:
    try:
        result = left**right
    except (OverflowError, ZeroDivisionError):
        return None
    return result if isinstance(result, float) else None  # a root of a negative number is complex


def _to_number(compare: Callable[[float, float], bool]) -> Operator:
    return lambda left, right: float(compare(left, right))


ARITHMETIC: Mapping[type[ast.operator], Operator] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: _divide,
    ast.Pow: _raise_to_power,
}
COMPARISONS: Mapping[type[ast.cmpop], Operator] = {
    ast.Eq: _to_number(operator.eq),
    ast.NotEq: _to_number(operator.ne),
    ast.Lt: _to_number(operator.lt),
    ast.LtE: _to_number(operator.le),
    ast.Gt: _to_number(operator.gt),
    ast.GtE: _to_number(operator.ge),
}
LOGICAL: Mapping[type[ast.boolop], Operator] = {
    ast.And: _to_number(lambda left, right: bool(left and right)),
    ast.Or: _to_number(lambda left, right: bool(left or right)),
}
