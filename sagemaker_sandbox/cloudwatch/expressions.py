"""Metric math. Source: CloudWatch user guide, "Using math expressions with CloudWatch metrics"."""

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

#: Values by the time at which their period begins.
Line = dict[int, float]
Value = float | Line | list[Line]

#: What AWS has and this machine has nothing for: models of expected values, Contributor Insights, quotas, queries.
_NOT_HERE = ("ANOMALY_DETECTION_BAND", "DB_PERF_INSIGHTS", "INSIGHT_RULE_METRIC", "LAMBDA", "SEARCH", "SERVICE_QUOTA")
_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"[^"]*"|'[^']*')|(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|(?P<name>[A-Za-z]\w*)"""
    r"""|(?P<sign>&&|\|\||==|!=|<=|>=|[-+*/^<>()\[\],]))"""
)
_PYTHON = {"&&": " and ", "||": " or ", "AND": " and ", "OR": " or ", "^": "**"}


class ExpressionError(Exception):
    """An expression that cannot be evaluated; the text says why."""


@dataclass
class Scope:
    """What an expression is evaluated in: the lines of the metrics and the expressions beside it, by id."""

    times: Sequence[int]
    period: int
    metrics: Mapping[str, Line]
    expressions: Mapping[str, str] = field(default_factory=dict)
    _known: dict[str, Value] = field(default_factory=dict)
    _under_way: set[str] = field(default_factory=set)

    def value(self, name: str) -> Value:
        """What an id stands for. Raises ExpressionError."""
        if name in self.metrics:
            return self.metrics[name]
        if name not in self.expressions:
            raise ExpressionError(f"unknown id {name}")
        if name in self._under_way:
            raise ExpressionError(f"{name} depends on itself")
        if name not in self._known:
            self._under_way.add(name)
            self._known[name] = evaluate(self.expressions[name], self)
            self._under_way.discard(name)
        return self._known[name]


def evaluate(expression: str, scope: Scope) -> Value:
    """Raises ExpressionError for what AWS or the sandbox does not know."""
    return _of(_parsed(expression), scope)


def names(expression: str) -> set[str]:
    """The ids that an expression names. Raises ExpressionError."""
    return {node.id[1:] for node in ast.walk(_parsed(expression)) if isinstance(node, ast.Name) and node.id[0] == "_"}


@cache
def _parsed(expression: str) -> ast.expr:
    """As Python's; an id has a `_` before it, so that none is a word of Python's."""
    if expression.strip().upper().startswith("SELECT"):
        raise ExpressionError("queries of Metrics Insights are not evaluated here")
    written, place, text = [], 0, expression.strip()
    while place < len(text):
        token = _TOKEN.match(text, place)
        if token is None:
            raise ExpressionError(f"cannot be understood at '{text[place:]}'")
        word = token.group().strip()
        is_id = token["name"] is not None and word[0].islower()
        written.append(f"_{word}" if is_id else _PYTHON.get(word, word))
        place = token.end()
    try:
        return ast.parse("".join(written), mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        raise ExpressionError(f"'{text}' cannot be understood") from None


def _of(node: ast.expr, scope: Scope) -> Value:
    for kind, read in _NODES.items():
        if isinstance(node, kind):
            return read(node, scope)
    raise ExpressionError(f"'{ast.unparse(node).replace('_', '')}' cannot be understood")


def _constant(node: Any, _scope: Scope) -> Value:
    if isinstance(node.value, str):
        raise ExpressionError(f"text, '{node.value}', where a number or an id is needed")
    return float(node.value)


def _list(node: Any, scope: Scope) -> Value:
    lines: list[Line] = []
    for one in node.elts:
        value = _of(one, scope)
        if isinstance(value, float):
            raise ExpressionError("an array holds metrics, not numbers")
        lines.extend(value if isinstance(value, list) else [value])
    return lines


def _binary(node: Any, scope: Scope) -> Value:
    return _applied(operators.ARITHMETIC.get(type(node.op)), _of(node.left, scope), _of(node.right, scope))


def _comparison(node: Any, scope: Scope) -> Value:
    if len(node.ops) > 1:
        raise ExpressionError("comparisons cannot be chained")
    return _applied(
        operators.COMPARISONS.get(type(node.ops[0])), _of(node.left, scope), _of(node.comparators[0], scope)
    )


def _logical(node: Any, scope: Scope) -> Value:
    values = [_of(one, scope) for one in node.values]
    result = values[0]
    for one in values[1:]:
        result = _applied(operators.LOGICAL[type(node.op)], result, one)
    return result


def _unary(node: Any, scope: Scope) -> Value:
    if not isinstance(node.op, ast.USub):
        raise ExpressionError("only '-' stands before a value")
    return _each(lambda value: -value, _of(node.operand, scope))


def _call(node: Any, scope: Scope) -> Value:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name in _NOT_HERE:
        raise ExpressionError(f"{name} is not evaluated here")
    function = _FUNCTIONS.get(name)
    if function is None:
        raise ExpressionError(f"unknown function {name.lstrip('_')}")
    if node.keywords:
        raise ExpressionError(f"{name} cannot be understood")
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


def _applied(operate: operators.Operator | None, left: Value, right: Value) -> Value:
    """A missing value counts as 0 beside one that is there; what cannot be calculated is dropped."""
    if operate is None:
        raise ExpressionError("unknown operator")
    if isinstance(left, list):
        if isinstance(right, list):
            raise ExpressionError("an operator stands between two arrays")
        return [_line(_applied(operate, one, right)) for one in left]
    if isinstance(right, list):
        return [_line(_applied(operate, left, one)) for one in right]
    if isinstance(left, float) and isinstance(right, float):
        return _or_nan(operate(left, right))
    times = {*(left if isinstance(left, dict) else ()), *(right if isinstance(right, dict) else ())}
    found = {time: operate(_at(left, time), _at(right, time)) for time in sorted(times)}
    return {time: value for time, value in found.items() if value is not None and not math.isnan(value)}


def _at(value: float | Line, time: int) -> float:
    return value.get(time, 0.0) if isinstance(value, dict) else value


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def _each(do: Callable[[float], float | None], value: Value) -> Value:
    if isinstance(value, list):
        return [_line(_each(do, one)) for one in value]
    if isinstance(value, float):
        return _or_nan(do(value))
    return {time: found for time, one in value.items() if (found := do(one)) is not None}


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


def _values(arguments: Sequence[ast.expr], scope: Scope, least: int = 1, most: int | None = None) -> list[Value]:
    if not least <= len(arguments) <= (most or least):
        raise ExpressionError("a function has the wrong number of arguments")
    return [_of(one, scope) for one in arguments]


Function = Callable[[Sequence[ast.expr], Scope], Value]


def _of_points(do: Callable[[float], float | None]) -> Function:
    """Of each value."""
    return lambda arguments, scope: _each(do, _values(arguments, scope)[0])


def _of_all(do: Callable[[Sequence[float]], float], missing: bool = False) -> Function:
    """Of all values of a time series, a number; of those of an array at each time, a time series."""

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
    """Of a time series, or of each of an array."""

    def function(arguments: Sequence[ast.expr], scope: Scope) -> Value:
        value = _values(arguments, scope)[0]
        return [do(one) for one in value] if isinstance(value, list) else do(_line(value))

    return function


def _changes(per: Callable[[float, int], float]) -> Callable[[Line], Line]:
    def function(line: Line) -> Line:
        points = list(line.items())
        return {time: per(value - before, time - then) for (then, before), (time, value) in pairwise(points)}

    return function


def _running(line: Line) -> Line:
    total, found = 0.0, {}
    for time, value in line.items():
        total += value
        found[time] = total
    return found


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
    found: Line = {}
    for time, told in _line(condition).items():
        chosen = true if told else false
        if isinstance(chosen, float):
            found[time] = chosen
        elif time in _line(chosen) or told:
            found[time] = _line(chosen).get(time, 0.0)
    return found


def _fill(arguments: Sequence[ast.expr], scope: Scope) -> Value:
    if len(arguments) != 2:
        raise ExpressionError("FILL takes two arguments")
    word = arguments[1].id if isinstance(arguments[1], ast.Name) else ""
    filler: Value | str = word if word in ("REPEAT", "LINEAR") else _of(arguments[1], scope)

    def fill(line: Line) -> Line:
        return {time: value for time in scope.times if (value := _filled(line, time, filler)) is not None}

    value = _of(arguments[0], scope)
    return [fill(one) for one in value] if isinstance(value, list) else fill(_line(value))


def _filled(line: Line, time: int, filler: Value | str) -> float | None:
    if time in line:
        return line[time]
    if isinstance(filler, float):
        return filler
    if isinstance(filler, dict):
        return filler.get(time)
    before = max((one for one in line if one < time), default=None)
    after = min((one for one in line if one > time), default=None)
    if before is None:
        return None
    if filler == "REPEAT":
        return line[before]
    if after is None:
        return None
    return line[before] + (line[after] - line[before]) * (time - before) / (after - before)


def _metrics(arguments: Sequence[ast.expr], scope: Scope) -> Value:
    wanted = ""
    if arguments:
        if len(arguments) > 1 or not isinstance(arguments[0], ast.Constant) or not isinstance(arguments[0].value, str):
            raise ExpressionError("METRICS takes nothing, or text")
        wanted = arguments[0].value
    return [line for name, line in scope.metrics.items() if wanted in name]


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
    words = [one.id if isinstance(one, ast.Name) else "" for one in arguments[1:3]]
    by = _ORDERS.get(words[0] if words else "")
    if len(arguments) not in (3, 4) or by is None or words[1] not in ("ASC", "DESC"):
        raise ExpressionError("SORT takes an array, AVG, MIN, MAX or SUM, ASC or DESC, and a number")
    lines = [line for line in _lines(_of(arguments[0], scope)) if line]
    lines.sort(key=lambda line: by(list(line.values())), reverse=words[1] == "DESC")
    return lines[: int(_number(_of(arguments[3], scope)))] if len(arguments) == 4 else lines


def _slice(arguments: Sequence[ast.expr], scope: Scope) -> Value:
    lines, *ends = _values(arguments, scope, 2, 3)
    return _lines(lines)[slice(*(int(_number(one)) for one in ends), *([None] if len(ends) == 1 else []))]


def _one(place: int) -> Function:
    def function(arguments: Sequence[ast.expr], scope: Scope) -> Value:
        lines = _lines(_values(arguments, scope)[0])
        return lines[place] if lines else {}

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
    "FIRST": _one(0),
    "LAST": _one(-1),
}
