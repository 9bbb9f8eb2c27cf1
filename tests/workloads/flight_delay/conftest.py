"""Real flights for the tests: the whole year, and three weeks as a small data set.

The fixtures import pandas and XGBoost, because a few tests in this folder need neither.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sustainable_mlops.base.terraform import ROOT

sys.path.insert(0, str(ROOT))  # `workloads` is no installed package: SageMaker gets its files one by one

if TYPE_CHECKING:
    import pandas as pd


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    """Use one thread for boosting: it is fastest on small data, and the tests share the computer."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SM_NUM_CPUS", "1")
        yield


@pytest.fixture(scope="session")
def flights() -> "pd.DataFrame":
    """Return all columns of all flights."""
    import pandas as pd

    from workloads.flight_delay import raw

    return pd.read_csv(raw.find_packaged_files()[raw.FLIGHTS_FILE])


@pytest.fixture(scope="session")
def weather() -> "pd.DataFrame":
    """Return all weather records."""
    import pandas as pd

    from workloads.flight_delay import raw

    return pd.read_csv(raw.find_packaged_files()[raw.WEATHER_FILE])


@pytest.fixture(scope="session")
def year(flights: "pd.DataFrame", weather: "pd.DataFrame") -> "pd.DataFrame":
    """Return every flight of 2013 with its features."""
    from workloads.flight_delay import prepare

    return prepare.build_frame(flights, weather)


@pytest.fixture(scope="session")
def january(flights: "pd.DataFrame") -> "pd.DataFrame":
    """Return the flights of the first three weeks, as published."""
    return flights[(flights["month"] == 1) & (flights["day"] <= 21)].reset_index(drop=True)


@pytest.fixture(scope="session")
def parts(january: "pd.DataFrame", weather: "pd.DataFrame") -> "dict[str, pd.DataFrame]":
    """Return a small data set with the parts of the real one, in order of time."""
    from workloads.flight_delay import prepare
    from workloads.flight_delay.features import LABEL

    frame = prepare.build_frame(january, weather)
    arrived = frame[frame[LABEL].notna()].astype({LABEL: "int64"}).drop(columns="month")
    bounds = {"train": (0, 8000), "validation": (8000, 11000), "test": (11000, 14000)}
    return {part: arrived.iloc[first:last].reset_index(drop=True) for part, (first, last) in bounds.items()}


@pytest.fixture(scope="session")
def data(parts: "dict[str, pd.DataFrame]", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the small data set as prepare.py writes it: one folder per channel."""
    from workloads.flight_delay import prepare

    folder = tmp_path_factory.mktemp("data")
    prepare.write_parts(parts, folder)
    return folder


@pytest.fixture(scope="session")
def model_dir(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the model folder of a training."""
    from workloads.flight_delay import train

    folder = tmp_path_factory.mktemp("trained")
    arguments = {channel: data / channel for channel in ("train", "validation", "test")}
    arguments |= {"model_dir": folder / "model", "checkpoint_dir": folder / "checkpoints"}
    train.run(train.parse_arguments(["--num_round=40", *(f"--{name}={value}" for name, value in arguments.items())]))
    return folder / "model"
