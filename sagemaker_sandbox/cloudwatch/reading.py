"""The points that a metric alarm is evaluated on, and what is told of them."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sagemaker_sandbox.cloudwatch import metrics, queries, statistics
from sagemaker_sandbox.cloudwatch.alarm import Alarm, told
from sagemaker_sandbox.cloudwatch.evaluation import Point, Verdict, evaluate
from sagemaker_sandbox.cloudwatch.expressions import ExpressionError
from sagemaker_sandbox.cloudwatch.statistics import Sample
from sagemaker_sandbox.parts.resources import Fields

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_OFTEN = 10


def every(alarm: Alarm) -> int:
    """How often a metric alarm is evaluated, in seconds."""
    period = alarm.period
    if period < _MINUTE:
        return _OFTEN
    return _HOUR if period * alarm.settings.periods > _DAY else _MINUTE


def verdict(alarm: Alarm, moment: datetime) -> Verdict:
    """What an alarm is found to be at a moment."""
    period, now = alarm.period, metrics.seconds(moment)
    times = [now - period * back for back in range(alarm.settings.range, 0, -1)]
    if alarm.metric is None:
        return evaluate(_of_queries(alarm, times, period), alarm.settings)
    metric = alarm.metric
    samples = _read(alarm, metric, times)
    points = [
        Point(time, statistics.value(one, metric.statistic), one.number) if one is not None else Point(time, None)
        for time, one in zip(times, samples, strict=True)
    ]
    if alarm.asked.get("EvaluateLowSampleCountPercentile") == "ignore" and _too_few(metric, samples):
        return Verdict(None, [point for point in reversed(points) if point.value is not None])
    return evaluate(points, alarm.settings)


def _of_queries(alarm: Alarm, times: Sequence[int], period: int) -> list[Point]:
    asked: Sequence[Fields] = alarm.asked["Metrics"]
    scope = queries.scope(asked, times, period, lambda metric, begins: _read(alarm, metric, begins))
    watched = next(one["Id"] for one in asked if one.get("ReturnData", True))
    try:
        line = queries.one_line(scope.value(watched))
    except ExpressionError:  # it was none with other data
        line = {}
    return [Point(time, line.get(time)) for time in times]


def _read(alarm: Alarm, metric: queries.Metric, times: Sequence[int]) -> Sequence[Sample | None]:
    store = metrics.store(metric.account or alarm.account, alarm.region)
    return store.samples(metric.key, metric.unit, times, metric.period)


def _too_few(metric: queries.Metric, samples: Sequence[Sample | None]) -> bool:
    """Whether a percentile says little of so few values."""
    share = statistics.percentile(metric.statistic)
    if share is None or not 0 < share < 1:
        return False
    least = 10 / (1 - share) if share >= 0.5 else 10 / share
    return sum(one.number for one in samples if one is not None) < least


def reason_data(alarm: Alarm, found: Verdict, moment: datetime) -> str:
    """StateReasonData."""
    points = [point for point in found.evaluated if point.value is not None]
    data: Fields = {"version": "1.0", "queryDate": told(moment)}
    if points:
        data["startDate"] = _told(points[-1].time, moment)
    if unit := alarm.asked.get("Unit"):
        data["unit"] = unit
    if alarm.metric is not None:
        data["statistic"] = alarm.metric.statistic
    data |= {"period": alarm.period, "recentDatapoints": [point.value for point in reversed(points)]}
    data["threshold"] = alarm.settings.threshold
    data["evaluatedDatapoints"] = [_evaluated(point, moment) for point in points]
    return json.dumps(data)


def _evaluated(point: Point, moment: datetime) -> Mapping[str, str | float | None]:
    found: dict[str, str | float | None] = {"timestamp": _told(point.time, moment)}
    if point.number is not None:
        found["sampleCount"] = point.number
    return found | {"value": point.value}


def _told(time: int, moment: datetime) -> str:
    return told(moment - timedelta(seconds=moment.timestamp() - time))
