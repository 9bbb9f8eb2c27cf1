"""What CloudWatch answers of metrics, in place of moto's answers."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from moto.cloudwatch.exceptions import InvalidParameterCombination, InvalidParameterValue, ValidationError
from moto.core.responses import ActionResult

from sagemaker_sandbox.clock import Clock
from sagemaker_sandbox.cloudwatch import metrics, queries, statistics
from sagemaker_sandbox.cloudwatch.expressions import ExpressionError, Line, Value
from sagemaker_sandbox.cloudwatch.metrics import Key, Store
from sagemaker_sandbox.cloudwatch.statistics import Sample
from sagemaker_sandbox.parts.resources import Fields

_TWO_WEEKS, _THREE_HOURS = 14 * 86_400, 3 * 3600
_MOST_POINTS = 1440
#: Namespaces of what moto's other services count whenever they are asked.
_COUNTED = ("AWS/S3", "AWS/Kinesis")


class MetricAnswers:
    """Each takes moto's response, which has the request."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def get_metric_statistics(self, response: Any) -> ActionResult:
        asked = response._get_params()
        wanted = (*(asked.get("Statistics") or ()), *(asked.get("ExtendedStatistics") or ()))
        if not wanted:
            raise InvalidParameterCombination("Must specify either Statistics or ExtendedStatistics")
        for statistic in wanted:
            if not statistics.known(statistic):
                raise InvalidParameterValue(f"The value {statistic} for parameter ExtendedStatistics is invalid.")
        times = _times(asked, int(asked["Period"]), InvalidParameterValue)
        if len(times) > _MOST_POINTS:
            raise InvalidParameterCombination(
                f"You have requested up to {len(times)} datapoints, which exceeds the limit of 1,440. You may reduce "
                "the datapoints requested by increasing Period, or decreasing the time range."
            )
        key = (asked["Namespace"], asked["MetricName"], metrics.dimensions(asked.get("Dimensions") or ()))
        points = list(_datapoints(_store(response.cloudwatch_backend, key), key, asked, times))
        return ActionResult({"Label": asked["MetricName"], "Datapoints": points})

    def get_metric_data(self, response: Any) -> ActionResult:
        asked = response._get_params()
        found: Sequence[Fields] = asked.get("MetricDataQueries") or []
        for number, query in enumerate(found, 1):
            if not query.get("MetricStat") and not query.get("Expression"):
                message = f"The parameter MetricDataQueries.member.{number}.MetricStat is required.\n"
                raise ValidationError(message)  # AWS also returns the empty line
        oldest, backend = metrics.seconds(self._clock.now()) - metrics.KEPT, response.cloudwatch_backend
        results = [_result(backend, one, found, asked, oldest) for one in found if one.get("ReturnData", True)]
        return ActionResult({"MetricDataResults": [each for one in results for each in one], "Messages": []})

    def list_metrics(self, response: Any) -> ActionResult:
        asked, backend = response._get_params(), response.cloudwatch_backend
        if token := asked.get("NextToken"):
            token, found = backend.list_metrics(token, None, None, None)
            return ActionResult({"Metrics": found, "NextToken": token})
        ago = _THREE_HOURS if asked.get("RecentlyActive") == "PT3H" else _TWO_WEEKS
        keys = dict.fromkeys(_keys(backend, metrics.seconds(self._clock.now()) - ago))
        token, found = backend._get_paginated([_listed(key) for key in keys if _is_listed(key, asked)])
        return ActionResult({"Metrics": found, "NextToken": token})


def _times(asked: Fields, period: int, refused: type[Exception]) -> Sequence[int]:
    """When the periods begin: the first as asked, at a full minute unless they are shorter than one."""
    begin, end = metrics.seconds(asked["StartTime"]), metrics.seconds(asked["EndTime"])
    if begin >= end:
        raise refused("The parameter StartTime must be less than the parameter EndTime.")
    if period < 1 or (period not in (1, 5, 10, 20, 30) and period % 60):
        raise refused("The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60")
    return range(begin - begin % min(period, 60), end, period)


def _datapoints(store: Store, key: Key, asked: Fields, times: Sequence[int]) -> Iterator[Fields]:
    for unit in store.units(key):
        if asked.get("Unit") not in (None, unit):
            continue
        for time, sample in zip(times, store.samples(key, unit, times, int(asked["Period"])), strict=True):
            if sample is not None:
                yield _datapoint(sample, asked) | {"Timestamp": datetime.utcfromtimestamp(time), "Unit": unit}


def _datapoint(sample: Sample, asked: Fields) -> Fields:
    found = {name: statistics.value(sample, name) for name in asked.get("Statistics") or ()}
    extended = {name: statistics.value(sample, name) for name in asked.get("ExtendedStatistics") or ()}
    told = {name: value for name, value in extended.items() if value is not None}
    return found | ({"ExtendedStatistics": told} if told else {})


def _result(backend: Any, query: Fields, among: Sequence[Fields], asked: Fields, oldest: int) -> list[Fields]:
    """Of one query: an expression may come to several time series."""
    metric = queries.of_query(query)
    period = metric.period if metric is not None else queries.period_of(among)
    times = _times(asked, period, ValidationError)
    times = times[max((oldest - times[0]) // period, 0) :]

    def read(wanted: queries.Metric, begins: Sequence[int]) -> Sequence[Sample | None]:
        found = (
            _store(backend, wanted.key)
            if wanted.account is None
            else metrics.store(wanted.account, backend.region_name)
        )
        return found.samples(wanted.key, wanted.unit, begins, wanted.period)

    try:
        if metric is not None:
            if not statistics.known(metric.statistic):
                raise ValidationError(f"The value {metric.statistic} for parameter Stat is not supported.")
            value: Value = queries.line(metric, times, read)
        else:
            value = queries.scope(among, times, period, read).value(query["Id"])
    except ExpressionError as error:
        raise ValidationError(f"Error in expression '{query['Id']}': {error}.") from None
    if isinstance(value, float):
        raise ValidationError(f"Error in expression '{query['Id']}': the result has to be a time series.")
    label = query.get("Label") or (metric.key[1] if metric is not None else query["Id"])
    descending = (asked.get("ScanBy") or "TimestampDescending") == "TimestampDescending"
    return [_told(query["Id"], label, line, descending) for line in (value if isinstance(value, list) else [value])]


def _told(name: str, label: str, line: Line, descending: bool) -> Fields:
    points = sorted(line.items(), reverse=descending)
    times = [datetime.utcfromtimestamp(time) for time, _ in points]
    values = [value for _, value in points]
    return {"Id": name, "Label": label, "Timestamps": times, "Values": values, "StatusCode": "Complete"}


def _store(backend: Any, key: Key) -> Store:
    """Where a metric is: with those that were put, or as another service of moto's counts it just now."""
    found = metrics.of(backend)
    if found.units(key) or key[0] not in _COUNTED:
        return found
    counted = Store()
    for one in backend.aws_metric_data:
        datum = {"MetricName": one.name, "Value": one.value, "Timestamp": one.timestamp, "Unit": one.unit}
        named = [{"Name": each.name, "Value": each.value} for each in one.dimensions]
        counted.put(one.namespace, [datum | {"Dimensions": named}], one.timestamp)
    return counted


def _keys(backend: Any, since: int) -> Iterator[Key]:
    yield from metrics.of(backend).since(since)
    for one in backend.aws_metric_data:
        yield one.namespace, one.name, tuple(sorted((each.name, each.value) for each in one.dimensions))


def _is_listed(key: Key, asked: Fields) -> bool:
    namespace, name, dimensions = key
    if asked.get("Namespace") not in (None, namespace) or asked.get("MetricName") not in (None, name):
        return False
    values = dict(dimensions)
    return all(
        one["Name"] in values and one.get("Value") in (None, values[one["Name"]])
        for one in asked.get("Dimensions") or ()
    )


def _listed(key: Key) -> Fields:
    namespace, name, dimensions = key
    named = [{"Name": one, "Value": value} for one, value in dimensions]
    return {"Namespace": namespace, "MetricName": name, "Dimensions": named}
