"""Statistics over samples. Source: CloudWatch user guide, "CloudWatch statistics definitions"."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import reduce
from typing import NamedTuple

_NUMBER = r"\d+(?:\.\d{1,10})?"
_OF_PART = re.compile(rf"(p|tm|wm|tc|ts)({_NUMBER})")
_OF_RANGE = re.compile(rf"(TM|WM|TC|TS|PR)\(({_NUMBER}%?)?:({_NUMBER}%?)?\)")


class Sample(NamedTuple):
    """What is known of the values of a metric in a time."""

    number: float
    total: float
    low: float
    high: float
    #: How often each came; None where that is not known, or needs not be said as all are equal.
    several: Mapping[float, float] | None = None

    @property
    def values(self) -> Mapping[float, float] | None:
        """How often each value came, if that is known."""
        return (
            {self.low: self.number} if self.several is None and self.low == self.high and self.number else self.several
        )


def of_values(values: Iterable[float], counts: Iterable[float]) -> Sample:
    """A sample of single values; one that did not come is none."""
    times: dict[float, float] = {}
    for value, count in zip(values, counts, strict=True):
        if count > 0:
            times[value] = times.get(value, 0.0) + count
    total = sum(value * count for value, count in times.items())
    several = times if len(times) > 1 else None
    return Sample(sum(times.values()), total, min(times, default=0.0), max(times, default=0.0), several)


def merged(samples: Iterable[Sample]) -> Sample | None:
    """All in one; None of nothing."""
    found = list(samples)
    return found[0] if len(found) == 1 else reduce(_both, found) if found else None


def _both(one: Sample, other: Sample) -> Sample:
    several, more = None, other.values
    if one.values is not None and more is not None:
        several = dict(one.values)
        for value, count in more.items():
            several[value] = several.get(value, 0.0) + count
    low, high = min(one.low, other.low), max(one.high, other.high)
    return Sample(one.number + other.number, one.total + other.total, low, high, several if low < high else None)


def known(statistic: str) -> bool:
    """Whether there is such a statistic."""
    if statistic in _SIMPLE or statistic == "IQM":
        return True
    if part := _OF_PART.fullmatch(statistic):
        return float(part[2]) <= 100
    span = _OF_RANGE.fullmatch(statistic)
    return span is not None and bool(span[2] or span[3]) and not (span[1] == "PR" and "%" in statistic)


def value(sample: Sample, statistic: str) -> float | None:
    """A statistic of a sample; None where it needs values that are not known. `known` says which there are."""
    if statistic in _SIMPLE:
        return _SIMPLE[statistic](sample)
    if sample.values is None:
        return None
    if statistic == "IQM":
        return _over("TM", sample, 0.25, 0.75)
    if part := _OF_PART.fullmatch(statistic):
        share = float(part[2]) / 100
        return _percentile(sample, share) if part[1] == "p" else _over(part[1].upper(), sample, 0.0, share)
    span = _OF_RANGE.fullmatch(statistic)
    assert span is not None
    return _of_range(sample, *span.groups())


def percentile(statistic: str) -> float | None:
    """Which percentile a statistic is, from 0 to 1; None of another one."""
    part = _OF_PART.fullmatch(statistic)
    return float(part[2]) / 100 if part is not None and part[1] == "p" else None


_SIMPLE: Mapping[str, Callable[[Sample], float | None]] = {
    "SampleCount": lambda one: one.number,
    "Sum": lambda one: one.total,
    "Average": lambda one: one.total / one.number if one.number else None,
    "Minimum": lambda one: one.low,
    "Maximum": lambda one: one.high,
}


def _percentile(sample: Sample, share: float) -> float:
    """The nearest rank: AWS publishes no more than that it is one of high accuracy."""
    rank, passed = math.ceil(share * sample.number - 1e-9), 0.0
    for one, count in sorted((sample.values or {}).items()):
        passed += count
        if passed >= rank:
            return one
    return sample.high


def _of_range(sample: Sample, kind: str, low: str | None, high: str | None) -> float | None:
    values = sample.values or {}
    if "%" in (low or "") + (high or ""):
        return _over(kind, sample, float((low or "0").rstrip("%")) / 100, float((high or "100").rstrip("%")) / 100)
    least, most = float(low) if low else -math.inf, float(high) if high else math.inf
    inside = {one: count for one, count in values.items() if least < one <= most}
    if kind == "WM":
        clamped: dict[float, float] = {}
        for one, count in values.items():
            clamped[min(max(one, least), most)] = clamped.get(min(max(one, least), most), 0.0) + count
        inside = clamped
    found = of_values(inside.keys(), inside.values())
    if kind == "PR":
        return 100 * found.number / sample.number
    return _of_kind(kind, found)


def _over(kind: str, sample: Sample, begin: float, end: float) -> float | None:
    """Over the part of the values in order between these shares of their number."""
    parts = list(_parts(sample, begin * sample.number, end * sample.number))
    if kind == "WM" and parts:
        outside = begin * sample.number, (1 - end) * sample.number
        parts = [(parts[0][0], outside[0]), *parts, (parts[-1][0], outside[1])]
    return _of_kind(kind, of_values((one for one, _ in parts), (count for _, count in parts)))


def _parts(sample: Sample, begin: float, end: float) -> Iterator[tuple[float, float]]:
    passed = 0.0
    for one, times in sorted((sample.values or {}).items()):
        count = min(passed + times, end) - max(passed, begin)
        if count > 0:
            yield one, count
        passed += times


def _of_kind(kind: str, found: Sample) -> float | None:
    if kind == "TC":
        return found.number
    if kind == "TS":
        return found.total
    return found.total / found.number if found.number else None
