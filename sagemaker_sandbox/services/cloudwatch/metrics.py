"""Metric data of every account and Region, by metric and by minute, or by second at high resolution.

moto's backend holds it, so that it is saved with moto's state. It replaces moto's own list, which is searched for every
request and grows without limit.
"""

import threading
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends

from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.services.cloudwatch import statistics
from sagemaker_sandbox.services.cloudwatch.statistics import Sample

#: Namespace, name, and dimensions in order.
Key = tuple[str, str, tuple[tuple[str, str], ...]]

_STORE = "_sandbox_metrics"
_HOUR, _DAY = 3600, 86_400
#: Retention of all data, in seconds.
RETENTION = 455 * _DAY
#: Resolution of data by its age: minimum age and resolution, in seconds.
_RESOLUTIONS = ((3 * _HOUR, 60), (15 * _DAY, 300), (63 * _DAY, _HOUR), (RETENTION, 0))
_creation_lock = threading.Lock()


class SampleSeries:
    """Samples of one metric in one unit, by the second at which their period begins."""

    def __init__(self) -> None:
        self.times: list[int] = []
        self.samples: list[Sample] = []

    def add(self, time: int, sample: Sample) -> None:
        """Add a sample."""
        last = len(self.times) - 1
        index = last if last >= 0 and self.times[last] == time else bisect_left(self.times, time)
        if index < len(self.times) and self.times[index] == time:
            self.samples[index] = statistics.merge((self.samples[index], sample)) or sample
        else:
            self.times.insert(index, time)
            self.samples.insert(index, sample)

    def list_between(self, begin: int, end: int) -> list[Sample]:
        """Return the samples from `begin` to before `end`."""
        return self.samples[bisect_left(self.times, begin) : bisect_left(self.times, end)]

    def compact(self, now: int) -> "SampleSeries":
        """Return the series at the resolutions for the age of its samples."""
        result = SampleSeries()
        for time, sample in zip(self.times, self.samples, strict=True):
            step = next((resolution for age, resolution in reversed(_RESOLUTIONS) if now - time > age), 1)
            if step:
                result.add(time - time % step, sample)
        return result


class MetricStore:
    """The metrics of one Region of one account."""

    def __init__(self) -> None:
        self.metrics: dict[Key, dict[str, SampleSeries]] = {}
        self.puts = 0
        self._compacted_at = 0
        self._lock = threading.Lock()

    def put(self, namespace: str, data: Sequence[Fields], moment: datetime) -> None:
        """Add data. A datum without a timestamp belongs to `moment`."""
        with self._lock:
            for datum in data:
                key = (namespace, datum["MetricName"], sort_dimensions(datum.get("Dimensions") or ()))
                by_unit = self.metrics.setdefault(key, {})
                series = by_unit.setdefault(datum.get("Unit") or "None", SampleSeries())
                time, step = (
                    to_seconds(datum.get("Timestamp") or moment),
                    1 if datum.get("StorageResolution") == 1 else 60,
                )
                series.add(time - time % step, _sample(datum))
            self.puts += 1
            self._compact(to_seconds(moment))

    def _compact(self, now: int) -> None:
        """Compact all series once a day, because it takes time."""
        if not self._compacted_at <= now < self._compacted_at + _DAY:
            for key, by_unit in list(self.metrics.items()):
                compacted = {unit: result for unit, series in by_unit.items() if (result := series.compact(now)).times}
                if compacted:
                    self.metrics[key] = compacted
                else:
                    del self.metrics[key]
            self._compacted_at = now

    def list_samples(self, key: Key, unit: str | None, begins: Sequence[int], period: int) -> list[Sample | None]:
        """Return the sample of each period, in one unit or, for None, in all units."""
        with self._lock:
            series = [by_name for name, by_name in self.metrics.get(key, {}).items() if unit in (None, name)]
            if len(series) == 1:
                return [statistics.merge(series[0].list_between(begin, begin + period)) for begin in begins]
            return [
                statistics.merge(sample for item in series for sample in item.list_between(begin, begin + period))
                for begin in begins
            ]

    def list_units(self, key: Key) -> list[str]:
        """Return the units of a metric."""
        with self._lock:
            return list(self.metrics.get(key, {}))

    def list_recent(self, time: int) -> Iterator[Key]:
        """Return the metrics with data at `time` or later."""
        with self._lock:
            keys = [
                key
                for key, by_unit in self.metrics.items()
                if any(series.times[-1] >= time for series in by_unit.values())
            ]
        return iter(keys)

    def __getstate__(self) -> Mapping[str, Any]:
        # Plain tuples are fast to write. The lock keeps other threads from adding data.
        with self._lock:
            metrics = {
                key: {
                    unit: (list(item.times), [tuple(sample) for sample in item.samples]) for unit, item in units.items()
                }
                for key, units in self.metrics.items()
            }
        return {"metrics": metrics, "compacted_at": self._compacted_at}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.__init__()  # type: ignore[misc]  # start from an empty store
        self._compacted_at = state["compacted_at"]
        for key, by_unit in state["metrics"].items():
            self.metrics[key] = {}
            for unit, (times, samples) in by_unit.items():
                series = self.metrics[key][unit] = SampleSeries()
                series.times, series.samples = times, [Sample(*sample) for sample in samples]


def put(account: str, region: str, namespace: str, data: list[Fields], moment: datetime) -> None:
    """Add MetricDatum structures. A datum without a timestamp belongs to `moment`."""
    get_store(account, region).put(namespace, data, moment)


def get_store(account: str, region: str) -> MetricStore:
    """Return the metrics of an account and Region."""
    return find_store(cloudwatch_backends[account][region])


def find_store(backend: Any) -> MetricStore:
    """Return the metrics of a backend of moto."""
    store: MetricStore | None = vars(backend).get(_STORE)
    if store is None:
        with _creation_lock:
            store = vars(backend).setdefault(_STORE, MetricStore())
    return store


def count_puts() -> int:
    """Return the number of PutMetricData calls. It differs if there is new data."""
    backends = [backend for regions in list(cloudwatch_backends.values()) for backend in list(regions.values())]
    return sum(vars(backend)[_STORE].puts for backend in backends if _STORE in vars(backend))


def sort_dimensions(dimensions: Sequence[Mapping[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return dimensions in the form of a metric's key."""
    return tuple(sorted((item["Name"], item["Value"]) for item in dimensions))


def to_seconds(moment: Any) -> int:
    """Return a moment in seconds since the epoch. Times without a zone are UTC."""
    if isinstance(moment, datetime):
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    return int(moment)


def _sample(datum: Fields) -> Sample:
    if datum.get("Values"):
        values = [float(value) for value in datum["Values"]]
        return statistics.create_sample(values, [float(count) for count in datum.get("Counts") or [1.0] * len(values)])
    if summary := datum.get("StatisticValues"):
        number, total, low, high = (float(summary[name]) for name in ("SampleCount", "Sum", "Minimum", "Maximum"))
        return Sample(number, total, low, high)
    value = float(datum.get("Value", 0.0))
    return Sample(1.0, value, value, value)
