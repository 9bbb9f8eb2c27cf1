"""Costs of a run at list prices: the estimate, and the spending so far."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.catalogue import instances, prices, service_prices
from sustainable_mlops.catalogue.month import HOURS_PER_MONTH

#: Requests, log lines, alarms, a KMS key for hours, topics and queues; each costs cents.
SMALL_THINGS_USD = 0.25
#: Instance types that serve, from the smallest on; each has Graviton.
_SERVING = ("ml.c6g.large", "ml.m6g.large", "ml.c7g.large", "ml.m7g.large")
#: Instance types for the small jobs.
_JOBS = ("ml.m5.large", "ml.m6i.large", "ml.m7i.large", "ml.c5.xlarge")


def get_hourly_usd(instance_type: str, region: str) -> float:
    """Return the upper list price of an instance-hour in the Region."""
    price = prices.find(instance_type)
    if price is None:
        raise UserError(
            f"{instance_type}: the catalogue has no price, so no cost cap is possible; choose another Region"
        )
    return price.usd_per_hour[2] * prices.find_regional_price(region, instances.parse_family(instance_type)).factor[2]


def choose_serving_type(region: str) -> str:
    """Return the cheapest small Graviton type for endpoints in the Region."""
    return _choose_cheapest(_SERVING, region, "endpoints on Graviton")


def choose_job_type(region: str) -> str:
    """Return the cheapest small type for jobs in the Region."""
    return _choose_cheapest(_JOBS, region, "jobs")


def _choose_cheapest(types: Iterable[str], region: str, purpose: str) -> str:
    offers = [name for name in types if instances.is_offered(name, region) and prices.find(name)]
    if not offers:
        raise UserError(f"--region {region}: has none of {', '.join(types)} for {purpose}; choose another Region")
    return min(offers, key=lambda name: get_hourly_usd(name, region))


@dataclass(frozen=True)
class CostItem:
    """One line of the estimate: so many instances of a type for some hours."""

    title: str
    instance_type: str
    count: float
    hours: float

    def compute_usd(self, region: str) -> float:
        """Return the cost of this line."""
        return get_hourly_usd(self.instance_type, region) * self.count * self.hours


@dataclass(frozen=True)
class EndpointCost:
    """One line of the estimate: so many interface endpoints, each in one Availability Zone, for some hours."""

    title: str
    count: int
    hours: float

    def compute_usd(self, region: str) -> float:
        """Return the cost of this line."""
        price = service_prices.load_by_item()["interface endpoint"].usd_per_month[2] / HOURS_PER_MONTH
        return price * prices.find_regional_price(region, "interface endpoint").factor[2] * self.count * self.hours


class RunSpending:
    """Spending of a run so far: instance-hours at list prices."""

    def __init__(self, region: str, earlier_usd: float = 0.0) -> None:
        self._region = region
        self._rates: dict[str, tuple[float, float]] = {}
        #: Amounts that no longer grow: a list, because threads append to it at the same time. A run that continues
        #: does not count the small things again.
        self._stopped_usd = [earlier_usd or SMALL_THINGS_USD]

    def start_instances(self, name: str, instance_type: str, count: float) -> None:
        """Start counting the cost of `count` instances of a type, under a name."""
        self._rates[name] = (time.monotonic(), get_hourly_usd(instance_type, self._region) * count)

    def stop_instances(self, name: str) -> None:
        """Stop counting the instances of this name."""
        if rate := self._rates.pop(name, None):
            self._stopped_usd.append(_compute_accrued_usd(*rate))

    def get_spending(self) -> float:
        """Return the spending so far, in USD."""
        running = sum(_compute_accrued_usd(*rate) for rate in list(self._rates.values()))
        return sum(self._stopped_usd) + running


def _compute_accrued_usd(begin: float, usd_per_hour: float) -> float:
    return (time.monotonic() - begin) / 3600 * usd_per_hour


def describe_items(items: Iterable[CostItem | EndpointCost], region: str) -> Mapping[str, float]:
    """Return each line of the estimate with its cost in USD."""
    lines = {f"{item.title}: {_describe_amount(item)}, {item.hours:g} h": item.compute_usd(region) for item in items}
    return {**lines, "requests, logs, alarms, a key": SMALL_THINGS_USD}


def _describe_amount(item: CostItem | EndpointCost) -> str:
    return f"{item.count:g} x {item.instance_type}" if isinstance(item, CostItem) else f"{item.count}"
