"""The service Sustainability: months, groups, filters, pages and granularities of emissions, times the factor."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.base.client import make_client
from sagemaker_sandbox.resources.usage_log import InstancePeriod, UsageLog
from sagemaker_sandbox.services.carbon.months import Month, find_next_publication
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.footprint import FleetActivity, estimate, make_exact
from tests.cases import check_cases
from tests.sandbox.support import catch_error

#: An account that no other test uses.
ACCOUNT = "210000000078"
YEAR = {"Start": datetime(2025, 1, 1), "End": datetime(2026, 1, 1)}
TOTAL, SCOPE_3 = "TOTAL_LBM_CARBON_EMISSIONS", "TOTAL_SCOPE_3_LBM_CARBON_EMISSIONS"


def day(year: int, month: int, number: int = 1) -> datetime:
    return datetime(year, month, number, tzinfo=UTC)


@pytest.fixture(scope="session")
def sustainability(sandbox: Sandbox) -> Any:
    """Return a client of an account where two instances ran all of 2025, and two others for a part of it."""
    for instance_type, region, count, start, end in (
        ("ml.m5.xlarge", "eu-north-1", 2, day(2025, 1), day(2026, 1)),
        ("ml.g5.xlarge", "us-east-1", 1, day(2025, 3, 16), day(2025, 4, 2)),
        ("m5.large", "us-east-1", 1, day(2025, 3), day(2025, 4)),
    ):
        options = {"account": ACCOUNT, "region": region, "count": count}
        sandbox.add_instance_period(instance_type, start, end, **options)
    return make_client("sustainability", "us-east-1", sandbox.endpoint, ACCOUNT)


def list_results(sustainability: Any, **request: Any) -> list[dict[str, Any]]:
    pages = sustainability.get_paginator("get_estimated_carbon_emissions").paginate(**request)
    return [result for page in pages for result in page["Results"]]


def test_the_periods_of_an_account_are_those_of_the_region(sandbox: Sandbox, sustainability: Any) -> None:
    del sustainability
    assert sandbox.list_instance_periods(ACCOUNT) == [
        InstancePeriod("ml.m5.xlarge", 2, day(2025, 1), day(2026, 1), "endpoint")
    ]


def test_a_month_has_the_emissions_of_the_instances_that_ran_in_it(sustainability: Any) -> None:
    dimensions = ["USAGE_ACCOUNT_ID", "REGION", "SERVICE"]
    results = list_results(sustainability, TimePeriod=YEAR, GroupBy=dimensions, PaginationConfig={"PageSize": 2})
    rows = {
        (Month.from_moment(one["TimePeriod"]["Start"]).number, *one["DimensionsValues"].values()): one
        for one in results
    }
    others = [(3, ACCOUNT, "us-east-1", "AmazonEC2"), (3, ACCOUNT, "us-east-1", "AmazonSageMaker")]
    others.append((4, ACCOUNT, "us-east-1", "AmazonSageMaker"))
    own = [(number, ACCOUNT, "eu-north-1", "AmazonSageMaker") for number in range(1, 13)]
    assert sorted(rows) == sorted([*own, *others])

    fleet = FleetActivity("ml.m5.xlarge", "eu-north-1", make_exact(2.0), make_exact(28 * 24.0))
    february = rows[own[1]]["EmissionsValues"]
    expected = estimate(fleet).figures
    assert february[TOTAL]["Value"] == pytest.approx(expected["total"].central / 1000, abs=1e-6)
    assert february["TOTAL_MBM_CARBON_EMISSIONS"]["Value"] == pytest.approx(
        expected["embodied"].central / 1000, abs=1e-6
    )
    hours = [rows[others[number]]["EmissionsValues"][TOTAL]["Value"] for number in (1, 2)]
    assert hours[0] == pytest.approx(16 * hours[1], rel=0.01)  # 16 days of March and one of April


@check_cases(
    ("request_", "count"),
    [
        ({}, 12),
        ({"FilterBy": {"Dimensions": {"REGION": ["us-east-1"], "SERVICE": ["AmazonSageMaker"]}}}, 2),
        ({"FilterBy": {"Dimensions": {"REGION": ["eu-west-1"]}}}, 0),
        ({"Granularity": "QUARTERLY_CALENDAR"}, 4),
        ({"Granularity": "QUARTERLY_FISCAL", "GranularityConfiguration": {"FiscalYearStartMonth": 2}}, 5),
        ({"Granularity": "YEARLY_CALENDAR", "EmissionsTypes": [SCOPE_3]}, 1),
        ({"Granularity": "YEARLY_FISCAL", "GranularityConfiguration": {"FiscalYearStartMonth": 7}}, 2),
        ({"TimePeriod": {"Start": datetime(2025, 3, 2), "End": datetime(2025, 5, 1)}}, 1),
    ],
)
def test_emissions_are_grouped_by_period_and_filtered(
    sustainability: Any, request_: dict[str, Any], count: int
) -> None:
    assert len(list_results(sustainability, **{"TimePeriod": YEAR} | request_)) == count


def test_water_and_dimensions_are_reported_by_year(sustainability: Any) -> None:
    water = sustainability.get_estimated_water_allocation(TimePeriod=YEAR, GroupBy=["REGION"])["Results"]
    assert [one["DimensionsValues"]["REGION"] for one in water] == ["eu-north-1", "us-east-1"]
    assert all(one["AllocationValues"]["TOTAL_WATER_WITHDRAWALS"]["Unit"] == "m3" for one in water)
    partial = {"Start": datetime(2025, 2, 1), "End": datetime(2026, 1, 1)}
    assert sustainability.get_estimated_water_allocation(TimePeriod=partial)["Results"] == []
    for name in ("carbon_emissions", "water_allocation"):
        operation = getattr(sustainability, f"get_estimated_{name}_dimension_values")
        values = operation(TimePeriod=YEAR, Dimensions=["SERVICE"])["Results"]
        assert [one["Value"] for one in values] == ["AmazonEC2", "AmazonSageMaker"]


@check_cases(
    ("operation", "request_", "text"),
    [
        ("carbon_emissions", {"TimePeriod": {"Start": datetime(2025, 2, 1), "End": datetime(2025, 2, 1)}}, "before"),
        ("carbon_emissions", {"Granularity": "DAILY"}, "DAILY"),
        ("carbon_emissions", {"GroupBy": ["RESOURCE"]}, "RESOURCE"),
        ("carbon_emissions", {"NextToken": "next"}, "NextToken"),
        ("water_allocation", {"Granularity": "MONTHLY"}, "YEARLY_CALENDAR"),
    ],
)
def test_a_wrong_request_is_refused(sustainability: Any, operation: str, request_: dict[str, Any], text: str) -> None:
    call = getattr(sustainability, f"get_estimated_{operation}")
    code, message = catch_error(call, **{"TimePeriod": YEAR} | request_)
    assert (code, text in message) == ("ValidationException", True), message


@check_cases(
    ("options", "text"),
    [
        ({"instance_type": "ml.none"}, "ml.none"),
        ({"region": "eu-none-1"}, "eu-none-1"),
        ({"end": day(2025, 1)}, "start must be before end"),
    ],
)
def test_a_wrong_past_use_is_refused(sandbox: Sandbox, options: dict[str, Any], text: str) -> None:
    use: dict[str, Any] = {"instance_type": "ml.m5.large", "start": day(2025, 1), "end": day(2025, 2)}
    with pytest.raises(UserError, match=text):
        sandbox.add_instance_period(**use | {"account": ACCOUNT} | options)


@check_cases(
    ("moment", "publication"),
    [
        (day(2026, 1, 1), day(2026, 1, 21)),
        (day(2026, 1, 21), day(2026, 2, 21)),
        (day(2025, 12, 31), day(2026, 1, 21)),
    ],
)
def test_months_are_published_on_the_21st_of_the_next_month(moment: datetime, publication: datetime) -> None:
    assert find_next_publication(moment) == publication
    assert Month(2025, 12).publication == day(2026, 1, 21)


def test_a_running_instance_is_in_the_log_until_it_ends() -> None:
    now = day(2026, 1)
    log = UsageLog(lambda: now)
    log.start("a", "ml.m5.large")
    log.start("b", "ml.m5.large")
    now += timedelta(hours=2)
    log.end("a")
    log.end("a")
    now += timedelta(hours=1)
    periods = log.list_periods()
    assert [period.hours for period in periods] == [2, 3]
    restored = UsageLog(lambda: now)
    restored.restore(log.snapshot())
    now += timedelta(hours=5)
    assert restored.list_periods() == periods
    late = InstancePeriod("ml.m5.large", 1, day(2026, 1, 31), day(2026, 2, 2))
    part = late.clip(day(2026, 2), day(2026, 3))
    assert part is not None
    assert part.hours == 24
    assert late.clip(day(2026, 3), day(2026, 4)) is None
