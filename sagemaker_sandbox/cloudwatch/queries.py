"""MetricDataQueries: of GetMetricData, and of alarms."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sagemaker_sandbox.cloudwatch import statistics
from sagemaker_sandbox.cloudwatch.expressions import ExpressionError, Line, Scope, Value
from sagemaker_sandbox.cloudwatch.metrics import Key, dimensions
from sagemaker_sandbox.cloudwatch.statistics import Sample
from sagemaker_sandbox.parts.resources import Fields

#: What came of a metric in each of the periods that begin at these times.
Read = Callable[["Metric", Sequence[int]], Sequence[Sample | None]]


@dataclass(frozen=True)
class Metric:
    """One statistic of one metric, by period."""

    key: Key
    statistic: str
    period: int
    unit: str | None
    account: str | None = None  #: Another one than that of whoever asks.


def of_alarm(asked: Fields) -> Metric:
    """The one metric that an alarm without Metrics watches."""
    key = (asked["Namespace"], asked["MetricName"], dimensions(asked.get("Dimensions") or ()))
    statistic = asked.get("Statistic") or asked.get("ExtendedStatistic") or ""
    return Metric(key, statistic, int(asked["Period"]), asked.get("Unit"))


def of_query(query: Fields) -> Metric | None:
    """The metric of a query; None of an expression."""
    stat: Any = query.get("MetricStat")
    if not stat:
        return None
    metric = stat["Metric"]
    key = (metric.get("Namespace") or "", metric.get("MetricName") or "", dimensions(metric.get("Dimensions") or ()))
    return Metric(key, stat["Stat"], int(stat["Period"]), stat.get("Unit"), query.get("AccountId"))


def period_of(queries: Iterable[Fields]) -> int:
    """The longest period of their metrics, and so of their expressions; without metrics, the expressions' own."""
    found = [metric.period if (metric := of_query(one)) else int(one.get("Period") or 0) for one in queries]
    return max(found, default=0) or 60


def line(metric: Metric, times: Sequence[int], read: Read) -> Line:
    """A statistic at the times at which there is one."""
    values = (
        (time, statistics.value(sample, metric.statistic))
        for time, sample in zip(times, read(metric, times), strict=True)
        if sample is not None
    )
    return {time: value for time, value in values if value is not None}


def scope(queries: Sequence[Fields], times: Sequence[int], period: int, read: Read) -> Scope:
    """What expressions among the queries are evaluated in, at these times."""
    metrics = {one["Id"]: line(metric, times, read) for one in queries if (metric := of_query(one)) is not None}
    return Scope(times, period, metrics, {one["Id"]: one["Expression"] for one in queries if one.get("Expression")})


def one_line(value: Value) -> Line:
    """Raise ExpressionError unless it is one time series."""
    if not isinstance(value, dict):
        raise ExpressionError("the result has to be one time series")
    return value
