"""Servers with accelerators, computed by hand from the catalogue."""

import pytest

from sustainable_mlops.footprint import Estimate, Fleet, Job, between, estimate, exactly

#: Of ml.p5.48xlarge: two EPYC 7R13 of 225 W, 2,048 GB, of which 8 a vCPU work; 8 H100 with 170 W around each.
HOST_IDLE_W = 450 * (0.108 + 0.1) + 2048 * 0.042
HOST_BUSY_W = 450 * (0.553 + 0.1) + 2048 * 0.042 + 192 * 8 * (0.11 - 0.042)
WAITING_W = HOST_IDLE_W + 8 * (125 + 170)
TRAINING_W = HOST_BUSY_W + 8 * (640 + 170)
SERVING_W = HOST_BUSY_W + 8 * (510 + 170)
PUE = 1.15
H100 = "how busy the job keeps the H100"


def kwh(found: Estimate) -> float:
    energy = found.get("energy")
    assert energy is not None
    return energy.central


def job(instance: str = "ml.p5.48xlarge", hours: float = 10.0, **more: object) -> Job:
    return Job(instance, "us-east-1", exactly(hours), **more)  # type: ignore[arg-type]


def test_training_draws_more_than_serving_and_waiting_holds_the_model() -> None:
    served = Fleet("ml.p5.48xlarge", "us-east-1", hours=exactly(1.0), duty=exactly(1.0))
    assert kwh(estimate(served)) == pytest.approx(SERVING_W / 1000 * PUE)
    assert kwh(estimate(job(hours=1.0, duty=exactly(1.0)))) == pytest.approx(TRAINING_W / 1000 * PUE)
    assert kwh(estimate(job(hours=1.0, duty=exactly(0.0)))) == pytest.approx(WAITING_W / 1000 * PUE)
    assert kwh(estimate(job(hours=1.0, duty=exactly(1.0), work="inference"))) == kwh(estimate(served))


def test_a_whole_server_made_to_train_is_kept_busier_than_a_part_of_one() -> None:
    whole = WAITING_W + (TRAINING_W - WAITING_W) * 0.9
    assert kwh(estimate(job())) == pytest.approx(10 * whole / 1000 * PUE)
    # One H100 of the eight, 16 vCPU and 256 GB, of which 128 work.
    idle = 450 / 192 * 16 * 0.208 + 256 * 0.042 + 125 + 170
    busy = 450 / 192 * 16 * 0.653 + 256 * 0.042 + 128 * (0.11 - 0.042) + 640 + 170
    assert kwh(estimate(job("ml.p5.4xlarge"))) == pytest.approx(10 * (idle + (busy - idle) * 0.45) / 1000 * PUE)


def test_several_servers_that_train_together_add_their_network() -> None:
    one = kwh(estimate(job()))
    # 8 x 400 Gbit/s at 0.15 W, of each.
    assert kwh(estimate(job(count=exactly(4.0)))) == pytest.approx(4 * (one + 10 * 8 * 400 * 0.15 / 1000 * PUE))
    served = [Fleet("ml.p5.48xlarge", "us-east-1", exactly(count)) for count in (1.0, 4.0)]
    assert kwh(estimate(served[1])) == pytest.approx(4 * kwh(estimate(served[0])))


def test_memory_beyond_what_the_cpu_can_work_with_draws_as_when_idle() -> None:
    def watts(instance: str, load: float) -> float:
        fleet = Fleet(instance, "us-east-1", hours=exactly(1.0), duty=exactly(load))
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
        (job(hours=1.0), False),  # no small job
        (job(hours=0.2, duty=exactly(0.8)), False),  # somebody told
    ],
)
def test_a_short_job_on_a_large_accelerator_is_told_that_nobody_knows_how_much_of_it_is_used(
    which: Job, told: bool
) -> None:
    assert any(unknown.what.startswith("how busy") for unknown in estimate(which).unknowns) is told


def test_what_was_measured_replaces_the_assumed_use() -> None:
    measured = estimate(job(hours=0.2, duty=between(0.7, 0.75, 0.8, "measured utilisation", "B")))
    assumed = estimate(job(hours=0.2))
    for metric in ("energy", "operational"):
        known, guessed = measured.figures[metric], assumed.figures[metric]
        assert known.high / known.low < guessed.high / guessed.low
    assert H100 in {unknown.what for unknown in assumed.unknowns}
    assert any("a job keeps whole servers busy" in text for text in assumed.assumptions)


def test_an_arm_cpu_idles_higher_than_its_share_of_the_power_at_full_load() -> None:
    def watts(instance: str, load: float) -> float:
        fleet = Fleet(instance, "us-east-1", hours=exactly(1.0), duty=exactly(load))
        return kwh(estimate(fleet)) * 1000 / PUE

    # Graviton2: 110 W on 64 vCPU, of which m6g.16xlarge has all, and 256 GB.
    assert watts("m6g.16xlarge", 0.0) == pytest.approx(110 * (0.24 + 0.1) + 256 * 0.042)
    assert watts("m6g.16xlarge", 0.5) == pytest.approx(110 * (0.553 + (0.24 - 0.108) / 2 + 0.1) + 256 * 0.11)
    assert watts("m6g.16xlarge", 1.0) == pytest.approx(110 * (0.905 + 0.1) + 256 * 0.17)
