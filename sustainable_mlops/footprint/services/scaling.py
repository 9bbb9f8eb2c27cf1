"""Number of running instances of a variant, their hours, and their load."""

from collections.abc import Iterable
from typing import NamedTuple

from sustainable_mlops.catalogue.month import HOURS_PER_MONTH
from sustainable_mlops.footprint.activities import ALWAYS, ONE, ZERO
from sustainable_mlops.footprint.coefficients import load_assumptions
from sustainable_mlops.footprint.figures import UnknownItem
from sustainable_mlops.footprint.quantities import Quantity, make_bounded, make_exact
from sustainable_mlops.footprint.services.plan_side import get_usage_or_default
from sustainable_mlops.footprint.usage import UsageKeys
from sustainable_mlops.plan import UNKNOWN
from sustainable_mlops.plan.joins import ASYNCHRONOUS
from sustainable_mlops.plan.scaling import Scaling
from sustainable_mlops.plan.timetable import Span

#: Fewer hours count as zero.
_MIN_HOURS = 1e-6
_BETWEEN = "instances, between the limits of autoscaling"
_BACKLOG = "instances while there is a backlog"


def estimate_waiting(maximum: float | None) -> Quantity:
    """Return the hours that a fleet which scales to zero is on for each busy hour, at most `room`."""
    waiting = load_assumptions()["async_waiting"]
    return waiting if maximum is None else waiting.clamp(1.0, maximum)


def compute_mean(scaled: Scaling, text: str) -> Quantity:
    """Return the average number of instances; exact if only a schedule changes it."""
    return _sum_quantities([_count_instances(scaled, span, text) * span.share for span in _get_spans(scaled)], text)


def find_extremes(scaled: Scaling, average: Quantity) -> Quantity | None:
    """Return the minimum and maximum number of instances if they differ from those of `average`, else None."""
    spans = _get_spans(scaled)
    low, high = min(map(scaled.find_minimum, spans)), max(map(scaled.find_maximum, spans))
    if (low, high) == (average.low, average.high):
        return None
    ends = (min(low, average.low), average.central, max(high, average.high))
    return make_bounded(*ends, average.text, unit=average.unit)


def _get_spans(scaled: Scaling) -> tuple[Span, ...]:
    assert scaled.spans is not UNKNOWN
    return scaled.spans


def _count_instances(scaled: Scaling, span: Span, text: str) -> Quantity:
    """Return the number of instances in `span`.

    The expected number is a third of the way up, because the load is near its valley more often than near its peak. A
    fleet that only grows ends at the maximum, one that only shrinks at the minimum.
    """
    low, high = scaled.find_minimum(span), scaled.find_maximum(span)
    if low == high:
        return make_exact(low)
    share = 1.0 if scaled.can_remove is False else 0.0 if scaled.can_add is False else _get_expected_share()
    return make_bounded(low, low + (high - low) * share, high, text, unit="instances")


def _get_expected_share() -> float:
    return load_assumptions()["autoscaling_expected"].central


def _sum_quantities(parts: Iterable[Quantity], text: str) -> Quantity:
    quantities = list(parts)
    grade = max(part.grade for part in quantities)
    low, central, high = (sum(getattr(part, end) for part in quantities) for end in ("low", "central", "high"))
    return Quantity(
        low, max(central, low), max(high, central, low), grade, "" if low == high else text, unit="instances"
    )


class VariantUsage(NamedTuple):
    """Number, hours and load of the instances of a variant in a month."""

    count: Quantity  # type: ignore[assignment]  # not the method of a tuple
    hours: Quantity
    duty: Quantity
    hours_factor: Quantity = ONE
    #: Number of instances if it differs from `count`.
    instances: Quantity | None = None
    omissions: tuple[UnknownItem, ...] = ()


def estimate_usage(
    scaled: Scaling, kind: str, share: float, keys: UsageKeys, longest: Quantity = ALWAYS
) -> VariantUsage:
    """Return the usage of the instances that serve a `share` of the endpoint's requests.

    The numbers in `scaled` must be known. `longest` is the number of hours in which the endpoint exists.
    """
    given_count, hours = keys.get("instances"), keys.get("hours_per_month")
    work = _compute_work(share, keys)
    sleeping_spans = [kind == ASYNCHRONOUS and _is_asleep(scaled, span) for span in _get_spans(scaled)]
    maximum = sum(span.share * scaled.find_maximum(span) for span in _get_spans(scaled))
    if all(sleeping_spans) and hours is None and work is not None and keys.get("duty") is None:
        return _estimate_scaled_to_zero_fleet(work, maximum, given_count)
    if all(sleeping_spans):
        count = given_count or _count_while_busy(maximum)
        on = hours or load_assumptions()["async_on"] * HOURS_PER_MONTH
        instances: Quantity | None = given_count or _count_with_sleep(
            count.central * on.central / HOURS_PER_MONTH, maximum
        )
    else:
        on = hours or longest
        if hours is not None:
            scaled, sleeping_spans = _limit_to_on_time(scaled, sleeping_spans)
        size = _average_with_sleep(scaled, sleeping_spans) if any(sleeping_spans) else compute_mean(scaled, _BETWEEN)
        count = given_count or _fit_size(size, work, on)
        instances = None if given_count else find_extremes(scaled, count)
    default_duty = ONE if all(sleeping_spans) else load_assumptions()["endpoint_duty"]
    duty = _compute_duty(share, work, count.central * on.central, default_duty, keys)
    return VariantUsage(
        count,
        on,
        duty,
        ONE,
        instances,
        _report_excess(work, (given_count.high if given_count else maximum) * on.central),
    )


def _limit_to_on_time(scaled: Scaling, sleeping_spans: list[bool]) -> tuple[Scaling, list[bool]]:
    """Return the spans that may have instances, because the given hours cover only those."""
    pairs = [pair for pair in zip(_get_spans(scaled), sleeping_spans, strict=True) if scaled.find_maximum(pair[0])]
    time = sum(span.share for span, _ in pairs)
    if not pairs:
        return scaled, sleeping_spans
    spans = tuple(span._replace(share=span.share / time) for span, _ in pairs)
    return scaled._replace(spans=spans), [sleeps for _, sleeps in pairs]


def is_asleep_without_backlog(scaled: Scaling, kind: str) -> bool:
    """Return whether there are instances only while there is a backlog. The numbers in `scaled` must be known."""
    return kind == ASYNCHRONOUS and all(_is_asleep(scaled, span) for span in _get_spans(scaled))


def _is_asleep(scaled: Scaling, span: Span) -> bool:
    """Return whether `span` has instances only while there is a backlog."""
    return span.minimum == 0 and scaled.can_remove is not False and scaled.can_add is not False


def _count_while_busy(most: float) -> Quantity:
    least = min(1.0, most)
    return make_bounded(least, least + (most - least) * _get_expected_share(), most, _BACKLOG, unit="instances")


def _count_with_sleep(average: float, most: float) -> Quantity:
    return make_bounded(0.0, average, max(most, average), "instances, zero without a backlog", unit="instances")


def _average_with_sleep(scaled: Scaling, sleeping_spans: list[bool]) -> Quantity:
    """Return the average size of a fleet that sleeps only in some spans of its schedule."""
    parts = []
    for span, sleeps in zip(_get_spans(scaled), sleeping_spans, strict=True):
        on = load_assumptions()["async_on"]
        busy = _count_while_busy(span.maximum)
        sleeping_average = Quantity(
            on.low * busy.low, on.central * busy.central, on.high * busy.high, on.grade, _BACKLOG
        )
        parts.append((sleeping_average if sleeps else _count_instances(scaled, span, _BETWEEN)) * span.share)
    return _sum_quantities(parts, _BETWEEN)


def _compute_work(share: float, keys: UsageKeys) -> Quantity | None:
    """Return the instance-hours that the requests keep busy; None without requests or duration in the usage file."""
    if keys.get("requests_per_month") is None and keys.get("duration_seconds") is None:
        return None
    requests, duration = (
        get_usage_or_default(keys, "requests_per_month"),
        get_usage_or_default(keys, "duration_seconds"),
    )
    return Quantity(
        low=requests.low * duration.low * share / 3600,
        central=requests.central * duration.central * share / 3600,
        high=requests.high * duration.high * share / 3600,
        grade=max(requests.grade, duration.grade),
        text="busy hours, from the requests",
        unit="h",
    )


def _estimate_scaled_to_zero_fleet(work: Quantity, maximum: float, given_count: Quantity | None) -> VariantUsage:
    """Return the usage of a fleet that is on only for its requests; the hours do not depend on its size."""
    hours = work.clamp(0.0, maximum * HOURS_PER_MONTH)
    stretch = estimate_waiting(maximum * HOURS_PER_MONTH / hours.central if hours.central else None)
    average = hours.central * stretch.central / HOURS_PER_MONTH
    instances = given_count or _count_with_sleep(average, maximum)
    return VariantUsage(ONE, hours, ONE, stretch, instances, _report_excess(work, maximum * HOURS_PER_MONTH))


def _fit_size(size: Quantity, work: Quantity | None, on: Quantity) -> Quantity:
    """Return the size of a fleet: as it scales, or the larger number that the requests keep busy."""
    if work is None or size.is_exact or on.central < _MIN_HOURS:
        return size
    busy = (work * (1 / on.central)).clamp(size.low, size.high)
    return size.replace_bounds(busy.low, max(size.central, busy.central), size.high)


def _report_excess(work: Quantity | None, available: float) -> tuple[UnknownItem, ...]:
    """Return a note if the requests exceed the capacity of the maximum number of instances."""
    if work is None or work.central <= available:
        return ()
    reason = f"the requests need {work.central:,.0f} instance-hours, and at most {available:,.0f} are available"
    return (UnknownItem("requests", f"{reason}; the others are not counted"),)


def _compute_duty(
    share: float, work: Quantity | None, available: float, default_duty: Quantity, keys: UsageKeys
) -> Quantity:
    """Return the busy share of an instance: as given, else from the requests; zero without a share of them."""
    given_duty = keys.get("duty")
    if not share:
        return ZERO
    if given_duty is not None or work is None or available < _MIN_HOURS:
        return given_duty or default_duty
    return (
        (work * (1 / available))
        .replace_text("busy share of the time, from the requests", "of the time")
        .clamp(0.0, 1.0)
    )
