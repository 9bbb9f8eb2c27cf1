"""Statistics over samples. Source: CloudWatch user guide, "CloudWatch statistics definitions"."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import reduce
from typing import NamedTuple

_NUMBER = r"\d+(?:\.\d{1,10})?"
_PERCENTILE = re.compile(rf"(p|tm|wm|tc|ts)({_NUMBER})")
_RANGE = re.compile(rf"(TM|WM|TC|TS|PR)\(({_NUMBER}%?)?:({_NUMBER}%?)?\)")


class Sample(NamedTuple):
    """Summary of the values of a metric in a period."""

    number: float
    total: float
    low: float
    high: float
    #: Count of each value; None if it is unknown, or if all values are equal.
    counts: Mapping[float, float] | None = None

    @property
    def values(self) -> Mapping[float, float] | None:
        """Count of each value, if that is known."""
        return {self.low: self.number} if self.counts is None and self.low == self.high and self.number else self.counts


def create_sample(values: Iterable[float], counts: Iterable[float]) -> Sample:
    """Return the sample of single values with their counts. Values with a count of 0 are ignored."""
    times: dict[float, float] = {}
    for value, count in zip(values, counts, strict=True):
        if count > 0:
            times[value] = times.get(value, 0.0) + count
    total = sum(value * count for value, count in times.items())
    value_counts = times if len(times) > 1 else None
    return Sample(sum(times.values()), total, min(times, default=0.0), max(times, default=0.0), value_counts)


def merge(samples: Iterable[Sample]) -> Sample | None:
    """Return one sample of all, or None if there is none."""
    items = list(samples)
    return items[0] if len(items) == 1 else reduce(_merge_two, items) if items else None


def _merge_two(left: Sample, right: Sample) -> Sample:
    counts, more = None, right.values
    if left.values is not None and more is not None:
        counts = dict(left.values)
        for value, count in more.items():
            counts[value] = counts.get(value, 0.0) + count
    low, high = min(left.low, right.low), max(left.high, right.high)
    return Sample(left.number + right.number, left.total + right.total, low, high, counts if low < high else None)


def is_statistic(statistic: str) -> bool:
    """Return True for the name of a statistic."""
    if statistic in _SIMPLE or statistic == "IQM":
        return True
    if part := _PERCENTILE.fullmatch(statistic):
        return float(part[2]) <= 100
    span = _RANGE.fullmatch(statistic)
    return span is not None and bool(span[2] or span[3]) and not (span[1] == "PR" and "%" in statistic)


def compute(sample: Sample, statistic: str) -> float | None:
    """Return a statistic of a sample, or None if it needs values that are not known."""
    if statistic in _SIMPLE:
        return _SIMPLE[statistic](sample)
    if sample.values is None:
        return None
    if statistic == "IQM":
        return _compute_share("TM", sample, 0.25, 0.75)
    if part := _PERCENTILE.fullmatch(statistic):
        share = float(part[2]) / 100
        return (
            _compute_percentile(sample, share)
            if part[1] == "p"
            else _compute_share(part[1].upper(), sample, 0.0, share)
        )
    span = _RANGE.fullmatch(statistic)
    assert span is not None
    return _compute_range(sample, *span.groups())


def find_percentile(statistic: str) -> float | None:
    """Return the percentile of a statistic, from 0 to 1, or None for another statistic."""
    part = _PERCENTILE.fullmatch(statistic)
    return float(part[2]) / 100 if part is not None and part[1] == "p" else None


_SIMPLE: Mapping[str, Callable[[Sample], float | None]] = {
    "SampleCount": lambda sample: sample.number,
    "Sum": lambda sample: sample.total,
    "Average": lambda sample: sample.total / sample.number if sample.number else None,
    "Minimum": lambda sample: sample.low,
    "Maximum": lambda sample: sample.high,
}


def _compute_percentile(sample: Sample, share: float) -> float:
    """Return the value of the nearest rank. AWS documents only that its method is highly accurate."""
    rank, cumulative = math.ceil(share * sample.number - 1e-9), 0.0
    for number, count in sorted((sample.values or {}).items()):
        cumulative += count
        if cumulative >= rank:
            return number
    return sample.high


def _compute_range(sample: Sample, kind: str, low: str | None, high: str | None) -> float | None:
    values = sample.values or {}
    if "%" in (low or "") + (high or ""):
        return _compute_share(
            kind, sample, float((low or "0").rstrip("%")) / 100, float((high or "100").rstrip("%")) / 100
        )
    minimum, maximum = float(low) if low else -math.inf, float(high) if high else math.inf
    inside = {number: count for number, count in values.items() if minimum < number <= maximum}
    if kind == "WM":
        clamped: dict[float, float] = {}
        for number, count in values.items():
            limited = min(max(number, minimum), maximum)
            clamped[limited] = clamped.get(limited, 0.0) + count
        inside = clamped
    sample_inside = create_sample(inside.keys(), inside.values())
    if kind == "PR":
        return 100 * sample_inside.number / sample.number
    return _reduce(kind, sample_inside)


def _compute_share(kind: str, sample: Sample, begin: float, end: float) -> float | None:
    """Return a statistic of the sorted values between two shares of their number."""
    parts = list(_list_parts(sample, begin * sample.number, end * sample.number))
    if kind == "WM" and parts:
        outside = begin * sample.number, (1 - end) * sample.number
        parts = [(parts[0][0], outside[0]), *parts, (parts[-1][0], outside[1])]
    return _reduce(kind, create_sample((number for number, _ in parts), (count for _, count in parts)))


def _list_parts(sample: Sample, begin: float, end: float) -> Iterator[tuple[float, float]]:
    cumulative = 0.0
    for number, times in sorted((sample.values or {}).items()):
        count = min(cumulative + times, end) - max(cumulative, begin)
        if count > 0:
            yield number, count
        cumulative += times


def _reduce(kind: str, sample: Sample) -> float | None:
    if kind == "TC":
        return sample.number
    if kind == "TS":
        return sample.total
    return sample.total / sample.number if sample.number else None
