"""Prices: every type in the EC2 price list has one, and every Region has the prices of its own list."""

import pytest

from sustainable_mlops.catalogue import instances, prices, regions
from sustainable_mlops.catalogue.tables import read_rows
from sustainable_mlops.footprint.activities import FleetActivity, ServerlessActivity, StorageActivity
from sustainable_mlops.footprint.calculation import find_location
from sustainable_mlops.footprint.coefficients import Coefficients
from sustainable_mlops.footprint.figures import FootprintFigure
from sustainable_mlops.footprint.model import estimate
from sustainable_mlops.footprint.quantities import make_exact
from tests.cases import check_cases
from tools.footprint_validation import load_measured_cases


def _estimate_usd_per_hour(instance: str, region: str | None) -> FootprintFigure:
    return estimate(FleetActivity(instance, region, make_exact(1.0), make_exact(1.0))).figures["cost"]


@check_cases("region", ["us-east-2", "us-west-2"])
@check_cases("instance", ["ml.c5.xlarge", "ml.m5.xlarge", "ml.r5.2xlarge", "ml.g5.xlarge", "ml.p4d.24xlarge"])
def test_ohio_and_oregon_cost_what_virginia_costs(region: str, instance: str) -> None:
    assert _estimate_usd_per_hour(instance, region) == _estimate_usd_per_hour(instance, "us-east-1")


@check_cases(
    ("region", "instance", "usd"),
    [
        # EC2's on-demand prices of 2025-11-03, of families that the row of a Region may stand for with others.
        ("sa-east-1", "m5.xlarge", 0.306),
        ("sa-east-1", "c5.xlarge", 0.262),
        ("sa-east-1", "g5.xlarge", 1.71),
        ("eu-central-1", "m5.xlarge", 0.23),
        ("eu-central-1", "g5.xlarge", 1.258),
        ("ap-northeast-1", "m5.xlarge", 0.248),
        ("ap-south-1", "m5.xlarge", 0.202),
        ("ap-south-1", "m6g.xlarge", 0.1012),
        ("ap-southeast-2", "r5.xlarge", 0.302),
    ],
)
def test_the_price_in_a_region_is_that_of_the_ec2_price_list(region: str, instance: str, usd: float) -> None:
    result, price = _estimate_usd_per_hour(instance, region), prices.find(instance)
    assert price is not None
    low, _, high = prices.find_regional_price(region, instance.split(".")[0]).factor
    assert low * 0.995 <= usd / price.usd_per_hour[1] <= high * 1.005
    assert result.central == pytest.approx(usd, rel=0.02)


def test_sagemaker_prices_in_regions_follow_ec2() -> None:
    """The factors are derived from EC2 prices, without SageMaker's prices in Tokyo, Seoul and Ireland."""
    cases = [case for case in load_measured_cases() if case.kind == "price"]
    assert len(cases) == 19
    assert [case.system for case in cases if not case.is_inside or abs(case.error) > 0.03] == []


@check_cases("name", ["m5", "c9z", "g5", "p5", "trn2", "inf2", "STANDARD", "serverless inference"])
def test_a_region_without_a_price_list_has_the_widest_interval(name: str) -> None:
    unknown = prices.find_regional_price("ap-atlantis-1", name)
    known = [prices.find_regional_price(region, name) for region in regions.load_all()]
    assert unknown.span == "Regions"
    assert unknown.grade == "C"
    assert all(unknown.factor[0] <= one.factor[0] and one.factor[2] <= unknown.factor[2] for one in known)


def test_assumptions_contain_the_price_factor_of_the_region() -> None:
    known = estimate(FleetActivity("ml.m5.xlarge", "eu-west-1", make_exact(1.0), make_exact(1.0)))
    unknown = estimate(FleetActivity("ml.m5.xlarge", "ap-atlantis-1", make_exact(1.0), make_exact(1.0)))
    text = "price of m5 in eu-west-1 over that in us-east-1 (lists of 2025-11-03): 1.11 x (1.09 to 1.16), class B"
    assert text in known.assumptions
    assert any("ap-atlantis-1" in one and "in no known price list" in one for one in unknown.assumptions)


def test_every_type_in_the_ec2_price_list_has_a_price() -> None:
    priced = {row["instance"] for row in read_rows("prices_ec2")}
    without = {name for name in instances.load_all() if prices.find(name) is None}
    assert not {name for name in without if name.removeprefix("ml.") in priced}
    assert {name for name in without if name.startswith("ml.")} == {
        "ml.p5e.48xlarge",
        "ml.p6e-gb200.36xlarge",
        "ml.trn2.3xlarge",
        "ml.trn2.48xlarge",
    }


def test_sagemakers_own_price_of_g6_g6e_g7e_p4d_and_p5() -> None:
    usd = {
        "g6.xlarge": 1.127,
        "g6e.xlarge": 2.61,
        "g7e.2xlarge": 4.2039,
        "p4d.24xlarge": 25.2513,
        "p5.48xlarge": 63.296,
    }
    for name, expected in usd.items():
        price = prices.find(f"ml.{name}")
        assert price is not None
        assert price.usd_per_hour[1] == pytest.approx(expected, rel=1e-4)


@check_cases("file", ["prices_ec2", "prices_sagemaker", "price_factors", "price_regions"])
def test_each_price_has_a_source_a_date_and_a_class(file: str) -> None:
    assert all(row["source"] and row["date"] and row["class"] in "ABC" for row in read_rows(file))


def test_storage_and_other_services_have_their_own_price_factors() -> None:
    def usd(activity: StorageActivity | ServerlessActivity) -> float:
        return estimate(activity).figures["cost"].central

    stored_usd = usd(StorageActivity("STANDARD", "sa-east-1", make_exact(1000.0)))
    assert stored_usd == pytest.approx(40.5, rel=0.01)  # 0.0405 USD a GB-month
    here, there = (
        prices.find_regional_price("us-west-2", "serverless inference"),
        prices.find_regional_price("sa-east-1", "volume"),
    )
    assert here.factor == (1.0, 1.0, 1.0)
    assert there.factor[0] > 1.5


def test_a_service_without_a_price_list_has_the_interval_of_the_region() -> None:
    regional_price = prices.find_regional_price("eu-west-1", "serverless inference")
    assert (regional_price.span, regional_price.grade) == ("Region", "C")
    assumptions = estimate(ServerlessActivity(2048, "eu-west-1", make_exact(1000.0), make_exact(0.1))).assumptions
    assert any("the interval of the prices of instances in the Region" in text for text in assumptions)


def test_the_most_specific_price_factor_is_used() -> None:
    graviton, intel = (prices.find_regional_price("ap-south-1", family).factor[1] for family in ("m7g", "m7i"))
    assert graviton < 0.8 < 1 < intel
    newer = prices.find_regional_price("ap-northeast-1", "m9i")
    assert newer.factor == prices.find_regional_price("ap-northeast-1", "m5").factor
    assert newer.span is None


def test_prices_of_one_table_row_vary_together() -> None:
    where = find_location("eu-central-1", Coefficients.get_current())
    assert where.find_price_factor("m5").key == where.find_price_factor("m6i").key != where.find_price_factor("g5").key
    assert (
        find_location(None, Coefficients.get_current()).find_price_factor("m5").key
        == find_location(None, Coefficients.get_current()).find_price_factor("g5").key
    )
