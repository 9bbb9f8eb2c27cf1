from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.catalogue import instances
from sustainable_mlops.footprint import FootprintAlternative, estimate_plan, find_alternatives
from sustainable_mlops.plan import UNKNOWN, Unknown
from tests.footprint.plans import ENDPOINT, action, served, variant
from tests.footprint.support import PUE, footprint, usage
from tests.plan.plan_builder import build_change, build_plan


def proposed(
    instance_type: str,
    *,
    region: str = "us-east-1",
    model: dict[str, Any] | None = None,
    provider: int | Unknown = UNKNOWN,
    **configuration: Any,
) -> list[FootprintAlternative]:
    """What is proposed instead of one real-time instance."""
    variant = {
        "variant_name": "v",
        "instance_type": instance_type,
        "initial_instance_count": 1,
        "model_name": "m",
    }
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


def kinds(found: list[FootprintAlternative]) -> set[str]:
    return {one.kind for one in found}


def of_kind(found: list[FootprintAlternative], kind: str) -> FootprintAlternative:
    return next(one for one in found if one.kind == kind)


def test_the_best_comes_first_and_each_saves() -> None:
    found = proposed("ml.g5.xlarge")
    saved = [one.saved_kg.central for one in found]
    assert saved == sorted(saved, reverse=True)
    assert all(kg > 0 for kg in saved)
    assert all(one.drawbacks for one in found)


def test_a_cpu_endpoint_may_go_to_graviton_serverless_or_a_cleaner_region() -> None:
    found = proposed("ml.m5.xlarge")
    assert kinds(found) == {"silicon", "serverless", "asynchronous", "off-hours", "region"}
    silicon = of_kind(found, "silicon")
    graviton = instances.find(silicon.title.split(" ")[0])
    assert graviton is not None
    assert graviton.is_graviton
    assert (graviton.vcpu, graviton.memory_gib) == (4, 16)
    assert "arm64" in silicon.drawbacks
    assert any("eu-north-1" in one.title or "ca-central-1" in one.title for one in found if one.kind == "region")


@pytest.mark.parametrize("provider", [5, UNKNOWN])
def test_a_type_that_the_provider_refuses_is_not_named(provider: int | Unknown) -> None:
    older, newer = (
        of_kind(proposed("ml.c5.xlarge", region="eu-north-1", provider=one), "silicon") for one in (provider, 6)
    )
    assert newer.title == "ml.c8g.xlarge instead of ml.c5.xlarge"
    assert older.title == "ml.c6g.xlarge instead of ml.c5.xlarge"
    assert "8g" not in older.drawbacks
    assert ("which AWS provider 5 refuses" in older.drawbacks) == (provider is UNKNOWN)


def test_a_saving_is_what_is_now_less_what_would_be() -> None:
    found = proposed("ml.m5.xlarge")
    for one in found:
        after = one.after.get("total")
        assert after is not None
        before = 20 * 0.373 + 16 * 0.07  # W at 10 % load
        operational = before * 0.73 * 1.15 * 0.418
        embodied = ((600 + 2 * 50) * 4 / 96 + 16 * 1.388) * 730 / 52_560
        assert one.saved_kg.central == pytest.approx(operational + embodied - after.central, rel=1e-4)


def test_a_gpu_never_goes_to_serverless_or_graviton() -> None:
    found = proposed("ml.g4dn.xlarge")
    assert "serverless" not in kinds(found)
    assert of_kind(found, "silicon").title == "ml.inf2.xlarge instead of ml.g4dn.xlarge"


def test_a_gpu_with_more_memory_than_a_chip_keeps_its_silicon() -> None:
    assert "silicon" not in kinds(proposed("ml.g6e.xlarge"))
    assert "silicon" not in kinds(proposed("ml.p5.48xlarge"))


@pytest.mark.parametrize(
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
def test_serverless_is_not_proposed_where_it_is_refused(against: dict[str, Any]) -> None:
    assert "serverless" not in kinds(proposed("ml.m5.xlarge", **against))


def used(folder: Path, *, duty: float, instance_type: str, count: int = 1) -> list[FootprintAlternative]:
    """What is proposed instead of real-time instances that are busy for a share of the time."""
    told = usage(folder, {ENDPOINT: {"duty": duty}})
    model = {"name": "m", "primary_container": [{"image": "i", "mode": "SingleModel"}]}
    plan = served(variant(instance_type, count, model_name="m"))
    return find_alternatives(footprint(*plan, build_change("aws_sagemaker_model.m", model), used=told))


def test_a_serverless_endpoint_does_the_same_work(tmp_path: Path) -> None:
    found = of_kind(used(tmp_path, duty=0.2, instance_type="ml.m5.xlarge", count=3), "serverless")
    # 3 instances of 4 vCPUs, busy for a fifth of 730 h: 1,752 vCPU-hours, on workers that are half loaded
    hours = 1_752 / (0.5 * 6144 / 1769)
    watts = 6144 / 1769 * 5 * 0.653 + 6 * 0.11
    energy, cost = found.after.get("energy"), found.after.get("cost")
    assert energy is not None
    assert cost is not None
    assert energy.central == pytest.approx(hours * watts / 1000 * PUE, rel=1e-6)
    assert cost.central == pytest.approx(hours * 3600 * 6 * 0.00002)
    assert found.saved_usd is not None
    assert found.saved_usd.central == pytest.approx(3 * 730 * 0.23 - cost.central)


def test_no_serverless_endpoint_is_as_large_as_some_instances(tmp_path: Path) -> None:
    assert "serverless" in kinds(used(tmp_path, duty=0.01, instance_type="ml.c5.xlarge", count=173))
    # 200 workers of 6 GB are 694 vCPUs
    assert "serverless" not in kinds(used(tmp_path, duty=0.01, instance_type="ml.c5.xlarge", count=174))
    for instance_type in ("ml.m5.2xlarge", "ml.m5.24xlarge", "ml.r5.xlarge"):
        assert "serverless" not in kinds(used(tmp_path, duty=0.01, instance_type=instance_type))


def test_what_is_on_for_less_time_is_busier(tmp_path: Path) -> None:
    # ml.g5.xlarge, 71.55 W idle and 220.53 W busy, for a fifth of 730 h: 146 h
    idle, busy = 2 * 280 / 192 * 4 * 0.208 + 16 * 0.042 + 65 + 30, 2 * 280 / 192 * 4 * 0.653 + 16 * 0.11 + 200 + 30
    found = used(tmp_path, duty=0.2, instance_type="ml.g5.xlarge")
    # on working days for 240 h, or asynchronously for half as long again as it is busy
    for kind, on in (("off-hours", 240), ("asynchronous", 219)):
        energy = of_kind(found, kind).after.get("energy")
        assert energy is not None
        assert energy.central == pytest.approx((146 * busy + (on - 146) * idle) / 1000 * PUE, rel=1e-6)


def test_work_that_does_not_fit_into_working_hours_is_not_moved_there(tmp_path: Path) -> None:
    assert "off-hours" in kinds(used(tmp_path, duty=0.3, instance_type="ml.g5.xlarge"))
    assert "off-hours" not in kinds(used(tmp_path, duty=0.4, instance_type="ml.g5.xlarge"))


def test_what_sleeps_or_rests_already_is_not_told_to() -> None:
    managed = [{"status": "ENABLED", "min_instance_count": 0, "max_instance_count": 4}]
    sleeps = served(variant("ml.g5.xlarge", managed_instance_scaling=managed))
    assert kinds(find_alternatives(footprint(*sleeps))) == {"silicon", "region"}
    day, night = action("cron(0 8 * * ? *)", 4, 4), action("cron(0 18 * * ? *)", 1, 1, 1)
    rests = served(variant("ml.g5.xlarge"), scaled=(1, 4), follows=None)
    assert "off-hours" in kinds(find_alternatives(footprint(*rests)))
    assert kinds(find_alternatives(footprint(*rests, day, night))) == {"silicon", "asynchronous", "region"}
    call = {"arn": "arn:aws:scheduler:::aws-sdk:sagemaker:deleteEndpoint", "input": '{"EndpointName": "e"}'}
    deleted = build_change("aws_scheduler_schedule.s", {"target": [call]})
    assert "off-hours" not in kinds(find_alternatives(footprint(*served(variant("ml.g5.xlarge")), deleted)))


def test_what_saves_next_to_nothing_is_no_alternative(tmp_path: Path) -> None:
    def proposed(**keys: float) -> list[FootprintAlternative]:
        told = usage(tmp_path, {ENDPOINT: keys})
        return find_alternatives(footprint(*served(variant("ml.g4dn.xlarge")), used=told))

    # The busier it is, the less the other silicon saves: 0.7 % of the carbon, then 0.3 %.
    assert "silicon" in kinds(proposed(duty=0.51))
    assert "silicon" not in kinds(proposed(duty=0.52))
    # Six minutes a month are some grams, and half a minute none.
    assert all(one.saved_kg.central >= 0.001 for one in proposed(hours_per_month=0.1))
    assert "asynchronous" in kinds(proposed(hours_per_month=0.1))
    assert proposed(hours_per_month=0.01) == []


def test_nothing_is_proposed_for_what_the_plan_lets_go_of() -> None:
    values = {"instance_type": "ml.t3.medium", "region": "us-east-1"}
    for actions in (["delete"], ["forget"]):
        entry = build_change("aws_sagemaker_notebook_instance.n", before=values, actions=actions)
        assert find_alternatives(footprint(entry)) == []


def test_an_alternative_of_one_of_several_variants_names_it() -> None:
    two = [variant("ml.g5.xlarge", name="blue"), variant("ml.g5.xlarge", name="green")]
    titles = [one.title for one in find_alternatives(footprint(*served(*two))) if one.kind == "silicon"]
    assert sorted(titles) == [
        "variant blue: ml.inf2.xlarge instead of ml.g5.xlarge",
        "variant green: ml.inf2.xlarge instead of ml.g5.xlarge",
    ]
    (one,) = (one for one in find_alternatives(footprint(*served(two[0]))) if one.kind == "silicon")
    assert (one.part, one.title) == ("variant blue", "ml.inf2.xlarge instead of ml.g5.xlarge")


def test_what_another_region_costs_is_told() -> None:
    saved = {one.title.split()[0]: one.saved_usd for one in proposed("ml.m5.xlarge") if one.kind == "region"}
    stockholm, oregon = saved["eu-north-1"], saved["us-west-2"]
    assert stockholm is not None
    assert stockholm.high < 0
    assert oregon is not None
    assert (oregon.low, oregon.high) == (0, 0)


def test_a_training_job_stays_on_what_can_train() -> None:
    def job(instance_type: str) -> list[FootprintAlternative]:
        config = [{"instance_type": instance_type, "instance_count": 1, "volume_size_in_gb": 30}]
        values = {"region": "us-east-1", "resource_config": config}
        return find_alternatives(estimate_plan(build_plan(build_change("aws_sagemaker_training_job.t", values))))

    assert {one.title for one in job("ml.p4d.24xlarge") if one.kind == "silicon"} == {
        "ml.trn1.32xlarge instead of ml.p4d.24xlarge"
    }
    assert kinds(job("ml.m5.xlarge")) == {"region"}
    for one in job("ml.g5.xlarge"):
        proposed_type = instances.find(one.title.split(" ")[0])
        assert proposed_type is None or "training" in proposed_type.uses


def test_the_cleanest_region_has_nothing_better() -> None:
    assert "region" not in kinds(proposed("ml.m5.xlarge", region="eu-north-1"))


def test_nothing_moves_out_of_china() -> None:
    titles = [one.title for one in proposed("ml.m5.xlarge", region="cn-north-1") if one.kind == "region"]
    assert all(title.startswith("cn-") for title in titles)


def test_a_notebook_is_to_stop_when_idle() -> None:
    values = {"instance_type": "ml.t3.medium", "region": "us-east-1"}
    found = find_alternatives(estimate_plan(build_plan(build_change("aws_sagemaker_notebook_instance.n", values))))
    assert "idle stop" in kinds(found)
