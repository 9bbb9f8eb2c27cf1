"""Datapoints of metric alarms, and the reason data of their states."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.services.cloudwatch import metrics, queries, statistics
from sagemaker_sandbox.services.cloudwatch.alarm import Alarm, format_time
from sagemaker_sandbox.services.cloudwatch.evaluation import Datapoint, EvaluationResult, evaluate
from sagemaker_sandbox.services.cloudwatch.expressions import ExpressionError
from sagemaker_sandbox.services.cloudwatch.statistics import Sample

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
#: Interval of the evaluation of alarms with a period below a minute, in seconds.
_SHORT_INTERVAL = 10


def find_interval(alarm: Alarm) -> int:
    """Return the interval of a metric alarm's evaluation, in seconds."""
    period = alarm.period
    if period < _MINUTE:
        return _SHORT_INTERVAL
    return _HOUR if period * alarm.settings.periods > _DAY else _MINUTE


def evaluate_alarm(alarm: Alarm, moment: datetime) -> EvaluationResult:
    """Evaluate a metric alarm at a moment."""
    period, now = alarm.period, metrics.to_seconds(moment)
    times = [now - period * back for back in range(alarm.settings.range, 0, -1)]
    if alarm.metric is None:
        return evaluate(_list_expression_points(alarm, times, period), alarm.settings)
    metric = alarm.metric
    samples = _read(alarm, metric, times)
    points = [
        Datapoint(time, statistics.compute(sample, metric.statistic), sample.number)
        if sample is not None
        else Datapoint(time, None)
        for time, sample in zip(times, samples, strict=True)
    ]
    if alarm.parameters.get("EvaluateLowSampleCountPercentile") == "ignore" and _has_too_few_samples(metric, samples):
        return EvaluationResult(None, [point for point in reversed(points) if point.value is not None])
    return evaluate(points, alarm.settings)


def _list_expression_points(alarm: Alarm, times: Sequence[int], period: int) -> list[Datapoint]:
    data_queries: Sequence[Fields] = alarm.parameters["Metrics"]
    scope = queries.create_scope(data_queries, times, period, lambda metric, begins: _read(alarm, metric, begins))
    result_id = next(query["Id"] for query in data_queries if query.get("ReturnData", True))
    try:
        line = queries.require_line(scope.get_value(result_id))
    except ExpressionError:  # the result is not one time series with this data
        line = {}
    return [Datapoint(time, line.get(time)) for time in times]


def _read(alarm: Alarm, metric: queries.Metric, times: Sequence[int]) -> Sequence[Sample | None]:
    store = metrics.get_store(metric.account or alarm.account, alarm.region)
    return store.list_samples(metric.key, metric.unit, times, metric.period)


def _has_too_few_samples(metric: queries.Metric, samples: Sequence[Sample | None]) -> bool:
    """Return whether a percentile has too few values to be significant."""
    share = statistics.find_percentile(metric.statistic)
    if share is None or not 0 < share < 1:
        return False
    minimum = 10 / (1 - share) if share >= 0.5 else 10 / share
    return sum(sample.number for sample in samples if sample is not None) < minimum


def build_reason_data(alarm: Alarm, result: EvaluationResult, moment: datetime) -> str:
    """Return StateReasonData."""
    points = [point for point in result.evaluated if point.value is not None]
    data: Fields = {"version": "1.0", "queryDate": format_time(moment)}
    if points:
        data["startDate"] = _format_start(points[-1].time, moment)
    if unit := alarm.parameters.get("Unit"):
        data["unit"] = unit
    if alarm.metric is not None:
        data["statistic"] = alarm.metric.statistic
    data |= {"period": alarm.period, "recentDatapoints": [point.value for point in reversed(points)]}
    data["threshold"] = alarm.settings.threshold
    data["evaluatedDatapoints"] = [_describe_point(point, moment) for point in points]
    return json.dumps(data)


def _describe_point(point: Datapoint, moment: datetime) -> Mapping[str, str | float | None]:
    description: dict[str, str | float | None] = {"timestamp": _format_start(point.time, moment)}
    if point.number is not None:
        description["sampleCount"] = point.number
    return description | {"value": point.value}


def _format_start(time: int, moment: datetime) -> str:
    return format_time(moment - timedelta(seconds=moment.timestamp() - time))
