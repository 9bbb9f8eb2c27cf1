"""The operators of metric math; what they cannot calculate is None."""

import ast
import operator
from collections.abc import Callable, Mapping

Operator = Callable[[float, float], float | None]


def _divided(one: float, other: float) -> float | None:
    return one / other if other else None


def _power(one: float, other: float) -> float | None:
    try:
        found = one**other
    except (OverflowError, ZeroDivisionError):
        return None
    return found if isinstance(found, float) else None  # a root of a negative number is complex


def _told(compare: Callable[[float, float], bool]) -> Operator:
    return lambda one, other: float(compare(one, other))


ARITHMETIC: Mapping[type[ast.operator], Operator] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: _divided,
    ast.Pow: _power,
}
COMPARISONS: Mapping[type[ast.cmpop], Operator] = {
    ast.Eq: _told(operator.eq),
    ast.NotEq: _told(operator.ne),
    ast.Lt: _told(operator.lt),
    ast.LtE: _told(operator.le),
    ast.Gt: _told(operator.gt),
    ast.GtE: _told(operator.ge),
}
LOGICAL: Mapping[type[ast.boolop], Operator] = {
    ast.And: _told(lambda one, other: bool(one and other)),
    ast.Or: _told(lambda one, other: bool(one or other)),
}
