"""Manually computed estimates: the arithmetic is in each test, from the coefficients of the catalogue."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.catalogue import instances
from sustainable_mlops.footprint import (
    FleetActivity,
    FootprintEstimate,
    JobActivity,
    ServerlessActivity,
    StorageActivity,
    TransferActivity,
    compute_host_power,
    estimate,
    estimate_job,
    estimate_per_thousand_requests,
    format_figure,
    format_number,
    make_bounded,
    make_exact,
)
from sustainable_mlops.footprint.coefficients import Coefficients
from sustainable_mlops.footprint.figures import (
    METRICS,
    FootprintFigure,
    format_consistent_pair,
    sum_estimates,
    sum_figures,
)
from sustainable_mlops.footprint.quantities import Quantity
from tests.cases import check_cases


def get_central(result: FootprintEstimate | None, metric: str) -> float:
    assert result is not None
    figure = result.get(metric)
    assert figure is not None, (metric, result.unknowns)
    return figure.central


def test_a_real_time_instance_with_a_gpu() -> None:
    result = estimate(FleetActivity("ml.g5.xlarge", "eu-north-1", duty=make_exact(0.3)))
    # EPYC 7R32: 2 x 280 W / 192 vCPU x 4 vCPU = 11.667 W of TDP; 16 GB; one A10G: 65 W idle, 200 W busy.
    idle = 11.6667 * (0.108 + 0.1) + 16 * 0.042 + 65 + 30  # 98.10 W
    busy = 11.6667 * (0.553 + 0.1) + 16 * 0.11 + 200 + 30  # 239.38 W
    kwh = (idle * 0.7 + busy * 0.3) * 730 / 1000 * 1.10
    assert get_central(result, "energy") == pytest.approx(kwh, rel=1e-4)
    assert get_central(result, "operational") == pytest.approx(kwh * 0.021, rel=1e-4)
    # (600 + 2 x 50) kg x 4/192 + 16 GB x 1.388 + 0.25 TB x 50 + 150 kg of GPU, over 52,560 h
    kg = (700 * 4 / 192 + 16 * 1.388 + 0.25 * 50 + 150) * 730 / 52_560
    assert get_central(result, "embodied") == pytest.approx(kg, rel=1e-6)
    assert get_central(result, "total") == pytest.approx(kwh * 0.021 + kg, rel=1e-4)
    # AWS claims matched purchases in Stockholm, and 0.02 L/kWh of the hardware, before PUE
    assert get_central(result, "market_based") == 0
    assert get_central(result, "water") == pytest.approx(kwh / 1.10 * 0.02, rel=1e-4)
    # 1.4084 USD/h in us-east-1, x 1.062 in Stockholm
    assert get_central(result, "cost") == pytest.approx(1.4084 * 730 * 1.062, rel=1e-6)


def test_two_instances_without_an_accelerator() -> None:
    result = estimate(FleetActivity("ml.m5.xlarge", "us-east-1", count=make_exact(2), duty=make_exact(0.1)))
    # 8175M: 2 x 240 W / 96 vCPU x 4 vCPU = 20 W; at 10 % load 20 x (0.273 + 0.1) + 16 GB x 0.07
    watts = 20 * 0.373 + 16 * 0.07
    assert get_central(result, "energy") == pytest.approx(2 * watts * 0.73 * 1.15, rel=1e-6)
    cost = result.get("cost")
    assert cost is not None
    # The price of the price file, 0.23 USD/h: nothing about it is assumed.
    assert (cost.low, cost.central, cost.high, cost.grade) == pytest.approx((335.8, 335.8, 335.8, "B"))


def test_serverless_uses_its_busy_seconds() -> None:
    result = estimate(ServerlessActivity(4096, "us-east-1", requests=make_exact(300_000), duration_s=make_exact(0.2)))
    hours = 300_000 * 0.2 / 3600  # 16.67 h
    # 4096 / 1769 vCPU at 5 W of TDP each, half loaded, and 4 GB
    watts = 4096 / 1769 * 5 * (0.553 + 0.1) + 4 * 0.11
    assert get_central(result, "energy") == pytest.approx(hours * watts / 1000 * 1.15, rel=1e-6)
    # 60,000 s x 4 GB x 0.00002 USD
    assert get_central(result, "cost") == pytest.approx(4.8)
    assert [unknown.subject for unknown in result.unknowns] == ["warm capacity"]


def test_provisioned_concurrency_is_never_free() -> None:
    without = ServerlessActivity(2048, "us-east-1", make_exact(1000), make_exact(0.1))
    ready = ServerlessActivity(2048, "us-east-1", make_exact(1000), make_exact(0.1), provisioned=make_exact(1))
    # One worker idle all month but for 100 s: 2048/1769 vCPU x 5 W x 0.208 + 2 GB x 0.042
    idle = (2048 / 1769 * 5 * 0.208 + 2 * 0.042) * (730 - 100 / 3600) / 1000 * 1.15
    assert get_central(estimate(ready), "energy") - get_central(estimate(without), "energy") == pytest.approx(
        idle, rel=1e-6
    )
    assert estimate(ready).get("cost") is None
    assert "cost of provisioned concurrency" in {unknown.subject for unknown in estimate(ready).unknowns}


def test_a_terabyte_in_s3() -> None:
    result = estimate(StorageActivity("STANDARD", "us-east-1", make_exact(1000)))
    # 1 TB x 6 copies x 0.65 Wh/TBh x 730 h x 1.15
    assert get_central(result, "energy") == pytest.approx(6 * 0.65 * 730 / 1000 * 1.15)
    assert get_central(result, "cost") == pytest.approx(23)
    # The drives are used for a month of their lifetime.
    ours = Coefficients.get_current()
    assert get_central(result, "embodied") == pytest.approx(6 * ours.hdd_kg_per_tb.central * 730 / ours.lifetime_h)


def test_the_in_memory_online_store_draws_power_all_the_time() -> None:
    result = estimate(StorageActivity("feature_store_online_in_memory", "us-east-1", make_exact(10)))
    # 10 GB x 2 copies x 0.17 W x 730 h x 1.15
    assert get_central(result, "energy") == pytest.approx(10 * 2 * 0.17 * 0.73 * 1.15)


def test_transfer_to_another_region() -> None:
    result = estimate(TransferActivity("us-east-1", make_exact(100)))
    assert get_central(result, "energy") == pytest.approx(100 * 0.001 * 1.15)
    assert result.get("embodied") is None


def test_a_finished_spot_job_costs_its_billed_time_and_uses_its_run_time() -> None:
    on_demand = estimate_job("ml.m5.xlarge", 1, 3600, "us-east-1")
    spot = estimate_job("ml.m5.xlarge", 1, 3600, "us-east-1", spot=True, billable_seconds=1080)
    assert get_central(spot, "energy") == get_central(on_demand, "energy")
    assert get_central(spot, "total") == get_central(on_demand, "total")
    # Billed seconds hold the discount already: 1080 s of 0.23 USD/h
    assert get_central(spot, "cost") == pytest.approx(0.23 * 1080 / 3600)


def test_spot_never_saves_carbon_before_a_job_either() -> None:
    hours = make_bounded(0.5, 1, 2)
    spot = estimate(JobActivity("ml.g5.xlarge", "us-east-1", hours, spot=True))
    on_demand = estimate(JobActivity("ml.g5.xlarge", "us-east-1", hours))
    assert get_central(spot, "total") >= get_central(on_demand, "total")
    assert get_central(spot, "cost") < get_central(on_demand, "cost")


def test_figures_of_a_thousand_requests_are_a_thousandth_of_a_million() -> None:
    fleet = FleetActivity("ml.m5.xlarge", "us-east-1", requests=make_exact(1_000_000))
    assert get_central(estimate_per_thousand_requests(fleet), "total") == pytest.approx(
        get_central(estimate(fleet), "total") / 1000
    )
    assert estimate_per_thousand_requests(FleetActivity("ml.m5.xlarge", "us-east-1")) is None


def test_the_number_of_requests_does_not_widen_figures_per_request() -> None:
    serverless = ServerlessActivity(2048, "us-east-1", make_bounded(10, 1000, 100_000, "requests"), make_exact(0.1))
    result = estimate_per_thousand_requests(serverless)
    assert result is not None
    energy = result.get("energy")
    assert energy is not None
    assert energy.driver == "power of the servers of serverless inference"


def test_the_driver_is_the_input_with_the_largest_effect() -> None:
    wide = estimate(
        FleetActivity("ml.g5.xlarge", "us-east-1", count=make_bounded(1, 2, 40, "instances"), duty=make_exact(0.3))
    )
    narrow = estimate(
        FleetActivity("ml.g5.xlarge", "us-east-1", count=make_bounded(1.99, 2, 2.01, "instances"), duty=make_exact(0.3))
    )
    assert {figure.driver for metric, figure in wide.figures.items() if metric != "market_based"} == {"instances"}
    assert "instances" not in {figure.driver for metric, figure in narrow.figures.items() if metric != "cost"}


def test_without_a_region_only_its_figures_are_unknown() -> None:
    for region in (None, "xx-nowhere-9"):
        result = estimate(FleetActivity("ml.m5.xlarge", region))
        assert set(METRICS) - set(result.figures) == {"operational", "market_based", "total", "water"}
        assert result.unknowns


def test_an_unknown_type_is_refused_by_name() -> None:
    with pytest.raises(UserError, match=r"ml\.z9\.large"):
        estimate(FleetActivity("ml.z9.large", "us-east-1"))
    with pytest.raises(UserError, match="geospatial app"):
        estimate(FleetActivity("ml.geospatial.interactive", "us-east-1"))


def test_every_known_type_gets_every_figure_but_a_price() -> None:
    for name in instances.load_all():
        result = estimate(FleetActivity(name, "us-east-1"))
        assert set(METRICS) - set(result.figures) <= {"cost"}, name
        for figure in result.figures.values():
            assert 0 <= figure.low <= figure.central <= figure.high, (name, figure)


amounts = st.floats(0, 1e6, allow_nan=False)


@given(ends=st.tuples(amounts, amounts, amounts), duty=st.floats(0, 1), hours=st.floats(0, 730))
def test_an_interval_contains_its_central_value(ends: tuple[float, float, float], duty: float, hours: float) -> None:
    low, middle, high = sorted(ends)
    count = make_bounded(low, middle, high, "instances")
    result = estimate(
        FleetActivity("ml.g5.xlarge", "us-east-1", count=count, hours=make_exact(hours), duty=make_exact(duty))
    )
    for figure in result.figures.values():
        assert 0 <= figure.low <= figure.central * (1 + 1e-9) <= figure.high * (1 + 1e-9)


def test_a_sum_is_the_sum_of_its_parts() -> None:
    parts = [estimate(FleetActivity(name, "us-east-1")) for name in ("ml.m5.xlarge", "ml.g5.xlarge", "ml.c7g.xlarge")]
    for metric in METRICS:
        figure = sum_estimates(parts).get(metric)
        assert figure is not None
        for end in ("low", "central", "high"):
            assert getattr(figure, end) == pytest.approx(sum(getattr(part.get(metric), end) for part in parts))


def test_power_rises_with_load() -> None:
    instance = instances.find("ml.m5.xlarge")
    assert instance is not None
    watts = [compute_host_power(instance, load / 20) for load in range(21)]
    assert all(less < more for less, more in pairwise(watts))


@check_cases(
    ("value", "text"),
    [
        (0, "0"),
        (0.0996, "0.10"),
        (99.6, "100"),
        (12345, "12,000"),
        (1.25, "1.2"),
        (-0.0451, "-0.045"),
        (9.96, "10"),
        (float("inf"), "unknown"),
    ],
)
def test_formatted_numbers_have_two_significant_digits(value: float, text: str) -> None:
    assert format_number(value) == text


@check_cases(
    ("before", "after", "texts"),
    [
        (2310, 11510, ("2,300", "11,500")),  # +9,200
        (11510, 2310, ("11,500", "2,300")),
        (0, 4414, ("0", "4,400")),
        (230, 12034, ("230", "12,000")),
        (1400, 12034, ("1,400", "12,000")),  # +11,000
        (12490, 12510, ("12,000", "12,000")),  # +20
        (12034, 12034, ("12,000", "12,000")),
        (float("nan"), 1, ("unknown", "1.0")),
    ],
)
def test_the_values_before_and_after_are_rounded_like_their_change(
    before: float, after: float, texts: tuple[str, str]
) -> None:
    assert format_consistent_pair(before, after) == texts


@given(*[st.one_of(st.just(0.0), st.floats(1e-4, 1e9))] * 2)
def test_the_difference_of_the_shown_values_is_the_shown_change_within_half_a_digit(
    before: float, after: float
) -> None:
    shown_before, shown_after = (float(text.replace(",", "")) for text in format_consistent_pair(before, after))
    shown_change = float(format_number(after - before).replace(",", ""))
    digit = max(before, after) / 10  # the second significant digit counts at most as much
    assert abs(shown_after - shown_before - shown_change) <= digit / 2 * 1.000001
    assert abs(shown_before - before) <= digit * 1.000001
    assert abs(shown_after - after) <= digit * 1.000001


@check_cases(
    ("value", "unit", "text", "interval"),
    [
        (0.21, "kgCO2e", "0.21 kgCO2e", "0.10 to 0.42"),
        (0.089, "kgCO2e", "89 gCO2e", "44 to 180"),
        (0.00009, "kgCO2e", "90 mgCO2e", "45 to 180"),
        (3e-9, "kgCO2e", "0.0030 mgCO2e", "0.0015 to 0.0060"),
        (-0.0005, "kgCO2e", "-0.50 gCO2e", "-0.25 to -1.0"),
        (0.0, "kgCO2e", "0 kgCO2e", "0 to 0"),
        (0.0012, "kWh", "1.2 Wh", "0.60 to 2.4"),
        (0.5, "L", "0.50 L", "0.25 to 1.0"),
        (0.0, "USD", "0 USD", "0 to 0"),
        (1e-7, "USD", "under 0.000001 USD", "under 0.000001 to under 0.000001"),
        (0.0151, "USD", "0.015 USD", "0.0076 to 0.030"),
        (4.567, "USD", "4.57 USD", "2.28 to 9.13"),
        (126.4, "USD", "126 USD", "63.2 to 253"),
        (1234567, "USD", "1,230,000 USD", "617,000 to 2,470,000"),
    ],
)
def test_a_figure_has_a_unit_that_suits_its_size(value: float, unit: str, text: str, interval: str) -> None:
    figure = format_figure(value, value / 2, value * 2, unit)
    assert (str(figure), figure.interval) == (text, interval)


def test_the_sum_of_nothing_is_exactly_zero() -> None:
    assert {(one.low, one.central, one.high) for one in sum_estimates([]).figures.values()} == {(0.0, 0.0, 0.0)}


@pytest.mark.parametrize(("part", "grade"), [(1.0, "C"), (0.9, "A")])
def test_the_class_of_a_sum_is_the_worst_of_its_large_parts(part: float, grade: str) -> None:
    large, small = FootprintFigure(0, 10 - part, 10, "A", "", "kg"), FootprintFigure(0, part, 10, "C", "", "kg")
    assert sum_figures([large, small], "kg").grade == grade


def test_a_job_has_no_volume_by_default() -> None:
    job = ("ml.m5.xlarge", 1, 3600, "eu-north-1")
    assert estimate_job(*job) == estimate_job(*job, volume_gb=0)


def test_large_numbers_are_written_with_commas() -> None:
    hours = Quantity(1000, 2000, 4000, "C", "hours it is on")
    result = estimate(FleetActivity("ml.m5.xlarge", "eu-north-1", hours=hours))
    assert "hours it is on: 2,000 (1,000 to 4,000), class C" in result.assumptions
