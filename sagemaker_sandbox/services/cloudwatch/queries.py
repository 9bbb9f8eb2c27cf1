"""MetricDataQueries of GetMetricData and of alarms."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.services.cloudwatch import statistics
from sagemaker_sandbox.services.cloudwatch.expressions import ExpressionError, ExpressionNames, Line, Value
from sagemaker_sandbox.services.cloudwatch.metrics import Key, sort_dimensions
from sagemaker_sandbox.services.cloudwatch.statistics import Sample

#: Function that reads the samples of a metric, one for each period that begins at one of the times.
ReadSamples = Callable[["Metric", Sequence[int]], Sequence[Sample | None]]


@dataclass(frozen=True)
class Metric:
    """One statistic of one metric, with its period."""

    key: Key
    statistic: str
    period: int
    unit: str | None
    account: str | None = None  #: Account of the metric if it is not the caller's.


def parse_alarm(parameters: Fields) -> Metric:
    """Return the metric of an alarm without Metrics."""
    key = (parameters["Namespace"], parameters["MetricName"], sort_dimensions(parameters.get("Dimensions") or ()))
    statistic = parameters.get("Statistic") or parameters.get("ExtendedStatistic") or ""
    return Metric(key, statistic, int(parameters["Period"]), parameters.get("Unit"))


def parse_query(query: Fields) -> Metric | None:
    """Return the metric of a query, or None for an expression."""
    stat: Any = query.get("MetricStat")
    if not stat:
        return None
    metric = stat["Metric"]
    key = (
        metric.get("Namespace") or "",
        metric.get("MetricName") or "",
        sort_dimensions(metric.get("Dimensions") or ()),
    )
    return Metric(key, stat["Stat"], int(stat["Period"]), stat.get("Unit"), query.get("AccountId"))


def find_period(queries: Iterable[Fields]) -> int:
    """Return the period of expressions: the longest one of the metrics, or else the period of the expressions."""
    periods = [metric.period if (metric := parse_query(query)) else int(query.get("Period") or 0) for query in queries]
    return max(periods, default=0) or 60


def read_line(metric: Metric, times: Sequence[int], read: ReadSamples) -> Line:
    """Return a statistic by the times that have one."""
    values = (
        (time, statistics.compute(sample, metric.statistic))
        for time, sample in zip(times, read(metric, times), strict=True)
        if sample is not None
    )
    return {time: value for time, value in values if value is not None}


def create_scope(queries: Sequence[Fields], times: Sequence[int], period: int, read: ReadSamples) -> ExpressionNames:
    """Return the scope of the expressions among the queries."""
    metrics = {
        query["Id"]: read_line(metric, times, read) for query in queries if (metric := parse_query(query)) is not None
    }
    expressions = {query["Id"]: query["Expression"] for query in queries if query.get("Expression")}
    return ExpressionNames(times, period, metrics, expressions)


def require_line(value: Value) -> Line:
    """Return a value that is one time series. Raises ExpressionError for any other."""
    if not isinstance(value, dict):
        raise ExpressionError("the result must be one time series")
    return value
