"""CloudWatch operations of metrics. The sandbox answers them in place of moto."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from moto.cloudwatch.exceptions import InvalidParameterCombination, InvalidParameterValue, ValidationError
from moto.cloudwatch.models import cloudwatch_backends

from sagemaker_sandbox.base.clock import Clock
from sagemaker_sandbox.resources.handlers import emulated_operation
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.services.cloudwatch import metrics, queries, statistics
from sagemaker_sandbox.services.cloudwatch.expressions import ExpressionError, Line, Value
from sagemaker_sandbox.services.cloudwatch.metrics import Key, MetricStore
from sagemaker_sandbox.services.cloudwatch.statistics import Sample
from sagemaker_sandbox.services.registry import ServiceOperations, ServiceRequest

_TWO_WEEKS, _THREE_HOURS = 14 * 86_400, 3 * 3600
_MAX_POINTS = 1440
#: Namespaces of the metrics that moto's other services compute for each request.
_COMPUTED_NAMESPACES = ("AWS/S3", "AWS/Kinesis")


class MetricOperations(ServiceOperations):
    """Operations of metrics."""

    service, moto_service, signing_name = "cloudwatch", "cloudwatch", "monitoring"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    @emulated_operation
    def get_metric_statistics(self, request: ServiceRequest) -> Fields:
        """Return the datapoints of a metric. Raises moto's exceptions."""
        parameters = request.parameters
        names = (*(parameters.get("Statistics") or ()), *(parameters.get("ExtendedStatistics") or ()))
        if not names:
            raise InvalidParameterCombination("Must specify either Statistics or ExtendedStatistics")
        for statistic in names:
            if not statistics.is_statistic(statistic):
                raise InvalidParameterValue(f"The value {statistic} for parameter ExtendedStatistics is invalid.")
        times = _list_times(parameters, int(parameters["Period"]), InvalidParameterValue)
        if len(times) > _MAX_POINTS:
            raise InvalidParameterCombination(
                f"You have requested up to {len(times)} datapoints, which exceeds the limit of 1,440. You may reduce "
                "the datapoints requested by increasing Period, or decreasing the time range."
            )
        dimensions = metrics.sort_dimensions(parameters.get("Dimensions") or ())
        key = (parameters["Namespace"], parameters["MetricName"], dimensions)
        points = list(_list_datapoints(_find_store(_get_backend(request), key), key, parameters, times))
        return {"Label": parameters["MetricName"], "Datapoints": points}

    @emulated_operation
    def get_metric_data(self, request: ServiceRequest) -> Fields:
        """Return the time series of metrics and expressions. Raises moto's exceptions."""
        parameters, backend = request.parameters, _get_backend(request)
        data_queries: Sequence[Fields] = parameters.get("MetricDataQueries") or []
        for number, query in enumerate(data_queries, 1):
            if not query.get("MetricStat") and not query.get("Expression"):
                message = f"The parameter MetricDataQueries.member.{number}.MetricStat is required.\n"
                raise ValidationError(message)  # AWS also returns the empty line
        oldest = metrics.to_seconds(self._clock.now()) - metrics.RETENTION
        results = [
            result
            for query in data_queries
            if query.get("ReturnData", True)
            for result in _list_results(backend, query, data_queries, parameters, oldest)
        ]
        return {"MetricDataResults": results, "Messages": []}

    @emulated_operation
    def list_metrics(self, request: ServiceRequest) -> Fields:
        """Return a page of metrics."""
        parameters, backend = request.parameters, _get_backend(request)
        if token := parameters.get("NextToken"):
            token, page = backend.list_metrics(token, None, None, None)
            return {"Metrics": page, "NextToken": token}
        age = _THREE_HOURS if parameters.get("RecentlyActive") == "PT3H" else _TWO_WEEKS
        keys = dict.fromkeys(_list_keys(backend, metrics.to_seconds(self._clock.now()) - age))
        token, page = backend._get_paginated([_describe(key) for key in keys if _is_requested(key, parameters)])
        return {"Metrics": page, "NextToken": token}


def _get_backend(request: ServiceRequest) -> Any:
    return cloudwatch_backends[request.account][request.region]


def _list_times(parameters: Fields, period: int, error: type[Exception]) -> Sequence[int]:
    """Return the beginnings of the periods. The first one is at a full minute unless periods are shorter than one."""
    begin, end = metrics.to_seconds(parameters["StartTime"]), metrics.to_seconds(parameters["EndTime"])
    if begin >= end:
        raise error("The parameter StartTime must be less than the parameter EndTime.")
    if period < 1 or (period not in (1, 5, 10, 20, 30) and period % 60):
        raise error("The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60")
    return range(begin - begin % min(period, 60), end, period)


def _list_datapoints(store: MetricStore, key: Key, parameters: Fields, times: Sequence[int]) -> Iterator[Fields]:
    for unit in store.list_units(key):
        if parameters.get("Unit") not in (None, unit):
            continue
        for time, sample in zip(times, store.list_samples(key, unit, times, int(parameters["Period"])), strict=True):
            if sample is not None:
                yield _build_datapoint(sample, parameters) | {
                    "Timestamp": datetime.utcfromtimestamp(time),
                    "Unit": unit,
                }


def _build_datapoint(sample: Sample, parameters: Fields) -> Fields:
    basic = {name: statistics.compute(sample, name) for name in parameters.get("Statistics") or ()}
    extended = {name: statistics.compute(sample, name) for name in parameters.get("ExtendedStatistics") or ()}
    known = {name: value for name, value in extended.items() if value is not None}
    return basic | ({"ExtendedStatistics": known} if known else {})


def _list_results(
    backend: Any, query: Fields, data_queries: Sequence[Fields], parameters: Fields, oldest: int
) -> list[Fields]:
    """Return the results of one query: an expression may have several time series. Raises ValidationError."""
    metric = queries.parse_query(query)
    period = metric.period if metric is not None else queries.find_period(data_queries)
    times = _list_times(parameters, period, ValidationError)
    times = times[max((oldest - times[0]) // period, 0) :]

    def read(source: queries.Metric, begins: Sequence[int]) -> Sequence[Sample | None]:
        if source.account is None:
            store = _find_store(backend, source.key)
        else:
            store = metrics.get_store(source.account, backend.region_name)
        return store.list_samples(source.key, source.unit, begins, source.period)

    try:
        if metric is not None:
            if not statistics.is_statistic(metric.statistic):
                raise ValidationError(f"The value {metric.statistic} for parameter Stat is not supported.")
            value: Value = queries.read_line(metric, times, read)
        else:
            value = queries.create_scope(data_queries, times, period, read).get_value(query["Id"])
    except ExpressionError as error:
        raise ValidationError(f"Error in expression '{query['Id']}': {error}.") from None
    if isinstance(value, float):
        raise ValidationError(f"Error in expression '{query['Id']}': the result has to be a time series.")
    label = query.get("Label") or (metric.key[1] if metric is not None else query["Id"])
    is_descending = (parameters.get("ScanBy") or "TimestampDescending") == "TimestampDescending"
    lines = value if isinstance(value, list) else [value]
    return [_build_result(query["Id"], label, line, is_descending) for line in lines]


def _build_result(name: str, label: str, line: Line, is_descending: bool) -> Fields:
    points = sorted(line.items(), reverse=is_descending)
    times = [datetime.utcfromtimestamp(time) for time, _ in points]
    values = [value for _, value in points]
    return {"Id": name, "Label": label, "Timestamps": times, "Values": values, "StatusCode": "Complete"}


def _find_store(backend: Any, key: Key) -> MetricStore:
    """Return the store of a metric: the backend's own, or a new one with the values that moto's service computes."""
    store = metrics.find_store(backend)
    if store.list_units(key) or key[0] not in _COMPUTED_NAMESPACES:
        return store
    computed = MetricStore()
    for metric in backend.aws_metric_data:
        datum = {"MetricName": metric.name, "Value": metric.value, "Timestamp": metric.timestamp, "Unit": metric.unit}
        dimensions = [{"Name": dimension.name, "Value": dimension.value} for dimension in metric.dimensions]
        computed.put(metric.namespace, [datum | {"Dimensions": dimensions}], metric.timestamp)
    return computed


def _list_keys(backend: Any, since: int) -> Iterator[Key]:
    yield from metrics.find_store(backend).list_recent(since)
    for metric in backend.aws_metric_data:
        dimensions = sorted((dimension.name, dimension.value) for dimension in metric.dimensions)
        yield metric.namespace, metric.name, tuple(dimensions)


def _is_requested(key: Key, parameters: Fields) -> bool:
    namespace, name, dimensions = key
    if parameters.get("Namespace") not in (None, namespace) or parameters.get("MetricName") not in (None, name):
        return False
    values = dict(dimensions)
    return all(
        filtered["Name"] in values and filtered.get("Value") in (None, values[filtered["Name"]])
        for filtered in parameters.get("Dimensions") or ()
    )


def _describe(key: Key) -> Fields:
    namespace, metric_name, dimensions = key
    pairs = [{"Name": name, "Value": value} for name, value in dimensions]
    return {"Namespace": namespace, "MetricName": metric_name, "Dimensions": pairs}
