"""What CloudWatch is told of endpoints, by their kind.

Sources: SageMaker developer guide, "Amazon SageMaker AI metrics in Amazon CloudWatch", "Alarms and logs for tracking
metrics from serverless endpoints" and "... from asynchronous endpoints"; the lists of the latter two are exhaustive.
Most come once a minute. What has not happened is not told: no requests, no `Invocations`, not 0 of them.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from sustainable_mlops.sandbox.clock import Clock
from sustainable_mlops.sandbox.cloudwatch import metrics as cloudwatch
from sustainable_mlops.sandbox.parts.resources import Fields

#: Namespaces: of requests, and of the instances that answer them.
REQUESTS, INSTANCES = "AWS/SageMaker", "/aws/sagemaker/Endpoints"
MINUTE, TEN_SECONDS = timedelta(minutes=1), timedelta(seconds=10)
#: PutMetricData takes so many different values in one datum.
_VALUES_AT_ONCE = 150


class Kind(StrEnum):
    """Endpoints differ in what they tell of requests."""

    REAL_TIME = "real-time"
    SERVERLESS = "serverless"
    ASYNCHRONOUS = "asynchronous"


_EVERY = {"Invocation4XXErrors": "None", "Invocation5XXErrors": "None", "ModelLatency": "Microseconds"}
_AT_ONCE = _EVERY | {"Invocations": "None", "OverheadLatency": "Microseconds"}
#: What requests tell, and in which unit.
UNITS = {
    Kind.REAL_TIME: _AT_ONCE
    | {
        "InvocationsPerInstance": "None",
        "InvocationModelErrors": "None",
        "ModelLoadingWaitTime": "Microseconds",
        "ModelUnloadingTime": "Microseconds",
        "ModelDownloadingTime": "Microseconds",
        "ModelLoadingTime": "Microseconds",
        "ModelCacheHit": "None",
    },
    Kind.SERVERLESS: _AT_ONCE
    | {
        "ModelSetupTime": "Microseconds",
        "ServerlessConcurrentExecutionsUtilization": "None",
        "ServerlessProvisionedConcurrencyExecutions": "Count",
        "ServerlessProvisionedConcurrencyUtilization": "None",
    },
    Kind.ASYNCHRONOUS: _EVERY,
}
#: Of these a minute's sum is one datum: Average, Max and Min are the statistics that AWS names for them.
_SUMMED = {"ServerlessProvisionedConcurrencyInvocations", "ServerlessProvisionedConcurrencySpilloverInvocations"}
UNITS[Kind.SERVERLESS] |= dict.fromkeys(_SUMMED, "Count")


class Meter:
    """What the requests to one variant have told of each minute."""

    def __init__(self, endpoint: str, variant: str, clock: Clock) -> None:
        self.dimensions = [
            {"Name": "EndpointName", "Value": endpoint},
            {"Name": "VariantName", "Value": variant},
        ]
        self._clock = clock
        self._lock = threading.Lock()
        self._told: dict[datetime, dict[tuple[str, str], Counter[float]]] = {}

    def tell(self, kind: Kind, name: str, value: float) -> None:
        """One value; an endpoint whose kind has no such metric does not tell it."""
        unit = UNITS[kind].get(name)
        if unit is None:
            return
        minute = floor(self._clock.now(), MINUTE)
        with self._lock:
            self._told.setdefault(minute, {}).setdefault((name, unit), Counter())[value] += 1

    def before(self, moment: datetime) -> Iterator[Fields]:
        """The data of the minutes that are over; each is taken once."""
        with self._lock:
            over = {minute: self._told.pop(minute) for minute in sorted(self._told) if minute < moment}
        for minute, told in over.items():
            for (name, unit), counted in told.items():
                if name in _SUMMED:
                    counted = Counter({sum(counted.elements()): 1})
                values = list(counted.items())
                for start in range(0, len(values), _VALUES_AT_ONCE):
                    some = values[start : start + _VALUES_AT_ONCE]
                    yield self.datum(name, unit, minute) | {
                        "Values": [value for value, _ in some],
                        "Counts": [float(count) for _, count in some],
                    }

    def datum(self, name: str, unit: str, moment: datetime) -> Fields:
        """A datum that has yet to get its values."""
        return {"MetricName": name, "Dimensions": self.dimensions, "Timestamp": moment, "Unit": unit}

    @property
    def empty(self) -> bool:
        """Whether all has been taken."""
        return not self._told


class Measured(Protocol):
    """What has metrics: an endpoint."""

    @property
    def place(self) -> tuple[str, str]:
        """Its account and Region."""

    def step(self) -> timedelta | None:
        """How often there is something to tell; None: nothing at all."""

    def requests(self, moment: datetime) -> Iterable[Fields]:
        """What is to be told of its requests now."""

    def instances(self, moment: datetime) -> Iterable[Fields]:
        """What is to be told of its instances now."""


class EndpointMetrics:
    """Tells those of all endpoints, on the agenda of the clock: keep it before who looks at metrics."""

    def __init__(self, measured: Callable[[], Iterable[Measured]], clock: Clock) -> None:
        self._measured = measured
        clock.keep(self)

    def next(self, after: datetime) -> datetime | None:
        """A full minute, or one of the ten seconds before it where an endpoint tells as often."""
        steps = [step for one in self._measured() if (step := one.step()) is not None]
        return floor(after, min(steps)) + min(steps) if steps else None

    def do(self, moment: datetime) -> None:
        """Tell what has come up."""
        for one in self._measured():
            step = one.step()
            if step is None or floor(moment, step) != moment:
                continue
            for namespace, data in ((REQUESTS, one.requests(moment)), (INSTANCES, one.instances(moment))):
                if told := list(data):
                    cloudwatch.put(*one.place, namespace, told, moment)


def floor(moment: datetime, step: timedelta) -> datetime:
    """The last moment not after it that is a multiple of `step`."""
    epoch = datetime.fromtimestamp(0, UTC)
    return moment - (moment - epoch) % step
