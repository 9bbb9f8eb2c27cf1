"""Manually computed estimates of servers with accelerators, from the catalogue."""

import json

import pytest

from sustainable_mlops.footprint import (
    FleetActivity,
    FootprintEstimate,
    JobActivity,
    estimate,
    estimate_job,
    estimate_job_footprint,
    find_alternatives,
    make_bounded,
    make_exact,
)
from sustainable_mlops.footprint.coefficients import load_assumptions
from tests.cases import check_cases
from tests.footprint.support import make_footprint
from tests.plan.plan_builder import build_change

#: ml.p5.48xlarge: two EPYC 7R13 of 225 W, 2,048 GB (8 busy GB per vCPU), 8 H100 with 170 W around each.
HOST_IDLE_W = 450 * (0.108 + 0.1) + 2048 * 0.042
HOST_BUSY_W = 450 * (0.553 + 0.1) + 2048 * 0.042 + 192 * 8 * (0.11 - 0.042)
WAITING_W = HOST_IDLE_W + 8 * (125 + 170)
TRAINING_W = HOST_BUSY_W + 8 * (640 + 170)
SERVING_W = HOST_BUSY_W + 8 * (510 + 170)
PUE = 1.15
H100 = "utilization of the H100"


def get_kwh(result: FootprintEstimate) -> float:
    energy = result.get("energy")
    assert energy is not None
    return energy.central


def make_job(instance: str = "ml.p5.48xlarge", hours: float = 10.0, **more: object) -> JobActivity:
    return JobActivity(instance, "us-east-1", make_exact(hours), **more)  # type: ignore[arg-type]


def test_power_in_training_serving_and_waiting() -> None:
    served = FleetActivity("ml.p5.48xlarge", "us-east-1", hours=make_exact(1.0), duty=make_exact(1.0))
    assert get_kwh(estimate(served)) == pytest.approx(SERVING_W / 1000 * PUE)
    assert get_kwh(estimate(make_job(hours=1.0, duty=make_exact(1.0)))) == pytest.approx(TRAINING_W / 1000 * PUE)
    assert get_kwh(estimate(make_job(hours=1.0, duty=make_exact(0.0)))) == pytest.approx(WAITING_W / 1000 * PUE)
    assert get_kwh(estimate(make_job(hours=1.0, duty=make_exact(1.0), work="inference"))) == get_kwh(estimate(served))


def test_a_whole_training_server_has_a_higher_default_load_than_a_part() -> None:
    whole = WAITING_W + (TRAINING_W - WAITING_W) * 0.9
    assert get_kwh(estimate(make_job())) == pytest.approx(10 * whole / 1000 * PUE)
    # One H100 of the eight, 16 vCPU and 256 GB (128 busy).
    idle = 450 / 192 * 16 * 0.208 + 256 * 0.042 + 125 + 170
    busy = 450 / 192 * 16 * 0.653 + 256 * 0.042 + 128 * (0.11 - 0.042) + 640 + 170
    assert get_kwh(estimate(make_job("ml.p5.4xlarge"))) == pytest.approx(
        10 * (idle + (busy - idle) * 0.45) / 1000 * PUE
    )


@pytest.mark.parametrize("count", [2.0, 4.0])
def test_several_servers_that_train_together_add_their_network(count: float) -> None:
    one, several = estimate(make_job()), estimate(make_job(count=make_exact(count)))
    # 8 x 400 Gbit/s at 0.15 W, of each.
    assert get_kwh(several) == pytest.approx(count * (get_kwh(one) + 10 * 8 * 400 * 0.15 / 1000 * PUE))
    has_network = [any("network between instances" in text for text in result.assumptions) for result in (one, several)]
    assert has_network == [False, True]
    served = [FleetActivity("ml.p5.48xlarge", "us-east-1", make_exact(count)) for count in (1.0, 4.0)]
    assert get_kwh(estimate(served[1])) == pytest.approx(4 * get_kwh(estimate(served[0])))


def test_memory_beyond_the_busy_limit_draws_idle_power() -> None:
    def watts(instance: str, load: float) -> float:
        fleet = FleetActivity(instance, "us-east-1", hours=make_exact(1.0), duty=make_exact(load))
        return get_kwh(estimate(fleet)) * 1000 / PUE

    # x2iedn.32xlarge: 4,096 GB on 128 vCPU, so 1,024 of them; r6i: 8 GB a vCPU, so all.
    extra = 4096 - 1024
    assert watts("x2iedn.32xlarge", 1.0) - watts("r6i.32xlarge", 1.0) == pytest.approx(extra * 0.042)
    assert watts("x2iedn.32xlarge", 0.0) - watts("r6i.32xlarge", 0.0) == pytest.approx(extra * 0.042)


@check_cases(
    ("which", "has_note"),
    [
        (make_job(hours=0.2), True),
        (make_job("ml.p5.4xlarge", 0.9), True),
        (make_job("ml.m5.xlarge", 0.2), False),  # no accelerator
        (make_job("ml.g4dn.xlarge", 0.2), False),  # a small one
        (make_job("ml.trn1.2xlarge", 0.2), False),  # of 190 W
        (make_job(hours=1.0), False),  # no small job
        (make_job(hours=0.2, duty=make_exact(0.8)), False),  # a given duty
    ],
)
def test_a_short_job_on_a_large_accelerator_has_a_note_on_its_utilization(which: JobActivity, has_note: bool) -> None:
    result = estimate(which)
    assert any(unknown.subject.startswith("utilization") for unknown in result.unknowns) is has_note
    assert result.get("cost") is not None  # it is counted


def test_a_measured_duty_replaces_the_assumed_one() -> None:
    measured = estimate(make_job(hours=0.2, duty=make_bounded(0.7, 0.75, 0.8, "measured utilisation", "B")))
    assumed = estimate(make_job(hours=0.2))
    for metric in ("energy", "operational"):
        known, guessed = measured.figures[metric], assumed.figures[metric]
        assert known.high / known.low < guessed.high / guessed.low
    assert H100 in {unknown.subject for unknown in assumed.unknowns}
    assert any("a job keeps whole servers busy" in text for text in assumed.assumptions)


def test_an_arm_cpu_has_its_own_idle_power() -> None:
    def watts(instance: str, load: float) -> float:
        fleet = FleetActivity(instance, "us-east-1", hours=make_exact(1.0), duty=make_exact(load))
        return get_kwh(estimate(fleet)) * 1000 / PUE

    # Graviton2: 110 W on 64 vCPU, which are all in m6g.16xlarge, and 256 GB.
    assert watts("m6g.16xlarge", 0.0) == pytest.approx(110 * (0.24 + 0.1) + 256 * 0.042)
    assert watts("m6g.16xlarge", 0.5) == pytest.approx(110 * (0.553 + (0.24 - 0.108) / 2 + 0.1) + 256 * 0.11)
    assert watts("m6g.16xlarge", 1.0) == pytest.approx(110 * (0.905 + 0.1) + 256 * 0.17)


def test_a_finished_short_job_has_the_note_too() -> None:
    def list_unknown_subjects(hours: float) -> set[str]:
        finished = estimate_job("ml.p3.2xlarge", 1, hours * 3600, "us-east-1", billable_seconds=hours * 3600)
        return {unknown.subject for unknown in finished.unknowns}

    assert "utilization of the V100" in list_unknown_subjects(0.2)
    assert "utilization of the V100" not in list_unknown_subjects(2.0)


def test_only_transform_steps_have_the_power_of_serving() -> None:
    def step(kind: str) -> float:
        resources = {"InstanceType": "ml.g5.xlarge", "InstanceCount": 1}
        at = {"Training": "ResourceConfig", "Transform": "TransformResources"}.get(kind, "ProcessingResources")
        resources_block = {"ClusterConfig": resources} if at == "ProcessingResources" else resources
        arguments = {at: resources_block, "StoppingCondition": {"MaxRuntimeInSeconds": 3600}}
        definition = {"Version": "2020-12-01", "Steps": [{"Name": "S", "Type": kind, "Arguments": arguments}]}
        values = {"pipeline_name": "p", "region": "us-east-1", "pipeline_definition": json.dumps(definition)}
        result = make_footprint(build_change("aws_sagemaker_pipeline.p", values)).after.get("energy")
        assert result is not None
        return result.central

    assert step("Processing") == pytest.approx(step("Training"))
    busy = (255 - 200) * 0.45  # W that training takes more of an A10G, for the time that it is busy
    assert step("Training") - step("Transform") == pytest.approx(busy * 4 * 0.25 / 1000 * PUE)


def test_a_hyperpod_cluster_has_the_power_of_training() -> None:
    group = {"instance_group_name": "g", "instance_type": "ml.p4d.24xlarge", "instance_count": 2}
    result = make_footprint(
        build_change("aws_sagemaker_cluster.c", {"region": "us-east-1", "instance_groups": [group]})
    )
    duty = 0.3
    idle = 480 * 0.208 + 1152 * 0.042 + 8 * (60 + 105)
    busy = 480 * 0.653 + 768 * 0.11 + 384 * 0.042 + 8 * (345 + 105)
    watts = idle + (busy - idle) * duty + 8 * 50 * 0.15
    energy = result.after.get("energy")
    assert energy is not None
    assert energy.central == pytest.approx(2 * watts * 0.73 * PUE)


def test_a_trainium_alternative_has_the_same_busy_share() -> None:
    (better,) = (
        one
        for one in find_alternatives(estimate_job_footprint(make_job("ml.p2.16xlarge", 2.0)))
        if one.kind == "silicon"
    )
    assert better.title.startswith("ml.trn1.32xlarge")
    same = estimate(make_job("ml.trn1.32xlarge", 2.0, duty=load_assumptions()["job_accelerator_duty"]))
    assert better.after.figures["energy"].central == pytest.approx(get_kwh(same))
