"""Ledger of emissions: by month, account, Region and service."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.usage_log import InstancePeriod
from sagemaker_sandbox.services.carbon.emissions import Emissions, estimate_emissions
from sagemaker_sandbox.services.carbon.months import Month, list_months

#: Version of the method in reports. AWS's version of January 2026.
MODEL_VERSION = "v3.0.0"
_SAGEMAKER, _EC2 = "AmazonSageMaker", "AmazonEC2"


class LedgerRow(NamedTuple):
    """Emissions of one month, account, Region and service."""

    month: Month
    account: str
    region: str
    service: str
    emissions: Emissions


class CarbonLedger:
    """Emissions of the instances that ran.

    `list_regions` returns every Region of every account, and `now` returns the time of the sandbox.
    """

    def __init__(self, list_regions: Callable[[], Iterable[AccountRegion]], now: Callable[[], datetime]) -> None:
        self._list_regions = list_regions
        self._now = now
        self._lock = threading.Lock()
        self._factor = 1.0
        self._month_factors: dict[str, float] = {}

    def set_factor(self, factor: float, months: Mapping[str, float]) -> None:
        """Set the factor of all emissions, and the factors of single months, such as `2026-08`."""
        with self._lock:
            self._factor, self._month_factors = factor, dict(months)

    def is_published(self, month: Month) -> bool:
        """Return whether the emissions of a month are published."""
        return month.publication <= self._now()

    def list_rows(self, account: str) -> list[LedgerRow]:
        """Return the published rows of an account, in the order of month, Region and service."""
        totals: dict[tuple[Month, str, str], Emissions] = {}
        for region in self._list_regions():
            if region.account_id == account:
                for month, period in _split_by_month(region.usage.list_periods()):
                    if self.is_published(month):
                        key = (month, region.name, _find_service(period.instance_type))
                        totals[key] = totals.get(key, Emissions()).add(estimate_emissions(period, region.name))
        return [
            LedgerRow(month, account, region_name, service, emissions.multiply(self._find_factor(month)))
            for (month, region_name, service), emissions in sorted(totals.items(), key=lambda item: item[0])
        ]

    def _find_factor(self, month: Month) -> float:
        with self._lock:
            return self._month_factors.get(str(month), self._factor)


def _split_by_month(periods: Iterable[InstancePeriod]) -> Iterator[tuple[Month, InstancePeriod]]:
    for period in periods:
        for month in list_months(period.start, period.end):
            if (part := period.clip(month.start, month.end)) is not None:
                yield month, part


def _find_service(instance_type: str) -> str:
    return _SAGEMAKER if instance_type.startswith("ml.") else _EC2
