"""CloudWatch metrics of endpoints, by kind of endpoint.

Sources: SageMaker developer guide, "Amazon SageMaker AI metrics in Amazon CloudWatch", "... enhanced metrics for
inference endpoints", "Metrics for multi-container endpoints", "Alarms and logs for tracking metrics from serverless
endpoints" and "... from asynchronous endpoints". The lists of the last two are complete.

Nothing is published for events that did not occur: without requests, `Invocations` has no value rather than 0. The
exception is `InvocationsPerInstance`, which variants use to scale in.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from sagemaker_sandbox.base.clock import Clock
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.services.cloudwatch import metrics as cloudwatch

#: Namespaces of the metrics of requests and of instances.
REQUEST_NAMESPACE, INSTANCE_NAMESPACE = "AWS/SageMaker", "/aws/sagemaker/Endpoints"
MINUTE, TEN_SECONDS = timedelta(minutes=1), timedelta(seconds=10)
#: Largest number of different values in one datum of PutMetricData.
_MAX_VALUES = 150


class EndpointKind(StrEnum):
    """Kind of endpoint; it decides which metrics requests have."""

    REAL_TIME = "real-time"
    SERVERLESS = "serverless"
    ASYNCHRONOUS = "asynchronous"


_TIME, _NONE, _COUNT = "Microseconds", "None", "Count"
_ALL_KINDS = {"Invocation4XXErrors": _NONE, "Invocation5XXErrors": _NONE, "ModelLatency": _TIME}
_SYNCHRONOUS = _ALL_KINDS | {"Invocations": _NONE, "OverheadLatency": _TIME}
#: Metrics whose sum over a minute is one datum. AWS documents the statistics Average, Max and Min for them.
_SUMMED = {
    "ServerlessProvisionedConcurrencyInvocations": _COUNT,
    "ServerlessProvisionedConcurrencySpilloverInvocations": _COUNT,
}
#: Metrics of requests with their units.
UNITS = {
    EndpointKind.REAL_TIME: _SYNCHRONOUS
    | {
        "InvocationsPerInstance": _NONE,
        "InvocationModelErrors": _NONE,
        "ContainerLatency": _TIME,
        "ModelLoadingWaitTime": _TIME,
        "ModelUnloadingTime": _TIME,
        "ModelDownloadingTime": _TIME,
        "ModelLoadingTime": _TIME,
        "ModelCacheHit": _NONE,
    },
    EndpointKind.SERVERLESS: _SYNCHRONOUS
    | _SUMMED
    | {
        "ModelSetupTime": _TIME,
        "ServerlessConcurrentExecutionsUtilization": _NONE,
        "ServerlessProvisionedConcurrencyExecutions": _COUNT,
        "ServerlessProvisionedConcurrencyUtilization": _NONE,
    },
    EndpointKind.ASYNCHRONOUS: _ALL_KINDS,
}
#: Start and end of the period of one datum.
Interval = tuple[datetime, datetime]
#: Name and value of an additional dimension.
MetricDimension = tuple[str, str]


class VariantMeter:
    """Metric values of the requests to one variant, grouped by period."""

    def __init__(self, endpoint: str, variant: str, clock: Clock) -> None:
        self._dimensions = (("EndpointName", endpoint), ("VariantName", variant))
        self._clock = clock
        self._lock = threading.Lock()
        self._periods: dict[Interval, dict[tuple[str, str, MetricDimension | None], Counter[float]]] = {}

    def record(
        self,
        kind: EndpointKind,
        name: str,
        value: float,
        dimension: MetricDimension | None = None,
        step: timedelta = MINUTE,
    ) -> None:
        """Record one value. Metrics that the kind of endpoint does not have are ignored."""
        unit = UNITS[kind].get(name)
        if unit is None:
            return
        begin = floor_to_step(self._clock.now(), step)
        with self._lock:
            values = self._periods.setdefault((begin, begin + step), {})
            values.setdefault((name, unit, dimension), Counter())[value] += 1

    def take_completed(self, moment: datetime) -> Iterator[Fields]:
        """Yield the data of the completed periods and remove them."""
        with self._lock:
            completed = {times: self._periods.pop(times) for times in sorted(self._periods) if times[1] <= moment}
        for (begin, end), metrics in completed.items():
            for (name, unit, dimension), counts in metrics.items():
                values = [(sum(counts.elements()), 1)] if name in _SUMMED else list(counts.items())
                for start in range(0, len(values), _MAX_VALUES):
                    batch = values[start : start + _MAX_VALUES]
                    datum = self.build_datum(name, unit, (begin, end), [value for value, _ in batch], dimension)
                    yield datum | {"Counts": [float(count) for _, count in batch]}

    def build_datum(
        self, name: str, unit: str, times: Interval, values: list[float], dimension: MetricDimension | None = None
    ) -> Fields:
        """Return a datum for a period. Periods shorter than a minute have high resolution."""
        begin, end = times
        dimensions = (*self._dimensions, dimension) if dimension else self._dimensions
        return {
            "MetricName": name,
            "Dimensions": [{"Name": label, "Value": value} for label, value in dimensions],
            "Timestamp": begin,
            "StorageResolution": 1 if end - begin < MINUTE else 60,
            "Unit": unit,
            "Values": values,
        }

    @property
    def is_empty(self) -> bool:
        """True if no value is left to publish."""
        return not self._periods


class MetricSource(Protocol):
    """A source of metrics, such as an endpoint."""

    @property
    def region_key(self) -> tuple[str, str]:
        """Account ID and Region name."""

    def get_metric_interval(self) -> timedelta | None:
        """Return the interval between two publications; None if there is nothing to publish."""

    def collect_request_metrics(self, moment: datetime) -> Iterable[Fields]:
        """Return the request metrics that are due."""

    def collect_instance_metrics(self, moment: datetime) -> Iterable[Fields]:
        """Return the instance metrics that are due."""


class EndpointMetrics:
    """Scheduled task that publishes the metrics of all endpoints.

    Register it with the clock before the tasks that read metrics.
    """

    def __init__(self, list_sources: Callable[[], Iterable[MetricSource]], clock: Clock) -> None:
        self._list_sources = list_sources
        clock.add_task(self)

    def next(self, after: datetime) -> datetime | None:
        """Return the next multiple of the shortest interval of all endpoints."""
        steps = [step for source in self._list_sources() if (step := source.get_metric_interval()) is not None]
        return floor_to_step(after, min(steps)) + min(steps) if steps else None

    def run_due(self, moment: datetime) -> None:
        """Publish the metrics that are due."""
        for source in self._list_sources():
            step = source.get_metric_interval()
            if step is None or floor_to_step(moment, step) != moment:
                continue
            for namespace, data in (
                (REQUEST_NAMESPACE, source.collect_request_metrics(moment)),
                (INSTANCE_NAMESPACE, source.collect_instance_metrics(moment)),
            ):
                if batch := list(data):
                    cloudwatch.put(*source.region_key, namespace, batch, moment)


def floor_to_step(moment: datetime, step: timedelta) -> datetime:
    """Return the latest multiple of `step` that is not after the moment."""
    return moment - (moment - _EPOCH) % step


_EPOCH = datetime.fromtimestamp(0, UTC)
