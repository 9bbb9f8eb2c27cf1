"""The digits data set of prepare.py, and networks trained on it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sustainable_mlops.base.terraform import ROOT
from tests.lazy_imports import LazyModule

sys.path.insert(0, str(ROOT))  # `workloads` is no installed package: SageMaker gets its files one by one

from workloads.digits import prepare

if TYPE_CHECKING:
    from workloads.digits import train
else:  # imports JAX
    train = LazyModule("workloads.digits.train")

#: Settings of a short training without early stopping.
SHORT_TRAINING = {"epochs": 7, "patience": 0, "batch": 100, "rate": 0.01}


def make_arguments(folder: Path, data: Path, **changes: object) -> list[str]:
    """Return the command line of a training whose outputs go to `folder`."""
    values = {
        **{channel: data / channel for channel in train.CHANNELS},
        "model_dir": folder / "model",
        "checkpoint_dir": folder / "checkpoints",
        "output_data_dir": folder,
        **SHORT_TRAINING,
        **changes,
    }
    return [f"--{name}={value}" for name, value in values.items()]


def train_network(folder: Path, data: Path, **changes: object) -> Path:
    """Train in this process; return the folder with model/, checkpoints/ and metrics.json."""
    train.main(make_arguments(folder, data, **changes))
    return folder


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the data set: one folder per channel."""
    folder = tmp_path_factory.mktemp("digits")
    prepare.write_parts(folder)
    return folder


@pytest.fixture(scope="session")
def uninterrupted(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of an uninterrupted training."""
    return train_network(tmp_path_factory.mktemp("whole"), data)


@pytest.fixture(scope="session")
def quantized(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the same training in int8."""
    return train_network(tmp_path_factory.mktemp("small"), data, precision="int8")
