"""How many instances of a variant are on, for how long, and how busy they are."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sustainable_mlops.footprint.activities import ALWAYS, HOURS_PER_MONTH, NONE, ONE
from sustainable_mlops.footprint.coefficients import assumptions
from sustainable_mlops.footprint.figures import Unknown
from sustainable_mlops.footprint.quantities import Quantity, between, exactly
from sustainable_mlops.footprint.services.plan_side import default
from sustainable_mlops.footprint.usage import Keys
from sustainable_mlops.plan import UNKNOWN
from sustainable_mlops.plan.joins import ASYNCHRONOUS
from sustainable_mlops.plan.scaling import Scaling
from sustainable_mlops.plan.timetable import Span

#: So few hours are none.
_NO_TIME = 1e-6
_BETWEEN = "instances, between the limits of autoscaling"
_BACKLOG = "instances while there is a backlog"


def waiting(room: float | None) -> Quantity:
    """Hours that a fleet which scales to zero is on for each hour it is busy, of which there are at most `room`."""
    found = assumptions()["async_waiting"]
    return found if room is None else found.at(1.0, room)


def mean(scaled: Scaling, text: str) -> Quantity:
    """How many there are on average: exactly, where a schedule alone decides."""
    return _sum([_count(scaled, span, text) * span.share for span in _known(scaled)], text)


def extremes(scaled: Scaling, average: Quantity) -> Quantity | None:
    """The fewest and the most that there ever are, where `average` is not between those."""
    found = _known(scaled)
    low, high = min(map(scaled.low, found)), max(map(scaled.high, found))
    if (low, high) == (average.low, average.high):
        return None
    return between(min(low, average.low), average.central, max(high, average.high), average.text)


def _known(scaled: Scaling) -> tuple[Span, ...]:
    assert scaled.spans is not UNKNOWN
    return scaled.spans


def _count(scaled: Scaling, span: Span, text: str) -> Quantity:
    """How many there are in `span`.

    A third of the way up, as load is near its valley more often than near its peak; what is only ever added to ends at
    the top, and what is only ever taken from at the bottom.
    """
    low, high = scaled.low(span), scaled.high(span)
    if low == high:
        return exactly(low)
    share = 1.0 if scaled.takes is False else 0.0 if scaled.adds is False else _third()
    return between(low, low + (high - low) * share, high, text)


def _third() -> float:
    return assumptions()["autoscaling_expected"].central


def _sum(parts: Iterable[Quantity], text: str) -> Quantity:
    found = list(parts)
    grade = max(part.grade for part in found)
    low, central, high = (sum(getattr(part, end) for part in found) for end in ("low", "central", "high"))
    return Quantity(low, max(central, low), max(high, central, low), grade, "" if low == high else text)


@dataclass(frozen=True, slots=True)
class Use:
    """What a variant's instances do in a month."""

    count: Quantity
    hours: Quantity
    duty: Quantity
    stretch: Quantity = ONE
    #: How many there are, where that is not `count`.
    instances: Quantity | None = None
    left_out: tuple[Unknown, ...] = ()


def use(scaled: Scaling, kind: str, share: float, keys: Keys, longest: Quantity = ALWAYS) -> Use:
    """How many instances are on, for how long and how busy, with a `share` of the endpoint's requests.

    The numbers in `scaled` must be known. `longest`: the hours that there is an endpoint at all.
    """
    given, hours = keys.get("instances"), keys.get("hours_per_month")
    work = _work(share, keys)
    asleep = [kind == ASYNCHRONOUS and _sleeps(scaled, span) for span in _known(scaled)]
    most = sum(span.share * scaled.high(span) for span in _known(scaled))
    if all(asleep) and hours is None and work is not None and keys.get("duty") is None:
        return _asleep(work, most, given)
    if all(asleep):
        count = given or _while_busy(most)
        on = hours or assumptions()["async_on"] * HOURS_PER_MONTH
        instances: Quantity | None = given or _none_without_backlog(count.central * on.central / HOURS_PER_MONTH, most)
    else:
        on = hours or longest
        if hours is not None:
            scaled, asleep = _while_on(scaled, asleep)
        size = _by_day_and_night(scaled, asleep) if any(asleep) else mean(scaled, _BETWEEN)
        count = given or _sized(size, work, on)
        instances = None if given else extremes(scaled, count)
    otherwise = ONE if all(asleep) else assumptions()["endpoint_duty"]
    duty = _duty(share, work, count.central * on.central, otherwise, keys)
    return Use(count, on, duty, ONE, instances, _beyond(work, (given.high if given else most) * on.central))


def _while_on(scaled: Scaling, asleep: list[bool]) -> tuple[Scaling, list[bool]]:
    """The part of the time that there may be any: of that somebody says how long it is."""
    pairs = [pair for pair in zip(_known(scaled), asleep, strict=True) if scaled.high(pair[0])]
    time = sum(span.share for span, _ in pairs)
    if not pairs:
        return scaled, asleep
    found = tuple(span._replace(share=span.share / time) for span, _ in pairs)
    return replace(scaled, spans=found), [sleeps for _, sleeps in pairs]


def sleeps(scaled: Scaling, kind: str) -> bool:
    """Whether there are never any but while there is a backlog. The numbers in `scaled` must be known."""
    return kind == ASYNCHRONOUS and all(_sleeps(scaled, span) for span in _known(scaled))


def _sleeps(scaled: Scaling, span: Span) -> bool:
    """Whether there are none in `span` but while there is a backlog."""
    return span.least == 0 and scaled.takes is not False and scaled.adds is not False


def _while_busy(most: float) -> Quantity:
    least = min(1.0, most)
    return between(least, least + (most - least) * _third(), most, _BACKLOG)


def _none_without_backlog(average: float, most: float) -> Quantity:
    return between(0.0, average, max(most, average), "instances, of which there are none without a backlog")


def _by_day_and_night(scaled: Scaling, asleep: list[bool]) -> Quantity:
    """The average of a fleet whose schedule lets it sleep some of the time only."""
    parts = []
    for span, sleeps in zip(_known(scaled), asleep, strict=True):
        on = assumptions()["async_on"]
        busy = _while_busy(span.most)
        slept = Quantity(on.low * busy.low, on.central * busy.central, on.high * busy.high, on.grade, _BACKLOG)
        parts.append((slept if sleeps else _count(scaled, span, _BETWEEN)) * span.share)
    return _sum(parts, _BETWEEN)


def _work(share: float, keys: Keys) -> Quantity | None:
    """Instance-hours that the requests keep busy; None where the usage file tells neither number nor duration."""
    if keys.get("requests_per_month") is None and keys.get("duration_seconds") is None:
        return None
    requests, duration = default(keys, "requests_per_month"), default(keys, "duration_seconds")
    return Quantity(
        low=requests.low * duration.low * share / 3600,
        central=requests.central * duration.central * share / 3600,
        high=requests.high * duration.high * share / 3600,
        grade=max(requests.grade, duration.grade),
        text="hours busy, from the requests",
    )


def _asleep(work: Quantity, most: float, given: Quantity | None) -> Use:
    """A fleet that is on for its requests alone: however many instances share the work, it is the same hours."""
    hours = work.at(0.0, most * HOURS_PER_MONTH)
    stretch = waiting(most * HOURS_PER_MONTH / hours.central if hours.central else None)
    average = hours.central * stretch.central / HOURS_PER_MONTH
    instances = given or _none_without_backlog(average, most)
    return Use(ONE, hours, ONE, stretch, instances, _beyond(work, most * HOURS_PER_MONTH))


def _sized(size: Quantity, work: Quantity | None, on: Quantity) -> Quantity:
    """The size of a fleet: as it scales, or as many as the requests keep busy if that is more."""
    if work is None or size.exact or on.central < _NO_TIME:
        return size
    busy = (work * (1 / on.central)).at(size.low, size.high)
    return replace(size, low=busy.low, central=max(size.central, busy.central))


def _beyond(work: Quantity | None, available: float) -> tuple[Unknown, ...]:
    """Requests that the most instances cannot do."""
    if work is None or work.central <= available:
        return ()
    reason = f"the requests take {work.central:,.0f} instance-hours, and the most that there are is {available:,.0f}"
    return (Unknown("requests", f"{reason}: the rest is not counted"),)


def _duty(share: float, work: Quantity | None, available: float, otherwise: Quantity, keys: Keys) -> Quantity:
    """Share of the time an instance is busy: as given, else as the requests say; without a share of them, never."""
    given = keys.get("duty")
    if not share:
        return NONE
    if given is not None or work is None or available < _NO_TIME:
        return given or otherwise
    return (work * (1 / available)).named("share of the time busy, from the requests").at(0.0, 1.0)
