"""Metric data of every account and Region: kept by metric and by the minute, or the second where it is asked for.

It stands on moto's backend, and is saved with it; it takes the place of moto's own list, which is read through for
every question, and grows for ever.
"""

import threading
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends

from sagemaker_sandbox.cloudwatch import statistics
from sagemaker_sandbox.cloudwatch.statistics import Sample
from sagemaker_sandbox.parts.resources import Fields

#: Namespace, name, and dimensions in order.
Key = tuple[str, str, tuple[tuple[str, str], ...]]

_STORE = "_sandbox_metrics"
_HOUR, _DAY = 3600, 86_400
#: How long anything is kept, in seconds.
KEPT = 455 * _DAY
#: Data older than so many seconds is kept by so many.
_RETENTION = ((3 * _HOUR, 60), (15 * _DAY, 300), (63 * _DAY, _HOUR), (KEPT, 0))
_making = threading.Lock()


class Series:
    """Samples of one metric in one unit, each at the second at which its time begins."""

    def __init__(self) -> None:
        self.times: list[int] = []
        self.samples: list[Sample] = []

    def add(self, time: int, sample: Sample) -> None:
        """One more of that time."""
        last = len(self.times) - 1
        place = last if last >= 0 and self.times[last] == time else bisect_left(self.times, time)
        if place < len(self.times) and self.times[place] == time:
            self.samples[place] = statistics.merged((self.samples[place], sample)) or sample
        else:
            self.times.insert(place, time)
            self.samples.insert(place, sample)

    def between(self, begin: int, end: int) -> list[Sample]:
        """Those that begin in that time, without its end."""
        return self.samples[bisect_left(self.times, begin) : bisect_left(self.times, end)]

    def tidied(self, now: int) -> "Series":
        """As it is kept by then."""
        tidy = Series()
        for time, sample in zip(self.times, self.samples, strict=True):
            step = next((by for age, by in reversed(_RETENTION) if now - time > age), 1)
            if step:
                tidy.add(time - time % step, sample)
        return tidy


class Store:
    """The metrics of one Region of one account."""

    def __init__(self) -> None:
        self.metrics: dict[Key, dict[str, Series]] = {}
        self.puts = 0
        self._tidied = 0
        self._lock = threading.Lock()

    def put(self, namespace: str, data: Sequence[Fields], moment: datetime) -> None:
        """As PutMetricData; what has no timestamp is of that moment."""
        with self._lock:
            for datum in data:
                key = (namespace, datum["MetricName"], dimensions(datum.get("Dimensions") or ()))
                by_unit = self.metrics.setdefault(key, {})
                series = by_unit.setdefault(datum.get("Unit") or "None", Series())
                time, step = seconds(datum.get("Timestamp") or moment), 1 if datum.get("StorageResolution") == 1 else 60
                series.add(time - time % step, _sample(datum))
            self.puts += 1
            self._tidy(seconds(moment))

    def _tidy(self, now: int) -> None:
        """Once a day, as it costs time."""
        if not self._tidied <= now < self._tidied + _DAY:
            for key, by_unit in list(self.metrics.items()):
                kept = {unit: tidy for unit, series in by_unit.items() if (tidy := series.tidied(now)).times}
                if kept:
                    self.metrics[key] = kept
                else:
                    del self.metrics[key]
            self._tidied = now

    def samples(self, key: Key, unit: str | None, begins: Sequence[int], period: int) -> list[Sample | None]:
        """What came of a metric in each of these periods, in any unit unless one is named."""
        with self._lock:
            series = [one for name, one in self.metrics.get(key, {}).items() if unit in (None, name)]
            if len(series) == 1:
                return [statistics.merged(series[0].between(begin, begin + period)) for begin in begins]
            return [
                statistics.merged(sample for one in series for sample in one.between(begin, begin + period))
                for begin in begins
            ]

    def units(self, key: Key) -> list[str]:
        """The units in which a metric came."""
        with self._lock:
            return list(self.metrics.get(key, {}))

    def since(self, time: int) -> Iterator[Key]:
        """The metrics of which anything came then or later."""
        with self._lock:
            found = [
                key for key, by_unit in self.metrics.items() if any(one.times[-1] >= time for one in by_unit.values())
            ]
        return iter(found)

    def __getstate__(self) -> Mapping[str, Any]:
        # As plain tuples, which are written by the thousand; and under the lock, as data may come meanwhile.
        with self._lock:
            metrics = {
                key: {unit: (list(one.times), [tuple(sample) for sample in one.samples]) for unit, one in units.items()}
                for key, units in self.metrics.items()
            }
        return {"metrics": metrics, "tidied": self._tidied}

    def __setstate__(self, kept: Mapping[str, Any]) -> None:
        self.__init__()  # type: ignore[misc]  # a new one, filled
        self._tidied = kept["tidied"]
        for key, by_unit in kept["metrics"].items():
            self.metrics[key] = {}
            for unit, (times, samples) in by_unit.items():
                series = self.metrics[key][unit] = Series()
                series.times, series.samples = times, [Sample(*sample) for sample in samples]


def put(account: str, region: str, namespace: str, data: list[Fields], moment: datetime) -> None:
    """As PutMetricData does, in the process; each a MetricDatum, of that moment unless it has its own."""
    store(account, region).put(namespace, data, moment)


def store(account: str, region: str) -> Store:
    """The metrics of a place."""
    return of(cloudwatch_backends[account][region])


def of(backend: Any) -> Store:
    """The metrics that stand on a backend of moto's."""
    found: Store | None = vars(backend).get(_STORE)
    if found is None:
        with _making:
            found = vars(backend).setdefault(_STORE, Store())
    return found


def puts() -> int:
    """How often any data came; equal numbers mean that there is no more."""
    backends = [backend for regions in list(cloudwatch_backends.values()) for backend in list(regions.values())]
    return sum(vars(backend)[_STORE].puts for backend in backends if _STORE in vars(backend))


def dimensions(given: Sequence[Mapping[str, str]]) -> tuple[tuple[str, str], ...]:
    """Dimensions as a metric is known by."""
    return tuple(sorted((one["Name"], one["Value"]) for one in given))


def seconds(moment: Any) -> int:
    """A moment in seconds since the epoch; times without a zone are UTC."""
    if isinstance(moment, datetime):
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    return int(moment)


def _sample(datum: Fields) -> Sample:
    if datum.get("Values"):
        values = [float(one) for one in datum["Values"]]
        return statistics.of_values(values, [float(one) for one in datum.get("Counts") or [1.0] * len(values)])
    if told := datum.get("StatisticValues"):
        number, total, low, high = (float(told[name]) for name in ("SampleCount", "Sum", "Minimum", "Maximum"))
        return Sample(number, total, low, high)
    value = float(datum.get("Value", 0.0))
    return Sample(1.0, value, value, value)
