"""Hours, number and load of endpoint instances; the arithmetic is in each test."""

from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.footprint import PlanFootprint, ResourcePart, ServerlessActivity
from tests.footprint.plans import (
    CONFIGURATION,
    ENDPOINT,
    build_endpoint_plan,
    configuration,
    endpoint,
    serverless,
    variant,
)
from tests.footprint.support import (
    PUE,
    REGION,
    compute_hours,
    get_kwh,
    join_reasons,
    list_part_names,
    make_footprint,
    make_usage,
)
from tests.plan.plan_builder import build_change, build_configuration

ASYNCHRONOUS: list[dict[str, Any]] = [{"output_config": [{}]}]
#: W of ml.g5.xlarge: 11.67 W of TDP, 16 GB, one A10G that idles at 65 W with a model, at 17 W without, and busy at 200.
IDLE_W = 2 * 280 / 192 * 4 * 0.208 + 16 * 0.042 + 65 + 30
BUSY_W = 2 * 280 / 192 * 4 * 0.653 + 16 * 0.11 + 200 + 30
#: Its price an hour.
USD = 1.4084


def get_usd(result: PlanFootprint) -> tuple[float, float, float]:
    figure = result.after.get("cost")
    assert figure is not None
    return figure.low, figure.central, figure.high


def compute_g5_kwh(busy_h: float, idle_h: float) -> float:
    return (busy_h * BUSY_W + idle_h * IDLE_W) / 1000 * PUE


def get_only_part(result: PlanFootprint) -> ResourcePart:
    (resource,) = result.resources
    (one,) = resource.changes
    assert one.after is not None
    return one.after


@pytest.mark.parametrize("most", [1, 4, 10])
def test_a_sleeping_fleet_is_on_for_its_work_at_any_size(most: int, tmp_path: Path) -> None:
    # 36,000 requests of 10 s: 100 h busy, and half as long again (0 to 3 times) to wait before it scales in
    used = make_usage(tmp_path, {ENDPOINT: {"requests_per_month": 36_000, "duration_seconds": 10}})
    plan = build_endpoint_plan(variant("ml.g5.xlarge"), scaled=(0, most), async_inference_config=ASYNCHRONOUS)
    result = make_footprint(*plan, used=used)
    assert get_kwh(result) == pytest.approx(compute_g5_kwh(100, 50))
    assert get_usd(result) == pytest.approx((100 * USD, 150 * USD, 400 * USD))
    count = get_only_part(result).count
    assert count is not None
    assert (count.low, count.central, count.high) == pytest.approx((0, 150 / 730, most))


def test_a_sleeping_fleet_is_on_for_a_month_at_most(tmp_path: Path) -> None:
    used = make_usage(tmp_path, {ENDPOINT: {"requests_per_month": 360_000, "duration_seconds": 10}})
    plan = build_endpoint_plan(variant("ml.g5.xlarge"), scaled=(0, 1), async_inference_config=ASYNCHRONOUS)
    result = make_footprint(*plan, used=used)
    assert get_usd(result) == pytest.approx((730 * USD,) * 3)
    assert get_kwh(result) == pytest.approx(compute_g5_kwh(730, 0))
    assert "need 1,000 instance-hours, and at most 730 are available" in join_reasons(result)


def test_requests_or_duration_determine_the_load(tmp_path: Path) -> None:
    # 2,628,000 of the default 0.2 s, or the default 300,000 of 1.752 s: 146 h of 730
    for keys in ({"requests_per_month": 2_628_000}, {"duration_seconds": 1.752}):
        result = make_footprint(
            *build_endpoint_plan(variant("ml.g5.xlarge")), used=make_usage(tmp_path, {ENDPOINT: keys})
        )
        assert get_kwh(result) == pytest.approx(compute_g5_kwh(146, 584))


def test_a_fleet_is_as_large_as_its_requests_need(tmp_path: Path) -> None:
    # 10,249,200 requests of 1 s: 2,847 h, so 3.9 of 1 to 4 instances are busy all month, where 2 would be expected
    used = make_usage(tmp_path, {ENDPOINT: {"requests_per_month": 10_249_200, "duration_seconds": 1}})
    result = make_footprint(*build_endpoint_plan(variant("ml.g5.xlarge"), scaled=(1, 4)), used=used)
    assert get_kwh(result) == pytest.approx(compute_g5_kwh(2_847, 0))
    assert get_usd(result) == pytest.approx((2_847 * USD, 2_847 * USD, 2_920 * USD))
    assert "requests" not in join_reasons(result)
    few = make_usage(tmp_path, {ENDPOINT: {"requests_per_month": 10_000, "duration_seconds": 1}})
    assert get_usd(make_footprint(*build_endpoint_plan(variant("ml.g5.xlarge"), scaled=(1, 4)), used=few))[
        1
    ] == pytest.approx(1_460 * USD)


def test_requests_beyond_the_capacity_are_reported(tmp_path: Path) -> None:
    used = make_usage(tmp_path, {ENDPOINT: {"requests_per_month": 7_200_000, "duration_seconds": 1}})
    result = make_footprint(*build_endpoint_plan(variant("ml.g5.xlarge")), used=used)
    assert get_kwh(result) == pytest.approx(compute_g5_kwh(730, 0))
    assert "the requests need 2,000 instance-hours" in join_reasons(result)


def test_serverless_serves_only_what_its_concurrency_admits(tmp_path: Path) -> None:
    used = make_usage(tmp_path, {ENDPOINT: {"requests_per_month": 3_000_000_000, "duration_seconds": 1}})
    result = make_footprint(*build_endpoint_plan(serverless(3072, max_concurrency=5)), used=used)
    # 5 workers, busy all month
    watts = 3072 / 1769 * 5 * 0.653 + 3 * 0.11
    assert compute_hours(result, watts) == pytest.approx(5 * 730)
    assert get_usd(result)[1] == pytest.approx(5 * 730 * 3600 * 3 * 0.00002)
    assert "admits 13,140,000 of 3,000,000,000 requests" in join_reasons(result)
    # Of those that are answered, 1,000 take 1,000 s.
    per_thousand = get_only_part(result).per_thousand_requests
    assert per_thousand is not None
    assert per_thousand.figures["energy"].central == pytest.approx(watts / 1000 * PUE * 1000 / 3600)


def test_a_variant_without_traffic_only_idles(tmp_path: Path) -> None:
    variants = [variant("ml.g5.xlarge", initial_variant_weight=0), variant("ml.g5.xlarge", 1, "w")]
    # 131,400 requests of 1 s: 36.5 h
    used = make_usage(tmp_path, {ENDPOINT: {"requests_per_month": 131_400, "duration_seconds": 1}})
    assert get_kwh(make_footprint(*build_endpoint_plan(*variants), used=used)) == pytest.approx(
        compute_g5_kwh(36.5, 730 + 693.5)
    )


def test_an_accelerator_holds_a_model_on_endpoints_only() -> None:
    values = {"instance_type": "ml.g5.xlarge", "region": REGION, "volume_size": 0}
    result = make_footprint(build_change("aws_sagemaker_notebook_instance.n", values))
    # Busy for 5 % of the time; someone may have left a model in it.
    empty = (0.95 * (IDLE_W - 48) + 0.05 * BUSY_W) * 0.73 * PUE
    assert get_kwh(result) == pytest.approx(empty)
    figure = result.after.get("energy")
    assert figure is not None
    assert figure.high > empty + 0.95 * 48 * 0.73 * PUE
    assert get_kwh(make_footprint(*build_endpoint_plan(variant("ml.g5.xlarge")))) == pytest.approx(
        compute_g5_kwh(73, 657)
    )


def test_a_configuration_that_terraform_forgets_still_serves() -> None:
    same = configuration(variant())
    result = make_footprint(
        build_change(ENDPOINT, endpoint(), before=endpoint()),
        build_change(CONFIGURATION, before=same, actions=["forget"]),
    )
    assert get_kwh(result) == pytest.approx((20 * 0.373 + 16 * 0.07) * 0.73 * PUE)
    assert get_kwh(result, "delta") == 0


def test_a_configuration_of_a_possible_endpoint_is_unknown() -> None:
    result = make_footprint(
        build_change(ENDPOINT, {"name": "e", "region": REGION}, unknown={"endpoint_config_name": True}),
        build_change(CONFIGURATION, configuration(variant())),
        root={
            "resources": [
                build_configuration(ENDPOINT, endpoint_config_name=["var.x"]),
                build_configuration(CONFIGURATION),
            ]
        },
    )
    assert {address for address, _ in result.unknowns} == {ENDPOINT, CONFIGURATION}
    assert f"it is not known until apply whether {ENDPOINT} uses it" in join_reasons(result)


def test_with_one_unknown_side_the_other_has_figures_and_the_delta_none() -> None:
    elsewhere: dict[str, Any] = endpoint(configuration="elsewhere")
    variants = [variant(), variant("ml.g5.xlarge", 1, "w")]
    for before, after, known in ((elsewhere, endpoint(), "after"), (endpoint(), elsewhere, "before")):
        result = make_footprint(
            build_change(ENDPOINT, after, before=before),
            build_change(CONFIGURATION, configuration(*variants), before=configuration(*variants)),
        )
        (resource,) = result.resources
        unknown = {"before": "after", "after": "before"}[known]
        for one in (result, resource):
            energy = getattr(one, known).figures["energy"].central
            assert energy == pytest.approx((20 * 0.373 + 16 * 0.07) * 0.73 * PUE + compute_g5_kwh(73, 657))
            assert getattr(one, unknown).figures == one.delta.figures == {}
        assert len(resource.changes) == 2
        parts_as_dicts = resource.to_dict()["parts"]
        assert all(part[known]["cost"] is not None and part[unknown]["cost"] is None for part in parts_as_dicts)


def test_a_sum_with_omissions_is_partial() -> None:
    result = make_footprint(*build_endpoint_plan(variant("ml.z9.huge"), variant(name="w")))
    for sum_ in (result.before, result.after, result.delta, result.total_after):
        assert set(sum_.partial) == set(sum_.figures)
    assert make_footprint(*build_endpoint_plan(variant())).after.partial == ()
    without_region = make_footprint(
        *build_endpoint_plan(variant()),
        build_change("aws_sagemaker_endpoint.f", {"name": "f", "endpoint_config_name": "d"}),
        build_change("aws_sagemaker_endpoint_configuration.d", {**configuration(variant(), name="d"), "region": None}),
    )
    assert list_part_names(without_region) == ["variant v", "variant v"]
    assert "total" in without_region.after.partial
    assert "cost" not in without_region.after.partial


def test_after_the_deletion_of_everything_the_total_is_zero() -> None:
    result = make_footprint(
        build_change(ENDPOINT, before=endpoint()), build_change(CONFIGURATION, before=configuration(variant()))
    )
    assert {figure.high for figure in result.total_after.figures.values()} == {0}
    assert result.total_after.get("total") is not None


def test_variants_without_names_are_numbered_and_share_requests_by_weight(tmp_path: Path) -> None:
    used = make_usage(tmp_path, {ENDPOINT: {"requests_per_month": 1000, "duration_seconds": 1}})
    three, one = ({**serverless(1024), "variant_name": None, "initial_variant_weight": weight} for weight in (3, 1))
    result = make_footprint(*build_endpoint_plan(three, one), used=used)
    assert list_part_names(result) == ["variant 1", "variant 2"]
    (resource,) = result.resources
    activities = [change.after.activity for change in resource.changes if change.after is not None]
    requests = [activity.requests.central for activity in activities if isinstance(activity, ServerlessActivity)]
    assert requests == [750, 250]


def test_many_short_requests_are_admitted(tmp_path: Path) -> None:
    used = make_usage(tmp_path, {ENDPOINT: {"requests_per_month": 1_000_000, "duration_seconds": 0.05}})
    assert "admits" not in join_reasons(
        make_footprint(*build_endpoint_plan(serverless(1024, max_concurrency=5)), used=used)
    )


def make_pool(*types: str, **more: Any) -> dict[str, Any]:
    """Return a variant with instance pools, the first type with the highest priority."""
    pools = [{"instance_type": kind, "priority": number} for number, kind in enumerate(types, start=1)]
    return {**variant(), "instance_type": None, "instance_pools": pools[::-1], **more}


def test_figures_span_all_types_of_an_instance_pool() -> None:
    types = ("ml.g5.xlarge", "ml.g4dn.xlarge", "ml.g6e.xlarge")
    spanned = make_footprint(*build_endpoint_plan(make_pool(*types))).after
    each = [make_footprint(*build_endpoint_plan(variant(kind))).after for kind in types]
    for metric in ("energy", "total", "cost"):
        figures = [figure for one in (spanned, *each) if (figure := one.get(metric)) is not None]
        assert len(figures) == 4
        assert figures[0].central == figures[1].central
        lows, highs = [one.low for one in figures[1:]], [one.high for one in figures[1:]]
        assert (figures[0].low, figures[0].high) == (min(lows), max(highs))
    cost = spanned.get("cost")
    assert cost is not None
    text = "instance type by capacity: ml.g5.xlarge, else ml.g4dn.xlarge, else ml.g6e.xlarge"
    assert (cost.grade, cost.driver) == ("C", text)


def test_a_pool_of_one_type_has_the_figures_of_that_type() -> None:
    alone = make_footprint(*build_endpoint_plan(make_pool("ml.g5.xlarge", "ml.g5.xlarge")))
    assert get_usd(alone) == get_usd(make_footprint(*build_endpoint_plan(variant("ml.g5.xlarge"))))


def test_the_change_of_a_pool_spans_the_types_of_both_sides() -> None:
    def get_change(before: dict[str, Any], after: dict[str, Any]) -> tuple[float, float, float]:
        figure = make_footprint(*build_endpoint_plan(after, before=[before])).delta.get("cost")
        assert figure is not None
        return figure.low, figure.central, figure.high

    pool, single = make_pool("ml.g5.xlarge", "ml.g5.2xlarge"), variant("ml.g5.xlarge")
    (_, _, usd), usd_2x = get_usd(make_footprint(*build_endpoint_plan(single))), 730 * 1.515
    assert get_change(pool, pool) == (0, 0, 0)
    low, central, high = get_change(single, pool)
    assert (low, central) == (0, 0)
    assert high == pytest.approx(usd_2x - usd)
    assert get_change(pool, single) == pytest.approx((usd - usd_2x, 0, 0))


def test_a_type_of_a_pool_that_the_catalogue_lacks_is_reported() -> None:
    result = make_footprint(*build_endpoint_plan(make_pool("ml.g5.xlarge", "ml.x9.large")))
    assert "it may get ml.x9.large" in join_reasons(result)
    assert "cost" in get_only_part(result).partial
    unknown = make_footprint(*build_endpoint_plan(make_pool("ml.x9.large", "ml.g5.xlarge")))
    assert get_only_part(unknown).estimate is None


def test_reserved_capacity_counts_at_the_on_demand_price_with_a_note() -> None:
    plan_arn = "arn:aws:sagemaker:us-east-1:111122223333:training-plan/p"
    reserved = variant("ml.g5.xlarge", capacity_reservation_config=[{"ml_reservation_arn": plan_arn}])
    result, on_demand = (make_footprint(*build_endpoint_plan(one)) for one in (reserved, variant("ml.g5.xlarge")))
    assert get_usd(result) == get_usd(on_demand)
    assert "its training plan is billed separately" in join_reasons(result)
    assert "price" not in join_reasons(on_demand)


def test_a_pool_gets_no_advice_for_one_type() -> None:
    from sustainable_mlops.footprint import find_alternatives

    def list_kinds(one: dict[str, Any]) -> set[str]:
        return {alternative.kind for alternative in find_alternatives(make_footprint(*build_endpoint_plan(one)))}

    assert {"silicon", "serverless"} & list_kinds(make_pool("ml.m5.xlarge", "ml.m5.2xlarge")) == set()
    assert "silicon" in list_kinds(variant("ml.m5.xlarge"))
