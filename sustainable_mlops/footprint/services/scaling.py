"""How many instances of a variant are on, for how long, and how busy they are."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sustainable_mlops.footprint.activities import ALWAYS, HOURS_PER_MONTH, ONE, ZERO
from sustainable_mlops.footprint.coefficients import load_assumptions
from sustainable_mlops.footprint.figures import UnknownItem
from sustainable_mlops.footprint.quantities import Quantity, bounded_quantity, exact_quantity
from sustainable_mlops.footprint.services.plan_side import get_usage_or_default
from sustainable_mlops.footprint.usage import UsageKeys
from sustainable_mlops.plan import UNKNOWN
from sustainable_mlops.plan.joins import ASYNCHRONOUS
from sustainable_mlops.plan.scaling import Scaling
from sustainable_mlops.plan.timetable import Span

#: So few hours are none.
_MIN_HOURS = 1e-6
_BETWEEN = "instances, between the limits of autoscaling"
_BACKLOG = "instances while there is a backlog"


def estimate_waiting(room: float | None) -> Quantity:
    """Hours that a fleet which scales to zero is on for each hour it is busy, of which there are at most `room`."""
    found = load_assumptions()["async_waiting"]
    return found if room is None else found.clamp(1.0, room)


def compute_mean(scaled: Scaling, text: str) -> Quantity:
    """How many there are on average: exactly, where a schedule alone decides."""
    return _sum_quantities([_count_instances(scaled, span, text) * span.share for span in _get_spans(scaled)], text)


def find_extremes(scaled: Scaling, average: Quantity) -> Quantity | None:
    """The fewest and the most that there ever are, where `average` is not between those."""
    found = _get_spans(scaled)
    low, high = min(map(scaled.find_minimum, found)), max(map(scaled.find_maximum, found))
    if (low, high) == (average.low, average.high):
        return None
    return bounded_quantity(min(low, average.low), average.central, max(high, average.high), average.text)


def _get_spans(scaled: Scaling) -> tuple[Span, ...]:
    assert scaled.spans is not UNKNOWN
    return scaled.spans


def _count_instances(scaled: Scaling, span: Span, text: str) -> Quantity:
    """How many there are in `span`.

    A third of the way up, as load is near its valley more often than near its peak; what is only ever added to ends at
    the top, and what is only ever taken from at the bottom.
    """
    low, high = scaled.find_minimum(span), scaled.find_maximum(span)
    if low == high:
        return exact_quantity(low)
    share = 1.0 if scaled.can_remove is False else 0.0 if scaled.can_add is False else _get_expected_share()
    return bounded_quantity(low, low + (high - low) * share, high, text)


def _get_expected_share() -> float:
    return load_assumptions()["autoscaling_expected"].central


def _sum_quantities(parts: Iterable[Quantity], text: str) -> Quantity:
    found = list(parts)
    grade = max(part.grade for part in found)
    low, central, high = (sum(getattr(part, end) for part in found) for end in ("low", "central", "high"))
    return Quantity(low, max(central, low), max(high, central, low), grade, "" if low == high else text)


@dataclass(frozen=True, slots=True)
class InstanceUsage:
    """What a variant's instances do in a month."""

    count: Quantity
    hours: Quantity
    duty: Quantity
    hours_factor: Quantity = ONE
    #: How many there are, where that is not `count`.
    instances: Quantity | None = None
    omissions: tuple[UnknownItem, ...] = ()


def estimate_usage(
    scaled: Scaling, kind: str, share: float, keys: UsageKeys, longest: Quantity = ALWAYS
) -> InstanceUsage:
    """How many instances are on, for how long and how busy, with a `share` of the endpoint's requests.

    The numbers in `scaled` must be known. `longest`: the hours that there is an endpoint at all.
    """
    given, hours = keys.get("instances"), keys.get("hours_per_month")
    work = _compute_work(share, keys)
    asleep = [kind == ASYNCHRONOUS and _is_asleep(scaled, span) for span in _get_spans(scaled)]
    most = sum(span.share * scaled.find_maximum(span) for span in _get_spans(scaled))
    if all(asleep) and hours is None and work is not None and keys.get("duty") is None:
        return _estimate_sleeping_fleet(work, most, given)
    if all(asleep):
        count = given or _count_while_busy(most)
        on = hours or load_assumptions()["async_on"] * HOURS_PER_MONTH
        instances: Quantity | None = given or _count_with_sleep(count.central * on.central / HOURS_PER_MONTH, most)
    else:
        on = hours or longest
        if hours is not None:
            scaled, asleep = _limit_to_on_time(scaled, asleep)
        size = _average_with_sleep(scaled, asleep) if any(asleep) else compute_mean(scaled, _BETWEEN)
        count = given or _fit_size(size, work, on)
        instances = None if given else find_extremes(scaled, count)
    otherwise = ONE if all(asleep) else load_assumptions()["endpoint_duty"]
    duty = _compute_duty(share, work, count.central * on.central, otherwise, keys)
    return InstanceUsage(
        count, on, duty, ONE, instances, _report_excess(work, (given.high if given else most) * on.central)
    )


def _limit_to_on_time(scaled: Scaling, asleep: list[bool]) -> tuple[Scaling, list[bool]]:
    """The part of the time that there may be any: of that somebody says how long it is."""
    pairs = [pair for pair in zip(_get_spans(scaled), asleep, strict=True) if scaled.find_maximum(pair[0])]
    time = sum(span.share for span, _ in pairs)
    if not pairs:
        return scaled, asleep
    found = tuple(span._replace(share=span.share / time) for span, _ in pairs)
    return replace(scaled, spans=found), [sleeps for _, sleeps in pairs]


def is_asleep_without_backlog(scaled: Scaling, kind: str) -> bool:
    """Whether there are never any but while there is a backlog. The numbers in `scaled` must be known."""
    return kind == ASYNCHRONOUS and all(_is_asleep(scaled, span) for span in _get_spans(scaled))


def _is_asleep(scaled: Scaling, span: Span) -> bool:
    """Whether there are none in `span` but while there is a backlog."""
    return span.minimum == 0 and scaled.can_remove is not False and scaled.can_add is not False


def _count_while_busy(most: float) -> Quantity:
    least = min(1.0, most)
    return bounded_quantity(least, least + (most - least) * _get_expected_share(), most, _BACKLOG)


def _count_with_sleep(average: float, most: float) -> Quantity:
    return bounded_quantity(0.0, average, max(most, average), "instances, of which there are none without a backlog")


def _average_with_sleep(scaled: Scaling, asleep: list[bool]) -> Quantity:
    """The average of a fleet whose schedule lets it sleep some of the time only."""
    parts = []
    for span, sleeps in zip(_get_spans(scaled), asleep, strict=True):
        on = load_assumptions()["async_on"]
        busy = _count_while_busy(span.maximum)
        slept = Quantity(on.low * busy.low, on.central * busy.central, on.high * busy.high, on.grade, _BACKLOG)
        parts.append((slept if sleeps else _count_instances(scaled, span, _BETWEEN)) * span.share)
    return _sum_quantities(parts, _BETWEEN)


def _compute_work(share: float, keys: UsageKeys) -> Quantity | None:
    """Instance-hours that the requests keep busy; None where the usage file tells neither number nor duration."""
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
        text="hours busy, from the requests",
    )


def _estimate_sleeping_fleet(work: Quantity, most: float, given: Quantity | None) -> InstanceUsage:
    """A fleet that is on for its requests alone: however many instances share the work, it is the same hours."""
    hours = work.clamp(0.0, most * HOURS_PER_MONTH)
    stretch = estimate_waiting(most * HOURS_PER_MONTH / hours.central if hours.central else None)
    average = hours.central * stretch.central / HOURS_PER_MONTH
    instances = given or _count_with_sleep(average, most)
    return InstanceUsage(ONE, hours, ONE, stretch, instances, _report_excess(work, most * HOURS_PER_MONTH))


def _fit_size(size: Quantity, work: Quantity | None, on: Quantity) -> Quantity:
    """The size of a fleet: as it scales, or as many as the requests keep busy if that is more."""
    if work is None or size.is_exact or on.central < _MIN_HOURS:
        return size
    busy = (work * (1 / on.central)).clamp(size.low, size.high)
    return replace(size, low=busy.low, central=max(size.central, busy.central))


def _report_excess(work: Quantity | None, available: float) -> tuple[UnknownItem, ...]:
    """Requests that the most instances cannot do."""
    if work is None or work.central <= available:
        return ()
    reason = f"the requests take {work.central:,.0f} instance-hours, and the most that there are is {available:,.0f}"
    return (UnknownItem("requests", f"{reason}: the rest is not counted"),)


def _compute_duty(
    share: float, work: Quantity | None, available: float, otherwise: Quantity, keys: UsageKeys
) -> Quantity:
    """Share of the time an instance is busy: as given, else as the requests say; without a share of them, never."""
    given = keys.get("duty")
    if not share:
        return ZERO
    if given is not None or work is None or available < _MIN_HOURS:
        return given or otherwise
    return (work * (1 / available)).with_text("share of the time busy, from the requests").clamp(0.0, 1.0)
