"""How many instances of a variant are on, for how long, and how busy they are."""

from dataclasses import dataclass, replace

from sustainable_mlops.footprint.coefficients import assumptions
from sustainable_mlops.footprint.figures import Unknown
from sustainable_mlops.footprint.parts import Side, default, known_number
from sustainable_mlops.footprint.quantities import Quantity, between, exactly
from sustainable_mlops.footprint.things import ALWAYS, HOURS_PER_MONTH, NONE, ONE
from sustainable_mlops.footprint.usage import Keys
from sustainable_mlops.plan import UNKNOWN, Block, Matches
from sustainable_mlops.plan import Unknown as Unsure

INSTANCES = "sagemaker:variant:DesiredInstanceCount"
CONCURRENCY = "sagemaker:variant:DesiredProvisionedConcurrency"

#: So few hours are none.
_NO_TIME = 1e-6


def waiting(room: float | None) -> Quantity:
    """Hours that a fleet which scales to zero is on for each hour it is busy, of which there are at most `room`."""
    found = assumptions()["async_waiting"]
    return found if room is None else found.at(1.0, room)


def limits(block: Block, targets: Matches, side: Side) -> tuple[float, float, bool] | None:
    """The least and the most instances, and whether it scales; None where unknown."""
    scaled = scaled_between(targets, INSTANCES, side)
    if scaled is UNKNOWN:
        return None
    if scaled is not None:
        return (*scaled, True)
    managed = block.block("managed_instance_scaling")
    if isinstance(managed, Block) and managed.text("status") == "ENABLED":
        least, most = managed.number("min_instance_count"), known_number(managed.number("max_instance_count"))
        least = 0.0 if least is None else known_number(least)
        return None if least is None or most is None or most < least else (least, most, True)
    count = block.number("initial_instance_count")
    fixed = 1.0 if count is None else known_number(count)
    return None if fixed is None else (fixed, fixed, False)


def scaled_between(targets: Matches, dimension: str, side: Side) -> tuple[float, float] | Unsure | None:
    """What a scalable target of `dimension` says; None where there is none."""
    for target in targets.sure:
        values = side.values(target)
        if values.text("scalable_dimension") != dimension:
            continue
        least, most = known_number(values.number("min_capacity")), known_number(values.number("max_capacity"))
        return UNKNOWN if least is None or most is None or most < least else (least, most)
    return None


def expected(least: float, most: float, text: str) -> Quantity:
    """A third of the way up, as load is near its valley more often than near its peak."""
    share = assumptions()["autoscaling_expected"].central
    return between(least, least + (most - least) * share, most, text)


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


def use(size: tuple[float, float, bool], kind: str, share: float, keys: Keys) -> Use:
    """How many instances are on, for how long and how busy, with a `share` of the endpoint's requests."""
    least, most, scales = size
    given, hours = keys.get("instances"), keys.get("hours_per_month")
    work = _work(share, keys)
    sleeps = kind == "asynchronous" and scales and least == 0
    if sleeps and hours is None and work is not None and keys.get("duty") is None:
        return _asleep(work, most, given)
    if sleeps:
        count = given or expected(min(1.0, most), most, "instances while there is a backlog")
        on = hours or assumptions()["async_on"] * HOURS_PER_MONTH
    else:
        on = hours or ALWAYS
        count = given or (_sized(work, on, least, most) if scales else exactly(least))
    otherwise = ONE if sleeps else assumptions()["endpoint_duty"]
    left_out = _beyond(work, (given.high if given else most) * on.central)
    return Use(count, on, _duty(share, work, count.central * on.central, otherwise, keys), left_out=left_out)


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
    mean = hours.central * stretch.central / HOURS_PER_MONTH
    instances = given or between(0.0, mean, max(most, mean), "instances, of which there are none without a backlog")
    return Use(ONE, hours, ONE, stretch, instances, _beyond(work, most * HOURS_PER_MONTH))


def _sized(work: Quantity | None, on: Quantity, least: float, most: float) -> Quantity:
    """The size of a fleet that scales: a third of the way up, or as many as the requests keep busy if more."""
    size = expected(least, most, "instances, between the limits of autoscaling")
    if work is None or on.central < _NO_TIME:
        return size
    busy = (work * (1 / on.central)).at(least, most)
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
