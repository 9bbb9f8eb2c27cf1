"""First estimate of a job's duration, its scaling to other sizes, and the short run of `--probe`."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sustainable_mlops.aws import Clients
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.footprint import make_exact
from sustainable_mlops.jobs.duration import JobWork, estimate_first_seconds, find_rounds, measure_work, scale_seconds
from sustainable_mlops.jobs.kinds import PROCESSING, TRAINING, TRANSFORM, JobKind
from sustainable_mlops.jobs.launch import prepare
from tests.cases import check_cases
from tests.jobs.support import WriteJob


def make_work(megabytes: float = 100, rounds: float | None = 100, **changes: Any) -> JobWork:
    values: dict[str, Any] = {
        "kind": "training",
        "vcpus": make_exact(2.0),
        "is_network": False,
        "is_local": False,
    } | changes
    return JobWork(input_bytes=megabytes * 1e6, rounds=rounds, **values)


@check_cases(
    ("work", "low", "central", "high"),
    [
        # Start, reading, and rounds over the data with their fixed time.
        (make_work(), 30 + 0.5 + 125 + 0.05, 70 + 5 + 100 * 100 / 28 + 1, 200 + 100 + 5000 + 10),
        (make_work(rounds=None), 30 + 0.5 + 6.25 + 0.0025, 70 + 5 + 50 * 100 / 28 + 0.5, 200 + 100 + 25000 + 50),
        (make_work(rounds=10, is_network=True), 30 + 0.5 + 25 + 0.005, 70 + 5 + 500 + 0.1, 200 + 100 + 25000 + 1),
        (make_work(rounds=None, kind="processing"), 30.5, 75, 300),
        (make_work(rounds=None, kind="transform"), 35, 170, 5200),
        (make_work(rounds=None, kind="processing", is_local=True), 1.5, 9, 120),
        (make_work(rounds=None, kind="processing", is_local=True, queue=4.0), 1.5, 18, 480),
    ],
)
def test_the_first_estimate_is_the_sum_of_start_reading_and_rounds(
    work: JobWork, low: float, central: float, high: float
) -> None:
    seconds, source = estimate_first_seconds(work)
    assert (seconds.low, seconds.central, seconds.high) == pytest.approx((low, central, high))
    assert "100.0 MB of data" in source
    assert ("round" in source) == (work.kind == "training")


@given(
    megabytes=st.floats(0, 1e6),
    rounds=st.none() | st.floats(1, 1e5),
    vcpus=st.floats(1, 200),
    kind=st.sampled_from(["processing", "training", "tuning", "transform"]),
    more=st.floats(1, 100),
)
def test_more_data_never_takes_less_time_and_more_cpus_never_more(
    megabytes: float, rounds: float | None, vcpus: float, kind: str, more: float
) -> None:
    work = make_work(megabytes, rounds, kind=kind, vcpus=make_exact(vcpus))
    larger = make_work(megabytes * more, rounds, kind=kind, vcpus=make_exact(vcpus))
    faster = make_work(megabytes, rounds, kind=kind, vcpus=make_exact(vcpus * more))
    seconds = estimate_first_seconds(work)[0]
    for end in ("low", "central", "high"):
        assert getattr(seconds, end) <= getattr(estimate_first_seconds(larger)[0], end)
        assert getattr(seconds, end) >= getattr(estimate_first_seconds(faster)[0], end)


@check_cases(
    ("parameters", "rounds"),
    [
        ({"num_round": 240}, ("num_round", 240)),
        ({"Num-Train-Epochs": "3"}, ("Num-Train-Epochs", 3)),
        ({"epochs": 3, "n_estimators": 50}, ("n_estimators", 50)),
        ({"epochs": "many", "max_iter": 7}, ("max_iter", 7)),
        ({"epochs": 0}, None),
        ({"epochs": float("inf")}, None),
        ({"epochs": True, "max_iter": 7}, ("max_iter", 7)),
        ({"eta": 0.1, "max_steps": 100}, None),  # a step reads a part of the data
    ],
)
def test_rounds_are_the_hyperparameter_that_counts_passes_over_the_data(
    parameters: dict[str, Any], rounds: tuple[str, float] | None
) -> None:
    assert find_rounds(parameters) == rounds


def test_a_line_through_two_sizes_is_valid_up_to_four_times_the_largest() -> None:
    small, large = make_work(rounds=10), make_work(rounds=30)
    seconds, is_linear = scale_seconds([(100, small), (200, large)], make_work(rounds=60), 2)
    assert is_linear
    assert (seconds.low, seconds.central, seconds.high) == pytest.approx((175, 350, 700), rel=0.01)
    assert not scale_seconds([(100, small), (200, large)], make_work(rounds=300), 2)[1]
    assert not scale_seconds([(200, small), (100, large)], make_work(rounds=60), 2)[1], "the line falls"


@check_cases("factor", [0.1, 1.0, 10.0])
def test_a_run_of_one_size_scales_at_most_in_proportion(factor: float) -> None:
    seconds, is_linear = scale_seconds([(100, make_work(rounds=100))], make_work(rounds=100 * factor), 1)
    assert not is_linear
    low, high = sorted((100.0, 100 * factor))
    assert low * 0.99 <= seconds.low <= seconds.central <= seconds.high <= high * 1.01
    assert (seconds.low < seconds.high) == (factor != 1)


def test_only_runs_of_a_similar_size_count() -> None:
    far, close = make_work(rounds=1), make_work(rounds=90)
    seconds, _ = scale_seconds([(500, far), (100, close)], make_work(rounds=100), 1)
    assert 100 <= seconds.central <= 112


@pytest.mark.usefixtures("cloud")
def test_an_accelerator_counts_as_many_vcpus(write_job: WriteJob) -> None:
    record = prepare(TRAINING, write_job(compute={"instance_type": "ml.g5.12xlarge"})).record
    assert measure_work(record, is_local=False).vcpus.central == 4 * 150
    assert not prepare(TRAINING, write_job()).is_local


def test_a_probe_has_a_tenth_of_the_rounds_or_one_object(
    cloud: Clients, write_job: WriteJob, write_processing: WriteJob, write_transform: WriteJob
) -> None:
    probe, whole = (prepare(TRAINING, write_job(), probe=probe) for probe in (True, False))
    assert probe.request["HyperParameters"]["num_round"] == "24"
    assert probe.record.data == whole.record.data
    assert probe.record.run_key != whole.record.run_key

    without_rounds = write_job(hyperparameters=...)
    with pytest.raises(UserError, match="--probe: no hyperparameter counts rounds, and each data set is one object"):
        prepare(TRAINING, without_rounds, probe=True)
    for number in (1, 2):
        cloud.s3.put_object(Bucket="acme-dev-data", Key=f"flight_delay/train/part-{number}.parquet", Body=b"flights")
    launches: tuple[tuple[JobKind[Any], Path], ...] = (
        (TRAINING, write_job(hyperparameters=...)),
        (PROCESSING, write_processing()),
        (TRANSFORM, write_transform()),
    )
    for kind, path in launches:
        if kind is TRANSFORM:
            model = "models/flight_delay/one/output/model.tar.gz"
            cloud.s3.put_object(Bucket="acme-dev-artifacts", Key=model, Body=b"model")
        probe, whole = (prepare(kind, path, probe=probe) for probe in (True, False))
        sizes = [{name: data.objects for name, data in one.record.data.items()} for one in (probe, whole)]
        assert set(sizes[0].values()) == {1}
        assert max(sizes[1].values()) == 3


def test_a_probe_reads_the_object_of_median_size_and_no_marker(cloud: Clients, write_job: WriteJob) -> None:
    for name, size in {"_SUCCESS": 0, ".part.crc": 8, "part-1": 10, "part-2": 900, "part-3": 0}.items():
        cloud.s3.put_object(Bucket="acme-dev-data", Key=f"flight_delay/train/{name}", Body=b"f" * size)
    probe = prepare(TRAINING, write_job(hyperparameters=...), probe=True)
    (data,) = (data for data in probe.record.data.values() if "train" in data.address)
    assert data.address == "s3://acme-dev-data/flight_delay/train/part-1"
