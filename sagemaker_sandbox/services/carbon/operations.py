"""Operations of the service Sustainability, which reports emissions and water. moto does not have it."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.resources.handlers import emulated_operation
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.services.carbon.control import add_zone
from sagemaker_sandbox.services.carbon.ledger import MODEL_VERSION, CarbonLedger, LedgerRow
from sagemaker_sandbox.services.carbon.months import Month
from sagemaker_sandbox.services.parameters import build_page, check_parameters
from sagemaker_sandbox.services.registry import ServiceOperations, ServiceRequest

_PAGE = 1000
#: Decimals of a value: one gram. Source: AWS Sustainability user guide, "Key concepts".
DECIMALS = 6
#: Value of each type of emissions.
EMISSIONS: dict[str, Callable[[LedgerRow], float]] = {
    "TOTAL_LBM_CARBON_EMISSIONS": lambda row: row.emissions.scope_2_lbm + row.emissions.scope_3,
    "TOTAL_MBM_CARBON_EMISSIONS": lambda row: row.emissions.scope_2_mbm + row.emissions.scope_3,
    "TOTAL_SCOPE_1_CARBON_EMISSIONS": lambda _row: 0.0,
    "TOTAL_SCOPE_2_LBM_CARBON_EMISSIONS": lambda row: row.emissions.scope_2_lbm,
    "TOTAL_SCOPE_2_MBM_CARBON_EMISSIONS": lambda row: row.emissions.scope_2_mbm,
    "TOTAL_SCOPE_3_LBM_CARBON_EMISSIONS": lambda row: row.emissions.scope_3,
    "TOTAL_SCOPE_3_MBM_CARBON_EMISSIONS": lambda row: row.emissions.scope_3,
}
_WATER: dict[str, Callable[[LedgerRow], float]] = {"TOTAL_WATER_WITHDRAWALS": lambda row: row.emissions.water}
_DEFAULT_EMISSIONS = ("TOTAL_LBM_CARBON_EMISSIONS", "TOTAL_MBM_CARBON_EMISSIONS")
_DIMENSIONS: dict[str, Callable[[LedgerRow], str]] = {
    "USAGE_ACCOUNT_ID": lambda row: row.account,
    "REGION": lambda row: row.region,
    "SERVICE": lambda row: row.service,
}
_YEARLY = "YEARLY_CALENDAR"
#: Months in a period of each granularity.
_PERIOD_MONTHS = {"MONTHLY": 1, "QUARTERLY_CALENDAR": 3, "QUARTERLY_FISCAL": 3, _YEARLY: 12, "YEARLY_FISCAL": 12}


class _Report(NamedTuple):
    """Names, types and unit of one report: emissions or water."""

    types_member: str
    values_member: str
    types: dict[str, Callable[[LedgerRow], float]]
    default_types: tuple[str, ...]
    unit: str


_CARBON_REPORT = _Report("EmissionsTypes", "EmissionsValues", EMISSIONS, _DEFAULT_EMISSIONS, "MTCO2e")
_WATER_REPORT = _Report("AllocationTypes", "AllocationValues", _WATER, tuple(_WATER), "m3")


class SustainabilityOperations(ServiceOperations):
    """Operations of emissions and water. An account sees its own rows."""

    service = moto_service = signing_name = "sustainability"

    def __init__(self, ledger: CarbonLedger) -> None:
        self._ledger = ledger

    @emulated_operation
    def get_estimated_carbon_emissions(self, request: ServiceRequest) -> Fields:
        """Return a page of emissions by period and group."""
        parameters = check_parameters(self.service, "GetEstimatedCarbonEmissions", request)
        granularity = str(parameters.get("Granularity") or "MONTHLY")
        first_month = 1
        if granularity.endswith("FISCAL"):
            first_month = int((parameters.get("GranularityConfiguration") or {}).get("FiscalYearStartMonth") or 1)
        rows = self._list_rows(request)
        periods = [(_find_period(row.month, _PERIOD_MONTHS[granularity], first_month), row) for row in rows]
        return _build_results(periods, request, _CARBON_REPORT)

    @emulated_operation
    def get_estimated_water_allocation(self, request: ServiceRequest) -> Fields:
        """Return a page of water by calendar year and group. A year counts if the range contains its start."""
        parameters = check_parameters(self.service, "GetEstimatedWaterAllocation", request)
        if parameters.get("Granularity", _YEARLY) != _YEARLY:
            raise ValidationError("Only YEARLY_CALENDAR is supported for water allocation.")
        periods = [(Month(row.month.year, 1), row) for row in self._list_water_rows(request)]
        return _build_results(periods, request, _WATER_REPORT)

    @emulated_operation
    def get_estimated_carbon_emissions_dimension_values(self, request: ServiceRequest) -> Fields:
        """Return a page of the values of dimensions."""
        check_parameters(self.service, "GetEstimatedCarbonEmissionsDimensionValues", request)
        return _build_values(self._list_rows(request), request)

    @emulated_operation
    def get_estimated_water_allocation_dimension_values(self, request: ServiceRequest) -> Fields:
        """Return a page of the values of dimensions."""
        check_parameters(self.service, "GetEstimatedWaterAllocationDimensionValues", request)
        return _build_values(self._list_water_rows(request), request)

    def _list_rows(self, request: ServiceRequest) -> list[LedgerRow]:
        """Return the rows of the months whose first day is in the range."""
        start, end = _parse_range(request)
        rows = self._ledger.list_rows(request.account)
        return [row for row in _filter_rows(rows, request) if start <= row.month.start < end]

    def _list_water_rows(self, request: ServiceRequest) -> list[LedgerRow]:
        """Return the rows of the years whose first day is in the range. A year is published with its last month."""
        start, end = _parse_range(request)
        return [
            row
            for row in _filter_rows(self._ledger.list_rows(request.account), request)
            if start <= Month(row.month.year, 1).start < end and self._ledger.is_published(Month(row.month.year, 12))
        ]


def _parse_range(request: ServiceRequest) -> tuple[datetime, datetime]:
    period = request.parameters["TimePeriod"]
    start, end = (add_zone(period[name]) for name in ("Start", "End"))
    if start >= end:
        raise ValidationError("TimePeriod.Start must be before TimePeriod.End.")
    return start, end


def _filter_rows(rows: Iterable[LedgerRow], request: ServiceRequest) -> Iterator[LedgerRow]:
    filters = (request.parameters.get("FilterBy") or {}).get("Dimensions") or {}
    for row in rows:
        if all(_DIMENSIONS[dimension](row) in values for dimension, values in filters.items()):
            yield row


def _find_period(month: Month, length: int, first_month: int) -> Month:
    """Return the first month of the period that contains a month."""
    year, number = divmod(month.year * 12 + month.number - 1 - (month.number - first_month) % length, 12)
    return Month(year, number + 1)


def _build_results(periods: list[tuple[Month, LedgerRow]], request: ServiceRequest, report: _Report) -> Fields:
    dimensions = list(dict.fromkeys(request.parameters.get("GroupBy") or []))
    types = request.parameters.get(report.types_member) or report.default_types
    groups: dict[tuple[Month, tuple[str, ...]], list[LedgerRow]] = {}
    for period, row in periods:
        groups.setdefault((period, tuple(_DIMENSIONS[name](row) for name in dimensions)), []).append(row)
    results = [
        {
            "TimePeriod": {"Start": rows[0].month.start, "End": rows[-1].month.end},
            "DimensionsValues": dict(zip(dimensions, values, strict=True)),
            "ModelVersion": MODEL_VERSION,
            report.values_member: {
                name: {"Value": round(sum(map(report.types[name], rows)), DECIMALS), "Unit": report.unit}
                for name in types
            },
        }
        for (_, values), rows in sorted(groups.items())
    ]
    return build_page("Results", results, request, _PAGE)


def _build_values(rows: list[LedgerRow], request: ServiceRequest) -> Fields:
    values = [
        {"Dimension": dimension, "Value": value}
        for dimension in dict.fromkeys(request.parameters["Dimensions"])
        for value in sorted({_DIMENSIONS[dimension](row) for row in rows})
    ]
    return build_page("Results", values, request, _PAGE)
