"""How many instances of a variant are on, for how long, and how busy they are."""

from sustainable_mlops.footprint.coefficients import assumptions
from sustainable_mlops.footprint.parts import Side, known_number
from sustainable_mlops.footprint.quantities import Quantity, between, exactly
from sustainable_mlops.footprint.things import ALWAYS, HOURS_PER_MONTH
from sustainable_mlops.footprint.usage import Keys
from sustainable_mlops.plan import UNKNOWN, Block, Matches
from sustainable_mlops.plan import Unknown as Unsure

INSTANCES = "sagemaker:variant:DesiredInstanceCount"
CONCURRENCY = "sagemaker:variant:DesiredProvisionedConcurrency"


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


def count_and_hours(size: tuple[float, float, bool], kind: str, keys: Keys) -> tuple[Quantity, Quantity]:
    """How many instances are on, and for how many hours."""
    least, most, scales = size
    given, hours = keys.get("instances"), keys.get("hours_per_month")
    if kind == "asynchronous" and scales and least == 0:
        on = hours or _busy_hours(keys) or assumptions()["async_on"] * HOURS_PER_MONTH
        return given or expected(min(1.0, most), most, "instances while there is a backlog"), on
    if given is None:
        given = expected(least, most, "instances, between the limits of autoscaling") if scales else exactly(least)
    return given, hours or ALWAYS


def _busy_hours(keys: Keys) -> Quantity | None:
    """Hours that the requests take one after another; waiting to scale in makes them up to four times as many."""
    requests, duration = keys.get("requests_per_month"), keys.get("duration_seconds")
    if requests is None or duration is None:
        return None
    hours = (requests.central * duration.central) / 3600
    return between(
        min(requests.low * duration.low / 3600, HOURS_PER_MONTH),
        min(hours * 1.5, HOURS_PER_MONTH),
        min(requests.high * duration.high / 3600 * 4, HOURS_PER_MONTH),
        "hours with a backlog, from the requests",
    )


def duty(kind: str, count: Quantity, hours: Quantity, share: float, keys: Keys) -> Quantity:
    """Share of the time an instance is busy: as given, else from the requests, else the default."""
    given = keys.get("duty")
    if given is not None:
        return given
    if kind == "asynchronous" and hours is not ALWAYS:
        return exactly(1.0)
    requests, duration = keys.get("requests_per_month"), keys.get("duration_seconds")
    if requests is None or duration is None or not share or not count.central or not hours.central:
        return assumptions()["endpoint_duty"]
    available = count.central * hours.central * 3600 / share
    low, central, high = (
        requests.low * duration.low / available,
        requests.central * duration.central / available,
        requests.high * duration.high / available,
    )
    grade = max(requests.grade, duration.grade)
    return Quantity(low, central, high, grade, "share of the time busy, from the requests").at(0.0, 1.0)
