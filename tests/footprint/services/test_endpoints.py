"""How long, how many and how busy the instances of endpoints are; the arithmetic is in each test."""

from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.footprint import PlanFootprint, ResourcePart, ServerlessActivity
from tests.footprint.plans import CONFIGURATION, ENDPOINT, configuration, endpoint, served, serverless, variant
from tests.footprint.support import PUE, REGION, footprint, hours, kwh, parts, reasons, usage
from tests.plan.plan_builder import build_change, build_configuration

ASYNCHRONOUS: list[dict[str, Any]] = [{"output_config": [{}]}]
#: W of ml.g5.xlarge: 11.67 W of TDP, 16 GB, one A10G that idles at 65 W with a model, at 17 W without, and busy at 200.
IDLE_W = 2 * 280 / 192 * 4 * 0.208 + 16 * 0.042 + 65 + 30
BUSY_W = 2 * 280 / 192 * 4 * 0.653 + 16 * 0.11 + 200 + 30
#: Its price an hour.
USD = 1.4084


def usd(found: PlanFootprint) -> tuple[float, float, float]:
    figure = found.after.get("cost")
    assert figure is not None
    return figure.low, figure.central, figure.high


def g5_kwh(busy_h: float, idle_h: float) -> float:
    return (busy_h * BUSY_W + idle_h * IDLE_W) / 1000 * PUE


def only(found: PlanFootprint) -> ResourcePart:
    (resource,) = found.resources
    (one,) = resource.changes
    assert one.after is not None
    return one.after


@pytest.mark.parametrize("most", [1, 4, 10])
def test_a_fleet_that_sleeps_is_on_for_its_work_however_many_share_it(most: int, tmp_path: Path) -> None:
    # 36,000 requests of 10 s: 100 h busy, and half as long again (0 to 3 times) to wait before it scales in
    used = usage(tmp_path, {ENDPOINT: {"requests_per_month": 36_000, "duration_seconds": 10}})
    plan = served(variant("ml.g5.xlarge"), scaled=(0, most), async_inference_config=ASYNCHRONOUS)
    found = footprint(*plan, used=used)
    assert kwh(found) == pytest.approx(g5_kwh(100, 50))
    assert usd(found) == pytest.approx((100 * USD, 150 * USD, 400 * USD))
    count = only(found).count
    assert count is not None
    assert (count.low, count.central, count.high) == pytest.approx((0, 150 / 730, most))


def test_a_fleet_that_sleeps_is_never_on_for_longer_than_there_is_time(tmp_path: Path) -> None:
    used = usage(tmp_path, {ENDPOINT: {"requests_per_month": 360_000, "duration_seconds": 10}})
    plan = served(variant("ml.g5.xlarge"), scaled=(0, 1), async_inference_config=ASYNCHRONOUS)
    found = footprint(*plan, used=used)
    assert usd(found) == pytest.approx((730 * USD,) * 3)
    assert kwh(found) == pytest.approx(g5_kwh(730, 0))
    assert "take 1,000 instance-hours, and the most that there are is 730" in reasons(found)


def test_either_of_number_and_duration_says_how_busy_an_endpoint_is(tmp_path: Path) -> None:
    # 2,628,000 of the default 0.2 s, or the default 300,000 of 1.752 s: 146 h of 730
    for keys in ({"requests_per_month": 2_628_000}, {"duration_seconds": 1.752}):
        found = footprint(*served(variant("ml.g5.xlarge")), used=usage(tmp_path, {ENDPOINT: keys}))
        assert kwh(found) == pytest.approx(g5_kwh(146, 584))


def test_a_fleet_is_as_large_as_its_requests_keep_busy(tmp_path: Path) -> None:
    # 10,249,200 requests of 1 s: 2,847 h, so 3.9 of 1 to 4 instances are busy all month, where 2 would be expected
    used = usage(tmp_path, {ENDPOINT: {"requests_per_month": 10_249_200, "duration_seconds": 1}})
    found = footprint(*served(variant("ml.g5.xlarge"), scaled=(1, 4)), used=used)
    assert kwh(found) == pytest.approx(g5_kwh(2_847, 0))
    assert usd(found) == pytest.approx((2_847 * USD, 2_847 * USD, 2_920 * USD))
    assert "requests" not in reasons(found)
    few = usage(tmp_path, {ENDPOINT: {"requests_per_month": 10_000, "duration_seconds": 1}})
    assert usd(footprint(*served(variant("ml.g5.xlarge"), scaled=(1, 4)), used=few))[1] == pytest.approx(1_460 * USD)


def test_what_is_more_than_the_most_instances_can_do_is_said(tmp_path: Path) -> None:
    used = usage(tmp_path, {ENDPOINT: {"requests_per_month": 7_200_000, "duration_seconds": 1}})
    found = footprint(*served(variant("ml.g5.xlarge")), used=used)
    assert kwh(found) == pytest.approx(g5_kwh(730, 0))
    assert "the requests take 2,000 instance-hours" in reasons(found)


def test_serverless_does_no_more_than_its_concurrency_lets_through(tmp_path: Path) -> None:
    used = usage(tmp_path, {ENDPOINT: {"requests_per_month": 3_000_000_000, "duration_seconds": 1}})
    found = footprint(*served(serverless(3072, max_concurrency=5)), used=used)
    # 5 workers, busy all month
    watts = 3072 / 1769 * 5 * 0.653 + 3 * 0.11
    assert hours(found, watts) == pytest.approx(5 * 730)
    assert usd(found)[1] == pytest.approx(5 * 730 * 3600 * 3 * 0.00002)
    assert "lets 13,140,000 of 3,000,000,000 through" in reasons(found)
    # Of those that are answered, 1,000 take 1,000 s.
    per_thousand = only(found).per_thousand_requests
    assert per_thousand is not None
    assert per_thousand.figures["energy"].central == pytest.approx(watts / 1000 * PUE * 1000 / 3600)


def test_a_variant_without_traffic_only_idles(tmp_path: Path) -> None:
    variants = [variant("ml.g5.xlarge", initial_variant_weight=0), variant("ml.g5.xlarge", 1, "w")]
    # 131,400 requests of 1 s: 36.5 h
    used = usage(tmp_path, {ENDPOINT: {"requests_per_month": 131_400, "duration_seconds": 1}})
    assert kwh(footprint(*served(*variants), used=used)) == pytest.approx(g5_kwh(36.5, 730 + 693.5))


def test_an_accelerator_holds_a_model_on_endpoints_only() -> None:
    values = {"instance_type": "ml.g5.xlarge", "region": REGION, "volume_size": 0}
    found = footprint(build_change("aws_sagemaker_notebook_instance.n", values))
    # Busy for 5 % of the time; someone may have left a model in it.
    empty = (0.95 * (IDLE_W - 48) + 0.05 * BUSY_W) * 0.73 * PUE
    assert kwh(found) == pytest.approx(empty)
    figure = found.after.get("energy")
    assert figure is not None
    assert figure.high > empty + 0.95 * 48 * 0.73 * PUE
    assert kwh(footprint(*served(variant("ml.g5.xlarge")))) == pytest.approx(g5_kwh(73, 657))


def test_a_configuration_that_terraform_forgets_still_serves() -> None:
    same = configuration(variant())
    found = footprint(
        build_change(ENDPOINT, endpoint(), before=endpoint()),
        build_change(CONFIGURATION, before=same, actions=["forget"]),
    )
    assert kwh(found) == pytest.approx((20 * 0.373 + 16 * 0.07) * 0.73 * PUE)
    assert kwh(found, "delta") == 0


def test_a_configuration_that_an_endpoint_may_follow_is_unknown() -> None:
    found = footprint(
        build_change(ENDPOINT, {"name": "e", "region": REGION}, unknown={"endpoint_config_name": True}),
        build_change(CONFIGURATION, configuration(variant())),
        root={
            "resources": [
                build_configuration(ENDPOINT, endpoint_config_name=["var.x"]),
                build_configuration(CONFIGURATION),
            ]
        },
    )
    assert {address for address, _ in found.unknowns} == {ENDPOINT, CONFIGURATION}
    assert f"whether {ENDPOINT} follows it is not known until apply" in reasons(found)


def test_where_one_side_cannot_be_told_the_other_shows_and_the_change_does_not() -> None:
    elsewhere: dict[str, Any] = endpoint(configuration="elsewhere")
    variants = [variant(), variant("ml.g5.xlarge", 1, "w")]
    for before, after, known in ((elsewhere, endpoint(), "after"), (endpoint(), elsewhere, "before")):
        found = footprint(
            build_change(ENDPOINT, after, before=before),
            build_change(CONFIGURATION, configuration(*variants), before=configuration(*variants)),
        )
        (resource,) = found.resources
        unknown = {"before": "after", "after": "before"}[known]
        for one in (found, resource):
            energy = getattr(one, known).figures["energy"].central
            assert energy == pytest.approx((20 * 0.373 + 16 * 0.07) * 0.73 * PUE + g5_kwh(73, 657))
            assert getattr(one, unknown).figures == one.delta.figures == {}
        assert len(resource.changes) == 2
        written = resource.to_dict()["parts"]
        assert all(part[known]["cost"] is not None and part[unknown]["cost"] is None for part in written)


def test_a_sum_that_leaves_something_out_says_so() -> None:
    found = footprint(*served(variant("ml.z9.huge"), variant(name="w")))
    for sum_ in (found.before, found.after, found.delta, found.total_after):
        assert set(sum_.partial) == set(sum_.figures)
    assert footprint(*served(variant())).after.partial == ()
    without_region = footprint(
        *served(variant()),
        build_change("aws_sagemaker_endpoint.f", {"name": "f", "endpoint_config_name": "d"}),
        build_change("aws_sagemaker_endpoint_configuration.d", {**configuration(variant(), name="d"), "region": None}),
    )
    assert parts(without_region) == ["variant v", "variant v"]
    assert "total" in without_region.after.partial
    assert "cost" not in without_region.after.partial


def test_nothing_is_left_running_where_all_is_deleted() -> None:
    found = footprint(
        build_change(ENDPOINT, before=endpoint()), build_change(CONFIGURATION, before=configuration(variant()))
    )
    assert {figure.high for figure in found.total_after.figures.values()} == {0}
    assert found.total_after.get("total") is not None


def test_variants_that_are_not_named_are_numbered_and_share_the_requests_by_weight(tmp_path: Path) -> None:
    used = usage(tmp_path, {ENDPOINT: {"requests_per_month": 1000, "duration_seconds": 1}})
    three, one = ({**serverless(1024), "variant_name": None, "initial_variant_weight": weight} for weight in (3, 1))
    found = footprint(*served(three, one), used=used)
    assert parts(found) == ["variant 1", "variant 2"]
    (resource,) = found.resources
    activities = [change.after.activity for change in resource.changes if change.after is not None]
    requests = [activity.requests.central for activity in activities if isinstance(activity, ServerlessActivity)]
    assert requests == [750, 250]


def test_many_short_requests_are_let_through(tmp_path: Path) -> None:
    used = usage(tmp_path, {ENDPOINT: {"requests_per_month": 1_000_000, "duration_seconds": 0.05}})
    assert "through" not in reasons(footprint(*served(serverless(1024, max_concurrency=5)), used=used))
