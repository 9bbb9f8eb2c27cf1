"""Servers with accelerators, computed by hand from the catalogue."""

import json

import pytest

from sustainable_mlops.footprint import (
    FleetActivity,
    FootprintEstimate,
    JobActivity,
    bounded_quantity,
    estimate,
    estimate_job,
    estimate_job_footprint,
    exact_quantity,
    find_alternatives,
)
from sustainable_mlops.footprint.coefficients import load_assumptions
from tests.footprint.support import footprint
from tests.plan.plan_builder import build_change

#: Of ml.p5.48xlarge: two EPYC 7R13 of 225 W, 2,048 GB, of which 8 a vCPU work; 8 H100 with 170 W around each.
HOST_IDLE_W = 450 * (0.108 + 0.1) + 2048 * 0.042
HOST_BUSY_W = 450 * (0.553 + 0.1) + 2048 * 0.042 + 192 * 8 * (0.11 - 0.042)
WAITING_W = HOST_IDLE_W + 8 * (125 + 170)
TRAINING_W = HOST_BUSY_W + 8 * (640 + 170)
SERVING_W = HOST_BUSY_W + 8 * (510 + 170)
PUE = 1.15
H100 = "how busy the job keeps the H100"


def kwh(found: FootprintEstimate) -> float:
    energy = found.get("energy")
    assert energy is not None
    return energy.central


def job(instance: str = "ml.p5.48xlarge", hours: float = 10.0, **more: object) -> JobActivity:
    return JobActivity(instance, "us-east-1", exact_quantity(hours), **more)  # type: ignore[arg-type]


def test_training_draws_more_than_serving_and_waiting_holds_the_model() -> None:
    served = FleetActivity("ml.p5.48xlarge", "us-east-1", hours=exact_quantity(1.0), duty=exact_quantity(1.0))
    assert kwh(estimate(served)) == pytest.approx(SERVING_W / 1000 * PUE)
    assert kwh(estimate(job(hours=1.0, duty=exact_quantity(1.0)))) == pytest.approx(TRAINING_W / 1000 * PUE)
    assert kwh(estimate(job(hours=1.0, duty=exact_quantity(0.0)))) == pytest.approx(WAITING_W / 1000 * PUE)
    assert kwh(estimate(job(hours=1.0, duty=exact_quantity(1.0), work="inference"))) == kwh(estimate(served))


def test_a_whole_server_made_to_train_is_kept_busier_than_a_part_of_one() -> None:
    whole = WAITING_W + (TRAINING_W - WAITING_W) * 0.9
    assert kwh(estimate(job())) == pytest.approx(10 * whole / 1000 * PUE)
    # One H100 of the eight, 16 vCPU and 256 GB, of which 128 work.
    idle = 450 / 192 * 16 * 0.208 + 256 * 0.042 + 125 + 170
    busy = 450 / 192 * 16 * 0.653 + 256 * 0.042 + 128 * (0.11 - 0.042) + 640 + 170
    assert kwh(estimate(job("ml.p5.4xlarge"))) == pytest.approx(10 * (idle + (busy - idle) * 0.45) / 1000 * PUE)


@pytest.mark.parametrize("count", [2.0, 4.0])
def test_several_servers_that_train_together_add_their_network(count: float) -> None:
    one, several = estimate(job()), estimate(job(count=exact_quantity(count)))
    # 8 x 400 Gbit/s at 0.15 W, of each.
    assert kwh(several) == pytest.approx(count * (kwh(one) + 10 * 8 * 400 * 0.15 / 1000 * PUE))
    said = [any("network between instances" in text for text in found.assumptions) for found in (one, several)]
    assert said == [False, True]
    served = [FleetActivity("ml.p5.48xlarge", "us-east-1", exact_quantity(count)) for count in (1.0, 4.0)]
    assert kwh(estimate(served[1])) == pytest.approx(4 * kwh(estimate(served[0])))


def test_memory_beyond_what_the_cpu_can_work_with_draws_as_when_idle() -> None:
    def watts(instance: str, load: float) -> float:
        fleet = FleetActivity(instance, "us-east-1", hours=exact_quantity(1.0), duty=exact_quantity(load))
        return kwh(estimate(fleet)) * 1000 / PUE

    # x2iedn.32xlarge: 4,096 GB on 128 vCPU, so 1,024 of them; r6i: 8 GB a vCPU, so all.
    extra = 4096 - 1024
    assert watts("x2iedn.32xlarge", 1.0) - watts("r6i.32xlarge", 1.0) == pytest.approx(extra * 0.042)
    assert watts("x2iedn.32xlarge", 0.0) - watts("r6i.32xlarge", 0.0) == pytest.approx(extra * 0.042)


@pytest.mark.parametrize(
    ("which", "told"),
    [
        (job(hours=0.2), True),
        (job("ml.p5.4xlarge", 0.9), True),
        (job("ml.m5.xlarge", 0.2), False),  # no accelerator
        (job("ml.g4dn.xlarge", 0.2), False),  # a small one
        (job("ml.trn1.2xlarge", 0.2), False),  # of 190 W
        (job(hours=1.0), False),  # no small job
        (job(hours=0.2, duty=exact_quantity(0.8)), False),  # somebody told
    ],
)
def test_a_short_job_on_a_large_accelerator_is_told_that_nobody_knows_how_much_of_it_is_used(
    which: JobActivity, told: bool
) -> None:
    found = estimate(which)
    assert any(unknown.subject.startswith("how busy") for unknown in found.unknowns) is told
    assert found.get("cost") is not None  # it is counted


def test_what_was_measured_replaces_the_assumed_use() -> None:
    measured = estimate(job(hours=0.2, duty=bounded_quantity(0.7, 0.75, 0.8, "measured utilisation", "B")))
    assumed = estimate(job(hours=0.2))
    for metric in ("energy", "operational"):
        known, guessed = measured.figures[metric], assumed.figures[metric]
        assert known.high / known.low < guessed.high / guessed.low
    assert H100 in {unknown.subject for unknown in assumed.unknowns}
    assert any("a job keeps whole servers busy" in text for text in assumed.assumptions)


def test_an_arm_cpu_idles_higher_than_its_share_of_the_power_at_full_load() -> None:
    def watts(instance: str, load: float) -> float:
        fleet = FleetActivity(instance, "us-east-1", hours=exact_quantity(1.0), duty=exact_quantity(load))
        return kwh(estimate(fleet)) * 1000 / PUE

    # Graviton2: 110 W on 64 vCPU, of which m6g.16xlarge has all, and 256 GB.
    assert watts("m6g.16xlarge", 0.0) == pytest.approx(110 * (0.24 + 0.1) + 256 * 0.042)
    assert watts("m6g.16xlarge", 0.5) == pytest.approx(110 * (0.553 + (0.24 - 0.108) / 2 + 0.1) + 256 * 0.11)
    assert watts("m6g.16xlarge", 1.0) == pytest.approx(110 * (0.905 + 0.1) + 256 * 0.17)


def test_a_short_job_that_has_run_is_told_too() -> None:
    def what(hours: float) -> set[str]:
        done = estimate_job("ml.p3.2xlarge", 1, hours * 3600, "us-east-1", billable_seconds=hours * 3600)
        return {unknown.subject for unknown in done.unknowns}

    assert "how busy the job keeps the V100" in what(0.2)
    assert "how busy the job keeps the V100" not in what(2.0)


def test_processing_and_tuning_train_and_transform_serves() -> None:
    def step(kind: str) -> float:
        machines = {"InstanceType": "ml.g5.xlarge", "InstanceCount": 1}
        at = {"Training": "ResourceConfig", "Transform": "TransformResources"}.get(kind, "ProcessingResources")
        named = {"ClusterConfig": machines} if at == "ProcessingResources" else machines
        arguments = {at: named, "StoppingCondition": {"MaxRuntimeInSeconds": 3600}}
        definition = {"Version": "2020-12-01", "Steps": [{"Name": "S", "Type": kind, "Arguments": arguments}]}
        values = {"pipeline_name": "p", "region": "us-east-1", "pipeline_definition": json.dumps(definition)}
        found = footprint(build_change("aws_sagemaker_pipeline.p", values)).after.get("energy")
        assert found is not None
        return found.central

    assert step("Processing") == pytest.approx(step("Training"))
    busy = (255 - 200) * 0.45  # W that training takes more of an A10G, for the time that it is busy
    assert step("Training") - step("Transform") == pytest.approx(busy * 4 * 0.25 / 1000 * PUE)


def test_a_hyperpod_cluster_trains() -> None:
    group = {"instance_group_name": "g", "instance_type": "ml.p4d.24xlarge", "instance_count": 2}
    found = footprint(build_change("aws_sagemaker_cluster.c", {"region": "us-east-1", "instance_groups": [group]}))
    duty = 0.3
    idle = 480 * 0.208 + 1152 * 0.042 + 8 * (60 + 105)
    busy = 480 * 0.653 + 768 * 0.11 + 384 * 0.042 + 8 * (345 + 105)
    watts = idle + (busy - idle) * duty + 8 * 50 * 0.15
    energy = found.after.get("energy")
    assert energy is not None
    assert energy.central == pytest.approx(2 * watts * 0.73 * PUE)


def test_a_trainium_job_is_compared_at_the_same_use_of_its_time() -> None:
    (better,) = (
        one for one in find_alternatives(estimate_job_footprint(job("ml.p2.16xlarge", 2.0))) if one.kind == "silicon"
    )
    assert better.title.startswith("ml.trn1.32xlarge")
    same = estimate(job("ml.trn1.32xlarge", 2.0, duty=load_assumptions()["job_accelerator_duty"]))
    assert better.after.figures["energy"].central == pytest.approx(kwh(same))
