"""Training on two instances: one model from two shards, also after interruptions."""

import json
import random
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from tests.workloads.flight_delay.instances import TOLERANCE, make_job
from tests.workloads.flight_delay.interruptions import InterruptionBench
from tests.workloads.flight_delay.sandbox_platform import launch_job, make_platform, read_model_files
from workloads.flight_delay import hosts, prepare, train
from workloads.flight_delay.features import InputError

pytestmark = pytest.mark.slow

SHORT_TRAINING = {"num_round": 200, "max_depth": 3, "early_stopping_rounds": 0, "checkpoint_every": 10}


@pytest.fixture(scope="session")
def sharded_data(parts: dict[str, pd.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the small data set with its training part in three files."""
    folder = tmp_path_factory.mktemp("shares")
    prepare.write_parts({part: frame for part, frame in parts.items() if part != "train"}, folder)
    for number in range(3):
        prepare.write_parts({"train": parts["train"].iloc[number::3]}, folder, f"share-{number}")
    return folder


@pytest.fixture(scope="session")  # as the sandbox in which it is: there are no two of its names
def platform(sandbox: Any, sharded_data: Path) -> str:
    """Return the platform with this data set in its bucket."""
    return make_platform(sandbox, "shared", sharded_data)


def write_job_file(folder: Path, platform: str, name: str, count: int) -> Path:
    """Write a job file for `count` instances."""
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump(make_job(count, **SHORT_TRAINING) | {"platform": platform, "name": name}))
    return file


def test_two_instances_reach_the_metrics_of_one_also_after_an_interruption(
    sandbox: Any, platform: str, tmp_path: Path
) -> None:
    one = launch_job(sandbox, "train", write_job_file(tmp_path, platform, "alone", 1), tmp_path / "out")
    both = write_job_file(tmp_path, platform, "together", 2)
    two = launch_job(sandbox, "train", both, tmp_path / "out")
    assert two["instance_count"] == 2
    for metric in ("validation:auc", "test:auc"):
        assert two["metrics"][metric] == pytest.approx(one["metrics"][metric], abs=TOLERANCE)
        assert two["metrics"][metric] > 0.6
    model = read_model_files(sandbox, two)
    metadata = json.loads(model["metadata.json"])
    assert metadata["rounds"] == 200
    first, second = metadata["run"]["train data"].split("+")
    assert first != second

    sandbox.fault("CreateTrainingJob", error="SpotInterruption", after_checkpoints=2, resource="together")
    resumed = launch_job(sandbox, "train", both, tmp_path / "out", "--force")
    assert resumed["interruptions"] == 1
    assert read_model_files(sandbox, resumed) == model


def test_several_hosts_with_all_flights_each_are_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "count_hosts", lambda: 2)
    for channels, is_rejected in (("FullyReplicated", True), ("ShardedByS3Key", False)):
        monkeypatch.setenv("SM_INPUT_DATA_CONFIG", json.dumps({"train": {"S3DistributionType": channels}}))
        if is_rejected:
            with pytest.raises(InputError, match=r"each of 2 hosts would train on all flights; set sharding"):
                train.check_sharding()
        else:
            train.check_sharding()


@pytest.mark.release
def test_spot_interruptions_at_random_moments_give_the_same_model_and_the_right_saving(
    sandbox: Any, platform: str, tmp_path: Path
) -> None:
    changes = {"num_round": 300, "max_depth": 6, "checkpoint_every": 100, "early_stopping_rounds": 0}
    bench = InterruptionBench(sandbox, tmp_path, platform, changes)
    for result in bench.run_interruptions(3, random.Random(5)):  # noqa: S311 - a seed
        assert result["equal"]
        assert result["saving_right"]
        assert 0 <= result["redone"] <= 100
        assert result["saving"] > 0
