from typing import Any

import pytest

from sustainable_mlops.catalogue import instances
from sustainable_mlops.footprint import Alternative, alternatives, of_plan
from tests.plan.build import change, plan


def proposed(
    instance_type: str,
    *,
    region: str = "us-east-1",
    model: dict[str, Any] | None = None,
    **configuration: Any,
) -> list[Alternative]:
    """What is proposed instead of one real-time instance."""
    variant = {
        "variant_name": "v",
        "instance_type": instance_type,
        "initial_instance_count": 1,
        "model_name": "m",
    }
    values = {"name": "c", "region": region, "production_variants": [variant], **configuration}
    container = {"primary_container": [{"image": "i", "mode": "SingleModel"}]}
    return alternatives(
        of_plan(
            plan(
                change("aws_sagemaker_endpoint.e", {"name": "e", "endpoint_config_name": "c", "region": region}),
                change("aws_sagemaker_endpoint_configuration.c", values),
                change("aws_sagemaker_model.m", {"name": "m", **container, **(model or {})}),
            )
        )
    )


def kinds(found: list[Alternative]) -> set[str]:
    return {one.kind for one in found}


def of_kind(found: list[Alternative], kind: str) -> Alternative:
    return next(one for one in found if one.kind == kind)


def test_the_best_comes_first_and_each_saves() -> None:
    found = proposed("ml.g5.xlarge")
    saved = [one.saved_kg.central for one in found]
    assert saved == sorted(saved, reverse=True)
    assert all(kg > 0 for kg in saved)
    assert all(one.costs for one in found)


def test_a_cpu_endpoint_may_go_to_graviton_serverless_or_a_cleaner_region() -> None:
    found = proposed("ml.m5.xlarge")
    assert kinds(found) == {"silicon", "serverless", "asynchronous", "off-hours", "region"}
    silicon = of_kind(found, "silicon")
    graviton = instances.find(silicon.title.split(" ")[0])
    assert graviton is not None
    assert graviton.graviton
    assert (graviton.vcpu, graviton.memory_gib) == (4, 16)
    assert "arm64" in silicon.costs
    assert any("eu-north-1" in one.title or "ca-central-1" in one.title for one in found if one.kind == "region")


def test_a_saving_is_what_is_now_less_what_would_be() -> None:
    found = proposed("ml.m5.xlarge")
    for one in found:
        after = one.after.get("total")
        assert after is not None
        before = 20 * 0.518 + 16 * 0.299  # W at 10 % load
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


def test_a_training_job_stays_on_what_can_train() -> None:
    def job(instance_type: str) -> list[Alternative]:
        config = [{"instance_type": instance_type, "instance_count": 1, "volume_size_in_gb": 30}]
        values = {"region": "us-east-1", "resource_config": config}
        return alternatives(of_plan(plan(change("aws_sagemaker_training_job.t", values))))

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
    found = alternatives(of_plan(plan(change("aws_sagemaker_notebook_instance.n", values))))
    assert "idle stop" in kinds(found)
