"""Two instances boost one model together, each on its share of the flights; interrupted, they resume."""

import json
import random
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from tests.workloads.flight_delay.instances import TOLERANCE, on_instances
from tests.workloads.flight_delay.interruptions import Bench
from tests.workloads.flight_delay.on_the_sandbox import launched, make_platform, model_files
from workloads.flight_delay import hosts, prepare, train
from workloads.flight_delay.features import InputError

pytestmark = pytest.mark.slow

SMALL = {"num_round": 200, "max_depth": 3, "early_stopping_rounds": 0, "checkpoint_every": 10}


@pytest.fixture(scope="session")
def shares(parts: dict[str, pd.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small data set with its training part in three files."""
    folder = tmp_path_factory.mktemp("shares")
    prepare.write_parts({part: frame for part, frame in parts.items() if part != "train"}, folder)
    for number in range(3):
        prepare.write_parts({"train": parts["train"].iloc[number::3]}, folder, f"share-{number}")
    return folder


@pytest.fixture(scope="session")  # as the sandbox in which it is: there are no two of its names
def platform(sandbox: Any, shares: Path) -> str:
    """With that data set in its bucket."""
    return make_platform(sandbox, "shared", shares)


def written(folder: Path, platform: str, name: str, count: int) -> Path:
    """A job file for so many instances."""
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump(on_instances(count, **SMALL) | {"platform": platform, "name": name}))
    return file


def test_two_instances_come_to_the_metric_of_one_also_when_interrupted(
    sandbox: Any, platform: str, tmp_path: Path
) -> None:
    one = launched(sandbox, "train", written(tmp_path, platform, "alone", 1), tmp_path / "out")
    both = written(tmp_path, platform, "together", 2)
    two = launched(sandbox, "train", both, tmp_path / "out")
    assert two["instance_count"] == 2
    for metric in ("validation:auc", "test:auc"):
        assert two["metrics"][metric] == pytest.approx(one["metrics"][metric], abs=TOLERANCE)
        assert two["metrics"][metric] > 0.6
    model = model_files(sandbox, two)
    metadata = json.loads(model["metadata.json"])
    assert metadata["rounds"] == 200
    first, second = metadata["run"]["train data"].split("+")
    assert first != second

    sandbox.fault("CreateTrainingJob", error="SpotInterruption", after_checkpoints=2, resource="together")
    resumed = launched(sandbox, "train", both, tmp_path / "out", "--force")
    assert resumed["interruptions"] == 1
    assert model_files(sandbox, resumed) == model


def test_several_hosts_that_each_have_all_flights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "count_hosts", lambda: 2)
    for channels, refused in (("FullyReplicated", True), ("ShardedByS3Key", False)):
        monkeypatch.setenv("SM_INPUT_DATA_CONFIG", json.dumps({"train": {"S3DistributionType": channels}}))
        if refused:
            with pytest.raises(InputError, match=r"each of 2 hosts would train on all flights; set sharding"):
                train.check_sharding()
        else:
            train.check_sharding()


def test_interrupted_at_random_moments_spot_ends_with_the_same_model_and_tells_what_it_saved(
    sandbox: Any, platform: str, tmp_path: Path
) -> None:
    changes = {"num_round": 300, "max_depth": 6, "checkpoint_every": 100, "early_stopping_rounds": 0}
    bench = Bench(sandbox, tmp_path, platform, changes)
    for one in bench.interrupted(3, random.Random(5)):  # noqa: S311 - a seed
        assert one["equal"]
        assert one["saving_right"]
        assert 0 <= one["redone"] <= 100
        assert one["saving"] > 0
