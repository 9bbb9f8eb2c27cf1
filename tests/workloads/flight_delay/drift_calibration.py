"""Calibration of the drift check on public data sets: false alarms on unchanged batches, and found shifts.

    python -m tests.workloads.flight_delay.drift_calibration

Rows are drawn with replacement from one data set, for a profile and for batches. An unchanged batch must not drift. A
shift changes one column of a batch.
"""

import io
import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from workloads.flight_delay import drift, features, prepare, raw

#: Rows of a profile.
TRAINING_ROWS = 3000
#: Rows of a batch: the fewest that give a decision, and more.
BATCH_ROWS = (500, 2000)
#: Most columns of a data set that are shifted, one at a time.
SHIFTED_COLUMNS = 12

Shift = Callable[[pd.Series], pd.Series]


class Figures(NamedTuple):
    """Results of one data set."""

    columns: int
    batches: int
    false_alarms: int
    #: By the name of a shift: the number of shifted columns, and how many of them drift.
    shifts: dict[str, tuple[int, int]]


def load_data_sets() -> dict[str, pd.DataFrame]:
    """Return six public data sets: five of scikit-learn, and the inputs of the flight delay model in January."""
    from sklearn import datasets

    loaders = {
        "iris": datasets.load_iris,
        "wine": datasets.load_wine,
        "breast cancer": datasets.load_breast_cancer,
        "diabetes": partial(datasets.load_diabetes, scaled=False),
        "digits": datasets.load_digits,
    }
    frames = {name: loader(as_frame=True).frame for name, loader in loaders.items()}
    files = raw.find_packaged_files()
    flights, weather = (pd.read_csv(files[name]) for name in (raw.FLIGHTS_FILE, raw.WEATHER_FILE))
    january = flights[flights["month"] == 1].reset_index(drop=True)
    frames["flights"] = prepare.build_frame(january, weather)[features.list_names()]
    return frames


def build_edge_cases() -> dict[str, pd.DataFrame]:
    """Return columns that once misled the check: repeated values of many digits, and a rare flag."""
    chance = np.random.default_rng(11)
    return {
        "repeated": pd.DataFrame(
            {
                "logarithm": np.log([1.0, 26.0, 96.0])[chance.integers(0, 3, 60_000)],
                "amount": np.round(chance.lognormal(8, 1, 60_000), 2),
                "latitude": np.array([40.639722, 40.777222, 40.692500])[chance.integers(0, 3, 60_000)],
                "epoch": 1_700_000_000 + 60 * chance.integers(0, 40_000, 60_000),
            }
        ),
        "flag": pd.DataFrame({"flag": (chance.random(60_000) < 0.015).astype(int)}),
    }


def move(values: pd.Series, *, by: float) -> pd.Series:
    """Return numbers moved by a part of their standard deviation."""
    return values + by * values.std()


def widen(values: pd.Series, *, factor: float) -> pd.Series:
    """Return numbers with a greater distance from their mean."""
    return values.mean() + factor * (values - values.mean())


def lose(values: pd.Series, *, share: float) -> pd.Series:
    """Return values of which a share is missing."""
    return values.mask(_choose(len(values), share))


def replace_by_rarest(values: pd.Series, *, share: float) -> pd.Series:
    """Return values of which a share is the least common value of the batch."""
    counts = values.value_counts()
    return values.mask(_choose(len(values), share), counts.index[-1]) if len(counts) else values


def _choose(rows: int, share: float) -> np.ndarray:
    return np.random.default_rng(rows).random(rows) < share


#: Shifts of numbers, and those of all columns.
NUMBER_SHIFTS: dict[str, Shift] = {
    "mean + 0.5 sd": partial(move, by=0.5),
    "mean + 1 sd": partial(move, by=1.0),
    "spread x 2": partial(widen, factor=2.0),
}
ANY_SHIFTS: dict[str, Shift] = {
    "25 % missing": partial(lose, share=0.25),
    "30 % rarest value": partial(replace_by_rarest, share=0.3),
}


def measure(frame: pd.DataFrame, batches: int, rows: int, seed: int) -> Figures:
    """Return the figures of a data set. Every batch comes through a CSV file, as a delivered batch does."""
    chance = np.random.default_rng(seed)
    alarms = 0
    shifts: dict[str, tuple[int, int]] = {}
    for number in range(batches):
        profile = drift.build_profile(_list_columns(_draw(frame, TRAINING_ROWS, chance)))
        batch = _read_again(_draw(frame, rows, chance), profile)
        alarms += bool(drift.compare(profile, _list_columns(batch))["drifting"])
        if number == 0:
            for name, column, shifted in _list_shifts(batch):
                report = drift.compare(profile, _list_columns(batch.assign(**{column: shifted})))
                count, found = shifts.get(name, (0, 0))
                shifts[name] = (count + 1, found + (column in report["drifting"]))
    return Figures(len(frame.columns), batches, alarms, shifts)


def _list_shifts(batch: pd.DataFrame) -> Iterator[tuple[str, str, pd.Series]]:
    """Yield each shift of some columns: its name, the column and the shifted values. Constant columns have none."""
    for column in batch.columns[:: math.ceil(len(batch.columns) / SHIFTED_COLUMNS)]:
        values = batch[column]
        is_number = pd.api.types.is_numeric_dtype(values)
        for name, shift in {**(NUMBER_SHIFTS if is_number else {}), **ANY_SHIFTS}.items():
            if values.nunique() > 1:
                yield name, str(column), shift(values)


def _draw(frame: pd.DataFrame, rows: int, chance: np.random.Generator) -> pd.DataFrame:
    return frame.iloc[chance.integers(0, len(frame), rows)].reset_index(drop=True)


def _read_again(frame: pd.DataFrame, profile: dict[str, object]) -> pd.DataFrame:
    columns: dict[str, dict[str, str]] = profile["columns"]  # type: ignore[assignment]
    types = {name: str for name, column in columns.items() if column["type"] == "category"}
    return pd.read_csv(io.StringIO(frame.to_csv(index=False)), dtype=types)


def _list_columns(frame: pd.DataFrame) -> dict[str, pd.Series]:
    return {str(name): frame[name] for name in frame}


def main() -> None:
    """Print a row for each data set and number of rows, and the found shifts."""
    names = [*NUMBER_SHIFTS, *ANY_SHIFTS]
    print("| data set | columns | rows of a batch | batches | false alarms | " + " | ".join(names) + " |")
    print("|---" * (5 + len(names)) + "|")
    for name, frame in {**load_data_sets(), **build_edge_cases()}.items():
        for rows in BATCH_ROWS:
            figures = measure(frame, 200, rows, seed=rows)
            found = [f"{figures.shifts[shift][1]} of {figures.shifts[shift][0]}" if shift in figures.shifts else ""
                     for shift in names]  # fmt: skip
            cells = (name, figures.columns, rows, figures.batches, figures.false_alarms, *found)
            print("| " + " | ".join(map(str, cells)) + " |", flush=True)


if __name__ == "__main__":
    main()
