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

from sagemaker_sandbox.services.cloudwatch import operators

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
class ExpressionNames:
    """Names in an expression: the time series of metrics and the other expressions, by ID."""

    times: Sequence[int]
    period: int
    metrics: Mapping[str, Line]
    expressions: Mapping[str, str] = field(default_factory=dict)
    _values: dict[str, Value] = field(default_factory=dict)
    _in_evaluation: set[str] = field(default_factory=set)

    def get_value(self, name: str) -> Value:
        """Return the value of an ID. Raises ExpressionError."""
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


def evaluate(expression: str, scope: ExpressionNames) -> Value:
    """Evaluate an expression. Raises ExpressionError for one that AWS or the sandbox does not support."""
    return _evaluate_node(_parse(expression), scope)


def list_names(expression: str) -> set[str]:
    """Return the IDs in an expression. Raises ExpressionError."""
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


def _evaluate_node(node: ast.expr, scope: ExpressionNames) -> Value:
    for kind, evaluate_kind in _NODES.items():
        if isinstance(node, kind):
            return evaluate_kind(node, scope)
    raise ExpressionError(f"'{ast.unparse(node).replace('_', '')}' cannot be parsed")


def _evaluate_constant(node: Any, _scope: ExpressionNames) -> Value:
    if isinstance(node.value, str):
        raise ExpressionError(f"text, '{node.value}', where a number or an id is needed")
    return float(node.value)


def _evaluate_list(node: Any, scope: ExpressionNames) -> Value:
    lines: list[Line] = []
    for element in node.elts:
        value = _evaluate_node(element, scope)
        if isinstance(value, float):
            raise ExpressionError("an array holds metrics, not numbers")
        lines.extend(value if isinstance(value, list) else [value])
    return lines


def _evaluate_binary(node: Any, scope: ExpressionNames) -> Value:
    return _apply(
        operators.ARITHMETIC.get(type(node.op)), _evaluate_node(node.left, scope), _evaluate_node(node.right, scope)
    )


def _evaluate_comparison(node: Any, scope: ExpressionNames) -> Value:
    if len(node.ops) > 1:
        raise ExpressionError("comparisons cannot be chained")
    return _apply(
        operators.COMPARISONS.get(type(node.ops[0])),
        _evaluate_node(node.left, scope),
        _evaluate_node(node.comparators[0], scope),
    )


def _evaluate_logical(node: Any, scope: ExpressionNames) -> Value:
    values = [_evaluate_node(operand, scope) for operand in node.values]
    result = values[0]
    for value in values[1:]:
        result = _apply(operators.LOGICAL[type(node.op)], result, value)
    return result


def _evaluate_unary(node: Any, scope: ExpressionNames) -> Value:
    if not isinstance(node.op, ast.USub):
        raise ExpressionError("only '-' stands before a value")
    return _apply_to_values(lambda value: -value, _evaluate_node(node.operand, scope))


def _evaluate_call(node: Any, scope: ExpressionNames) -> Value:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name in _NOT_EMULATED:
        raise ExpressionError(f"{name} is not evaluated by the sandbox")
    function = _FUNCTIONS.get(name)
    if function is None:
        raise ExpressionError(f"unknown function {name.lstrip('_')}")
    if node.keywords:
        raise ExpressionError(f"{name} cannot be parsed")
    return function(node.args, scope)


def _evaluate_name(node: Any, scope: ExpressionNames) -> Value:
    if not node.id.startswith("_"):
        raise ExpressionError(f"unknown word {node.id}")
    return scope.get_value(node.id[1:])


_NODES: dict[type[ast.expr], Callable[[Any, ExpressionNames], Value]] = {
    ast.Constant: _evaluate_constant,
    ast.Name: _evaluate_name,
    ast.List: _evaluate_list,
    ast.BinOp: _evaluate_binary,
    ast.BoolOp: _evaluate_logical,
    ast.Compare: _evaluate_comparison,
    ast.UnaryOp: _evaluate_unary,
    ast.Call: _evaluate_call,
}


def _apply(operate: operators.Operator | None, left: Value, right: Value) -> Value:
    """Apply an operator. A missing value counts as 0 if the other exists; impossible results are dropped."""
    if operate is None:
        raise ExpressionError("unknown operator")
    if isinstance(left, list):
        if isinstance(right, list):
            raise ExpressionError("an operator stands between two arrays")
        return [_require_line(_apply(operate, line, right)) for line in left]
    if isinstance(right, list):
        return [_require_line(_apply(operate, left, line)) for line in right]
    if isinstance(left, float) and isinstance(right, float):
        return _replace_none(operate(left, right))
    times = {*(left if isinstance(left, dict) else ()), *(right if isinstance(right, dict) else ())}
    results = {time: operate(_get_point(left, time), _get_point(right, time)) for time in sorted(times)}
    return {time: value for time, value in results.items() if value is not None and not math.isnan(value)}


def _get_point(value: float | Line, time: int) -> float:
    return value.get(time, 0.0) if isinstance(value, dict) else value


def _replace_none(value: float | None) -> float:
    return math.nan if value is None else value


def _apply_to_values(do: Callable[[float], float | None], value: Value) -> Value:
    if isinstance(value, list):
        return [_require_line(_apply_to_values(do, line)) for line in value]
    if isinstance(value, float):
        return _replace_none(do(value))
    return {time: result for time, number in value.items() if (result := do(number)) is not None}


def _require_line(value: Value) -> Line:
    if not isinstance(value, dict):
        raise ExpressionError("a time series is needed, not a number or an array")
    return value


def _require_lines(value: Value) -> list[Line]:
    if not isinstance(value, list):
        raise ExpressionError("an array is needed")
    return value


def _require_number(value: Value) -> float:
    if not isinstance(value, float):
        raise ExpressionError("a number is needed")
    return value


def _evaluate_arguments(
    arguments: Sequence[ast.expr], scope: ExpressionNames, minimum: int = 1, maximum: int | None = None
) -> list[Value]:
    if not minimum <= len(arguments) <= (maximum or minimum):
        raise ExpressionError("a function has the wrong number of arguments")
    return [_evaluate_node(argument, scope) for argument in arguments]


Function = Callable[[Sequence[ast.expr], ExpressionNames], Value]


def _make_point_function(do: Callable[[float], float | None]) -> Function:
    """Return a function of each value."""
    return lambda arguments, scope: _apply_to_values(do, _evaluate_arguments(arguments, scope)[0])


def _make_statistic_function(do: Callable[[Sequence[float]], float], missing: bool = False) -> Function:
    """Return a function of all values of a time series, or of all time series of an array at each time."""

    def function(arguments: Sequence[ast.expr], scope: ExpressionNames) -> Value:
        value = _evaluate_arguments(arguments, scope)[0]
        if isinstance(value, float):
            return do([value])
        if isinstance(value, dict):
            return do(list(value.values())) if value else 0.0
        times = sorted({time for line in value for time in line})
        return {time: do([line.get(time, 0.0) for line in value if missing or time in line]) for time in times}

    return function


def _make_line_function(do: Callable[[Line], Line]) -> Function:
    """Return a function of a time series, or of each time series of an array."""

    def function(arguments: Sequence[ast.expr], scope: ExpressionNames) -> Value:
        value = _evaluate_arguments(arguments, scope)[0]
        return [do(line) for line in value] if isinstance(value, list) else do(_require_line(value))

    return function


def _compute_changes(per: Callable[[float, int], float]) -> Callable[[Line], Line]:
    def function(line: Line) -> Line:
        points = list(line.items())
        return {
            time: per(value - previous, time - previous_time)
            for (previous_time, previous), (time, value) in pairwise(points)
        }

    return function


def _accumulate(line: Line) -> Line:
    total, sums = 0.0, {}
    for time, value in line.items():
        total += value
        sums[time] = total
    return sums


def _make_time_function(do: Callable[[datetime], float]) -> Function:
    def function(arguments: Sequence[ast.expr], scope: ExpressionNames) -> Value:
        _require_line(_evaluate_arguments(arguments, scope)[0])
        return {time: float(do(datetime.fromtimestamp(time, UTC))) for time in scope.times}

    return function


def _evaluate_if(arguments: Sequence[ast.expr], scope: ExpressionNames) -> Value:
    condition, *branches = _evaluate_arguments(arguments, scope, 2, 3)
    true, false = branches[0], branches[1] if len(branches) > 1 else {}
    if isinstance(condition, float):
        return true if condition else false
    result: Line = {}
    for time, number in _require_line(condition).items():
        branch = true if number else false
        if isinstance(branch, float):
            result[time] = branch
        elif time in _require_line(branch) or number:
            result[time] = _require_line(branch).get(time, 0.0)
    return result


def _evaluate_fill(arguments: Sequence[ast.expr], scope: ExpressionNames) -> Value:
    if len(arguments) != 2:
        raise ExpressionError("FILL takes two arguments")
    word = arguments[1].id if isinstance(arguments[1], ast.Name) else ""
    filler: Value | str = word if word in ("REPEAT", "LINEAR") else _evaluate_node(arguments[1], scope)

    def fill(line: Line) -> Line:
        return {time: value for time in scope.times if (value := _fill_gap(line, time, filler)) is not None}

    value = _evaluate_node(arguments[0], scope)
    return [fill(line) for line in value] if isinstance(value, list) else fill(_require_line(value))


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


def _evaluate_metrics(arguments: Sequence[ast.expr], scope: ExpressionNames) -> Value:
    name_part = ""
    if arguments:
        if len(arguments) > 1 or not isinstance(arguments[0], ast.Constant) or not isinstance(arguments[0].value, str):
            raise ExpressionError("METRICS takes no argument, or text")
        name_part = arguments[0].value
    return [line for name, line in scope.metrics.items() if name_part in name]


def _evaluate_period(arguments: Sequence[ast.expr], scope: ExpressionNames) -> Value:
    _require_line(_evaluate_arguments(arguments, scope)[0])
    return float(scope.period)


def _evaluate_time_series(arguments: Sequence[ast.expr], scope: ExpressionNames) -> Value:
    value = _require_number(_evaluate_arguments(arguments, scope)[0])
    return {} if math.isnan(value) else dict.fromkeys(scope.times, value)


_ORDERS: dict[str, Callable[[Sequence[float]], float]] = {
    "AVG": statistics.fmean,
    "MIN": min,
    "MAX": max,
    "SUM": math.fsum,
}


def _evaluate_sort(arguments: Sequence[ast.expr], scope: ExpressionNames) -> Value:
    words = [word.id if isinstance(word, ast.Name) else "" for word in arguments[1:3]]
    sort_key = _ORDERS.get(words[0] if words else "")
    if len(arguments) not in (3, 4) or sort_key is None or words[1] not in ("ASC", "DESC"):
        raise ExpressionError("SORT takes an array, AVG, MIN, MAX or SUM, ASC or DESC, and a number")
    lines = [line for line in _require_lines(_evaluate_node(arguments[0], scope)) if line]
    lines.sort(key=lambda line: sort_key(list(line.values())), reverse=words[1] == "DESC")
    return lines[: int(_require_number(_evaluate_node(arguments[3], scope)))] if len(arguments) == 4 else lines


def _evaluate_slice(arguments: Sequence[ast.expr], scope: ExpressionNames) -> Value:
    lines, *ends = _evaluate_arguments(arguments, scope, 2, 3)
    return _require_lines(lines)[
        slice(*(int(_require_number(end)) for end in ends), *([None] if len(ends) == 1 else []))
    ]


def _make_line_getter(index: int) -> Function:
    def function(arguments: Sequence[ast.expr], scope: ExpressionNames) -> Value:
        lines = _require_lines(_evaluate_arguments(arguments, scope)[0])
        return lines[index] if lines else {}

    return function


_FUNCTIONS: dict[str, Function] = {
    "ABS": _make_point_function(abs),
    "CEIL": _make_point_function(lambda value: float(math.ceil(value))),
    "FLOOR": _make_point_function(lambda value: float(math.floor(value))),
    "LOG": _make_point_function(lambda value: math.log(value) if value > 0 else None),
    "LOG10": _make_point_function(lambda value: math.log10(value) if value > 0 else None),
    "AVG": _make_statistic_function(statistics.fmean, missing=True),
    "SUM": _make_statistic_function(math.fsum),
    "MIN": _make_statistic_function(min),
    "MAX": _make_statistic_function(max),
    "STDDEV": _make_statistic_function(statistics.pstdev),
    "DATAPOINT_COUNT": _make_statistic_function(lambda values: float(len(values))),
    "DIFF": _make_line_function(_compute_changes(lambda change, _seconds: change)),
    "DIFF_TIME": _make_line_function(_compute_changes(lambda _change, seconds: float(seconds))),
    "RATE": _make_line_function(_compute_changes(lambda change, seconds: change / seconds)),
    "RUNNING_SUM": _make_line_function(_accumulate),
    "MINUTE": _make_time_function(lambda time: time.minute),
    "HOUR": _make_time_function(lambda time: time.hour),
    "DAY": _make_time_function(lambda time: time.isoweekday()),
    "DATE": _make_time_function(lambda time: time.day),
    "MONTH": _make_time_function(lambda time: time.month),
    "YEAR": _make_time_function(lambda time: time.year),
    "EPOCH": _make_time_function(lambda time: time.timestamp()),
    "IF": _evaluate_if,
    "FILL": _evaluate_fill,
    "METRICS": _evaluate_metrics,
    "METRIC_COUNT": lambda arguments, scope: float(len(_require_lines(_evaluate_arguments(arguments, scope)[0]))),
    "PERIOD": _evaluate_period,
    "TIME_SERIES": _evaluate_time_series,
    "REMOVE_EMPTY": lambda arguments, scope: [
        line for line in _require_lines(_evaluate_arguments(arguments, scope)[0]) if line
    ],
    "SORT": _evaluate_sort,
    "SLICE": _evaluate_slice,
    "FIRST": _make_line_getter(0),
    "LAST": _make_line_getter(-1),
}
