from sustainable_mlops.footprint import FleetActivity, FootprintEstimate, estimate, make_exact
from tests.cases import check_cases


def make_estimate(region: str) -> FootprintEstimate:
    return estimate(FleetActivity("ml.m5.xlarge", region, duty=make_exact(0.1)))


def find_pue_text(region: str) -> str:
    return next(text for text in make_estimate(region).assumptions if text.startswith("PUE"))


@check_cases("region", ["eu-west-2", "eu-west-3", "eu-south-1", "ap-northeast-2", "us-gov-west-1"])
def test_a_region_without_a_published_pue_has_the_interval_of_the_fleet(region: str) -> None:
    assert find_pue_text(region) == "PUE of a Region without a published figure: 1.14 kWh/kWh (1.04 to 1.46), class C"


def test_a_published_pue_has_an_interval_of_its_yearly_change() -> None:
    assert find_pue_text("eu-west-1") == "PUE of the Region: 1.11 kWh/kWh (1.08 to 1.14), class B"
    assert find_pue_text("eu-north-1") == "PUE of the Region: 1.1 kWh/kWh (1.07 to 1.13), class B"
