"""The digits as prepare.py writes them, and a network trained on them."""

import sys
from pathlib import Path

import pytest

from sustainable_mlops.terraform import ROOT

sys.path.insert(0, str(ROOT))  # `workloads` is no installed package: SageMaker gets its files one by one

from workloads.digits import prepare, train

#: A short training, whose patience runs out.
SHORT = {"epochs": 7, "patience": 0, "batch": 100, "rate": 0.01}


def arguments(folder: Path, data: Path, **changed: object) -> list[str]:
    """The command line of a training whose outputs go to `folder`."""
    given = {
        **{channel: data / channel for channel in train.CHANNELS},
        "model_dir": folder / "model",
        "checkpoint_dir": folder / "checkpoints",
        "output_data_dir": folder,
        **SHORT,
        **changed,
    }
    return [f"--{name}={value}" for name, value in given.items()]


def trained(folder: Path, data: Path, **changed: object) -> Path:
    """Trains within this process; gives the folder, with model/, checkpoints/ and metrics.json."""
    train.main(arguments(folder, data, **changed))
    return folder


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data set: a folder a channel."""
    folder = tmp_path_factory.mktemp("digits")
    prepare.write_parts(folder)
    return folder


@pytest.fixture(scope="session")
def whole(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training that was left alone."""
    return trained(tmp_path_factory.mktemp("whole"), data)


@pytest.fixture(scope="session")
def small(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in int8."""
    return trained(tmp_path_factory.mktemp("small"), data, precision="int8")
