from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.catalogue import instances
from sustainable_mlops.footprint import FootprintAlternative, estimate_plan, find_alternatives
from sustainable_mlops.plan import UNKNOWN, Unknown
from tests.cases import check_cases
from tests.footprint.plans import ENDPOINT, action, build_endpoint_plan, variant
from tests.footprint.support import PUE, make_footprint, make_usage
from tests.plan.plan_builder import build_change, build_plan


def propose_for_type(
    instance_type: str,
    *,
    region: str = "us-east-1",
    model: dict[str, Any] | None = None,
    provider: int | Unknown = UNKNOWN,
    **configuration: Any,
) -> list[FootprintAlternative]:
    """Return the alternatives of one real-time instance."""
    variant = {"variant_name": "v", "instance_type": instance_type, "initial_instance_count": 1, "model_name": "m"}
    values = {"name": "c", "region": region, "production_variants": [variant], **configuration}
    container = {"primary_container": [{"image": "i", "mode": "SingleModel"}]}
    return find_alternatives(
        estimate_plan(
            build_plan(
                build_change("aws_sagemaker_endpoint.e", {"name": "e", "endpoint_config_name": "c", "region": region}),
                build_change("aws_sagemaker_endpoint_configuration.c", values),
                build_change("aws_sagemaker_model.m", {"name": "m", **container, **(model or {})}),
            )
        ),
        provider,
    )


def list_kinds(result: list[FootprintAlternative]) -> set[str]:
    return {one.kind for one in result}


def find_kind(result: list[FootprintAlternative], kind: str) -> FootprintAlternative:
    return next(one for one in result if one.kind == kind)


def test_the_largest_saving_comes_first() -> None:
    result = propose_for_type("ml.g5.xlarge")
    saved = [one.saved_kg.central for one in result]
    assert saved == sorted(saved, reverse=True)
    assert all(kg > 0 for kg in saved)
    assert all(one.drawbacks for one in result)


def test_a_cpu_endpoint_may_go_to_graviton_serverless_or_a_cleaner_region() -> None:
    result = propose_for_type("ml.m5.xlarge")
    assert list_kinds(result) == {"silicon", "serverless", "asynchronous", "off-hours", "region"}
    silicon = find_kind(result, "silicon")
    graviton = instances.find(silicon.title.split(" ")[0])
    assert graviton is not None
    assert graviton.is_graviton
    assert (graviton.vcpu, graviton.memory_gib) == (4, 16)
    assert "arm64" in silicon.drawbacks
    assert any("eu-north-1" in one.title or "ca-central-1" in one.title for one in result if one.kind == "region")


@pytest.mark.parametrize("provider", [5, UNKNOWN])
def test_types_that_the_provider_refuses_are_not_proposed(provider: int | Unknown) -> None:
    older, newer = (
        find_kind(propose_for_type("ml.c5.xlarge", region="eu-north-1", provider=one), "silicon")
        for one in (provider, 6)
    )
    assert newer.title == "ml.c8g.xlarge instead of ml.c5.xlarge"
    assert older.title == "ml.c6g.xlarge instead of ml.c5.xlarge"
    assert "8g" not in older.drawbacks
    assert ("AWS provider 5 refuses it" in older.drawbacks) == (provider is UNKNOWN)


def test_a_saving_is_current_minus_new() -> None:
    result = propose_for_type("ml.m5.xlarge")
    for one in result:
        after = one.after.get("total")
        assert after is not None
        before = 20 * 0.373 + 16 * 0.07  # W at 10 % load
        operational = before * 0.73 * 1.15 * 0.418
        embodied = ((600 + 2 * 50) * 4 / 96 + 16 * 1.388) * 730 / 52_560
        assert one.saved_kg.central == pytest.approx(operational + embodied - after.central, rel=1e-4)


def test_a_gpu_never_goes_to_serverless_or_graviton() -> None:
    result = propose_for_type("ml.g4dn.xlarge")
    assert "serverless" not in list_kinds(result)
    assert find_kind(result, "silicon").title == "ml.inf2.xlarge instead of ml.g4dn.xlarge"


def test_a_gpu_with_more_memory_than_a_chip_keeps_its_silicon() -> None:
    assert "silicon" not in list_kinds(propose_for_type("ml.g6e.xlarge"))
    assert "silicon" not in list_kinds(propose_for_type("ml.p5.48xlarge"))


@check_cases(
    "against",
    [
        {"model": {"vpc_config": [{"subnets": ["s"], "security_group_ids": ["g"]}]}},
        {"model": {"enable_network_isolation": True}},
        {"model": {"primary_container": [{"mode": "MultiModel"}]}},
        {"model": {"container": [{}, {}]}},
        {"data_capture_config": [{"enable_capture": True}]},
        {"region": "eu-central-2"},
    ],
    ids=["vpc", "isolation", "multi-model", "containers", "capture", "region"],
)
def test_serverless_is_not_proposed_if_sagemaker_excludes_it(against: dict[str, Any]) -> None:
    assert "serverless" not in list_kinds(propose_for_type("ml.m5.xlarge", **against))


def propose_for_duty(folder: Path, *, duty: float, instance_type: str, count: int = 1) -> list[FootprintAlternative]:
    """Return the alternatives of real-time instances with a busy share."""
    resource_usage = make_usage(folder, {ENDPOINT: {"duty": duty}})
    model = {"name": "m", "primary_container": [{"image": "i", "mode": "SingleModel"}]}
    plan = build_endpoint_plan(variant(instance_type, count, model_name="m"))
    return find_alternatives(make_footprint(*plan, build_change("aws_sagemaker_model.m", model), used=resource_usage))


def test_a_serverless_endpoint_does_the_same_work(tmp_path: Path) -> None:
    result = find_kind(propose_for_duty(tmp_path, duty=0.2, instance_type="ml.m5.xlarge", count=3), "serverless")
    # 3 instances of 4 vCPUs, busy for a fifth of 730 h: 1,752 vCPU-hours, on workers that are half loaded
    hours = 1_752 / (0.5 * 6144 / 1769)
    watts = 6144 / 1769 * 5 * 0.653 + 6 * 0.11
    energy, cost = result.after.get("energy"), result.after.get("cost")
    assert energy is not None
    assert cost is not None
    assert energy.central == pytest.approx(hours * watts / 1000 * PUE, rel=1e-6)
    assert cost.central == pytest.approx(hours * 3600 * 6 * 0.00002)
    assert result.saved_usd is not None
    assert result.saved_usd.central == pytest.approx(3 * 730 * 0.23 - cost.central)


def test_large_instances_have_no_serverless_alternative(tmp_path: Path) -> None:
    assert "serverless" in list_kinds(propose_for_duty(tmp_path, duty=0.01, instance_type="ml.c5.xlarge", count=173))
    # 200 workers of 6 GB are 694 vCPUs
    assert "serverless" not in list_kinds(
        propose_for_duty(tmp_path, duty=0.01, instance_type="ml.c5.xlarge", count=174)
    )
    for instance_type in ("ml.m5.2xlarge", "ml.m5.24xlarge", "ml.r5.xlarge"):
        assert "serverless" not in list_kinds(propose_for_duty(tmp_path, duty=0.01, instance_type=instance_type))


def test_fewer_hours_have_a_higher_load(tmp_path: Path) -> None:
    # ml.g5.xlarge, 71.55 W idle and 220.53 W busy, for a fifth of 730 h: 146 h
    idle, busy = 2 * 280 / 192 * 4 * 0.208 + 16 * 0.042 + 65 + 30, 2 * 280 / 192 * 4 * 0.653 + 16 * 0.11 + 200 + 30
    result = propose_for_duty(tmp_path, duty=0.2, instance_type="ml.g5.xlarge")
    # on working days for 240 h, or asynchronously for 1.5 times the busy hours
    for kind, on in (("off-hours", 240), ("asynchronous", 219)):
        energy = find_kind(result, kind).after.get("energy")
        assert energy is not None
        assert energy.central == pytest.approx((146 * busy + (on - 146) * idle) / 1000 * PUE, rel=1e-6)


def test_work_that_does_not_fit_into_working_hours_is_not_moved_there(tmp_path: Path) -> None:
    assert "off-hours" in list_kinds(propose_for_duty(tmp_path, duty=0.3, instance_type="ml.g5.xlarge"))
    assert "off-hours" not in list_kinds(propose_for_duty(tmp_path, duty=0.4, instance_type="ml.g5.xlarge"))


def test_sleeping_and_scheduled_endpoints_get_no_off_hours() -> None:
    managed = [{"status": "ENABLED", "min_instance_count": 0, "max_instance_count": 4}]
    sleeps = build_endpoint_plan(variant("ml.g5.xlarge", managed_instance_scaling=managed))
    assert list_kinds(find_alternatives(make_footprint(*sleeps))) == {"silicon", "region"}
    day, night = action("cron(0 8 * * ? *)", 4, 4), action("cron(0 18 * * ? *)", 1, 1, 1)
    rests = build_endpoint_plan(variant("ml.g5.xlarge"), scaled=(1, 4), follows=None)
    assert "off-hours" in list_kinds(find_alternatives(make_footprint(*rests)))
    assert list_kinds(find_alternatives(make_footprint(*rests, day, night))) == {"silicon", "asynchronous", "region"}
    call = {"arn": "arn:aws:scheduler:::aws-sdk:sagemaker:deleteEndpoint", "input": '{"EndpointName": "e"}'}
    deleted = build_change("aws_scheduler_schedule.s", {"target": [call]})
    assert "off-hours" not in list_kinds(
        find_alternatives(make_footprint(*build_endpoint_plan(variant("ml.g5.xlarge")), deleted))
    )


def test_negligible_savings_are_no_alternatives(tmp_path: Path) -> None:
    def proposed(**keys: float) -> list[FootprintAlternative]:
        resource_usage = make_usage(tmp_path, {ENDPOINT: keys})
        return find_alternatives(make_footprint(*build_endpoint_plan(variant("ml.g4dn.xlarge")), used=resource_usage))

    # The busier it is, the less the other silicon saves: 0.7 % of the carbon, then 0.3 %.
    assert "silicon" in list_kinds(proposed(duty=0.51))
    assert "silicon" not in list_kinds(proposed(duty=0.52))
    # Six minutes a month are some grams, and half a minute none.
    assert all(one.saved_kg.central >= 0.001 for one in proposed(hours_per_month=0.1))
    assert "asynchronous" in list_kinds(proposed(hours_per_month=0.1))
    assert proposed(hours_per_month=0.01) == []


def test_deleted_and_forgotten_resources_have_no_alternatives() -> None:
    values = {"instance_type": "ml.t3.medium", "region": "us-east-1"}
    for actions in (["delete"], ["forget"]):
        entry = build_change("aws_sagemaker_notebook_instance.n", before=values, actions=actions)
        assert find_alternatives(make_footprint(entry)) == []


def test_an_alternative_of_one_of_several_variants_names_it() -> None:
    two = [variant("ml.g5.xlarge", name="blue"), variant("ml.g5.xlarge", name="green")]
    titles = [
        one.title for one in find_alternatives(make_footprint(*build_endpoint_plan(*two))) if one.kind == "silicon"
    ]
    assert sorted(titles) == [
        "variant blue: ml.inf2.xlarge instead of ml.g5.xlarge",
        "variant green: ml.inf2.xlarge instead of ml.g5.xlarge",
    ]
    (one,) = (one for one in find_alternatives(make_footprint(*build_endpoint_plan(two[0]))) if one.kind == "silicon")
    assert (one.part, one.title) == ("variant blue", "ml.inf2.xlarge instead of ml.g5.xlarge")


def test_an_alternative_region_has_a_cost_difference() -> None:
    saved = {one.title.split()[0]: one.saved_usd for one in propose_for_type("ml.m5.xlarge") if one.kind == "region"}
    stockholm, oregon = saved["eu-north-1"], saved["us-west-2"]
    assert stockholm is not None
    assert stockholm.high < 0
    assert oregon is not None
    assert (oregon.low, oregon.high) == (0, 0)


def test_alternatives_of_a_training_job_can_train() -> None:
    def job(instance_type: str) -> list[FootprintAlternative]:
        config = [{"instance_type": instance_type, "instance_count": 1, "volume_size_in_gb": 30}]
        values = {"region": "us-east-1", "resource_config": config}
        return find_alternatives(estimate_plan(build_plan(build_change("aws_sagemaker_training_job.t", values))))

    assert {one.title for one in job("ml.p4d.24xlarge") if one.kind == "silicon"} == {
        "ml.trn1.32xlarge instead of ml.p4d.24xlarge"
    }
    assert list_kinds(job("ml.m5.xlarge")) == {"region"}
    for one in job("ml.g5.xlarge"):
        proposed_type = instances.find(one.title.split(" ")[0])
        assert proposed_type is None or "training" in proposed_type.uses


def test_the_cleanest_region_has_no_alternative_region() -> None:
    assert "region" not in list_kinds(propose_for_type("ml.m5.xlarge", region="eu-north-1"))


def test_nothing_moves_out_of_china() -> None:
    titles = [one.title for one in propose_for_type("ml.m5.xlarge", region="cn-north-1") if one.kind == "region"]
    assert all(title.startswith("cn-") for title in titles)


def test_an_idle_stop_is_proposed_for_a_notebook() -> None:
    values = {"instance_type": "ml.t3.medium", "region": "us-east-1"}
    result = find_alternatives(estimate_plan(build_plan(build_change("aws_sagemaker_notebook_instance.n", values))))
    assert "idle stop" in list_kinds(result)
