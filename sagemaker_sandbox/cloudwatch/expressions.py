"""Metric math expressions. Source: CloudWatch user guide, "Using math expressions with CloudWatch metrics"."""

import ast
import math
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise
from typing import Any

from sagemaker_sandbox.cloudwatch import operators

#: Values by the beginning of their period, in seconds since the epoch.
Line = dict[int, float]
Value = float | Line | list[Line]

#: Functions that the sandbox does not emulate: expected values, Contributor Insights, quotas, queries.
_NOT_EMULATED = (
    "ANOMALY_DETECTION_BAND",
    "DB_PERF_INSIGHTS",
    "INSIGHT_RULE_METRIC",
    "LAMBDA",
    "SEARCH",
    "SERVICE_QUOTA",
)
_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"[^"]*"|'[^']*')|(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|(?P<name>[A-Za-z]\w*)"""
    r"""|(?P<sign>&&|\|\||==|!=|<=|>=|[-+*/^<>()\[\],]))"""
)
_PYTHON = {"&&": " and ", "||": " or ", "AND": " and ", "OR": " or ", "^": "**"}


class ExpressionError(Exception):
    """An expression that cannot be evaluated. The message is the reason."""


@dataclass
class Scope:
    """The names in an expression: the time series of metrics and the other expressions, by id."""

    times: Sequence[int]
    period: int
    metrics: Mapping[str, Line]
    expressions: Mapping[str, str] = field(default_factory=dict)
    _values: dict[str, Value] = field(default_factory=dict)
    _in_evaluation: set[str] = field(default_factory=set)

    def value(self, name: str) -> Value:
        """Return the value of an id. Raises ExpressionError."""
        if name in self.metrics:
            return self.metrics[name]
        if name not in self.expressions:
            raise ExpressionError(f"unknown id {name}")
        if name in self._in_evaluation:
            raise ExpressionError(f"{name} depends on itself")
        if name not in self._values:
            self._in_evaluation.add(name)
            self._values[name] = evaluate(self.expressions[name], self)
            self._in_evaluation.discard(name)
        return self._values[name]


def evaluate(expression: str, scope: Scope) -> Value:
    """Evaluate an expression. Raises ExpressionError for one that AWS or the sandbox does not support."""
    return _evaluate_node(_parse(expression), scope)


def list_names(expression: str) -> set[str]:
    """Return the ids in an expression. Raises ExpressionError."""
    return {node.id[1:] for node in ast.walk(_parse(expression)) if isinstance(node, ast.Name) and node.id[0] == "_"}


@cache
def _parse(expression: str) -> ast.expr:
    """Parse an expression as Python. Ids get a `_` in front, because they can be keywords of Python."""
    if expression.strip().upper().startswith("SELECT"):
        raise ExpressionError("the sandbox does not evaluate queries of Metrics Insights")
    words, position, text = [], 0, expression.strip()
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise ExpressionError(f"cannot be parsed at '{text[position:]}'")
        word = token.group().strip()
        is_id = token["name"] is not None and word[0].islower()
        words.append(f"_{word}" if is_id else _PYTHON.get(word, word))
        position = token.end()
    try:
        return ast.parse("".join(words), mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        raise ExpressionError(f"'{text}' cannot be parsed") from None


def _evaluate_node(node: ast.expr, scope: Scope) -> Value:
    for kind, evaluate_kind in _NODES.items():
        if isinstance(node, kind):
            return evaluate_kind(node, scope)
    raise ExpressionError(f"'{ast.unparse(node).replace('_', '')}' cannot be parsed")


def _constant(node: Any, _scope: Scope) -> Value:
    if isinstance(node.value, str):
        raise ExpressionError(f"text, '{node.value}', where a number or an id is needed")
    return float(node.value)


def _list(node: Any, scope: Scope) -> Value:
    lines: list[Line] = []
    for element in node.elts:
        value = _evaluate_node(element, scope)
        if isinstance(value, float):
            raise ExpressionError("an array holds metrics, not numbers")
        lines.extend(value if isinstance(value, list) else [value])
    return lines


def _binary(node: Any, scope: Scope) -> Value:
    return _apply(
        operators.ARITHMETIC.get(type(node.op)), _evaluate_node(node.left, scope), _evaluate_node(node.right, scope)
    )


def _comparison(node: Any, scope: Scope) -> Value:
    if len(node.ops) > 1:
        raise ExpressionError("comparisons cannot be chained")
    return _apply(
        operators.COMPARISONS.get(type(node.ops[0])),
        _evaluate_node(node.left, scope),
        _evaluate_node(node.comparators[0], scope),
    )


def _logical(node: Any, scope: Scope) -> Value:
    values = [_evaluate_node(operand, scope) for operand in node.values]
    result = values[0]
    for value in values[1:]:
        result = _apply(operators.LOGICAL[type(node.op)], result, value)
    return result


def _unary(node: Any, scope: Scope) -> Value:
    if not isinstance(node.op, ast.USub):
        raise ExpressionError("only '-' stands before a value")
    return _each(lambda value: -value, _evaluate_node(node.operand, scope))


def _call(node: Any, scope: Scope) -> Value:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name in _NOT_EMULATED:
        raise ExpressionError(f"{name} is not evaluated by the sandbox")
    function = _FUNCTIONS.get(name)
    if function is None:
        raise ExpressionError(f"unknown function {name.lstrip('_')}")
    if node.keywords:
        raise ExpressionError(f"{name} cannot be parsed")
    return function(node.args, scope)


def _word(node: Any, scope: Scope) -> Value:
    if not node.id.startswith("_"):
        raise ExpressionError(f"unknown word {node.id}")
    return scope.value(node.id[1:])


_NODES: dict[type[ast.expr], Callable[[Any, Scope], Value]] = {
    ast.Constant: _constant,
    ast.Name: _word,
    ast.List: _list,
    ast.BinOp: _binary,
    ast.BoolOp: _logical,
    ast.Compare: _comparison,
    ast.UnaryOp: _unary,
    ast.Call: _call,
}


def _apply(operate: operators.Operator | None, left: Value, right: Value) -> Value:
    """Apply an operator. A missing value counts as 0 if the other exists; impossible results are dropped."""
    if operate is None:
        raise ExpressionError("unknown operator")
    if isinstance(left, list):
        if isinstance(right, list):
            raise ExpressionError("an operator stands between two arrays")
        return [_line(_apply(operate, line, right)) for line in left]
    if isinstance(right, list):
        return [_line(_apply(operate, left, line)) for line in right]
    if isinstance(left, float) and isinstance(right, float):
        return _or_nan(operate(left, right))
    times = {*(left if isinstance(left, dict) else ()), *(right if isinstance(right, dict) else ())}
    results = {time: operate(_at(left, time), _at(right, time)) for time in sorted(times)}
    return {time: value for time, value in results.items() if value is not None and not math.isnan(value)}


def _at(value: float | Line, time: int) -> float:
    return value.get(time, 0.0) if isinstance(value, dict) else value


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def _each(do: Callable[[float], float | None], value: Value) -> Value:
    if isinstance(value, list):
        return [_line(_each(do, line)) for line in value]
    if isinstance(value, float):
        return _or_nan(do(value))
    return {time: result for time, number in value.items() if (result := do(number)) is not None}


def _line(value: Value) -> Line:
    if not isinstance(value, dict):
        raise ExpressionError("a time series is needed, not a number or an array")
    return value


def _lines(value: Value) -> list[Line]:
    if not isinstance(value, list):
        raise ExpressionError("an array is needed")
    return value


def _number(value: Value) -> float:
    if not isinstance(value, float):
        raise ExpressionError("a number is needed")
    return value


def _values(arguments: Sequence[ast.expr], scope: Scope, minimum: int = 1, maximum: int | None = None) -> list[Value]:
    if not minimum <= len(arguments) <= (maximum or minimum):
        raise ExpressionError("a function has the wrong number of arguments")
    return [_evaluate_node(argument, scope) for argument in arguments]


Function = Callable[[Sequence[ast.expr], Scope], Value]


def _of_points(do: Callable[[float], float | None]) -> Function:
    """Return a function of each value."""
    return lambda arguments, scope: _each(do, _values(arguments, scope)[0])


def _of_all(do: Callable[[Sequence[float]], float], missing: bool = False) -> Function:
    """Return a function of all values of a time series, or of all time series of an array at each time."""

    def function(arguments: Sequence[ast.expr], scope: Scope) -> Value:
        value = _values(arguments, scope)[0]
        if isinstance(value, float):
            return do([value])
        if isinstance(value, dict):
            return do(list(value.values())) if value else 0.0
        times = sorted({time for line in value for time in line})
        return {time: do([line.get(time, 0.0) for line in value if missing or time in line]) for time in times}

    return function


def _of_line(do: Callable[[Line], Line]) -> Function:
    """Return a function of a time series, or of each time series of an array."""

    def function(arguments: Sequence[ast.expr], scope: Scope) -> Value:
        value = _values(arguments, scope)[0]
        return [do(line) for line in value] if isinstance(value, list) else do(_line(value))

    return function


def _changes(per: Callable[[float, int], float]) -> Callable[[Line], Line]:
    def function(line: Line) -> Line:
        points = list(line.items())
        return {
            time: per(value - previous, time - previous_time)
            for (previous_time, previous), (time, value) in pairwise(points)
        }

    return function


def _running(line: Line) -> Line:
    total, sums = 0.0, {}
    for time, value in line.items():
        total += value
        sums[time] = total
    return sums


def _of_time(do: Callable[[datetime], float]) -> Function:
    def function(arguments: Sequence[ast.expr], scope: Scope) -> Value:
        _line(_values(arguments, scope)[0])
        return {time: float(do(datetime.fromtimestamp(time, UTC))) for time in scope.times}

    return function


def _if(arguments: Sequence[ast.expr], scope: Scope) -> Value:
    condition, *branches = _values(arguments, scope, 2, 3)
    true, false = branches[0], branches[1] if len(branches) > 1 else {}
    if isinstance(condition, float):
        return true if condition else false
    result: Line = {}
    for time, number in _line(condition).items():
        branch = true if number else false
        if isinstance(branch, float):
            result[time] = branch
        elif time in _line(branch) or number:
            result[time] = _line(branch).get(time, 0.0)
    return result


def _fill(arguments: Sequence[ast.expr], scope: Scope) -> Value:
    if len(arguments) != 2:
        raise ExpressionError("FILL takes two arguments")
    word = arguments[1].id if isinstance(arguments[1], ast.Name) else ""
    filler: Value | str = word if word in ("REPEAT", "LINEAR") else _evaluate_node(arguments[1], scope)

    def fill(line: Line) -> Line:
        return {time: value for time in scope.times if (value := _fill_gap(line, time, filler)) is not None}

    value = _evaluate_node(arguments[0], scope)
    return [fill(line) for line in value] if isinstance(value, list) else fill(_line(value))


def _fill_gap(line: Line, time: int, filler: Value | str) -> float | None:
    if time in line:
        return line[time]
    if isinstance(filler, float):
        return filler
    if isinstance(filler, dict):
        return filler.get(time)
    before = max((other for other in line if other < time), default=None)
    after = min((other for other in line if other > time), default=None)
    if before is None:
        return None
    if filler == "REPEAT":
        return line[before]
    if after is None:
        return None
    return line[before] + (line[after] - line[before]) * (time - before) / (after - before)


def _metrics(arguments: Sequence[ast.expr], scope: Scope) -> Value:
    name_part = ""
    if arguments:
        if len(arguments) > 1 or not isinstance(arguments[0], ast.Constant) or not isinstance(arguments[0].value, str):
            raise ExpressionError("METRICS takes no argument, or text")
        name_part = arguments[0].value
    return [line for name, line in scope.metrics.items() if name_part in name]


def _period(arguments: Sequence[ast.expr], scope: Scope) -> Value:
    _line(_values(arguments, scope)[0])
    return float(scope.period)


def _time_series(arguments: Sequence[ast.expr], scope: Scope) -> Value:
    value = _number(_values(arguments, scope)[0])
    return {} if math.isnan(value) else dict.fromkeys(scope.times, value)


_ORDERS: dict[str, Callable[[Sequence[float]], float]] = {
    "AVG": statistics.fmean,
    "MIN": min,
    "MAX": max,
    "SUM": math.fsum,
}


def _sort(arguments: Sequence[ast.expr], scope: Scope) -> Value:
    words = [word.id if isinstance(word, ast.Name) else "" for word in arguments[1:3]]
    sort_key = _ORDERS.get(words[0] if words else "")
    if len(arguments) not in (3, 4) or sort_key is None or words[1] not in ("ASC", "DESC"):
        raise ExpressionError("SORT takes an array, AVG, MIN, MAX or SUM, ASC or DESC, and a number")
    lines = [line for line in _lines(_evaluate_node(arguments[0], scope)) if line]
    lines.sort(key=lambda line: sort_key(list(line.values())), reverse=words[1] == "DESC")
    return lines[: int(_number(_evaluate_node(arguments[3], scope)))] if len(arguments) == 4 else lines


def _slice(arguments: Sequence[ast.expr], scope: Scope) -> Value:
    lines, *ends = _values(arguments, scope, 2, 3)
    return _lines(lines)[slice(*(int(_number(end)) for end in ends), *([None] if len(ends) == 1 else []))]


def _line_at(index: int) -> Function:
    def function(arguments: Sequence[ast.expr], scope: Scope) -> Value:
        lines = _lines(_values(arguments, scope)[0])
        return lines[index] if lines else {}

    return function


_FUNCTIONS: dict[str, Function] = {
    "ABS": _of_points(abs),
    "CEIL": _of_points(lambda value: float(math.ceil(value))),
    "FLOOR": _of_points(lambda value: float(math.floor(value))),
    "LOG": _of_points(lambda value: math.log(value) if value > 0 else None),
    "LOG10": _of_points(lambda value: math.log10(value) if value > 0 else None),
    "AVG": _of_all(statistics.fmean, missing=True),
    "SUM": _of_all(math.fsum),
    "MIN": _of_all(min),
    "MAX": _of_all(max),
    "STDDEV": _of_all(statistics.pstdev),
    "DATAPOINT_COUNT": _of_all(lambda values: float(len(values))),
    "DIFF": _of_line(_changes(lambda change, _seconds: change)),
    "DIFF_TIME": _of_line(_changes(lambda _change, seconds: float(seconds))),
    "RATE": _of_line(_changes(lambda change, seconds: change / seconds)),
    "RUNNING_SUM": _of_line(_running),
    "MINUTE": _of_time(lambda time: time.minute),
    "HOUR": _of_time(lambda time: time.hour),
    "DAY": _of_time(lambda time: time.isoweekday()),
    "DATE": _of_time(lambda time: time.day),
    "MONTH": _of_time(lambda time: time.month),
    "YEAR": _of_time(lambda time: time.year),
    "EPOCH": _of_time(lambda time: time.timestamp()),
    "IF": _if,
    "FILL": _fill,
    "METRICS": _metrics,
    "METRIC_COUNT": lambda arguments, scope: float(len(_lines(_values(arguments, scope)[0]))),
    "PERIOD": _period,
    "TIME_SERIES": _time_series,
    "REMOVE_EMPTY": lambda arguments, scope: [line for line in _lines(_values(arguments, scope)[0]) if line],
    "SORT": _sort,
    "SLICE": _slice,
    "FIRST": _line_at(0),
    "LAST": _line_at(-1),
}
