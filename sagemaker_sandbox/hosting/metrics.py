"""What CloudWatch is told of endpoints, by their kind.

Sources: SageMaker developer guide, "Amazon SageMaker AI metrics in Amazon CloudWatch", "... enhanced metrics for
inference endpoints", "Metrics for multi-container endpoints", "Alarms and logs for tracking metrics from serverless
endpoints" and "... from asynchronous endpoints"; the lists of the last two are exhaustive.
What has not happened is not told: where no request comes, there are no `Invocations`, not 0 of them.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from sagemaker_sandbox.clock import Clock
from sagemaker_sandbox.cloudwatch import metrics as cloudwatch
from sagemaker_sandbox.parts.resources import Fields

#: Namespaces: of requests, and of the instances that answer them.
REQUEST_NAMESPACE, INSTANCE_NAMESPACE = "AWS/SageMaker", "/aws/sagemaker/Endpoints"
MINUTE, TEN_SECONDS = timedelta(minutes=1), timedelta(seconds=10)
#: PutMetricData takes so many different values in one datum.
_VALUES_AT_ONCE = 150


class EndpointKind(StrEnum):
    """Endpoints differ in what they tell of requests."""

    REAL_TIME = "real-time"
    SERVERLESS = "serverless"
    ASYNCHRONOUS = "asynchronous"


_TIME, _NONE, _COUNT = "Microseconds", "None", "Count"
_EVERY = {"Invocation4XXErrors": _NONE, "Invocation5XXErrors": _NONE, "ModelLatency": _TIME}
_AT_ONCE = _EVERY | {"Invocations": _NONE, "OverheadLatency": _TIME}
#: Of these a minute's sum is one datum: Average, Max and Min are the statistics that AWS names for them.
_SUMMED = {
    "ServerlessProvisionedConcurrencyInvocations": _COUNT,
    "ServerlessProvisionedConcurrencySpilloverInvocations": _COUNT,
}
#: What requests tell, and in which unit.
UNITS = {
    EndpointKind.REAL_TIME: _AT_ONCE
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
    EndpointKind.SERVERLESS: _AT_ONCE
    | _SUMMED
    | {
        "ModelSetupTime": _TIME,
        "ServerlessConcurrentExecutionsUtilization": _NONE,
        "ServerlessProvisionedConcurrencyExecutions": _COUNT,
        "ServerlessProvisionedConcurrencyUtilization": _NONE,
    },
    EndpointKind.ASYNCHRONOUS: _EVERY,
}
#: When what is told together began and ended.
Interval = tuple[datetime, datetime]
#: The name and the value of a dimension beside the endpoint's and the variant's.
Dimension = tuple[str, str]


class VariantMeter:
    """What the requests to one variant have told, by the times that are told together."""

    def __init__(self, endpoint: str, variant: str, clock: Clock) -> None:
        self._of = (("EndpointName", endpoint), ("VariantName", variant))
        self._clock = clock
        self._lock = threading.Lock()
        self._told: dict[Interval, dict[tuple[str, str, Dimension | None], Counter[float]]] = {}

    def record(
        self, kind: EndpointKind, name: str, value: float, also: Dimension | None = None, step: timedelta = MINUTE
    ) -> None:
        """One value; a variant whose kind has no such metric does not tell it."""
        unit = UNITS[kind].get(name)
        if unit is None:
            return
        begin = floor_to_step(self._clock.now(), step)
        with self._lock:
            told = self._told.setdefault((begin, begin + step), {})
            told.setdefault((name, unit, also), Counter())[value] += 1

    def take_completed(self, moment: datetime) -> Iterator[Fields]:
        """The data of the times that are over; each is taken once."""
        with self._lock:
            over = {times: self._told.pop(times) for times in sorted(self._told) if times[1] <= moment}
        for (begin, end), told in over.items():
            for (name, unit, also), counted in told.items():
                values = [(sum(counted.elements()), 1)] if name in _SUMMED else list(counted.items())
                for start in range(0, len(values), _VALUES_AT_ONCE):
                    some = values[start : start + _VALUES_AT_ONCE]
                    datum = self.build_datum(name, unit, (begin, end), [value for value, _ in some], also)
                    yield datum | {"Counts": [float(count) for _, count in some]}

    def build_datum(
        self, name: str, unit: str, times: Interval, values: list[float], also: Dimension | None = None
    ) -> Fields:
        """A datum of that time, of high resolution where it is less than a minute."""
        begin, end = times
        dimensions = (*self._of, also) if also else self._of
        return {
            "MetricName": name,
            "Dimensions": [{"Name": dimension, "Value": value} for dimension, value in dimensions],
            "Timestamp": begin,
            "StorageResolution": 1 if end - begin < MINUTE else 60,
            "Unit": unit,
            "Values": values,
        }

    @property
    def is_empty(self) -> bool:
        """Whether all has been taken."""
        return not self._told


class MetricSource(Protocol):
    """What has metrics: an endpoint."""

    @property
    def region_key(self) -> tuple[str, str]:
        """Its account and Region."""

    def get_metric_interval(self) -> timedelta | None:
        """How often there is something to tell; None: nothing at all."""

    def collect_request_metrics(self, moment: datetime) -> Iterable[Fields]:
        """What is to be told of its requests now."""

    def collect_instance_metrics(self, moment: datetime) -> Iterable[Fields]:
        """What is to be told of its instances now."""


class EndpointMetrics:
    """Tells those of all endpoints, on the agenda of the clock: keep it before who looks at metrics."""

    def __init__(self, measured: Callable[[], Iterable[MetricSource]], clock: Clock) -> None:
        self._measured = measured
        clock.add_task(self)

    def next(self, after: datetime) -> datetime | None:
        """A full minute, or one of the ten seconds before it where an endpoint tells as often."""
        steps = [step for one in self._measured() if (step := one.get_metric_interval()) is not None]
        return floor_to_step(after, min(steps)) + min(steps) if steps else None

    def do(self, moment: datetime) -> None:
        """Tell what has come up."""
        for one in self._measured():
            step = one.get_metric_interval()
            if step is None or floor_to_step(moment, step) != moment:
                continue
            for namespace, data in (
                (REQUEST_NAMESPACE, one.collect_request_metrics(moment)),
                (INSTANCE_NAMESPACE, one.collect_instance_metrics(moment)),
            ):
                if told := list(data):
                    cloudwatch.put(*one.region_key, namespace, told, moment)


def floor_to_step(moment: datetime, step: timedelta) -> datetime:
    """The last moment not after it that is a multiple of `step`."""
    return moment - (moment - _EPOCH) % step


_EPOCH = datetime.fromtimestamp(0, UTC)
