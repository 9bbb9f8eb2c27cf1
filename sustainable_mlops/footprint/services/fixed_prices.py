"""Resources with a fixed price by the hour or the month: the rows of `prices_services.csv`."""

from collections import Counter

from sustainable_mlops.catalogue import service_prices
from sustainable_mlops.catalogue.service_prices import PriceCondition, ServicePrice
from sustainable_mlops.footprint.activities import ServiceActivity
from sustainable_mlops.footprint.quantities import Quantity, make_bounded, make_exact
from sustainable_mlops.footprint.resource_parts import ResourcePart, make_part, make_unknown_part
from sustainable_mlops.footprint.services.plan_side import PartReader, PlanSide, explain_missing, is_never_set
from sustainable_mlops.plan import UNKNOWN, Resource

#: Kind of a part with a known price only.
SERVICE_KIND = "service"
#: Periods of alarms with high resolution, in seconds.
_SHORT_PERIODS = (10.0, 20.0, 30.0)
#: Metrics of an alarm whose number is unknown until apply: one to ten, the limit of CloudWatch.
_ALARM_METRICS = make_bounded(1, 1, 10, "metrics of an alarm", unit="metrics")


def has_fixed_price(kind: str) -> bool:
    """Return whether resources of this type may have a fixed price."""
    return kind in CODED_READERS or kind in service_prices.load_by_type()


def read_fixed_prices(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return a part for each fixed price of a resource; one unknown part if no price matches."""
    if reader := CODED_READERS.get(resource.type):
        return reader(resource, side)
    parts, mismatch = [], ""
    rows = service_prices.load_by_type().get(resource.type, ())
    for price in rows:
        reason = _find_mismatch(price.conditions, resource, side)
        if reason:
            mismatch = mismatch if UNKNOWN_UNTIL_APPLY in mismatch else reason
        else:
            parts.append(_read_price(price, resource, side))
    if not parts and mismatch:
        return [make_unknown_part(resource.type, SERVICE_KIND, mismatch)]
    return [part for part in parts if part is not None]


UNKNOWN_UNTIL_APPLY = "not known until apply"


def _find_mismatch(conditions: tuple[PriceCondition, ...], resource: Resource, side: PlanSide) -> str:
    """Return the reason why a price does not match the resource; empty if it matches."""
    unknown = ""
    for condition in conditions:
        attribute = condition.attribute
        value = None if is_never_set(resource, attribute, side) else side.get_values(resource).get(attribute)
        if value is UNKNOWN:
            unknown = explain_missing(UNKNOWN, attribute)
            continue
        text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        if not (text if condition.values is None else text in condition.values):
            return f"no price known for {attribute} {text or '(not given)'}"
    return unknown


def _read_price(price: ServicePrice, resource: Resource, side: PlanSide) -> ResourcePart | None:
    if not price.usd_per_month[2]:
        return None
    count = _count_units(price, resource, side)
    if count is None:
        reason = f"{explain_missing(UNKNOWN, price.count)}, so the number of {price.unit or 'units'} is unknown"
        return make_unknown_part(price.item, SERVICE_KIND, reason)
    return make_service_part(price.item, side.find_region(resource), count) if count.high else None


def _count_units(price: ServicePrice, resource: Resource, side: PlanSide) -> Quantity | None:
    """Return the number of units; None if it is unknown."""
    path = price.count
    if not path or is_never_set(resource, path, side):
        return make_exact(price.default_count)
    value = side.get_values(resource).get(path)
    if value is UNKNOWN:
        # A set with an element that is unknown until apply is unknown as a whole, but its references are known.
        types = Counter(
            one.type for one in side.joins.find_references(resource, path).resources if side.exists(one)
        ).most_common(1)
        return make_exact(float(types[0][1]), f"{price.unit} that the plan refers to", "B") if types else None
    if isinstance(value, list | tuple):
        return make_exact(float(len(value)) or price.default_count)
    number = side.get_values(resource).number(path)
    if number is UNKNOWN or number is None or number < 0:
        return None
    return make_exact(number or price.default_count)


def make_service_part(item: str, region: str | None, count: Quantity) -> ResourcePart:
    """Return a part with the fixed price of `count` units."""
    return make_part(item, SERVICE_KIND, ServiceActivity(item, region, count))


def _read_subnet_association(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return the zone that an association adds to an interface endpoint, unless the endpoint counts it."""
    subnet = side.get_values(resource).text("subnet_id")
    endpoint = side.joins.find_target(resource, "vpc_endpoint_id", "aws_vpc_endpoint")
    if isinstance(endpoint, Resource):
        subnets = side.get_values(endpoint).texts("subnet_ids")
        if subnets is not UNKNOWN and subnet is not UNKNOWN and subnet in subnets:
            return []
    return [make_service_part("interface endpoint", side.find_region(resource), make_exact(1.0))]


def _read_metric_alarm(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return the metrics of an alarm. An anomaly alarm is billed as three metrics."""
    values = side.get_values(resource)
    queries = values.blocks("metric_query")
    if queries is UNKNOWN and is_never_set(resource, "metric_query", side):
        queries = []
    periods, count = [values.number("period")], make_exact(1.0)
    if queries is UNKNOWN:
        count = _ALARM_METRICS
    elif queries:
        metrics = [metric for query in queries if query.blocks("metric") for metric in [f"{query.path}.metric.0"]]
        periods = [values.number(f"{metric}.period") for metric in metrics]
        count = make_exact(float(len(metrics) or 1))
    if not is_never_set(resource, "threshold_metric_id", side):
        count = count * 3
    is_short = any(period in _SHORT_PERIODS for period in periods if period is not UNKNOWN)
    item = "high-resolution alarm metric" if is_short else "alarm metric"
    return [make_service_part(item, side.find_region(resource), count)]


#: Readers of the types whose number of units needs code.
CODED_READERS: dict[str, PartReader] = {
    "aws_cloudwatch_metric_alarm": _read_metric_alarm,
    "aws_vpc_endpoint_subnet_association": _read_subnet_association,
}
