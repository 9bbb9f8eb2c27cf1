import pytest

from sustainable_mlops.footprint import FleetActivity, FootprintEstimate, estimate, exact_quantity


def energy(region: str) -> FootprintEstimate:
    return estimate(FleetActivity("ml.m5.xlarge", region, duty=exact_quantity(0.1)))


def of_pue(region: str) -> str:
    return next(text for text in energy(region).assumptions if text.startswith("PUE"))


@pytest.mark.parametrize("region", ["eu-west-2", "eu-west-3", "eu-south-1", "ap-northeast-2", "us-gov-west-1"])
def test_a_region_without_a_published_pue_may_be_any_of_the_fleet(region: str) -> None:
    assert of_pue(region) == "PUE of a Region without a published figure: 1.14 (1.04 to 1.46), class C"


def test_a_published_pue_is_within_its_change_from_year_to_year() -> None:
    assert of_pue("eu-west-1") == "PUE of the Region: 1.11 (1.08 to 1.14), class B"
    assert of_pue("eu-north-1") == "PUE of the Region: 1.1 (1.07 to 1.13), class B"
